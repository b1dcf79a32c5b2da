/* SPDX-License-Identifier: GPL-2.0-only */
#include "boot_entries.h"

#include "boot_paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the EFI system partition and XBOOTLDR are mounted, as bootctl(1) looks for them. */
static const char *const boot_mounts[] = { "/efi", "/boot", "/boot/efi" };

#define PATH_CHARS	512

struct reading {
	struct sys *sys;
	struct boot_entries *to;
	const char *mount;
	bool uki;		/* else .conf files */
	bool lost;
	enum kx_err err;
};

/* Null: it is not there, or not for this user. One that is there and cannot be read, or is too long, might have changed everything: *lost. */
static char *read_text(struct sys *sys, const char *path, size_t most_bytes, bool *lost)
{
	char *text;
	size_t bytes;
	int err = sys->read_file(sys, path, most_bytes, &text, &bytes);

	*lost |= err && err != -ENOENT && err != -ENOTDIR && err != -EACCES && err != -EPERM;
	return err ? NULL : text;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t bytes = strlen(name), tail = strlen(suffix);

	return bytes > tail && strcmp(name + bytes - tail, suffix) == 0;
}

static int take_file(void *arg, const char *name, bool is_dir)
{
	struct reading *r = arg;
	char path[PATH_CHARS], *text, *id = NULL;
	bool ambiguous, given_up;
	size_t count = r->to->count;

	if (is_dir || name[0] == '.' || !has_suffix(name, r->uki ? ".efi" : ".conf"))
		return 0;
	if (!entry_name_id(name, &id, &given_up)) {
		r->err = KX_NO_MEMORY;
		return 1;
	}
	/* The same one, where two paths lead to one file system. */
	if (entries_find(r->to, id, &ambiguous) < r->to->count) {
		free(id);
		return 0;
	}
	snprintf(path, sizeof(path), "%s%s/%s", r->mount, r->uki ? "/EFI/Linux" : "/loader/entries", name);
	if (r->uki) {
		struct boot_entry *e = entries_add(r->to, ENTRY_UKI, id, id);

		r->err = e && entry_set(&e->kernel, path, strlen(path)) ? KX_OK : KX_NO_MEMORY;
		if (e)
			e->bad = given_up;
	} else {
		text = read_text(r->sys, path, ENTRY_FILE_BYTES, &r->lost);
		r->err = text ? entry_parse_bls(r->to, name, text) : KX_OK;
		free(text);
	}
	free(id);
	if (!r->err && r->to->count > count)
		r->to->entry[count].mount = r->mount;
	return r->err != KX_OK;
}

/* An EFI variable of systemd-boot's: four bytes of attributes, and UTF-16. What is no ASCII names no entry. */
static bool efi_variable(struct sys *sys, const char *name, char *out, size_t room)
{
	char path[128], *text;
	size_t bytes, i, used = 0;

	snprintf(path, sizeof(path), "/sys/firmware/efi/efivars/%s-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", name);
	if (sys->read_file(sys, path, 1024, &text, &bytes))
		return false;
	for (i = 4; i + 1 < bytes && text[i] && !text[i + 1] && used + 1 < room; i += 2)
		out[used++] = text[i];
	out[used] = '\0';
	free(text);
	return used > 0;
}

/* Of loader.conf, by whatever path it is found; null: none. */
static enum kx_err read_loader_default(struct sys *sys, char **value, bool *lost)
{
	char path[PATH_CHARS], *text;
	bool ok = true;
	size_t m;

	*value = NULL;
	for (m = 0; m < sizeof(boot_mounts) / sizeof(boot_mounts[0]) && !*value && ok; m++) {
		snprintf(path, sizeof(path), "%s/loader/loader.conf", boot_mounts[m]);
		text = read_text(sys, path, ENTRY_FILE_BYTES, lost);
		ok = !text || loader_conf_default(text, value);
		free(text);
	}
	return ok ? KX_OK : KX_NO_MEMORY;
}

