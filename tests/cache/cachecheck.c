/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The caches that QEMU has not: a TCG plugin that follows purgatory through the bare rig and complains where a machine with
 * caches could read something else than was written.
 *
 * Nothing is simulated. What is known of each line of 64 bytes is what the worst cache could have done with it: a line that
 * may be dirty may be written back now, later or never; one that may be cached may be hit or not. Lines go from one state
 * to another by loads, stores and DC instructions, each of which counts as cached when SCTLR.M and C are on and as
 * uncached when M is off. A DC counts when its CPU has executed a DSB SY. CPUs are coherent; with the MMU on any line may be
 * fetched speculatively. Instruction caches hold whatever was in memory when they were last invalidated.
 *
 * Rules that it holds purgatory to (docs/memory-model.md says where they come from):
 *
 *   uncached load, or fetch		the line is not dirty
 *   uncached store			the line is not dirty: it would be written back over what was stored
 *   cached load or store		no uncached store went past a copy that may be cached
 *   DC ZVA				the MMU is on: it faults on Device memory. It is a cached store
 *   cached load, fetch with M on	the line is not one that was dirty before purgatory began and was not cleaned since: what
 *					was verified in memory would not be what is used
 *   fetch				the line was not written since this CPU's I-cache was invalidated (IC, DSB, ISB)
 *   SCTLR.M goes on			IC before I goes on, and IC, DSB and ISB since text was cleaned that was dirty at first; TLBI of this
 *					regime and DSB since it was last off; an ISB since the last write to TTBR, TCR or MAIR; a DSB
 *					since the last uncached store
 *   SCTLR is written			ISB before and after
 *   HCR_EL2 is written, M on		DSB right before, ISB right behind; not with TGE set, when there is nothing to be changed
 *   PSTATE.A is cleared at EL2		HCR_EL2.AMO or TGE is set
 *   the next kernel begins		none of its memory is dirty, or cached and stale; TLBI and DSB since M went off
 *
 * Arguments: dirty=PA:BYTES (may be in any state at first: payload, and memory of the old kernel), clean=PA:BYTES (may be
 * cached: what the old kernel relocated), stray=PA:BYTES (may be dirty, though it is purgatory itself: a crash kernel's memory that
 * was stored to by mistake; it is fetched from before anything can be done about it), kernel=PA:BYTES (the next kernel's memory). Several of each. Everything else
 * belongs to the rig and is never cached.
 */
#include "qemu_plugin.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM_PA		0x40000000ull
#define RAM_BYTES	0x40000000ull
#define LINE_SHIFT	6
#define LINES		(RAM_BYTES >> LINE_SHIFT)
#define CPUS_MAX	8
#define COMPLAINTS_MAX	20

enum line_flag {
	CACHED = 1,	/* some cache may hold a copy ... */
	STALE = 2,	/* ... that is older than memory */
	DIRTY = 4,	/* ... or newer */
	PENDING = 8,	/* cleaned and invalidated, but no DSB yet */
	STRAY = 16,	/* nothing was done about it since it was stray at first */
};

static uint8_t *line_flags;
static uint32_t *line_written;	/* when, in ticks of the below */
static uint32_t now = 1;

/* Bits of HCR_EL2. With AMO or TGE SErrors are taken at EL2. */
#define HCR_AMO		(1ull << 5)
#define HCR_TGE		(1ull << 27)
#define HCR_E2H		(1ull << 34)

/* What was issued, and what it takes to be sure that it happened. */
enum progress { NOT_SINCE, ISSUED, COMPLETE };

struct cpu {
	bool mmu, icache;
	bool context_pending;		/* a translation register was written: ISB is due */
	bool sctlr_pending;		/* SCTLR was written: ISB is due */
	bool hcr_pending;		/* HCR_EL2 was written with the MMU on: ISB is due */
	bool was_isb, is_isb;		/* the instruction before this one, and this one */
	bool was_dsb, is_dsb;
	bool uncached_stores;		/* since the last DSB */
	enum progress tlbi;		/* since M last changed */
	bool ic_ever;
	enum progress ic;
	bool ic_all_cpus;
	bool text_changed;		/* text that was dirty has reached memory: IC is due */
	uint32_t ic_at, ic_clean;	/* when IC was issued; the I-cache holds nothing older than this */
	uint32_t *pending;		/* lines */
	size_t pending_count, pending_room;
	struct qemu_plugin_register *x[31], *cpsr, *hcr;	/* hcr: null without EL2 */
};

/* Callbacks come on each CPU's own thread (QEMU must run with thread=multi: otherwise it names the CPU that code was
 * translated on, not the one that runs it). */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cpu cpus[CPUS_MAX];
static struct { uint64_t pa, bytes; } kernel;
static bool kernel_began;
static unsigned int complaints;
static uint64_t accesses, maintenance;

/* An instruction of the guest's. */
struct site {
	uint64_t pc;
	unsigned int rt;	/* its register, if it has one */
	void (*watched)(unsigned int cpu, const struct site *site);	/* null: nothing special */
};

__attribute__((format(printf, 3, 4)))
static void complain(unsigned int cpu, uint64_t pc, const char *format, ...)
{
	va_list args;

	if (complaints++ >= COMPLAINTS_MAX)
		return;
	fprintf(stderr, "cachecheck: CPU %u, pc 0x%llx: ", cpu, (unsigned long long)pc);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
}

static bool in_ram(uint64_t pa)
{
	return pa >= RAM_PA && pa - RAM_PA < RAM_BYTES;
}

static uint64_t line_of(uint64_t pa)
{
	return (pa - RAM_PA) >> LINE_SHIFT;
}

static unsigned long long line_pa(uint64_t line)
{
	return RAM_PA + (line << LINE_SHIFT);
}

static void access_line(unsigned int cpu, uint64_t pc, uint64_t line, bool store)
{
	uint8_t *flags = &line_flags[line];

	if (store)
		line_written[line] = now;
	if (cpus[cpu].mmu) {
		if (*flags & STALE)
			complain(cpu, pc, "cached %s at 0x%llx, where the cache may be older than memory", store ? "store" : "load",
				 line_pa(line));
		if (!store && *flags & STRAY)
			complain(cpu, pc, "cached load at 0x%llx, which was dirty at first and was not cleaned", line_pa(line));
		*flags |= CACHED;
		if (store)
			*flags = (uint8_t)((*flags | DIRTY) & ~(PENDING | STRAY));
		return;
	}
	if (!store && cpus[cpu].text_changed && cpus[cpu].ic != NOT_SINCE)
		complain(cpu, pc, "uncached load before DSB and ISB behind IC: what is verified may not be what runs");
	if (*flags & DIRTY)
		complain(cpu, pc, "uncached %s at 0x%llx, where the cache may be newer than memory", store ? "store" : "load",
			 line_pa(line));
	if (store && *flags & CACHED)
		*flags |= STALE;
}

static void on_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *userdata)
{
	struct qemu_plugin_hwaddr *address = qemu_plugin_get_hwaddr(info, vaddr);
	bool store = qemu_plugin_mem_is_store(info);
	uint64_t pa, line, last;

	if (!address || qemu_plugin_hwaddr_is_io(address))
		return;
	pa = qemu_plugin_hwaddr_phys_addr(address);
	accesses++;
	if (pa != vaddr)
		complain(cpu, (uint64_t)(uintptr_t)userdata, "0x%llx is mapped to 0x%llx", (unsigned long long)vaddr, (unsigned long long)pa);
	if (!in_ram(pa))
		return;
	if (store && !cpus[cpu].mmu)
		cpus[cpu].uncached_stores = true;
	last = line_of(pa + (1ull << qemu_plugin_mem_size_shift(info)) - 1);
	for (line = line_of(pa); line <= last; line++)
		access_line(cpu, (uint64_t)(uintptr_t)userdata, line, store);
}

