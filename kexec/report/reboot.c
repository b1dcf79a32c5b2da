/* SPDX-License-Identifier: GPL-2.0-only */
#include "reboot.h"

#include "bytes.h"
#include "purgatory_abi.h"

#include <string.h>

#define BAR_CHARS	40

/* Between purgatory's end and the start of the kernel's clocks it has its memory set up, on one CPU, which takes less even with terabytes. */
#define GAP_NS_MAX	60000000000ull

/* The phase that ends at a point. */
static const struct { const char *name, *key; } phases[REBOOT_POINTS] = {
	[REBOOT_STOPPED] = { "services stop", "services_stop" },
	[REBOOT_JUMP] = { "verify, heal", "verify_and_heal" },
	[REBOOT_PURGATORY] = { "old kernel: devices, CPUs", "old_kernel" },
	[REBOOT_DONE] = { "purgatory", "purgatory" },
	[REBOOT_CLOCK] = { "new kernel, until its clock", "kernel_before_clock" },
	[REBOOT_INIT] = { "new kernel, until /init", "kernel" },
	[REBOOT_ROOT] = { "initrd", "initrd" },
	[REBOOT_TARGET] = { "userspace", "userspace" },
};

static uint64_t cell(const unsigned char *record, size_t bytes, enum purg_timeline_cell which)
{
	return bytes >= (which + 1) * sizeof(uint64_t) ? load_be(record + which * sizeof(uint64_t), sizeof(uint64_t)) : 0;
}

static uint64_t to_ns(uint64_t ticks, uint64_t hz)
{
	double ns = (double)ticks * 1e9 / (double)hz;

	return ns < 1e18 ? (uint64_t)ns : (uint64_t)1e18;
}

static uint64_t to_ticks(uint64_t ns, uint64_t hz)
{
	double ticks = (double)ns * (double)hz / 1e9;

	return ticks < 1e18 ? (uint64_t)ticks : (uint64_t)1e18;
}

/* The counter when a clock began that says ns when the counter is at this; 0: not known. */
static uint64_t begin_of(uint64_t counter, uint64_t ns, uint64_t hz)
{
	uint64_t age = to_ticks(ns, hz);

	return counter && ns && age < counter ? counter - age : 0;
}

/* The counter us microseconds after a clock began that says ns now; 0: that is not known, or still to come. */
static uint64_t point(uint64_t begin, uint64_t us, uint64_t ns, uint64_t hz)
{
	return begin && us && us < UINT64_MAX / 1000 && us * 1000 <= ns ? begin + to_ticks(us * 1000, hz) : 0;
}

/* This kernel's points on the counter. */
static void place_new_side(uint64_t *ticks, const struct reboot_now *now, uint64_t hz)
{
	uint64_t boot_begin = begin_of(now->counter, now->boot_ns, hz), log_begin = begin_of(now->log_counter, now->log_ns, hz);

	ticks[REBOOT_CLOCK] = log_begin ? log_begin : boot_begin;
	ticks[REBOOT_INIT] = point(ticks[REBOOT_CLOCK], now->init_us, log_begin ? now->log_ns : now->boot_ns, hz);
	ticks[REBOOT_ROOT] = point(boot_begin, now->root_us, now->boot_ns, hz);
	ticks[REBOOT_TARGET] = point(boot_begin, now->target_us, now->boot_ns, hz);
}

/* No point comes before an earlier one. The old kernel's stamps may be of a request that was withdrawn; they are never later than the jump. */
static void drop_disorder(uint64_t *ticks)
{
	uint64_t limit = ticks[REBOOT_PURGATORY];
	int i;

	for (i = REBOOT_JUMP; i >= REBOOT_ASKED; i--) {
		if (ticks[i] > limit)
			ticks[i] = 0;
		limit = ticks[i] ? ticks[i] : limit;
	}
	limit = ticks[REBOOT_CLOCK];
	for (i = REBOOT_INIT; i < REBOOT_POINTS; i++) {
		if (ticks[i] < limit)
			ticks[i] = 0;
		limit = ticks[i] ? ticks[i] : limit;
	}
}

