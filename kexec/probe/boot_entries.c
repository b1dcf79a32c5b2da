/* SPDX-License-Identifier: GPL-2.0-only */
#include "boot_entries.h"

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
	char *grubenv;
	bool uki;		/* else .conf files */
	enum kx_err err;
};

static char *read_text(struct sys *sys, const char *path, size_t most_bytes)
{
	char *text;
	size_t bytes;

	return sys->read_file(sys, path, most_bytes, &text, &bytes) ? NULL : text;
}

static bool is_there(struct sys *sys, const char *path)
{
	uint64_t bytes;
	/* A pipe or a device is no kernel; 0: nothing of it is read. */
	int fd = sys->open_file(sys, path, 0, &bytes);

	if (fd >= 0)
		sys->close(sys, fd);
	return fd >= 0;
}

/* A path of a file system that is mounted at prefix. */
static bool put_below(char **path, const char *prefix)
{
	char whole[PATH_CHARS];

	if (!*path || (size_t)snprintf(whole, sizeof(whole), "%s%s%s", prefix, **path == '/' ? "" : "/", *path) >= sizeof(whole))
		return !*path;
	return entry_set(path, whole, strlen(whole));
}

/* GRUB's path is of the file system that /boot lies on: /boot itself, or the root, of which a subvolume's name may come first. */
static bool find_grub_path(struct sys *sys, char **path)
{
	char whole[PATH_CHARS];
	const char *rest;

	if (!*path)
		return true;
	snprintf(whole, sizeof(whole), "/boot%s", *path);
	if (is_there(sys, whole))
		return entry_set(path, whole, strlen(whole));
	if (is_there(sys, *path))
		return true;
	rest = **path == '/' ? strchr(*path + 1, '/') : NULL;
	if (rest && is_there(sys, rest)) {
		snprintf(whole, sizeof(whole), "%s", rest);
		return entry_set(path, whole, strlen(whole));
	}
	return true;
}

static void check_files(struct sys *sys, struct boot_entry *e)
{
	const char *missing = e->kernel && !is_there(sys, e->kernel) ? e->kernel : NULL;
	unsigned int i;

	for (i = 0; i < e->initrds && !missing; i++)
		if (!is_there(sys, e->initrd[i]))
			missing = e->initrd[i];
	if (missing && !e->broken[0])
		snprintf(e->broken, sizeof(e->broken), "there is no %s", missing);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t bytes = strlen(name), tail = strlen(suffix);

	return bytes > tail && strcmp(name + bytes - tail, suffix) == 0;
}

static int take_file(void *arg, const char *name, bool is_dir)
{
	struct reading *r = arg;
	char path[PATH_CHARS], *text;
	struct boot_entry *e;
	bool ambiguous;

	/* The same one, where two paths lead to one file system. */
	if (is_dir || name[0] == '.' || !has_suffix(name, r->uki ? ".efi" : ".conf") || entries_find(r->to, name, &ambiguous) < r->to->count)
		return 0;
	snprintf(path, sizeof(path), "%s%s/%s", r->mount, r->uki ? "/EFI/Linux" : "/loader/entries", name);
	if (r->uki) {
		e = entries_add(r->to, ENTRY_UKI, name, name);
		r->err = e && entry_set(&e->kernel, path, strlen(path)) ? KX_OK : KX_NO_MEMORY;
		return r->err != KX_OK;
	}
	text = read_text(r->sys, path, ENTRY_FILE_BYTES);
	if (!text)
		return 0;
	r->err = entry_parse_bls(r->to, name, text, r->grubenv);
	free(text);
	if (r->err)
		return 1;
	e = r->to->count ? &r->to->entry[r->to->count - 1] : NULL;
	if (e && strcmp(e->id, name) == 0) {
		unsigned int i;
		bool ok = put_below(&e->kernel, r->mount) && put_below(&e->dtb, r->mount);

		for (i = 0; i < e->initrds; i++)
			ok = ok && put_below(&e->initrd[i], r->mount);
		r->err = ok ? KX_OK : KX_NO_MEMORY;
	}
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

/* As systemd-boot chooses: once, for always, by loader.conf; and as GRUB does with such entries, what was saved. Else the first. */
static enum kx_err choose_bls(struct reading *r)
{
	struct boot_entries *to = r->to;
	char id[256], path[PATH_CHARS], *text, *value = NULL;
	size_t i, m;

	to->preferred = to->count;
	if (efi_variable(r->sys, "LoaderEntryOneShot", id, sizeof(id)))
		to->preferred = entries_match(to, id);
	if (to->preferred == to->count && efi_variable(r->sys, "LoaderEntryDefault", id, sizeof(id)))
		to->preferred = entries_match(to, id);
	for (m = 0; m < sizeof(boot_mounts) / sizeof(boot_mounts[0]) && to->preferred == to->count; m++) {
		snprintf(path, sizeof(path), "%s/loader/loader.conf", boot_mounts[m]);
		text = read_text(r->sys, path, ENTRY_FILE_BYTES);
		if (text && !loader_conf_default(text, &value))
			r->err = KX_NO_MEMORY;
		free(text);
		if (value)
			to->preferred = entries_match(to, value);
		free(value);
		value = NULL;
	}
	for (i = 0; i < 2 && to->preferred == to->count; i++) {
		if (!grubenv_get(r->grubenv, i ? "saved_entry" : "next_entry", strlen("saved_entry") - !i, &value))
			r->err = KX_NO_MEMORY;
		if (value && value[0])
			to->preferred = entries_match(to, value);
		free(value);
		value = NULL;
	}
	for (i = 0; i < to->count && (to->preferred == to->count || to->entry[to->preferred].broken[0]); i++)
		if (!to->entry[i].broken[0])
			to->preferred = i;
	return r->err;
}

static enum kx_err read_bls(struct boot_entries *to, struct sys *sys, char *grubenv)
{
	struct reading r = { .sys = sys, .to = to, .grubenv = grubenv };
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
	for (i = 0; i < to->count; i++)
		check_files(sys, &to->entry[i]);
	return r.err ? r.err : choose_bls(&r);
}

static enum kx_err read_grub(struct boot_entries *to, struct sys *sys, const char *grubenv)
{
	static const char *const files[] = { "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg" };
	enum kx_err err = KX_OK;
	char *text = NULL;
	unsigned int k;
	bool ok = true;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]) && !text; i++)
		text = read_text(sys, files[i], GRUB_CFG_BYTES);
	if (!text)
		return KX_OK;
	err = entries_parse_grub(to, text, grubenv);
	free(text);
	for (i = 0; i < to->count && !err; i++) {
		struct boot_entry *e = &to->entry[i];

		ok = ok && find_grub_path(sys, &e->kernel) && find_grub_path(sys, &e->dtb);
		for (k = 0; k < e->initrds; k++)
			ok = ok && find_grub_path(sys, &e->initrd[k]);
		check_files(sys, e);
	}
	return err ? err : ok ? KX_OK : KX_NO_MEMORY;
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