static void on_memory(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *userdata)
{
	pthread_mutex_lock(&lock);
	on_access(cpu, info, vaddr, userdata);
	pthread_mutex_unlock(&lock);
}

static void begin_kernel(unsigned int cpu, uint64_t pc)
{
	struct cpu *c = &cpus[cpu];
	uint64_t line, bad = 0, first = 0;

	kernel_began = true;
	for (line = line_of(kernel.pa); line <= line_of(kernel.pa + kernel.bytes - 1); line++)
		if (line_flags[line] & (DIRTY | STALE)) {
			first = bad ? first : line;
			bad++;
		}
	if (bad)
		complain(cpu, pc, "the kernel begins with %llu lines of its memory not cleaned, from 0x%llx on",
			 (unsigned long long)bad, line_pa(first));
	if (c->mmu)
		complain(cpu, pc, "the kernel begins with the MMU on");
	if (c->tlbi != COMPLETE)
		complain(cpu, pc, "the kernel begins without TLBI and DSB since the MMU went off");
}

static void on_isb(unsigned int cpu, const struct site *site);
static bool is_dsb(const struct site *site);

/* Every instruction, before it is executed. */
static void on_fetch(unsigned int cpu, const struct site *site)
{
	struct cpu *c = &cpus[cpu];
	uint64_t pc = site->pc;

	c->was_isb = c->is_isb;
	c->is_isb = site->watched == on_isb;
	c->was_dsb = c->is_dsb;
	c->is_dsb = is_dsb(site);
	if (c->hcr_pending && !c->is_isb)
		complain(cpu, pc, "no ISB behind a write to HCR_EL2");
	c->hcr_pending = false;
	if (c->sctlr_pending && !c->is_isb) {
		complain(cpu, pc, "no ISB behind a write to SCTLR");
		c->sctlr_pending = false;
	}
	if (!in_ram(pc))
		return;
	if (!kernel_began && pc - kernel.pa < kernel.bytes)
		begin_kernel(cpu, pc);
	if (line_written[line_of(pc)] > c->ic_clean)
		complain(cpu, pc, "fetched, and written since the I-cache was invalidated");
	if (c->mmu && line_flags[line_of(pc)] & STRAY)
		complain(cpu, pc, "fetched, and was dirty at first and not cleaned");
	if (!c->mmu && (line_flags[line_of(pc)] & (DIRTY | STRAY)) == DIRTY)
		complain(cpu, pc, "fetched with the MMU off, where the cache may be newer than memory");
}

