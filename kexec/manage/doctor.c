/* SPDX-License-Identifier: GPL-2.0-only */
#include "doctor.h"

#include "dt.h"
#include "kernel_config.h"
#include "stages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One examination. */
struct examination {
	struct doctor *d;
	struct sys *sys;
	const struct load_request *request;
	struct machine machine;
	char *config;	/* of the kernel; may be null */
};

static void judge(struct doctor *d, enum doctor_check check, enum doctor_mark mark, enum doctor_remedy remedy)
{
	d->verdict[check] = (struct doctor_verdict){ true, mark, remedy };
}

static enum doctor_remedy remedy_for(enum kx_err err)
{
	switch (err) {
	case KX_NOT_ROOT:
	case KX_STAGE_NOT_ROOT:
	case KX_NO_IPC_LOCK:
	case KX_NO_PFN:
	case KX_IOMEM_BAD:
		return REMEDY_ROOT;
	case KX_CONTAINER:
	case KX_USER_NS:
		return REMEDY_HOST;
	case KX_OTHER_IPC_NS:
		return REMEDY_IPC_NS;
	case KX_LOAD_DISABLED:
	case KX_LOAD_LIMIT:
	case KX_LOAD_LIMIT_PANIC:
		return REMEDY_FIRMWARE;
	case KX_LOCKDOWN:
		return REMEDY_SECURE_BOOT;
	case KX_SHM_RMID_FORCED:
		return REMEDY_RMID;
	case KX_LIMIT_READ_ONLY:
		return REMEDY_LIMIT;
	case KX_SHM:
		return REMEDY_SHMMAX;
	case KX_NO_HUGE_PAGES:
	case KX_NO_MEMORY:
	case KX_NO_ROOM:
		return REMEDY_FREE_MEMORY;
	default:
		return REMEDY_NONE;
	}
}

static void judge_fail(struct doctor *d, enum doctor_check check, const struct fail *fail, enum doctor_mark mark)
{
	judge(d, check, fail->err ? mark : DOCTOR_OK, remedy_for(fail->err));
}

/* Functions that get by with something else leave the reason that they had. */
static enum kx_err settled(struct fail *fail, enum kx_err err)
{
	if (!err)
		*fail = (struct fail){ .err = KX_OK };
	return err;
}

/* As far as can be told. */
static enum doctor_signatures signatures(const char *config, bool lockdown)
{
	if (config && kernel_config_has(config, "KEXEC_SIG_FORCE"))
		return SIGNATURES_FORCED;
	if (lockdown)
		return SIGNATURES_LOCKDOWN;
	/* With Secure Boot, this one enforces them at run time (security/integrity/ima/ima_efi.c). */
	return !config || kernel_config_has(config, "IMA_ARCH_POLICY") ? SIGNATURES_UNKNOWN : SIGNATURES_FREE;
}

/* What the kernel says itself, unless asking would count against kernel.kexec_load_limit_reboot. 0, or a negative errno. */
static int ask_for_call(struct examination *e, bool by_file, bool *unknown)
{
	int has;

	if (e->d->load_asked)
		return e->sys->kexec_probe(e->sys, by_file);
	has = kernel_has_call(e->sys, by_file ? "kexec_file_load" : "kexec_load");
	if (has < 0 && e->config)
		has = kernel_config_has(e->config, by_file ? "KEXEC_FILE" : "KEXEC");
	*unknown = has < 0;
	return has ? 0 : -ENOSYS;
}

static void look_at_calls(struct examination *e)
{
	struct doctor *d = e->d;
	struct sys *sys = e->sys;
	int result;

	e->config = kernel_config_read(sys);
	d->load_asked = loads_are_uncounted(&d->limit);
	if (!preflight_kexec_load(sys, &d->load_call)) {
		result = ask_for_call(e, false, &d->load_unknown);
		if (result)
			kexec_load_error(result, &d->load_call);
	}
	result = ask_for_call(e, true, &d->file_unknown);
	if (result)
		fail_set(&d->file_call, result == -ENOSYS ? KX_FILE_UNAVAILABLE : KX_FILE_LOAD, "%s", strerror(-result));
	else if (!d->file_unknown)
		d->signatures = signatures(e->config, d->load_call.err == KX_LOCKDOWN);
}