static enum kx_err parse_one(struct default_kexec *d, struct sys *sys, const char *path)
{
	char *text = read_text(sys, path, ENTRY_FILE_BYTES);
	enum kx_err err = text ? default_kexec_parse(d, text) : KX_OK;

	free(text);
	return err;
}

static enum kx_err parse_all(struct default_kexec *d, struct sys *sys)
{
	enum kx_err err = parse_one(d, sys, "/etc/default/kexec");
	struct sys_names names;
	char path[PATH_CHARS];
	size_t i;

	(void)sys_list_files(sys, "/etc/default/kexec.d", is_fragment, &names);
	for (i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), "/etc/default/kexec.d/%s", names.name[i]);
		err = err ? err : parse_one(d, sys, path);
	}
	sys_names_free(&names);
	return err;
}

static enum kx_err read_default_kexec(struct boot_entries *to, struct sys *sys, bool *chosen)
{
	struct default_kexec d = { 0 };
	enum kx_err err = parse_all(&d, sys);
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
			check_files(sys, e);
		*chosen = !err && !is_preset(d.kernel);
	}
	to->preferred = 0;
	default_kexec_free(&d);
	return err;
}

enum kx_err boot_entries_read(struct boot_entries *entries, struct sys *sys, struct fail *fail)
{
	struct boot_entries list[3] = { { 0 } };
	char *grubenv = read_text(sys, "/boot/grub/grubenv", ENTRY_FILE_BYTES);
	bool chosen = false;
	enum kx_err err;
	size_t i, first;

	*entries = (struct boot_entries){ 0 };
	if (!grubenv)
		grubenv = read_text(sys, "/boot/grub2/grubenv", ENTRY_FILE_BYTES);
	err = read_bls(&list[0], sys, grubenv);
	if (!err)
		err = read_grub(&list[1], sys, grubenv);
	if (!err)
		err = read_default_kexec(&list[2], sys, &chosen);
	free(grubenv);
	first = chosen ? 2 : 0;
	for (i = 0; i < 3; i++) {
		struct boot_entries *from = &list[(first + i) % 3];
		size_t preferred = from->preferred, base = entries->count;
		bool usable = from->count && preferred < from->count && !from->entry[preferred].broken[0];

		if (!err && !entries_take(entries, from))
			err = KX_NO_MEMORY;
		/* Until there is one, it is one behind the last. */
		if (!err && entries->preferred == base)
			entries->preferred = usable ? base + preferred : entries->count;
		entries_free(from);
	}
	if (err) {
		entries_free(entries);
		return fail_set(fail, err, "boot entries");
	}
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
		return fail_with(fail, KX_NO_ENTRY);
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
	if (request->reuse_cmdline || (!e->cmdline && e->source == ENTRY_UKI))
		return KX_OK;
	if (!e->cmdline) {
		request->reuse_cmdline = true;
		return KX_OK;
	}
	if (!entry_set(cmdline, e->cmdline, strlen(e->cmdline)) || (request->cmdline && !entry_append(cmdline, request->cmdline)))
		return fail_set(fail, KX_NO_MEMORY, "command line");
	request->cmdline = *cmdline;
	return KX_OK;
}