bool reboot_make(struct reboot *reboot, const void *record, size_t bytes, const struct reboot_now *now)
{
	uint64_t ticks[REBOOT_POINTS] = { 0 }, hz, first = 0;
	unsigned int i;

	*reboot = (struct reboot){ 0 };
	hz = cell(record, bytes, PURG_T_HZ);
	if (cell(record, bytes, PURG_T_MAGIC) >> 32 != PURG_TIMELINE_MAGIC || cell(record, bytes, PURG_T_RESULT) == PURG_RESULT_NONE || !hz ||
	    cell(record, bytes, PURG_T_DONE) < cell(record, bytes, PURG_T_ENTRY) || !cell(record, bytes, PURG_T_ENTRY))
		return false;
	for (i = 0; i < PURG_STAMPS; i++)
		ticks[REBOOT_ASKED + i] = cell(record, bytes, PURG_T_ASKED + i);
	ticks[REBOOT_PURGATORY] = cell(record, bytes, PURG_T_ENTRY);
	ticks[REBOOT_DONE] = cell(record, bytes, PURG_T_DONE);
	place_new_side(ticks, now, hz);
	drop_disorder(ticks);
	/* A virtual machine that was moved, or a hypervisor that gives each kernel a counter from zero. */
	if (ticks[REBOOT_CLOCK] &&
	    (ticks[REBOOT_CLOCK] < ticks[REBOOT_DONE] || to_ns(ticks[REBOOT_CLOCK] - ticks[REBOOT_DONE], hz) > GAP_NS_MAX)) {
		memset(ticks + REBOOT_CLOCK, 0, (REBOOT_POINTS - REBOOT_CLOCK) * sizeof(*ticks));
		reboot->note = "This kernel's counter does not go on from purgatory's, so what came after cannot be told";
	}
	for (i = 0; i < REBOOT_POINTS; i++) {
		reboot->known[i] = ticks[i] != 0;
		if (ticks[i] && !first)
			first = ticks[i];
		reboot->ns[i] = ticks[i] ? to_ns(ticks[i] - first, hz) : 0;
	}
	return true;
}

static void join(char *to, const char *text, const char *between, size_t room)
{
	size_t used = strlen(to);

	if (used + strlen(between) + strlen(text) < room)
		snprintf(to + used, room - used, "%s%s", used ? between : "", text);
}

bool reboot_phase(const struct reboot *reboot, enum reboot_point to, char *name, char *key, size_t room, uint64_t *start_ns, uint64_t *ns)
{
	int from = (int)to - 1;
	unsigned int i;

	while (from >= 0 && !reboot->known[from])
		from--;
	if (from < 0 || !reboot->known[to])
		return false;
	name[0] = key[0] = '\0';
	for (i = (unsigned int)from + 1; i <= to; i++) {
		join(name, phases[i].name, " + ", room);
		join(key, phases[i].key, "+", room);
	}
	*start_ns = reboot->ns[from];
	*ns = reboot->ns[to] - reboot->ns[from];
	return true;
}

/* The last one is the longest: nothing before is later. */
static uint64_t total_ns(const struct reboot *reboot)
{
	uint64_t ns = 0;
	unsigned int i;

	for (i = 0; i < REBOOT_POINTS; i++)
		ns = reboot->known[i] && reboot->ns[i] > ns ? reboot->ns[i] : ns;
	return ns;
}

void reboot_text(const struct reboot *reboot, FILE *out)
{
	uint64_t total = total_ns(reboot), start, ns;
	char name[160], key[160];
	unsigned int i;

	for (i = 0; i < REBOOT_POINTS; i++) {
		unsigned int bar, k;

		if (!reboot_phase(reboot, i, name, key, sizeof(name), &start, &ns))
			continue;
		bar = total ? (unsigned int)(((double)ns * BAR_CHARS) / (double)total + 0.5) : 0;
		fprintf(out, "%-36s %9.3f s%s", name, (double)ns / 1e9, bar ? "  " : "");
		for (k = 0; k < bar; k++)
			fputc('#', out);
		fputc('\n', out);
	}
	fprintf(out, "%-36s %9.3f s\n", "all of it", (double)total / 1e9);
	if (reboot->note)
		fprintf(out, "%s.\n", reboot->note);
	fputc('\n', out);
}