static bool may_load(const struct doctor *d)
{
	return !d->rights.err && !d->switches.err && !d->cpus_stay.err;
}

/* What is staged can be handed over by the other call, if it takes what nobody has signed. */
static bool stages_by_file(const struct doctor *d)
{
	return d->load_call.err == KX_NO_SYSCALL && !d->file_call.err && !d->file_unknown && d->signatures != SIGNATURES_FORCED;
}

static bool takes_what_is_staged(const struct doctor *d)
{
	return !d->load_call.err || stages_by_file(d);
}

static enum kx_err look_at_rights(struct examination *e, struct fail *fail)
{
	struct doctor *d = e->d;
	enum kx_err err = KX_OK;

	settled(&d->rights, preflight_rights(e->sys, &d->rights));
	settled(&d->switches, preflight_switches(e->sys, false, &d->switches));
	judge_fail(d, DOCTOR_RIGHTS, &d->rights, DOCTOR_PROBLEM);
	load_limit_read(e->sys, LOAD_LIMIT_REBOOT, &d->limit);
	judge_fail(d, DOCTOR_SWITCHES, &d->switches, DOCTOR_PROBLEM);
	if (!d->switches.err && d->limit.unknown)
		judge(d, DOCTOR_SWITCHES, DOCTOR_WARNING, REMEDY_NONE);
	if (!may_load(d))
		return KX_OK;
	settled(&d->cpus_stay, preflight_cpus(e->sys, &d->cpus_stay));
	judge_fail(d, DOCTOR_CPUS, &d->cpus_stay, DOCTOR_PROBLEM);
	if (d->cpus_stay.err)
		return KX_OK;
	look_at_calls(e);
	judge_fail(d, DOCTOR_KEXEC_LOAD, &d->load_call, stages_by_file(d) ? DOCTOR_OK : DOCTOR_PROBLEM);
	if (d->load_unknown)
		judge(d, DOCTOR_KEXEC_LOAD, DOCTOR_WARNING, REMEDY_NONE);
	/* Only needed where the other is not to be had. */
	judge(d, DOCTOR_KEXEC_FILE_LOAD, !d->load_call.err && !d->load_unknown ? DOCTOR_OK : d->file_call.err ? DOCTOR_PROBLEM :
	      d->file_unknown ? DOCTOR_WARNING : DOCTOR_OK, REMEDY_NONE);
	if (takes_what_is_staged(d)) {
		err = settled(&d->staging, load_trial(e->sys, &d->trial, &d->staging));
		judge_fail(d, DOCTOR_STAGING, &d->staging, DOCTOR_PROBLEM);
	}
	if (err == KX_LOCKED || err == KX_INTERRUPTED)
		*fail = d->staging;
	return err == KX_LOCKED || err == KX_INTERRUPTED ? err : KX_OK;
}

/* Kernels without a limit count it in pages, or in bytes, up to the largest number. */
static uint64_t shm_bytes_most(struct sys *sys)
{
	uint64_t max, all, most = UINT64_MAX;

	if (sys_read_u64(sys, "/proc/sys/kernel/shmmax", 10, &max))
		most = max;
	if (sys_read_u64(sys, "/proc/sys/kernel/shmall", 10, &all) && all < most / sys->page_bytes)
		most = all * sys->page_bytes;
	return most;
}

/* The pages that a load could take now, and what bounds them. */
static uint64_t pages_most(struct examination *e, const struct staging_ops *backend)
{
	const struct huge_page_limit *limit = &e->d->trial.limit;
	uint64_t pages = pages_to_be_had(&e->d->budget, backend), shm = shm_bytes_most(e->sys) / backend->page_bytes;
	uint64_t below_limit = limit->limit > limit->surplus ? limit->limit - limit->surplus : 0;

	e->d->limit_is_limit = e->d->trial.has_limit && limit->write_error && below_limit < pages;
	if (e->d->limit_is_limit)
		pages = below_limit;
	e->d->shm_is_limit = shm < pages;
	return e->d->shm_is_limit ? shm : pages;
}