static void on_isb(unsigned int cpu, const struct site *site)
{
	struct cpu *c = &cpus[cpu];
	unsigned int i;

	(void)site;
	c->context_pending = c->sctlr_pending = false;
	if (c->ic != COMPLETE)
		return;
	c->ic = NOT_SINCE;
	c->text_changed = false;
	for (i = 0; i < CPUS_MAX; i++)
		if (i == cpu || c->ic_all_cpus)
			cpus[i].ic_clean = c->ic_at;
}

static void on_dsb(unsigned int cpu, const struct site *site)
{
	struct cpu *c = &cpus[cpu];
	bool anybody_on = false;
	unsigned int i;
	size_t p;

	(void)site;
	for (i = 0; i < CPUS_MAX; i++)
		anybody_on |= cpus[i].mmu;
	for (p = 0; p < c->pending_count; p++) {
		uint8_t *flags = &line_flags[c->pending[p]];

		if (!(*flags & PENDING))
			continue;
		if (*flags & STRAY) {
			c->text_changed = true;
			c->ic = NOT_SINCE;
		}
		*flags = anybody_on ? CACHED : 0;
	}
	c->pending_count = 0;
	c->uncached_stores = false;
	if (c->tlbi == ISSUED)
		c->tlbi = COMPLETE;
	if (c->ic == ISSUED)
		c->ic = COMPLETE;
}

/* Enough for TLBs and I-caches. Not for a DC that an uncached access counts on: with the MMU off that is outer shareable. */
static void on_dsb_ish(unsigned int cpu, const struct site *site)
{
	struct cpu *c = &cpus[cpu];

	(void)site;
	if (c->tlbi == ISSUED)
		c->tlbi = COMPLETE;
	if (c->ic == ISSUED)
		c->ic = COMPLETE;
}

