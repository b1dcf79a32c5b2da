/* SPDX-License-Identifier: GPL-2.0-only */
#include "boot_paths.h"

#include <stdio.h>
#include <string.h>

#define PATH_CHARS	512

static bool is_there(struct sys *sys, const char *path)
{
	uint64_t bytes;
	/* A pipe or a device is no kernel; 0: nothing of it is read. */
	int fd = sys->open_file(sys, path, 0, &bytes);

	if (fd >= 0)
		sys->close(sys, fd);
	return fd >= 0;
}

/* A line of /proc/self/mountinfo (proc(5)): the root of the mount within its file system, where it is mounted, and its device. */
struct mount {
	char root[PATH_CHARS], point[PATH_CHARS], device[PATH_CHARS];
};

/* The mount that a path lies in: the longest point, and of two at one place the later. False: not known. */
static bool mount_of(const char *mountinfo, const char *path, struct mount *mount)
{
	size_t longest = 0;
	bool found = false;

	for (; *mountinfo; mountinfo += strcspn(mountinfo, "\n"), mountinfo += *mountinfo == '\n') {
		const char *tail = strstr(mountinfo, " - ");
		struct mount m;
		size_t bytes;

		if (!tail || sscanf(mountinfo, "%*s %*s %*s %511s %511s", m.root, m.point) != 2 || sscanf(tail, " - %*s %511s", m.device) != 1)
			continue;
		bytes = strcmp(m.point, "/") == 0 ? 0 : strlen(m.point);
		if (strncmp(path, m.point, bytes) != 0 || (path[bytes] != '/' && path[bytes]) || bytes < longest)
			continue;
		longest = bytes;
		*mount = m;
		found = true;
	}
	return found;
}

/*
 * A path of the file system that mount lies on, as this system sees it: below mount if that is where it is mounted, else from the root; less the
 * subvolume that is mounted there, which may come first. Where nothing tells, whichever there is.
 */
static bool find_path(struct sys *sys, const char *mountinfo, const char *mount, char **path)
{
	char whole[2 * PATH_CHARS];
	struct mount at;
	bool known = mountinfo && mount_of(mountinfo, mount, &at);
	const char *rest = *path ? *path : "";
	size_t bytes;

	if (!*path)
		return true;
	if (known) {
		bytes = strcmp(at.root, "/") == 0 ? 0 : strlen(at.root);
		if (bytes && strncmp(rest, at.root, bytes) == 0 && rest[bytes] == '/')
			rest += bytes;
		/* A path that is too long for that is left, and not found. */
		return (size_t)snprintf(whole, sizeof(whole), "%s%s%s", strcmp(at.point, "/") == 0 ? "" : at.point, *rest == '/' ? "" : "/",
					rest) >= sizeof(whole) || entry_set(path, whole, strlen(whole));
	}
	if ((size_t)snprintf(whole, sizeof(whole), "%s%s%s", mount, **path == '/' ? "" : "/", *path) < sizeof(whole) && is_there(sys, whole))
		return entry_set(path, whole, strlen(whole));
	if (**path != '/' || is_there(sys, *path))
		return true;
	rest = strchr(*path + 1, '/');
	if (rest && is_there(sys, rest)) {
		snprintf(whole, sizeof(whole), "%s", rest);
		return entry_set(path, whole, strlen(whole));
	}
	return true;
}

/* The name of the device that a link of /dev leads to, without directories; of what is no link, its own. */
static void device_name(struct sys *sys, const char *path, char *out, size_t room)
{
	char target[PATH_CHARS];

	if (sys->read_link(sys, path, target, sizeof(target)) < 0)
		snprintf(target, sizeof(target), "%s", path);
	snprintf(out, room, "%s", strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

/* Whether the path is of the file system with that UUID, as far as can be known: os-prober finds other systems' kernels of the same name. */
static bool is_elsewhere(struct sys *sys, const char *mountinfo, const char *uuid, const char *path)
{
	char link[PATH_CHARS], wanted[PATH_CHARS], name[PATH_CHARS];
	struct mount mount;

	snprintf(link, sizeof(link), "/dev/disk/by-uuid/%s", uuid);
	if (strchr(uuid, '/') || sys->read_link(sys, link, wanted, sizeof(wanted)) < 0)
		return false;
	if (!mountinfo || !mount_of(mountinfo, path, &mount) || mount.device[0] != '/' || strcmp(mount.device, "/dev/root") == 0)
		return false;
	device_name(sys, link, wanted, sizeof(wanted));
	device_name(sys, mount.device, name, sizeof(name));
	return strcmp(wanted, name) != 0;
}

void boot_paths_check(struct sys *sys, const char *mountinfo, struct boot_entry *e)
{
	const char *missing = e->kernel && !is_there(sys, e->kernel) ? e->kernel : NULL;
	bool elsewhere = false;
	unsigned int i;

	if (!missing && e->dtb && !is_there(sys, e->dtb))
		missing = e->dtb;
	for (i = 0; i < e->initrds && !missing; i++)
		if (!is_there(sys, e->initrd[i]))
			missing = e->initrd[i];
	if (missing && !e->broken[0])
		snprintf(e->broken, sizeof(e->broken), "there is no %s", missing);
	for (i = 0; e->fs_uuid && i < e->initrds && !elsewhere; i++)
		elsewhere = is_elsewhere(sys, mountinfo, e->fs_uuid, e->initrd[i]);
	if (e->kernel && e->fs_uuid && !e->broken[0] && (elsewhere || is_elsewhere(sys, mountinfo, e->fs_uuid, e->kernel)))
		snprintf(e->broken, sizeof(e->broken), "its files are on another file system, %.40s", e->fs_uuid);
}

bool boot_paths_find(struct sys *sys, const char *mountinfo, struct boot_entries *entries)
{
	bool ok = true;
	unsigned int k;
	size_t i;

	for (i = 0; i < entries->count; i++) {
		struct boot_entry *e = &entries->entry[i];
		const char *mount = e->mount ? e->mount : "/boot";

		/* An UKI was found by its path. */
		if (e->source != ENTRY_UKI)
			ok = ok && find_path(sys, mountinfo, mount, &e->kernel) && find_path(sys, mountinfo, mount, &e->dtb);
		for (k = 0; k < e->initrds; k++)
			ok = ok && find_path(sys, mountinfo, mount, &e->initrd[k]);
		boot_paths_check(sys, mountinfo, e);
	}
	return ok;
}