/* Less those for the control segment and the device tree; and the last pages of kernel and initrd are full only by chance. */
static uint64_t payload_most(struct examination *e)
{
	const struct staging_ops *backend = staging_backend(STAGING_HUGE_PAGES);
	const struct plan_object nothing[PLAN_OBJECTS] = { { 0 } };
	uint64_t pages = pages_most(e, backend), others = 3;
	struct plan_input input;
	struct fail ignored;

	if (!e->d->machine.err && !plan_input_make(&input, e->sys, &e->machine, e->request, nothing, e->machine.dtb_bytes + KIB(16), &ignored))
		others = plan_pages_wanted(&input) + 1;
	return pages > others ? (pages - others) * backend->page_bytes : 0;
}

/* What a small kernel and initrd take. */
#define PAYLOAD_BYTES_USUAL	MIB(128)

static void look_at_memory(struct examination *e)
{
	struct doctor *d = e->d;
	bool may_stage = may_load(d) && takes_what_is_staged(d) && !d->staging.err, scarce, swapped;

	d->pool_free_pages = huge_page_pool_pages(e->sys);
	if (budget_read(&d->budget, e->sys, &d->memory)) {
		judge_fail(d, DOCTOR_MEMORY, &d->memory, DOCTOR_PROBLEM);
		return;
	}
	if (may_stage)
		d->payload_bytes_max = payload_most(e);
	scarce = may_stage && d->payload_bytes_max < PAYLOAD_BYTES_USUAL;
	judge(d, DOCTOR_MEMORY, scarce ? DOCTOR_WARNING : DOCTOR_OK,
	      !scarce ? REMEDY_NONE : d->limit_is_limit ? REMEDY_LIMIT : d->shm_is_limit ? REMEDY_SHMMAX : REMEDY_FREE_MEMORY);
	swapped = d->budget.swap_used_bytes > d->budget.available_bytes;
	judge(d, DOCTOR_SWAP, swapped ? DOCTOR_WARNING : DOCTOR_OK, swapped ? REMEDY_SWAP : REMEDY_NONE);
	if (d->verdict[DOCTOR_STAGING].shown)
		judge(d, DOCTOR_HUGE_PAGES, !d->trial.has_limit ? DOCTOR_PROBLEM : d->limit_is_limit ? DOCTOR_WARNING : DOCTOR_OK,
		      d->limit_is_limit ? REMEDY_LIMIT : REMEDY_NONE);
}

static void look_at_loaded(struct examination *e)
{
	struct doctor *d = e->d;
	enum staged_truth truth;

	d->is_loaded = kernel_is_loaded(e->sys, false) == 1;
	if (settled(&d->loaded, staged_status(e->sys, &d->staged, &d->loaded))) {
		judge_fail(d, DOCTOR_LOADED, &d->loaded, DOCTOR_WARNING);
		return;
	}
	truth = d->staged.staged && d->staged.counted ? d->staged.check.truth : STAGED_NOTHING;
	judge(d, DOCTOR_LOADED, truth == STAGED_DAMAGED ? DOCTOR_PROBLEM : truth == STAGED_MOVED ? DOCTOR_WARNING : DOCTOR_OK,
	      truth == STAGED_DAMAGED || truth == STAGED_MOVED ? REMEDY_HEAL : REMEDY_NONE);
}

static void sum_up(struct doctor *d)
{
	unsigned int i;

	for (i = 0; i < d->planned.objects; i++) {
		const struct report_object *object = &d->planned.object[i];

		d->slots += object->slots;
		d->in_place += object->in_place;
		d->moved += object->moved;
		d->relocated += object->relocated;
		d->payload_bytes += object->file_bytes;
	}
}

static enum kx_err look_at_plan(struct examination *e, struct fail *fail)
{
	struct load_request request = *e->request;
	struct doctor *d = e->d;
	enum kx_err err;

