/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of tests/e2e/tool; each returns the exit status. */
#ifndef TESTS_E2E_TOOL_H
#define TESTS_E2E_TOOL_H

#include <stddef.h>
#include <sys/types.h>

#define HUGE_PAGE	(2ul << 20)
#define KEY_OF_KEXEC	0x4b584600	/* kexec/sys/sys_shm.c */
#define KEYS_OF_KEXEC	0x100

/* tool_trace.c */
int peak(const char *file, char **command);
int record(char *directory, char **command);
long status_number(pid_t pid, const char *name);

/* tool_kill.c */
int kill_at(unsigned long at, const char *how, char **command);
int count_calls(char **command);

/* tool_staged.c */
int corrupt(const char *which);
int soft_offline(const char *which);
int hwpoison(const char *which);
int move_page(const char *which, int node);
int rmid(void);
int present(void);
int fragment(size_t most);

/* tool_kcore.c */
int kcore_map(unsigned long address);
int kcore_u64(unsigned long address, unsigned long count);
int kexec_image(void);

#endif