/* Enough for what only this CPU's own TLB and I-cache have to do with. */
static void on_dsb_nsh(unsigned int cpu, const struct site *site)
{
	struct cpu *c = &cpus[cpu];

	(void)site;
	if (c->tlbi == ISSUED)
		c->tlbi = COMPLETE;
	if (c->ic == ISSUED && !c->ic_all_cpus)
		c->ic = COMPLETE;
}

static bool is_dsb(const struct site *site)
{
	return site->watched == on_dsb || site->watched == on_dsb_ish || site->watched == on_dsb_nsh;
}

static uint64_t read_register(struct qemu_plugin_register *handle)
{
	static struct gbytearray *buffer;
	uint64_t value = 0;
	int bytes;

	if (!buffer)
		buffer = g_byte_array_new();
	g_byte_array_set_size(buffer, 0);
	bytes = handle ? qemu_plugin_read_register(handle, buffer) : 0;
	if (bytes != 4 && bytes != 8) {
		fprintf(stderr, "cachecheck: a register cannot be read\n");
		exit(1);
	}
	memcpy(&value, buffer->data, (size_t)bytes);
	return value;
}

static uint64_t read_x(unsigned int cpu, unsigned int number)
{
	return number == 31 ? 0 : read_register(cpus[cpu].x[number]);
}

static bool at_el2(unsigned int cpu)
{
	return (read_register(cpus[cpu].cpsr) >> 2 & 3) == 2;
}

/* TLBI VMALLE1 at EL2 is for the EL1&0 regime, unless E2H and TGE are both set; ALLE2 is always for this one (Arm ARM, "TLB maintenance
 * instructions"). */
static void on_tlbi_el1(unsigned int cpu, const struct site *site)
{
	const uint64_t host = HCR_E2H | HCR_TGE;

	(void)site;
	maintenance++;
	if (!at_el2(cpu) || (read_register(cpus[cpu].hcr) & host) == host)
		cpus[cpu].tlbi = ISSUED;
}

static void on_tlbi_el2(unsigned int cpu, const struct site *site)
{
	(void)site;
	maintenance++;
	cpus[cpu].tlbi = ISSUED;
}

static void on_ic(unsigned int cpu, bool all)
{
	struct cpu *c = &cpus[cpu];

	c->ic = ISSUED;
	c->ic_ever = true;
	c->ic_all_cpus = all;
	c->ic_at = now++;
	maintenance++;
}

static void on_iallu(unsigned int cpu, const struct site *site)
{
	(void)site;
	on_ic(cpu, false);
}

static void on_ialluis(unsigned int cpu, const struct site *site)
{
	(void)site;
	on_ic(cpu, true);
}

static void on_context(unsigned int cpu, const struct site *site)
{
	(void)site;
	cpus[cpu].context_pending = true;
}

static void on_civac(unsigned int cpu, const struct site *site)
{
	uint64_t pa = read_x(cpu, site->rt), line;
	struct cpu *c = &cpus[cpu];

	maintenance++;
	if (!in_ram(pa))
		return;
	line = line_of(pa);
	line_flags[line] |= PENDING;
	if (c->pending_count == c->pending_room) {
		c->pending_room = c->pending_room ? 2 * c->pending_room : 4096;
		c->pending = realloc(c->pending, c->pending_room * sizeof(*c->pending));
	}
	c->pending[c->pending_count++] = (uint32_t)line;
}

/* Of 64 bytes, as on the CPUs that the rig has purgatory use it on: where it zeroed more, the rig would find that. */
static void on_zva(unsigned int cpu, const struct site *site)
{
	uint64_t pa = read_x(cpu, site->rt);

	maintenance++;
	if (!cpus[cpu].mmu)
		complain(cpu, site->pc, "DC ZVA with the MMU off");
	if (in_ram(pa))
		access_line(cpu, site->pc, line_of(pa), true);
}