	d->kernel_named = request.kernel != NULL;
	if (!d->kernel_named)
		judge(d, DOCTOR_PLAN, DOCTOR_OK, REMEDY_NAME_KERNEL);
	if (!d->kernel_named || !may_load(d) || !takes_what_is_staged(d))
		return KX_OK;
	request.plan_only = true;
	err = settled(&d->plan, load_kernel(e->sys, &request, &d->planned, &d->plan));
	if (err == KX_LOCKED || err == KX_INTERRUPTED) {
		*fail = d->plan;
		return err;
	}
	if (err) {
		judge_fail(d, DOCTOR_PLAN, &d->plan, DOCTOR_PROBLEM);
		return KX_OK;
	}
	sum_up(d);
	judge(d, DOCTOR_PLAN, d->relocated ? DOCTOR_WARNING : DOCTOR_OK,
	      !d->relocated || d->staging.err ? REMEDY_NONE : d->trial.limit.write_error ? REMEDY_LIMIT : REMEDY_FREE_MEMORY);
	return KX_OK;
}

#define MEASURE_BYTES	KIB(256)
#define MEASURE_MS	20

/* How long a digest of 100 MiB takes one CPU. */
static uint64_t measure(struct sys *sys, uint32_t kind, const void *bytes)
{
	uint8_t digest[PURG_SHA_BYTES];
	uint64_t start_ms = sys->now_ms(sys), ms, done = 0;

	do {
		digest_make(sys, kind, digest, bytes, MEASURE_BYTES);
		done += MEASURE_BYTES;
		ms = sys->now_ms(sys) - start_ms;
	} while (ms < MEASURE_MS);
	return ms * MIB(100) / done;
}

static void look_at_verification(struct examination *e)
{
	struct doctor *d = e->d;
	bool by_instruction = d->check == PURG_CHECK_SHA256 ? e->sys->cpu_features & CPU_SHA2 : e->sys->cpu_features & CPU_CRC32;
	void *bytes = calloc(1, MEASURE_BYTES);

	if (bytes) {
		d->crc32c_ms = measure(e->sys, PURG_CHECK_CRC32C, bytes);
		d->sha256_ms = measure(e->sys, PURG_CHECK_SHA256, bytes);
	}
	free(bytes);
	judge(d, DOCTOR_VERIFICATION, d->check != PURG_CHECK_NONE && by_instruction ? DOCTOR_OK : DOCTOR_WARNING, REMEDY_NONE);
}

#define ONE_CPU		"purgatory uses one CPU: "

static void look_at_cpus(struct examination *e)
{
	struct load_request request = *e->request;
	struct report said = { 0 };
	struct choices choices;
	struct doctor *d = e->d;
	unsigned int i;

	choices_make(&choices, e->sys, &request, &e->machine, d->payload_bytes ? d->payload_bytes : d->payload_bytes_max, &said);
	d->check = choices.check;
	d->cpus = d->planned.cpus ? d->planned.cpus : choices.cpus;
	d->cpus_online = e->machine.cpus_online;
	said = (struct report){ 0 };
	request.cpus = CPUS_AUTO;
	request.check = choices.check == PURG_CHECK_NONE ? CHECK_DEFAULT : request.check;
	choices_make(&choices, e->sys, &request, &e->machine, CHOICES_AUTO_FROM_BYTES, &said);
	d->cpus_auto = choices.cpus;
	for (i = 0; i < said.notes; i++)
		if (strncmp(said.note[i], ONE_CPU, strlen(ONE_CPU)) == 0)
			snprintf(d->one_cpu, sizeof(d->one_cpu), "%.127s", said.note[i] + strlen(ONE_CPU));
	if (!d->cpus_stay.err)
		judge(d, DOCTOR_CPUS, DOCTOR_OK,
		      d->cpus < d->cpus_auto && d->payload_bytes >= CHOICES_AUTO_FROM_BYTES ? REMEDY_AUTO_CPUS : REMEDY_NONE);
}

