/* SPDX-License-Identifier: GPL-2.0-only */
#include "guards.h"

#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCHDOG_DIR	"/sys/class/watchdog"
#define CONF_BYTES_MAX	65536
#define CONF_FILES_MAX	64

/* The first line of a small file; false if it cannot be read. */
static bool read_line(struct sys *sys, const char *path, char *out, size_t room)
{
	char *text;
	size_t bytes;

	if (sys->read_file(sys, path, CONF_BYTES_MAX, &text, &bytes) < 0)
		return false;
	snprintf(out, room, "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	return true;
}

struct finding {
	struct guards *guards;
	struct sys *sys;
};

static int add_watchdog(void *arg, const char *name, bool is_dir)
{
	struct finding *f = arg;
	struct guards *g = f->guards;
	struct watchdog *to = &g->watchdog[g->watchdogs];
	char path[128], state[16] = "";

	/* Links to directories, whose kind a listing does not tell everywhere. */
	(void)is_dir;
	if (g->watchdogs == WATCHDOGS_MAX || name[0] == '.' || strlen(name) >= sizeof(to->name))
		return 0;
	strcpy(to->name, name);
	/* Kernels without CONFIG_WATCHDOG_SYSFS name the device and nothing of it. */
	snprintf(path, sizeof(path), WATCHDOG_DIR "/%s/identity", name);
	read_line(f->sys, path, to->identity, sizeof(to->identity));
	snprintf(path, sizeof(path), WATCHDOG_DIR "/%s/state", name);
	read_line(f->sys, path, state, sizeof(state));
	to->active = strcmp(state, "active") == 0;
	snprintf(path, sizeof(path), WATCHDOG_DIR "/%s/timeout", name);
	sys_read_u64(f->sys, path, 10, &to->timeout_s);
	g->watchdogs++;
	return 0;
}

static enum watchdog_at_reboot read_at_reboot(struct sys *sys)
{
	char value[16] = "";

	read_line(sys, "/sys/module/watchdog/parameters/stop_on_reboot", value, sizeof(value));
	return strcmp(value, "0") == 0 ? WATCHDOG_GOES_ON : strcmp(value, "1") == 0 ? WATCHDOG_STOPS : WATCHDOG_DRIVER_DECIDES;
}

/* systemd-system.conf(5): drop-ins come in the order of their names, whatever directory they are in; of two with one name the one in the
 * earlier directory counts. */
static const char *const conf_dirs[] = { "/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd" };
#define CONF_DIRS	(sizeof(conf_dirs) / sizeof(conf_dirs[0]))

struct drop_ins {
	struct {
		char name[64];
		const char *dir;
	} file[CONF_FILES_MAX];
	size_t count;
	const char *dir;	/* that is being listed */
};

static int add_drop_in(void *arg, const char *name, bool is_dir)
{
	struct drop_ins *d = arg;
	size_t bytes = strlen(name), i;

	if (is_dir || bytes < 6 || bytes >= sizeof(d->file[0].name) || strcmp(name + bytes - 5, ".conf") != 0)
		return 0;
	for (i = 0; i < d->count; i++)
		if (strcmp(d->file[i].name, name) == 0)
			return 0;
	if (d->count == CONF_FILES_MAX)
		return 0;
	strcpy(d->file[d->count].name, name);
	d->file[d->count++].dir = d->dir;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);	/* the name comes first */
}

/* The value of a line that sets this; null: it sets something else. */
static const char *setting(const char *line, const char *name)
{
	if (strncmp(line, name, strlen(name)) != 0)
		return NULL;
	line += strlen(name);
	line += strspn(line, " \t");
	return *line == '=' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

/* The last ones of a [Manager] section. False if the file is not there. */
static bool read_conf(struct guards *g, struct sys *sys, const char *path)
{
	bool manager = false;
	char *text, *line, *save;
	size_t bytes;

	if (sys->read_file(sys, path, CONF_BYTES_MAX, &text, &bytes) < 0)
		return false;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *value;

		line += strspn(line, " \t");
		if (*line == '[')
			manager = strncmp(line, "[Manager]", 9) == 0;
		if (!manager)
			continue;
		if ((value = setting(line, "KExecWatchdogSec")))
			snprintf(g->kexec_watchdog, sizeof(g->kexec_watchdog), "%s", value);
		else if ((value = setting(line, "RuntimeWatchdogSec")))
			snprintf(g->runtime_watchdog, sizeof(g->runtime_watchdog), "%s", value);
	}
	free(text);
	return true;
}

/* "off", "0" and "infinity" leave it off; "default" is the device's own time, and anything else is one. */
static bool is_time(const char *value)
{
	return strncmp(value, "default", 7) == 0 || (strtod(value, NULL) > 0 && value[0] != 'i');
}

static void read_systemd_settings(struct guards *g, struct sys *sys)
{
	struct drop_ins d = { .count = 0 };
	char path[192];
	size_t i;

	for (i = 0; i < CONF_DIRS; i++) {
		snprintf(path, sizeof(path), "%s/system.conf", conf_dirs[i]);
		if (read_conf(g, sys, path))
			break;
	}
	for (i = 0; i < CONF_DIRS; i++) {
		d.dir = conf_dirs[i];
		snprintf(path, sizeof(path), "%s/system.conf.d", d.dir);
		sys->list_dir(sys, path, add_drop_in, &d);
	}
	qsort(d.file, d.count, sizeof(d.file[0]), by_name);
	for (i = 0; i < d.count; i++) {
		snprintf(path, sizeof(path), "%s/system.conf.d/%s", d.file[i].dir, d.file[i].name);
		read_conf(g, sys, path);
	}
	g->kexec_watchdog_on = is_time(g->kexec_watchdog);
	g->runtime_watchdog_on = is_time(g->runtime_watchdog);
}

static int stop(void *arg, const char *name, bool is_dir)
{
	(void)arg;
	(void)name;
	(void)is_dir;
	return 1;
}

void guards_read(struct guards *guards, struct sys *sys)
{
	struct finding f = { guards, sys };

	*guards = (struct guards){ 0 };
	sys->list_dir(sys, WATCHDOG_DIR, add_watchdog, &f);
	guards->at_reboot = read_at_reboot(sys);
	/* sd_booted(3) */
	guards->systemd = sys->list_dir(sys, "/run/systemd/system", stop, NULL) >= 0;
	read_systemd_settings(guards, sys);
	if (read_line(sys, "/sys/module/pstore/parameters/backend", guards->pstore, sizeof(guards->pstore)) && guards->pstore[0] == '(')
		guards->pstore[0] = '\0';	/* "(null)" */
	guards->liveupdate = file_says(sys, "/sys/class/misc/liveupdate/dev", ":");
	guards->kho = file_says(sys, "/proc/cmdline", "kho=on") || file_says(sys, "/proc/cmdline", "kho=1") ||
		      file_says(sys, "/proc/cmdline", "kho=y");
}