static void on_sctlr(unsigned int cpu, const struct site *site)
{
	uint64_t value = read_x(cpu, site->rt);
	struct cpu *c = &cpus[cpu];
	bool mmu = (value & 5) == 5, icache = value >> 12 & 1;

	if (!c->was_isb)
		complain(cpu, site->pc, "no ISB before a write to SCTLR");
	if (!!(value & 1) != !!(value & 4))
		complain(cpu, site->pc, "SCTLR.M and C differ");
	if (icache && !c->icache && (!c->ic_ever || c->ic != NOT_SINCE))
		complain(cpu, site->pc, "the I-cache goes on without IC, DSB and ISB");
	if (mmu && !c->mmu) {
		if (c->text_changed)
			complain(cpu, site->pc, "the MMU goes on without IC, DSB and ISB since text was cleaned that was dirty at first");
		if (c->tlbi != COMPLETE)
			complain(cpu, site->pc, "the MMU goes on without TLBI and DSB");
		if (c->context_pending)
			complain(cpu, site->pc, "the MMU goes on without ISB since a translation register was written");
		if (c->uncached_stores)
			complain(cpu, site->pc, "the MMU goes on without DSB since an uncached store");
	}
	if (mmu != c->mmu)
		c->tlbi = NOT_SINCE;
	c->mmu = mmu;
	c->icache = icache;
	c->sctlr_pending = true;
}

static void on_hcr(unsigned int cpu, const struct site *site)
{
	struct cpu *c = &cpus[cpu];

	if (!c->mmu)
		return;
	if (!c->was_dsb)
		complain(cpu, site->pc, "no DSB before a write to HCR_EL2");
	if (read_register(c->hcr) & HCR_TGE)
		complain(cpu, site->pc, "HCR_EL2 is written where SErrors are taken already");
	c->hcr_pending = true;
}

/* With neither bit an SError at EL2 waits for ever, whatever PSTATE.A says. */
static void on_serrors_let_in(unsigned int cpu, const struct site *site)
{
	if (at_el2(cpu) && !(read_register(cpus[cpu].hcr) & (HCR_AMO | HCR_TGE)))
		complain(cpu, site->pc, "SErrors are let in that cannot be taken");
}

/* PSCI CPU_OFF: the CPU starts anew, with nothing known of its I-cache and TLB. */
static void on_call(unsigned int cpu, const struct site *site)
{
	struct cpu *c = &cpus[cpu];

	(void)site;
	if ((uint32_t)read_x(cpu, 0) != 0x84000002)
		return;
	c->mmu = c->icache = c->ic_ever = false;
	c->tlbi = NOT_SINCE;
	c->pending_count = 0;
}

static void find_registers(qemu_plugin_id_t id, unsigned int cpu)
{
	struct garray *all = qemu_plugin_get_registers();
	struct qemu_plugin_reg_descriptor *list = (void *)all->data;
	unsigned int i, number;
	char end;

	(void)id;
	for (i = 0; i < all->len && cpu < CPUS_MAX; i++)
		if (sscanf(list[i].name, "x%u%c", &number, &end) == 1 && number < 31)
			cpus[cpu].x[number] = list[i].handle;
		else if (strcmp(list[i].name, "cpsr") == 0)
			cpus[cpu].cpsr = list[i].handle;
		else if (strcmp(list[i].name, "HCR_EL2") == 0)
			cpus[cpu].hcr = list[i].handle;
}

/* Encodings: Arm ARM, "A64 System instruction class encoding overview". */
static const struct {
	uint32_t mask, value;
	void (*cb)(unsigned int cpu, const struct site *site);
} watched[] = {
	{ 0xffffffe0, 0xd50b7e20, on_civac },	/* DC CIVAC */
	{ 0xffffffe0, 0xd50b7420, on_zva },	/* DC ZVA */
	{ 0xffffffe0, 0xd5181000, on_sctlr },	/* MSR SCTLR_EL1 */
	{ 0xffffffe0, 0xd51c1000, on_sctlr },	/* MSR SCTLR_EL2 */
	{ 0xfffbffa0, 0xd5182000, on_context },	/* MSR TTBR0_ELx, TCR_ELx */
	{ 0xffffffe0, 0xd5182020, on_context },	/* MSR TTBR1_EL1 */
	{ 0xfffbffe0, 0xd518a200, on_context },	/* MSR MAIR_ELx */
	{ 0xffffffe0, 0xd51c1100, on_hcr },	/* MSR HCR_EL2 */
	{ 0xfffff4ff, 0xd50344ff, on_serrors_let_in },	/* MSR DAIFClr, A among them */
	{ 0xffffffff, 0xd5033fdf, on_isb },
	{ 0xffffffff, 0xd5033f9f, on_dsb },	/* SY */
	{ 0xffffffff, 0xd5033b9f, on_dsb_ish },
	{ 0xffffffff, 0xd503379f, on_dsb_nsh },
	{ 0xfffffbff, 0xd508831f, on_tlbi_el1 },	/* TLBI VMALLE1, VMALLE1IS */
	{ 0xfffffbff, 0xd50c831f, on_tlbi_el2 },	/* TLBI ALLE2, ALLE2IS */
	{ 0xffffffff, 0xd508751f, on_iallu },
	{ 0xffffffff, 0xd508711f, on_ialluis },
	{ 0xffe0001e, 0xd4000002, on_call },	/* HVC, SMC */
};