/* What is asked for by name and is no entry of any file: another system, the firmware's setup. */
static void choose_by_variable(struct boot_entries *to, const char *id)
{
	to->preferred = entries_match(to, id);
	if (to->preferred == to->count)
		snprintf(to->undecided, sizeof(to->undecided), "the boot loader would start %.60s, which is in no file", id);
}

/* As systemd-boot chooses: once, for always, by loader.conf; else the first. "@saved" is what was started last. */
static enum kx_err choose_bls(struct boot_entries *to, struct sys *sys, bool *lost)
{
	char id[256], *value;
	enum kx_err err = read_loader_default(sys, &value, lost);
	bool any = false, by_variable = efi_variable(sys, "LoaderEntryOneShot", id, sizeof(id)) || efi_variable(sys, "LoaderEntryDefault", id, sizeof(id));
	bool saved = by_variable ? strcmp(id, "@saved") == 0 : value && strcmp(value, "@saved") == 0;
	size_t i;

	to->preferred = to->count;
	for (i = 0; i < to->count; i++)
		any |= !to->entry[i].broken[0];
	if (saved)
		by_variable = efi_variable(sys, "LoaderEntryLastBooted", id, sizeof(id));
	if (any && by_variable)
		choose_by_variable(to, id);
	else if (any && !saved && value && strncmp(value, "auto-", 5) == 0)
		choose_by_variable(to, value);
	else if (any && !saved && value)
		to->preferred = entries_match(to, value);
	free(value);
	/* If none of them can be started, they are leftovers, and the machine starts by other means. */
	if (any && to->preferred == to->count && !to->undecided[0])
		to->preferred = 0;
	return err;
}

/* In the order that they stand in, which GRUB keeps too. Paths are as the files have them. */
static enum kx_err read_bls(struct boot_entries *to, struct sys *sys, bool *lost)
{
	struct reading r = { .sys = sys, .to = to };
	char path[PATH_CHARS];
	size_t m, i;

	for (m = 0; m < sizeof(boot_mounts) / sizeof(boot_mounts[0]) && !r.err; m++)
		for (i = 0; i < 2 && !r.err; i++) {
			r.mount = boot_mounts[m];
			r.uki = i;
			snprintf(path, sizeof(path), "%s%s", r.mount, r.uki ? "/EFI/Linux" : "/loader/entries");
			(void)sys->list_dir(sys, path, take_file, &r);
		}
	entries_sort_bls(to);
	*lost |= r.lost;
	return r.err;
}

struct grub_directory {
	struct sys *sys;
	const char *path;
	bool lost;
};

static char *read_grub_file(void *arg, const char *name)
{
	struct grub_directory *d = arg;
	char path[PATH_CHARS];

	if (strstr(name, "..") || (size_t)snprintf(path, sizeof(path), "%s/%s", d->path, name) >= sizeof(path))
		return NULL;
	return read_text(d->sys, path, GRUB_CFG_BYTES, &d->lost);
}

static bool has_grub_file(void *arg, const char *name)
{
	const struct grub_directory *d = arg;
	char path[PATH_CHARS];
	struct sys_stamp stamp;
	uint64_t bytes;
	bool there;
	int fd;

	if (strstr(name, "..") || (size_t)snprintf(path, sizeof(path), "%s/%s", d->path, name) >= sizeof(path))
		return false;
	fd = d->sys->open_file(d->sys, path, 0, &bytes);
	there = fd >= 0 && d->sys->stamp(d->sys, fd, path, &stamp) == 0 && stamp.bytes;
	if (fd >= 0)
		d->sys->close(d->sys, fd);
	return there;
}

static enum kx_err read_grub(struct boot_entries *to, struct sys *sys, struct boot_entries *bls, bool *lost)
{
	static const char *const directories[] = { "/boot/grub", "/boot/grub2" };
	struct grub_directory d = { .sys = sys };
	const struct grub_files files = { read_grub_file, has_grub_file, &d };
	enum kx_err err;
	char *text = NULL;
	size_t i;