static void print_seconds(FILE *out, uint64_t ns)
{
	fprintf(out, " %llu.%09llu\n", (unsigned long long)(ns / 1000000000), (unsigned long long)(ns % 1000000000));
}

void reboot_prometheus(const struct reboot *reboot, FILE *out)
{
	uint64_t start, ns;
	char name[160], key[160];
	unsigned int i;

	fprintf(out, "# HELP kexec_last_phase_seconds Time of each part of the reboot that is known.\n# TYPE kexec_last_phase_seconds gauge\n");
	for (i = 0; i < REBOOT_POINTS; i++)
		if (reboot_phase(reboot, i, name, key, sizeof(name), &start, &ns)) {
			fprintf(out, "kexec_last_phase_seconds{phase=\"%s\"}", key);
			print_seconds(out, ns);
		}
	fprintf(out, "# HELP kexec_last_reboot_seconds Time of all of them.\n# TYPE kexec_last_reboot_seconds gauge\nkexec_last_reboot_seconds");
	print_seconds(out, total_ns(reboot));
}

/* Colours that can be told apart by most, on white and on black. */
static const char *const colours[REBOOT_POINTS] = {
	[REBOOT_STOPPED] = "#d55e00", [REBOOT_JUMP] = "#cc79a7", [REBOOT_PURGATORY] = "#e69f00", [REBOOT_DONE] = "#009e73",
	[REBOOT_CLOCK] = "#56b4e9", [REBOOT_INIT] = "#0072b2", [REBOOT_ROOT] = "#8d7fd1", [REBOOT_TARGET] = "#999999",
};

#define SVG_WIDTH	800
#define SVG_BAR_Y	34
#define SVG_BAR_HEIGHT	36
#define SVG_LINE	22

void reboot_svg(const struct reboot *reboot, FILE *out)
{
	uint64_t total = total_ns(reboot), start, ns;
	unsigned int i, line = 0, lines = 0;
	char name[160], key[160];

	for (i = 0; i < REBOOT_POINTS; i++)
		lines += reboot_phase(reboot, i, name, key, sizeof(name), &start, &ns);
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" font-family=\"sans-serif\" font-size=\"14\">\n", SVG_WIDTH,
		SVG_BAR_Y + SVG_BAR_HEIGHT + 16 + SVG_LINE * lines);
	fprintf(out, "<style>text { fill: #222 } rect { stroke: #fff } @media (prefers-color-scheme: dark) { text { fill: #ddd } rect { stroke: #000 } }"
		     "</style>\n<text x=\"0\" y=\"20\" font-weight=\"bold\">Reboot by kexec: %.3f s</text>\n", (double)total / 1e9);
	for (i = 0; i < REBOOT_POINTS; i++) {
		unsigned int y = SVG_BAR_Y + SVG_BAR_HEIGHT + 16 + SVG_LINE * line;

		if (!reboot_phase(reboot, i, name, key, sizeof(name), &start, &ns))
			continue;
		line++;
		fprintf(out, "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"%s\"><title>%s: %.3f s</title></rect>\n",
			total ? (double)start * SVG_WIDTH / (double)total : 0, SVG_BAR_Y, total ? (double)ns * SVG_WIDTH / (double)total : 0,
			SVG_BAR_HEIGHT, colours[i], name, (double)ns / 1e9);
		fprintf(out, "<rect x=\"0\" y=\"%u\" width=\"14\" height=\"14\" fill=\"%s\"/><text x=\"24\" y=\"%u\">%s</text>"
			     "<text x=\"400\" y=\"%u\" text-anchor=\"end\">%.3f s</text>\n", y, colours[i], y + 12, name, y + 12, (double)ns / 1e9);
	}
	fprintf(out, "</svg>\n");
}