/* The next kernel's: what a plan was made for, else what a load without a kernel's own would keep. */
static void look_at_boot_log(struct examination *e)
{
	const struct load_request *request = e->request;
	struct doctor *d = e->d;
	const char *line = d->planned.cmdline[0] ? d->planned.cmdline : request->cmdline;
	char *text = NULL;
	size_t bytes;

	if (!line && request->reuse_cmdline && e->sys->read_file(e->sys, "/proc/cmdline", 65536, &text, &bytes) == 0)
		line = text;
	if (!line && (line = dt_chosen(e->machine.dtb, "bootargs", &bytes)) != NULL && (!bytes || line[bytes - 1]))
		line = NULL;
	boot_log_read(&d->boot_log, e->sys, line ? line : "");
	free(text);
	judge(d, DOCTOR_BOOT_LOG, !d->boot_log.quiet && d->boot_log.ms >= 500 ? DOCTOR_WARNING : DOCTOR_OK,
	      !d->boot_log.quiet && d->boot_log.tty[0] ? REMEDY_QUIET : REMEDY_NONE);
}

static void look_at_gic(struct examination *e)
{
	const struct machine *m = &e->machine;
	struct doctor *d = e->d;
	size_t i;

	for (i = 0; i < m->gic_tables.count; i++)
		d->gic_table_bytes += m->gic_tables.v[i].bytes;
	if (m->tables_unknown)
		d->gic = GIC_UNKNOWN;
	else if (dt_leaves_gic_tables(m->dtb))
		d->gic = GIC_RESERVED;
	else
		d->gic = d->efi && (d->gic_table_bytes || m->log_cut) ? GIC_BY_EFI : GIC_LEAVES_NOTHING;
	judge(d, DOCTOR_GIC, m->tables_unknown ? DOCTOR_WARNING : DOCTOR_OK, m->tables_unknown ? REMEDY_LOG : REMEDY_NONE);
}

/* What machine_read() says, whose memory map, device tree, console and CPUs are those of a load. */
static void look_at_machine(struct examination *e)
{
	const struct machine *m = &e->machine;
	struct doctor *d = e->d;
	struct range map;
	uint64_t desc_bytes, ignored;
	int fd;

	d->efi = dt_efi_map(m->dtb, &map, &desc_bytes);
	fd = e->sys->open_file(e->sys, "/sys/firmware/acpi/tables/FACP", 65536, &ignored);
	d->acpi = fd >= 0;
	if (fd >= 0)
		e->sys->close(e->sys, fd);
	d->memory_guess = m->memory_guess;
	judge(d, DOCTOR_FIRMWARE, m->memory_guess ? DOCTOR_WARNING : DOCTOR_OK, REMEDY_NONE);
	d->psci = m->psci;
	judge(d, DOCTOR_RESET, m->psci ? DOCTOR_OK : DOCTOR_WARNING, REMEDY_NONE);
	snprintf(d->console, sizeof(d->console), "%s", m->uart.name);
	snprintf(d->unknown_console, sizeof(d->unknown_console), "%s", m->unknown_console);
	d->serial_missing = e->request->serial && !m->serial_found;
	judge(d, DOCTOR_CONSOLE, m->uart.kind == PURG_UART_NONE || d->serial_missing ? DOCTOR_WARNING : DOCTOR_OK,
	      m->uart.kind == PURG_UART_NONE || d->serial_missing ? REMEDY_SERIAL : REMEDY_NONE);
	look_at_gic(e);
}

/* A limit of its own holds for it. Where one is loaded, or no memory is there for one, nothing is in want of it. */
static void look_at_crash_kernel(struct examination *e)
{
	struct doctor *d = e->d;
	bool missing;

	d->crash_kernel_bytes = crash_kernel_bytes(e->sys);
	d->crash_kernel_is_loaded = kernel_is_loaded(e->sys, true) == 1;
	settled(&d->crash_switches, preflight_switches(e->sys, true, &d->crash_switches));
	load_limit_read(e->sys, LOAD_LIMIT_PANIC, &d->crash_limit);
	missing = d->crash_kernel_bytes && !d->crash_kernel_is_loaded;
	/* kexec -p would be refused. */
	if (missing && d->crash_switches.err)
		judge_fail(d, DOCTOR_CRASH_KERNEL, &d->crash_switches, DOCTOR_PROBLEM);
	else
		judge(d, DOCTOR_CRASH_KERNEL, missing ? DOCTOR_WARNING : DOCTOR_OK, missing ? REMEDY_CRASH_KERNEL : REMEDY_NONE);
}