	for (i = 0; i < sizeof(directories) / sizeof(directories[0]) && !text; i++) {
		d.path = directories[i];
		text = read_grub_file(&d, "grub.cfg");
	}
	*lost |= d.lost;
	if (!text)
		return KX_OK;
	err = entries_parse_grub(to, text, &files, bls);
	free(text);
	*lost |= d.lost;
	return err;
}

static bool is_preset(const char *kernel)
{
	return strcmp(kernel, "/vmlinuz") == 0 || strcmp(kernel, "/boot/vmlinuz") == 0;
}

/* What run-parts(8) would take: editors and packages leave others beside. */
static bool is_fragment(const char *name)
{
	return !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")];
}

static enum kx_err parse_one(struct default_kexec *d, struct sys *sys, const char *path, bool *lost)
{
	char *text = read_text(sys, path, ENTRY_FILE_BYTES, lost);
	enum kx_err err = text ? default_kexec_parse(d, text) : KX_OK;

	free(text);
	return err;
}

static enum kx_err parse_all(struct default_kexec *d, struct sys *sys, bool *lost)
{
	enum kx_err err = parse_one(d, sys, "/etc/default/kexec", lost);
	struct sys_names names;
	char path[PATH_CHARS];
	size_t i;

	(void)sys_list_files(sys, "/etc/default/kexec.d", is_fragment, &names);
	for (i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), "/etc/default/kexec.d/%s", names.name[i]);
		err = err ? err : parse_one(d, sys, path, lost);
	}
	sys_names_free(&names);
	return err;
}

static enum kx_err read_default_kexec(struct boot_entries *to, struct sys *sys, bool *chosen, bool *lost)
{
	struct default_kexec d = { 0 };
	enum kx_err err = parse_all(&d, sys, lost);
	struct boot_entry *e;

	*chosen = false;
	if (!err && d.kernel && d.kernel[0] && !d.use_grub) {
		e = entries_add(to, ENTRY_DEFAULT_KEXEC, "default-kexec", "/etc/default/kexec");
		if (!e || !entry_set(&e->kernel, d.kernel, strlen(d.kernel)) || (d.append && d.append[0] && !entry_set(&e->cmdline, d.append, strlen(d.append))))
			err = KX_NO_MEMORY;
		if (!err && d.initrd && d.initrd[0]) {
			e->initrds = 1;
			if (!entry_set(&e->initrd[0], d.initrd, strlen(d.initrd)))
				err = KX_NO_MEMORY;
		}
		if (!err && d.bad_line)
			snprintf(e->broken, sizeof(e->broken), "/etc/default/kexec:%d is more than NAME=text", d.bad_line);
		if (!err)
			boot_paths_check(sys, NULL, e);
		*chosen = !err && !is_preset(d.kernel);
	}
	to->preferred = 0;
	default_kexec_free(&d);
	return err;
}

/* systemd-boot says in EFI's variable that it started this system; GRUB does so too, with its module bli. Where nobody does, there is no EFI,
 * or an older GRUB. */
static bool grub_starts(struct sys *sys)
{
	char loader[64];

	return !efi_variable(sys, "LoaderInfo", loader, sizeof(loader)) || strncmp(loader, "GRUB", 4) == 0;
}

enum kx_err boot_entries_read(struct boot_entries *entries, struct sys *sys, struct fail *fail)
{
	struct boot_entries bls = { 0 }, grub = { 0 }, preset = { 0 };
	struct boot_entries *order[3];
	bool chosen = false, decided = false, lost = false, ignored = false, by_grub = grub_starts(sys);
	char *mountinfo;
	enum kx_err err;
	size_t i;

