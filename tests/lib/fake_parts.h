/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the fake: sys_fake.c is the machine, fake_files.c its files, fake_pages.c its staged memory, fake_kexec.c what
 * it lets itself be loaded with. */
#ifndef FAKE_PARTS_H
#define FAKE_PARTS_H

#include "sys_fake.h"

#define FAKE_POOL	"/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define FAKE_OVERCOMMIT	FAKE_POOL "nr_overcommit_hugepages"

static inline struct fake *fake_of(struct sys *sys)
{
	return sys->ctx;
}

/* Write down what no caller may do; the first is kept. */
void fake_breach(struct fake *fake, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether this call is to fail. Every fallible call asks here first. */
bool fake_fails(struct fake *fake, const char *name);

/* Every call comes through here first, for a process that is to be killed at one. */
void fake_step(struct fake *fake);

/* Whether fd is; what else is done with it is a breach. */
bool fake_is_open(struct fake *fake, int fd, const char *what);

/* Their functions in fake->sys, and what they leave. */
void fake_files(struct fake *fake);
void fake_files_free(struct fake *fake);
void fake_pages(struct fake *fake);
void fake_pages_free(struct fake *fake);
void fake_pages_died(struct fake *fake);
void fake_kexec(struct fake *fake);
void fake_kexec_free(struct fake *fake);	/* what is loaded */

#endif