static void look_at_guards(struct examination *e)
{
	struct doctor *d = e->d;
	const struct guards *g = &d->guards;

	guards_read(&d->guards, e->sys);
	judge(d, DOCTOR_WATCHDOG, guards_jump(g) && watchdog_is_taken_over(g) ? DOCTOR_OK : DOCTOR_WARNING,
	      !g->watchdogs || !g->systemd ? REMEDY_NONE :
	      !g->kexec_watchdog_on || !watchdog_is_taken_over(g) ? REMEDY_WATCHDOG :
	      guards_jump(g) ? REMEDY_NONE : REMEDY_WATCHDOG_GOES_ON);
	judge(d, DOCTOR_PSTORE, DOCTOR_OK, REMEDY_NONE);
	judge(d, DOCTOR_LIVE_UPDATE, g->liveupdate ? DOCTOR_WARNING : DOCTOR_OK,
	      g->liveupdate && !d->file_call.err && !d->file_unknown ? REMEDY_FILE_LOAD : REMEDY_NONE);
}

/* In the order in which load_kernel() goes. */
static void decide(struct doctor *d)
{
	bool planned = d->kernel_named && !d->plan.err, certain;

	if (!may_load(d) || (!d->load_call.err && !d->load_unknown && d->machine.err))
		d->way = DOCTOR_NOWHERE;
	else if (d->load_unknown || (d->load_call.err && d->file_unknown))
		d->way = DOCTOR_UNKNOWN;
	else if (!d->load_call.err)
		d->way = d->staging.err || (planned && !d->planned.staged_bytes) ? DOCTOR_BY_LOAD : DOCTOR_STAGED;
	else if (stages_by_file(d) && !d->staging.err && (!d->kernel_named || (planned && d->planned.staged_bytes && !d->relocated)))
		d->way = DOCTOR_STAGED;
	else
		d->way = d->file_call.err ? DOCTOR_NOWHERE : DOCTOR_BY_FILE;
	certain = !d->load_call.err || d->signatures != SIGNATURES_UNKNOWN;
	judge(d, DOCTOR_WAY, d->way == DOCTOR_STAGED && certain ? DOCTOR_OK : d->way == DOCTOR_NOWHERE ? DOCTOR_PROBLEM : DOCTOR_WARNING,
	      d->way == DOCTOR_BY_FILE && !load_may_go_by_file(d->load_call.err) ? REMEDY_FILE_LOAD : REMEDY_NONE);
}

enum kx_err doctor_examine(struct doctor *doctor, struct sys *sys, const struct load_request *request, struct fail *fail)
{
	struct examination e = { .d = doctor, .sys = sys, .request = request };
	enum kx_err err;

	*doctor = (struct doctor){ 0 };
	look_at_loaded(&e);
	err = look_at_rights(&e, fail);
	free(e.config);
	e.config = NULL;
	if (err)
		return err;
	settled(&doctor->machine, machine_read(&e.machine, sys, request, NULL, NULL, 0, "", &doctor->machine));
	look_at_memory(&e);
	err = look_at_plan(&e, fail);
	if (!err && !doctor->machine.err) {
		look_at_machine(&e);
		look_at_cpus(&e);
		look_at_verification(&e);
		look_at_boot_log(&e);
	} else if (!err) {
		judge_fail(doctor, DOCTOR_FIRMWARE, &doctor->machine, DOCTOR_PROBLEM);
	}
	if (!err) {
		look_at_guards(&e);
		look_at_crash_kernel(&e);
		decide(doctor);
	}
	machine_free(&e.machine);
	return err;
}

int doctor_exit_status(const struct doctor *doctor)
{
	/* Where no kernel can be loaded at all, that is why the plan fails. */
	if (doctor->kernel_named && doctor->plan.err && doctor->way != DOCTOR_NOWHERE)
		return 255;
	switch (doctor->way) {
	case DOCTOR_STAGED:
		return 0;
	case DOCTOR_UNKNOWN:
		return 255;
	case DOCTOR_NOWHERE:
		return 2;
	default:
		return 1;
	}
}