/* All that there is to an instruction, in order. */
static void on_instruction(unsigned int cpu, void *userdata)
{
	const struct site *site = userdata;

	pthread_mutex_lock(&lock);
	on_fetch(cpu, site);
	if (site->watched)
		site->watched(cpu, site);
	pthread_mutex_unlock(&lock);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb), i, w;

	(void)id;
	for (i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct site *site = malloc(sizeof(*site));	/* as long as the code may run */
		uint32_t code = 0;

		qemu_plugin_insn_data(insn, &code, sizeof(code));
		*site = (struct site){ qemu_plugin_insn_vaddr(insn), code & 31, NULL };
		for (w = 0; w < sizeof(watched) / sizeof(watched[0]); w++)
			if ((code & watched[w].mask) == watched[w].value)
				site->watched = watched[w].cb;
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction,
						       site->watched ? QEMU_PLUGIN_CB_R_REGS : QEMU_PLUGIN_CB_NO_REGS, site);
		qemu_plugin_register_vcpu_mem_cb(insn, on_memory, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
						 (void *)(uintptr_t)site->pc);
	}
}

static void say_end(qemu_plugin_id_t id, void *userdata)
{
	(void)id;
	(void)userdata;
	fprintf(stderr, "cachecheck: followed %llu accesses and %llu maintenance operations, %s, %u complaints\n",
		(unsigned long long)accesses, (unsigned long long)maintenance,
		kernel_began ? "into the kernel" : "not into the kernel", complaints);
}

static bool set_range(const char *text, uint8_t flags)
{
	unsigned long long pa, bytes;
	uint64_t line;

	if (sscanf(text, "%llx:%llx", &pa, &bytes) != 2 || !bytes || !in_ram(pa) || !in_ram(pa + bytes - 1))
		return false;
	if (!flags) {
		kernel.pa = pa;
		kernel.bytes = bytes;
		return true;
	}
	for (line = line_of(pa); line <= line_of(pa + bytes - 1); line++)
		line_flags[line] = flags;
	return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_API_VERSION;
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv);

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	int i;

	(void)info;
	line_flags = calloc(LINES, sizeof(*line_flags));
	line_written = calloc(LINES, sizeof(*line_written));
	if (!line_flags || !line_written)
		return 1;
	for (i = 0; i < argc; i++) {
		const char *value = strchr(argv[i], '=');
		bool ok = value && ((strncmp(argv[i], "dirty=", 6) == 0 && set_range(value + 1, DIRTY | CACHED)) ||
				    (strncmp(argv[i], "stray=", 6) == 0 && set_range(value + 1, STRAY | DIRTY | CACHED)) ||
				    (strncmp(argv[i], "clean=", 6) == 0 && set_range(value + 1, CACHED)) ||
				    (strncmp(argv[i], "kernel=", 7) == 0 && set_range(value + 1, 0)));

		if (!ok) {
			fprintf(stderr, "cachecheck: what is %s?\n", argv[i]);
			return 1;
		}
	}
	qemu_plugin_register_vcpu_init_cb(id, find_registers);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, say_end, NULL);
	return 0;
}
