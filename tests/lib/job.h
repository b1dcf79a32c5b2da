/* SPDX-License-Identifier: GPL-2.0-only */
/* A whole load on a machine in memory (sys_fake), and what the next kernel finds (purg_model). For cmocka's tests. */
#ifndef JOB_H
#define JOB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "load.h"
#include "huge_pages.h"
#include "manage.h"
#include "stages.h"
#include "purg_model.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#define KERNEL		"/boot/Image"
#define INITRD		"/boot/initrd.img"
#define CMDLINE		"console=ttyAMA0 root=/dev/vda2 quiet"

/* Three slots: file bytes in the first two, and a third that is BSS alone. */
#define KERNEL_BYTES	(MIB(2) + 12345)
#define IMAGE_SIZE	(MIB(4) + MIB(1))
#define KERNEL_SLOTS	3
#define INITRD_BYTES	(MIB(2) + 77)
#define INITRD_SLOTS	2
#define SLOTS		(KERNEL_SLOTS + INITRD_SLOTS)
#define FILE_SLOTS	(SLOTS - 1)

/* A machine, the files of a load, and what was asked. */
struct job {
	struct fake *fake;
	struct load_request request;
	unsigned char *kernel, *initrd;
	size_t kernel_bytes, initrd_bytes;
	uint64_t image_size;
	struct report report;
	struct fail fail;
	const char *unload_note;
};

void store_le64(unsigned char *out, uint64_t value);
unsigned char *noise(size_t bytes, uint32_t seed);
unsigned char *image(size_t bytes, uint64_t image_size, uint64_t text_offset);
struct job *job_sized(pa_t first, uint64_t step, uint32_t pages, size_t kernel_bytes, uint64_t image_size, size_t initrd_bytes);
struct job *job_new(pa_t first, uint64_t step, uint32_t pages);
struct job *job_whole(void);
void job_free(struct job *job);
enum kx_err load(struct job *job);
/* The deed, by a process that is killed at its call number at, counted from 1, and with it the one that would put the limit back, or not.
 * False: it ended before. */
bool job_killed_at(struct job *job, void (*deed)(struct job *job), uint64_t at, bool together);
void assert_clean(const struct fake *fake);
void assert_boots(const struct job *job, struct purg_model *m);
uint64_t segment_bytes(const struct fake *fake);
bool noted(const struct job *job, const char *word);
void assert_loads(struct job *job, struct purg_model *m);

/* The next kernel's tree reserves this memory, and nothing else, in the list that libfdt calls mem_rsv. */
void assert_reserved(struct purg_model *m, struct range reserved);

/* What is said of a failure, as it is printed. */
void assert_says(const struct fail *fail, const char *sentence);

/* Load something before, by staging, whatever the job itself asks for. */
void load_first(struct job *job);

/* Be refused with this, nothing touched; the end of the job. */
void refuse(struct job *job, enum kx_err want);

/* What is staged, looked at and healed. */
struct staged_check look(struct job *job, bool digests);
enum kx_err heal(struct job *job, struct heal *to);
/* It is true, nothing is left behind, and it boots. */
void assert_true_and_boots(struct job *job);
/* Pages go here and there: where there are hardly more than are needed, what is in them has to be copied, and in rings. */
void shuffle(struct fake *fake, uint64_t *seed);
/* A kernel and an initrd of a page each, loaded: for what is done hundreds of times. And the same with so few pages that a heal has to copy. */
#define SMALL_SLOTS	2
struct job *job_small(void);
struct job *job_tight(void);

/* The file of the fake's, which is there. */
struct fake_file *file_of(struct job *job, const char *path);

/* The kernel file: this, compressed. */
void put_gzip(struct job *job, const void *data, size_t bytes);

/* The device tree only in /proc/device-tree; or one without PSCI. */
void unpack_tree(struct job *job);
void drop_psci(struct job *job);

#endif
