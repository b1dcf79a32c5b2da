/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of a load and what they say: kernel, initrd, command line, a UKI's extras. */
#include "inputs.h"

#include "container.h"
#include "dt.h"

#include <stdlib.h>
#include <string.h>

static enum kx_err open_kernel(struct inputs *in, struct fail *fail)
{
	struct source *source = &in->source[OBJECT_KERNEL];
	unsigned char head[ARM64_IMAGE_LOOK_BYTES];
	uint64_t known_bytes;
	size_t got;
	enum kx_err err = source_open(source, in->sys, in->request->kernel, budget_spool_bytes(&in->budget, in->sys), fail);

	if (!err && !source_bytes(source))
		err = fail_set(fail, KX_EMPTY, "%s", in->request->kernel);
	if (!err && in->request->type && !container_is_type(in->request->type))
		err = fail_set(fail, KX_UNKNOWN_TYPE, "%s", in->request->type);
	if (!err)
		err = inputs_find_kernel(in, head, sizeof(head), &got, fail);
	if (err)
		return err;
	if (in->request->type && strcmp(in->request->type, in->type) != 0)
		return fail_set(fail, KX_WRONG_TYPE, "Wrong file type %s, file matches type %s", in->request->type, in->type);
	known_bytes = source_bytes(source);
	err = arm64_image_parse(&in->image, head, got, known_bytes);
	if (err)
		return fail_set(fail, err, "%s", in->request->kernel);
	if (!in->image.anywhere)
		report_note(in->report, "this kernel (before 4.6) wants to lie near the start of memory, which is not heeded");
	/* Pages of the kernel that runs are surely a size that this CPU has. Others are, too, on all but few. */
	if (in->image.page_shift && 1ull << in->image.page_shift != in->sys->page_bytes)
		report_note(in->report, "this kernel uses %u KiB pages, unlike the running one; whether the CPU has them, only "
			    "purgatory can see: it resets the machine if not", 1u << (in->image.page_shift - 10));
	in->object[OBJECT_KERNEL] = (struct plan_object){
		.name = "kernel",
		.offset_bytes = in->image.text_offset,
		.memory_bytes = in->image.image_size,
		/* What comes out of a compressed file is known when it is read; never more than image_size. */
		.file_bytes = known_bytes ? known_bytes : in->image.image_size,
	};
	return KX_OK;
}

/* The kernel looks for an archive at multiples of four (init/initramfs.c), behind any padding of zeros. */
#define INITRD_ALIGN_BYTES	4

static enum kx_err append_initrd(struct inputs *in, const char *path, struct fail *fail)
{
	struct source *source = &in->source[OBJECT_INITRD];
	uint64_t most = budget_spool_bytes(&in->budget, in->sys);

	/* --initrd="$INITRD" of a script, and nothing in it */
	if (!path[0])
		return fail_set(fail, KX_OPEN, "--initrd= needs the name of a file");
	return source->sys ? source_append(source, path, most, INITRD_ALIGN_BYTES, fail)
			   : source_open(source, in->sys, path, most, fail);
}

static enum kx_err open_initrd(struct inputs *in, struct fail *fail)
{
	const struct load_request *request = in->request;
	struct source *source = &in->source[OBJECT_INITRD];
	enum kx_err err = KX_OK;
	uint64_t bytes;
	unsigned int i;

	if (!request->initrds && in->uki_initrd.bytes)
		err = source_borrow(source, &in->source[OBJECT_KERNEL], in->uki_initrd, fail);
	else if (!request->initrds)
		return KX_OK;
	for (i = 0; !err && i < request->initrds; i++)
		err = append_initrd(in, request->initrd[i], fail);
	if (err == KX_OPEN && request->syscall != SYSCALL_LOAD)
		fail->err = err = KX_OPEN_INITRD;	/* another exit code than for the other call, as kexec-tools has it */
	if (err)
		return err;
	bytes = source_bytes(source);
	if (bytes > in->budget.ram_bytes)
		return fail_set(fail, KX_TOO_BIG, "%s", source->path);
	/* Of a disk that was full, likely. */
	if (!bytes)
		return fail_set(fail, KX_EMPTY, "%s", source->path);
	in->object[OBJECT_INITRD] = (struct plan_object){ .name = "initrd", .memory_bytes = bytes, .file_bytes = bytes };
	return KX_OK;
}

/* What a UKI brings along is small. In memory that the caller frees, with a null behind it. */
static enum kx_err read_extra(struct inputs *in, struct source_part part, size_t most, char **text, size_t *bytes,
			      struct fail *fail)
{
	struct source source;
	enum kx_err err;

	if (part.bytes > most)
		return fail_set(fail, KX_TOO_BIG, "%s", in->request->kernel);
	*text = calloc(1, part.bytes + 1);
	if (!*text)
		return fail_set(fail, KX_NO_MEMORY, "%s", in->request->kernel);
	err = source_borrow(&source, &in->source[OBJECT_KERNEL], part, fail);
	if (!err)
		err = source_read(&source, *text, part.bytes, bytes, fail);
	source_close(&source);
	return err;
}

/* Take the word that begins so out of a command line, and the newline off its end. */
static void drop_word(char *line, const char *start)
{
	char *word;
	size_t bytes;

	line[strcspn(line, "\n")] = '\0';
	for (word = strstr(line, start); word && word > line && word[-1] != ' '; word = strstr(word + 1, start))
		;
	if (!word)
		return;
	bytes = strcspn(word, " ");
	bytes += strspn(word + bytes, " ");
	memmove(word, word + bytes, strlen(word + bytes) + 1);
}

