/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether somebody preserves state for the next kernel: for a live update (Linux 6.19, kernel/liveupdate), or by kexec handover alone (6.16). */
#include "probe.h"

#include <stdio.h>
#include <string.h>

/* What the link of a session's descriptor says, before its name (luo_session_getfile()). */
#define SESSION	"anon_inode:[luo_session]"

struct search {
	struct sys *sys;
	char process[16];
	char *out;
	size_t room;
};

static int look_at_descriptor(void *arg, const char *name, bool is_dir)
{
	struct search *s = arg;
	char path[64], link[192];

	(void)is_dir;
	snprintf(path, sizeof(path), "/proc/%s/fd/%.20s", s->process, name);
	if (s->sys->read_link(s->sys, path, link, sizeof(link)) < 0 || strncmp(link, SESSION, strlen(SESSION)) != 0)
		return 0;
	snprintf(s->out, s->room, "process %s has the session%.100s", s->process, link + strlen(SESSION));
	return 1;
}

static int look_at_process(void *arg, const char *name, bool is_dir)
{
	struct search *s = arg;
	char path[64];

	(void)is_dir;
	if (name[0] < '0' || name[0] > '9' || strlen(name) >= sizeof(s->process))
		return 0;
	strcpy(s->process, name);
	snprintf(path, sizeof(path), "/proc/%s/fd", name);
	s->sys->list_dir(s->sys, path, look_at_descriptor, s);
	return s->out[0] != '\0';
}

bool live_update_session(struct sys *sys, char *who, size_t room)
{
	struct search s = { .sys = sys, .out = who, .room = room };
	uint64_t finalized;

	who[0] = '\0';
	/* Until 6.19 somebody has to say so; debugfs need not be mounted. */
	if (sys_read_u64(sys, "/sys/kernel/debug/kho/out/finalize", 10, &finalized) && finalized) {
		snprintf(who, room, "kexec handover was finalized");
		return true;
	}
	if (!file_says(sys, "/sys/class/misc/liveupdate/dev", ":"))
		return false;
	sys->list_dir(sys, "/proc", look_at_process, &s);
	return who[0] != '\0';
}