	*entries = (struct boot_entries){ 0 };
	err = read_bls(&bls, sys, &lost);
	if (!err)
		err = read_grub(&grub, sys, by_grub ? &bls : NULL, &lost);
	if (!err)
		err = read_default_kexec(&preset, sys, &chosen, &lost);
	mountinfo = read_text(sys, "/proc/self/mountinfo", 1u << 20, &ignored);
	if (!err && !(boot_paths_find(sys, mountinfo, &bls) && boot_paths_find(sys, mountinfo, &grub)))
		err = KX_NO_MEMORY;
	free(mountinfo);
	entries_reject_variables(&bls);
	if (!err)
		err = choose_bls(&bls, sys, &lost);
	order[chosen ? 0 : 2] = &preset;
	order[chosen + !by_grub] = &grub;
	order[chosen + by_grub] = &bls;
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct boot_entries *from = order[i];
		size_t base = entries->count;

		if (err || (!from->count && !from->undecided[0]))
			continue;
		/* The default of the first of them that has one; or that should have, and it is said why not. */
		if (!decided) {
			decided = from->preferred < from->count || from->undecided[0];
			entries->preferred = base + from->preferred;
			memcpy(entries->undecided, from->undecided, sizeof(entries->undecided));
		}
		if (!entries_take(entries, from, ENTRY_SOURCES))
			err = KX_NO_MEMORY;
	}
	entries_free(&bls);
	entries_free(&grub);
	entries_free(&preset);
	if (err) {
		entries_free(entries);
		return fail_set(fail, err, "boot entries");
	}
	/* What it says might have made another entry the default. */
	if (lost) {
		entries->preferred = entries->count;
		snprintf(entries->undecided, sizeof(entries->undecided), "a file of the boot loader is there and cannot be read, or is too long");
	}
	if (!decided || entries->undecided[0])
		entries->preferred = entries->count;
	return KX_OK;
}

/* Those that can be loaded, for whoever gave a name that means none, or several. */
static void list_ids(const struct boot_entries *entries, char *out, size_t room)
{
	size_t i, used = 0;

	out[0] = '\0';
	for (i = 0; i < entries->count && used + 4 < room; i++)
		if (!entries->entry[i].broken[0]) {
			snprintf(out + used, room - used, "%s%s", used ? ", " : "", entries->entry[i].id);
			used = strlen(out);
		}
}

enum kx_err boot_entry_request(const struct boot_entries *entries, const char *name, struct load_request *request, char **cmdline,
			       struct fail *fail)
{
	bool ambiguous = false;
	size_t found = name ? entries_find(entries, name, &ambiguous) : entries->preferred;
	const struct boot_entry *e = &entries->entry[found];
	char ids[160];
	unsigned int i;

	*cmdline = NULL;
	if (!name && found >= entries->count)
		return entries->undecided[0] ? fail_set(fail, KX_ENTRY_UNDECIDED, "%s", entries->undecided) : fail_with(fail, KX_NO_ENTRY);
	list_ids(entries, ids, sizeof(ids));
	if (found >= entries->count)
		return fail_set(fail, ambiguous ? KX_ENTRY_AMBIGUOUS : KX_ENTRY_UNKNOWN, "%.60s (there are: %s)", name, ids[0] ? ids : "none");
	if (e->broken[0])
		return fail_set(fail, KX_ENTRY_BROKEN, "%.60s: %s", e->id, e->broken);
	request->kernel = e->kernel;
	request->boot_entry = e->id;
	for (i = 0; !request->initrds && i < e->initrds; i++)
		request->initrd[i] = e->initrd[i];
	if (!request->initrds)
		request->initrds = e->initrds;
	if (!request->dtb)
		request->dtb = e->dtb;
	if (request->reuse_cmdline)
		return KX_OK;
	request->reuse_cmdline = !e->cmdline && e->source == ENTRY_DEFAULT_KEXEC;
	/* One with a command line of its own keeps it only if the entry has none. */
	request->boot_loader_cmdline = !request->reuse_cmdline && (!e->cmdline || !e->cmdline[0]);
	if (!e->cmdline)
		return KX_OK;
	if (!entry_set(cmdline, e->cmdline, strlen(e->cmdline)) || (request->cmdline && !entry_append(cmdline, request->cmdline)))
		return fail_set(fail, KX_NO_MEMORY, "command line");
	request->cmdline = *cmdline;
	return KX_OK;
}