static bool has_word(const char *line, const char *start)
{
	const char *word = strstr(line, start);

	while (word && word > line && word[-1] != ' ')
		word = strstr(word + 1, start);
	return word != NULL;
}

/* As systemd-stub reads it: in one line, without what surrounds it. */
static void make_one_line(char *text)
{
	char *from = text + strspn(text, " \t\r\n"), *to = text, *end = text;

	for (; *from; from++) {
		*to++ = (unsigned char)*from < ' ' ? ' ' : *from;
		if (to[-1] != ' ')
			end = to;
	}
	*end = '\0';
}

/* What a command line begins with, on the heap; null: nothing. As in kexec-tools: --reuse-cmdline is /proc/cmdline without BOOT_IMAGE=, and
 * --append comes behind it. */
static enum kx_err begin_cmdline(struct inputs *in, char **text, struct fail *fail)
{
	const struct load_request *request = in->request;
	enum kx_err err = KX_OK;
	size_t bytes;
	int failed;

	*text = NULL;
	if (request->reuse_cmdline) {
		failed = in->sys->read_file(in->sys, "/proc/cmdline", 65536, text, &bytes);
		if (failed)
			return proc_error(fail, "/proc/cmdline", failed);
		drop_word(*text, "BOOT_IMAGE=");
		/* A crash kernel has none of its own, and would take memory from itself; there may be several. */
		while (request->crash && has_word(*text, "crashkernel="))
			drop_word(*text, "crashkernel=");
	} else if (in->uki_cmdline.bytes && (!request->cmdline || request->boot_loader_cmdline)) {
		err = read_extra(in, in->uki_cmdline, 65536, text, &bytes, fail);
		if (!err)
			make_one_line(*text);
	}
	return err;
}

static enum kx_err make_cmdline(struct inputs *in, struct fail *fail)
{
	const char *more = in->request->cmdline ? in->request->cmdline : "";
	char *begun, *text;
	enum kx_err err = begin_cmdline(in, &begun, fail);

	if (err)
		return err;
	if (begun) {
		text = realloc(begun, strlen(begun) + strlen(more) + 2);
		if (!text) {
			free(begun);
			return fail_set(fail, KX_NO_MEMORY, "command line");
		}
		if (text[0] && more[0])
			strcat(text, " ");
		in->cmdline = in->cmdline_buf = strcat(text, more);
	} else {
		/* Without any, the device tree's stays, which is the running kernel's; a space leaves the next kernel none. */
		in->cmdline = more[0] ? more : in->request->boot_loader_cmdline ? " " : NULL;
	}
	if (in->cmdline && strlen(in->cmdline) > ARM64_CMDLINE_MAX)
		return fail_set(fail, KX_CMDLINE_TOO_LONG, "%zu bytes", strlen(in->cmdline));
	return KX_OK;
}

/* From the beginning again. What was compressed may be unpacked by now. */
static enum kx_err reopen(struct inputs *in, struct fail *fail)
{
	struct plan_object *kernel = &in->object[OBJECT_KERNEL];
	uint64_t bytes = source_bytes(&in->source[OBJECT_KERNEL]);
	enum kx_err err = source_rewind(&in->source[OBJECT_KERNEL], fail);

	if (!err && in->source[OBJECT_INITRD].sys)
		err = source_rewind(&in->source[OBJECT_INITRD], fail);
	if (!err && bytes > kernel->memory_bytes)
		return fail_set(fail, KX_IMAGE_HEADER, "%s", in->request->kernel);
	if (bytes)
		kernel->file_bytes = bytes;
	return err;
}

enum kx_err inputs_open(struct inputs *inputs, struct sys *sys, const struct load_request *request, struct report *report,
			struct fail *fail)
{
	enum kx_err err;

	if (inputs->sys)
		return reopen(inputs, fail);
	*inputs = (struct inputs){ .sys = sys, .request = request, .report = report };
	err = budget_read(&inputs->budget, sys, fail);
	if (!err)
		err = open_kernel(inputs, fail);
	if (!err)
		err = open_initrd(inputs, fail);
	if (!err)
		err = make_cmdline(inputs, fail);
	if (err)
		inputs_close(inputs);
	return err;
}

/* A UKI's device tree is meant to be completed by the boot loader. Without memory in it, it would start nothing. */
enum kx_err inputs_uki_dtb(struct inputs *inputs, char **dtb, size_t *bytes, struct fail *fail)
{
	struct range_set memory = { 0 };
	bool usable;
	enum kx_err err;

	*dtb = NULL;
	if (!inputs->uki_dtb.bytes || inputs->request->dtb)
		return KX_OK;
	err = read_extra(inputs, inputs->uki_dtb, ARM64_DTB_BYTES_MAX, dtb, bytes, fail);
	usable = !err && dt_check(*dtb, *bytes, bytes) == KX_OK && dt_memory(*dtb, &memory) == KX_OK && memory.count;
	range_set_free(&memory);
	if (usable)
		return KX_OK;
	free(*dtb);
	*dtb = NULL;
	if (!err)
		report_note(inputs->report, "the kernel's own device tree is not used: it does not say where memory is");
	return err;
}

enum kx_err inputs_check(struct inputs *inputs, struct fail *fail)
{
	enum kx_err err = source_check(&inputs->source[OBJECT_KERNEL], fail);

	if (!err && inputs->source[OBJECT_INITRD].sys)
		err = source_check(&inputs->source[OBJECT_INITRD], fail);
	return err;
}

void inputs_close(struct inputs *inputs)
{
	unsigned int i;

	for (i = 0; i < PLAN_OBJECTS; i++)
		source_close(&inputs->source[i]);
	free(inputs->cmdline_buf);
	*inputs = (struct inputs){ 0 };
}
