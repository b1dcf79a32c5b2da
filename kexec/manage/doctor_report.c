/* SPDX-License-Identifier: GPL-2.0-only */
/* What was found, for a person or a program: facts in, text or JSON out. */
#include "doctor.h"

#include "json_add.h"
#include "stages.h"

#include <stdlib.h>
#include <string.h>

/* In JSON, too, where programs look for them: they stay. */
static const char *const names[DOCTOR_CHECKS] = {
	[DOCTOR_WAY] = "way", [DOCTOR_RIGHTS] = "rights", [DOCTOR_SWITCHES] = "switches", [DOCTOR_KEXEC_LOAD] = "kexec_load",
	[DOCTOR_KEXEC_FILE_LOAD] = "kexec_file_load", [DOCTOR_STAGING] = "staging", [DOCTOR_HUGE_PAGES] = "huge_pages",
	[DOCTOR_MEMORY] = "memory", [DOCTOR_SWAP] = "swap", [DOCTOR_LOADED] = "loaded", [DOCTOR_PLAN] = "plan",
	[DOCTOR_VERIFICATION] = "verification", [DOCTOR_CPUS] = "cpus", [DOCTOR_RESET] = "reset", [DOCTOR_CONSOLE] = "console",
	[DOCTOR_BOOT_LOG] = "boot_log", [DOCTOR_GIC] = "gic", [DOCTOR_WATCHDOG] = "watchdog", [DOCTOR_PSTORE] = "pstore",
	[DOCTOR_LIVE_UPDATE] = "live_update", [DOCTOR_CRASH_KERNEL] = "crash_kernel", [DOCTOR_FIRMWARE] = "firmware",
};

static const char *const marks[] = { [DOCTOR_OK] = "ok", [DOCTOR_WARNING] = "warning", [DOCTOR_PROBLEM] = "problem" };

static const char *const ways[] = {
	[DOCTOR_NOWHERE] = "none", [DOCTOR_UNKNOWN] = "unknown", [DOCTOR_BY_FILE] = "kexec_file_load", [DOCTOR_BY_LOAD] = "kexec_load",
	[DOCTOR_STAGED] = "staged",
};

static const char *const checks[] = {
	[PURG_CHECK_NONE] = "none", [PURG_CHECK_CRC32C] = "crc32c", [PURG_CHECK_SHA256] = "sha256",
};

/* kexec stays away from a loaded kernel: the point is a boot through the firmware. */
#define THROUGH_FIRMWARE	"SYSTEMCTL_SKIP_AUTO_KEXEC=1 systemctl reboot"
#define LOAD			"-l KERNEL --initrd=INITRD --reuse-cmdline"

static const char *const commands[] = {
	[REMEDY_NONE] = NULL,
	[REMEDY_ROOT] = "sudo kexec --doctor",
	[REMEDY_HOST] = "exit; kexec --doctor",
	[REMEDY_IPC_NS] = "nsenter -t 1 -i kexec --doctor",
	[REMEDY_FIRMWARE] = "grep -rs kexec_load /etc/sysctl.conf /etc/sysctl.d; " THROUGH_FIRMWARE,
	[REMEDY_SECURE_BOOT] = "mokutil --sb-state; cat /sys/kernel/security/lockdown",
	[REMEDY_FILE_LOAD] = "kexec -s " LOAD,
	[REMEDY_RMID] = "sysctl -w kernel.shm_rmid_forced=0",
	[REMEDY_LIMIT] = "mount -o remount,rw /sys",
	[REMEDY_SHMMAX] = "sysctl -w kernel.shmmax=18446744073692774399 kernel.shmall=18446744073692774399",
	[REMEDY_FREE_MEMORY] = "sync; echo 3 > /proc/sys/vm/drop_caches; echo 1 > /proc/sys/vm/compact_memory",
	[REMEDY_SWAP] = "swapoff -a && swapon -a",
	[REMEDY_HEAL] = "kexec --heal-staged",
	[REMEDY_NAME_KERNEL] = "kexec --doctor KERNEL --initrd=INITRD",
	[REMEDY_AUTO_CPUS] = "kexec --fast-reloc --cpus=auto " LOAD,
	[REMEDY_SERIAL] = "ls -d /sys/class/tty/*/iomem_base; kexec --fast-reloc --serial=TTY " LOAD,
	[REMEDY_QUIET] = "kexec --fast-reloc " LOAD " --append=quiet",
	[REMEDY_LOG] = THROUGH_FIRMWARE,
	[REMEDY_WATCHDOG] = "mkdir -p /etc/systemd/system.conf.d && printf '[Manager]\\nKExecWatchdogSec=2min\\nRuntimeWatchdogSec=2min\\n' > "
			    "/etc/systemd/system.conf.d/kexec-watchdog.conf && systemctl daemon-reexec",
	[REMEDY_WATCHDOG_GOES_ON] = "echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX watchdog.stop_on_reboot=0\"' > "
				    "/etc/default/grub.d/kexec-watchdog.cfg && update-grub && reboot",
	[REMEDY_CRASH_KERNEL] = "kexec -p KERNEL --initrd=INITRD --reuse-cmdline",
};

static unsigned long long mib(uint64_t bytes)
{
	return (unsigned long long)(bytes >> 20);
}

static void say_fail(FILE *out, const struct fail *fail)
{
	char sentence[FAIL_SENTENCE_CHARS];

	fail_sentence(fail, sentence, sizeof(sentence));
	fputs(sentence, out);
}

static void say_way(FILE *out, const struct doctor *d)
{
	static const char *const sentences[] = {
		[DOCTOR_NOWHERE] = "no kernel can be loaded with --fast-reloc",
		[DOCTOR_UNKNOWN] = "whether a kernel can be loaded is not known, since it is not known which calls this one has",
		[DOCTOR_BY_FILE] = "kexec_file_load(2) only: nothing is staged, and nothing is verified",
		[DOCTOR_BY_LOAD] = "kexec_load(2), with nothing staged: the kernel relocates everything at the start, and purgatory verifies it",
		[DOCTOR_STAGED] = "kernel and initrd are staged in huge pages where they will be booted from",
	};

	fputs(sentences[d->way], out);
	if (d->way == DOCTOR_STAGED)
		fprintf(out, ", and loaded by %s(2)", d->load_call.err ? "kexec_file_load" : "kexec_load");
	if (d->way == DOCTOR_BY_FILE && !load_may_go_by_file(d->load_call.err))
		fprintf(out, "; with --fast-reloc a load fails");
}

static void say_switches(FILE *out, const struct doctor *d)
{
	if (d->switches.err)
		say_fail(out, &d->switches);
	else if (d->limit.limited)
		fprintf(out, "kexec is not switched off; %llu more loads until the next boot (kernel.kexec_load_limit_reboot)",
			(unsigned long long)d->limit.left);
	else if (d->limit.unknown)
		fprintf(out, "kernel.kexec_load_limit_reboot cannot be read, so whether loads are limited is not known");
	else
		fprintf(out, "kexec is not switched off, nor limited");
}

static void say_not_asked(FILE *out, const struct doctor *d)
{
	fprintf(out, "it was not asked, since that %s count as a load", d->limit.limited ? "would" : "might");
}

static void say_unknown_call(FILE *out, const struct doctor *d)
{
	fprintf(out, "whether the kernel has it is not known: ");
	say_not_asked(out, d);
	fprintf(out, ", and neither /proc/kallsyms nor its configuration says");
}

static void say_load_call(FILE *out, const struct doctor *d)
{
	if (d->load_call.err) {
		say_fail(out, &d->load_call);
	} else if (d->load_asked) {
		fprintf(out, "the kernel takes it");
	} else if (d->load_unknown) {
		say_unknown_call(out, d);
	} else {
		fprintf(out, "the kernel has it; ");
		say_not_asked(out, d);
	}
}

static void say_file_call(FILE *out, const struct doctor *d)
{
	static const char *const sentences[] = {
		[SIGNATURES_UNKNOWN] = "whether of signed kernels only is not known",
		[SIGNATURES_FREE] = "of unsigned kernels, too",
		[SIGNATURES_LOCKDOWN] = "of signed kernels only, by lockdown",
		[SIGNATURES_FORCED] = "of signed kernels only, as the kernel was built",
	};

	if (d->file_call.err == KX_FILE_UNAVAILABLE)
		fprintf(out, "this kernel has no such call%s", d->load_call.err ? "" : ", and does not need it");
	else if (d->file_call.err)
		fprintf(out, "the kernel refuses it: %s", d->file_call.detail);
	else if (d->file_unknown)
		say_unknown_call(out, d);
	else
		fprintf(out, "the kernel takes it, %s", sentences[d->signatures]);
}

static void say_staging(FILE *out, const struct doctor *d)
{
	if (d->staging.err)
		say_fail(out, &d->staging);
	else
		fprintf(out, "a huge page was staged, and given back");
	if (!d->staging.err && d->trial.report.notes)
		fprintf(out, "; %s", d->trial.report.note[0]);
}

static void say_huge_pages(FILE *out, const struct doctor *d)
{
	const struct huge_page_limit *limit = &d->trial.limit;

	if (!d->trial.has_limit) {
		fprintf(out, "this kernel has no huge pages of 2 MiB");
		return;
	}
	fprintf(out, "of 2 MiB; vm.nr_overcommit_hugepages=%llu ", (unsigned long long)limit->limit);
	if (limit->write_error)
		fprintf(out, "cannot be raised for a load (%s)", strerror(-limit->write_error));
	else
		fprintf(out, "is raised for a load, and put back");
	if (limit->pool)
		fprintf(out, "; %llu of %llu of the machine's own (vm.nr_hugepages) are free, and left alone",
			(unsigned long long)d->pool_free_pages, (unsigned long long)limit->pool);
}

static void say_memory(FILE *out, const struct doctor *d)
{
	if (d->memory.err) {
		say_fail(out, &d->memory);
		return;
	}
	if (d->payload_bytes_max)
		fprintf(out, "kernel and initrd of up to %llu MiB can be staged now", mib(d->payload_bytes_max));
	else if (d->verdict[DOCTOR_MEMORY].mark != DOCTOR_OK)
		fprintf(out, "nothing can be staged now");
	if (d->limit_is_limit)
		fprintf(out, ", since vm.nr_overcommit_hugepages cannot be raised");
	if (d->shm_is_limit)
		fprintf(out, ", since kernel.shmmax or kernel.shmall allows no more");
	fprintf(out, "%s%llu of %llu MiB are available, and %llu of them may be taken",
		d->payload_bytes_max || d->verdict[DOCTOR_MEMORY].mark != DOCTOR_OK ? "; " : "", mib(d->budget.free_bytes),
		mib(d->budget.ram_bytes), mib(d->budget.available_bytes));
}

static void say_swap(FILE *out, const struct doctor *d)
{
	if (d->budget.swap_used_bytes)
		fprintf(out, "%llu MiB are in use; as much memory is not staged in, since the shutdown reads them back",
			mib(d->budget.swap_used_bytes));
	else
		fprintf(out, "none is in use");
}

static void say_loaded(FILE *out, const struct doctor *d)
{
	const struct staged_status *s = &d->staged;

	if (d->loaded.err) {
		fprintf(out, "%s; what is staged was not looked at: ", d->is_loaded ? "a kernel is loaded" : "nothing is loaded");
		say_fail(out, &d->loaded);
		return;
	}
	if (s->at_work)
		fprintf(out, "another kexec is staging something; ");
	if (!s->staged || !s->counted)
		fprintf(out, "%s", d->is_loaded ? "a kernel is loaded that is not staged" : "nothing is loaded");
	else if (s->check.truth == STAGED_TRUE)
		fprintf(out, "a staged kernel is loaded: %u huge pages, all where they were%s", s->check.pages,
			s->certain ? "" : ", if no other program has loaded something since");
	else if (s->check.truth == STAGED_MOVED)
		fprintf(out, "a staged kernel is loaded, and %u of its %u huge pages are not where they were", s->check.moved, s->check.pages);
	else
		fprintf(out, "a staged kernel is loaded, and damaged: %s", s->check.why);
}

static void say_plan(FILE *out, const struct doctor *d)
{
	const struct report *plan = &d->planned;

	if (!d->kernel_named)
		fprintf(out, "no kernel was named; of one it is said here what would be in place");
	else if (d->plan.err)
		say_fail(out, &d->plan);
	else
		fprintf(out, "%s%s%s%s, %llu MiB with its initrd: of %u huge pages %u in place, %u moved by purgatory, %u relocated by the kernel",
			plan->kernel, plan->format[0] ? " (" : "", plan->format, plan->format[0] ? ")" : "", mib(d->payload_bytes),
			d->slots, d->in_place, d->moved, d->relocated);
}

static void say_verification(FILE *out, const struct doctor *d)
{
	if (d->check == PURG_CHECK_NONE)
		fprintf(out, "nothing is verified; ");
	else
		fprintf(out, "by %s; ", checks[d->check]);
	fprintf(out, "one CPU takes about %llu ms for 100 MiB by crc32c, %llu ms by sha256: so fast it is under this kernel, with caches on",
		(unsigned long long)d->crc32c_ms, (unsigned long long)d->sha256_ms);
}

static void say_cpus(FILE *out, const struct doctor *d)
{
	if (d->cpus_stay.err) {
		say_fail(out, &d->cpus_stay);
		return;
	}
	if (d->cpus_online)
		fprintf(out, "%u of %u", d->cpus, d->cpus_online);
	else
		fprintf(out, "%u", d->cpus);
	if (d->one_cpu[0])
		fprintf(out, ": %s", d->one_cpu);
	else if (d->cpus_auto > 1)
		fprintf(out, ", called by PSCI; with --cpus=auto %u, for payloads from %llu MiB on", d->cpus_auto, mib(CHOICES_AUTO_FROM_BYTES));
}

static void say_console(FILE *out, const struct doctor *d)
{
	if (d->serial_missing)
		fprintf(out, "--serial %s; ", err_text(KX_SERIAL));
	if (d->console[0])
		fprintf(out, "should a check fail, purgatory says so on %s", d->console);
	else if (d->unknown_console[0])
		fprintf(out, "purgatory is silent: it does not know the console %s", d->unknown_console);
	else
		fprintf(out, "purgatory is silent: this kernel has no serial console");
}

static void say_boot_log(FILE *out, const struct doctor *d)
{
	const struct boot_log *log = &d->boot_log;

	if (!log->tty[0]) {
		fprintf(out, "the command line names no serial console that the next kernel would wait for");
		return;
	}
	if (log->quiet)
		fprintf(out, "the next kernel only writes warnings to %s; all else", log->tty);
	else
		fprintf(out, "what the next kernel writes to %s", log->tty);
	fprintf(out, " would be about %llu KiB%s, and take ", (unsigned long long)(log->bytes + 1023) >> 10,
		log->whole ? "" : ", as far as this kernel's log reaches");
	if (log->baud)
		fprintf(out, "%.1f s at %u baud", (double)log->ms / 1e3, log->baud);
	else
		fprintf(out, "%.1f s at %u baud (the command line names no rate)", (double)log->ms / 1e3, BOOT_LOG_BAUD_GUESS);
	if (log->earlycon)
		fprintf(out, "; with earlycon from the first line on");
}

static void say_gic(FILE *out, const struct doctor *d)
{
	unsigned long long kib = (unsigned long long)(d->gic_table_bytes >> 10);

	switch (d->gic) {
	case GIC_UNKNOWN:
		fprintf(out, "the kernel log does not reach back to the boot, so the tables of the interrupt controller are not known and not "
			     "reserved for the next kernel (boot with log_buf_len=4M, or load earlier)");
		break;
	case GIC_RESERVED:
		if (kib)
			fprintf(out, "a GICv3's tables of %llu KiB are reserved for the next kernel, in its device tree", kib);
		else
			fprintf(out, "a GICv3 without tables in memory: nothing has to be reserved");
		break;
	case GIC_BY_EFI:
		fprintf(out, "the kernel records the interrupt controller's tables with EFI, for the next one; its log names %llu KiB", kib);
		break;
	default:
		fprintf(out, "no interrupt controller that goes on using memory");
		break;
	}
}

static void say_watchdog(FILE *out, const struct doctor *d)
{
	const struct guards *g = &d->guards;

	if (!g->watchdogs) {
		fprintf(out, "there is none: a next kernel that hangs stays so");
		return;
	}
	fprintf(out, "%s%s%s%s", g->watchdog[0].name, g->watchdog[0].identity[0] ? " (" : "", g->watchdog[0].identity,
		g->watchdog[0].identity[0] ? ")" : "");
	if (!g->systemd)
		fprintf(out, "; there is no systemd that would arm it for the jump");
	else if (guards_jump(g))
		fprintf(out, " is armed for the jump, KExecWatchdogSec=%s: a next kernel that hangs comes back through the firmware%s",
			g->kexec_watchdog, watchdog_is_taken_over(g) ? "" : ", and so does one that does not, unless the watchdog's driver is loaded until "
			"then and stops it; systemd would take it over with RuntimeWatchdogSec=, which is off");
	else if (g->kexec_watchdog_on && g->at_reboot == WATCHDOG_STOPS)
		fprintf(out, " is armed by systemd, KExecWatchdogSec=%s, and stopped by this kernel before the jump (watchdog.stop_on_reboot=1): "
			"a next kernel that hangs stays so", g->kexec_watchdog);
	else if (g->kexec_watchdog_on)
		fprintf(out, " is armed by systemd, KExecWatchdogSec=%s; many drivers stop theirs before the jump, and then a next kernel that "
			"hangs stays so, unless this kernel is told watchdog.stop_on_reboot=0", g->kexec_watchdog);
	else
		fprintf(out, " is not armed for the jump (KExecWatchdogSec=%s): a next kernel that hangs stays so", g->kexec_watchdog);
}

static void say_live_update(FILE *out, const struct doctor *d)
{
	if (d->guards.liveupdate)
		fprintf(out, "/dev/liveupdate is there%s: what is preserved through it is lost, since only kexec_file_load(2) hands it over",
			d->guards.kho ? ", and kho is on" : "");
	else
		fprintf(out, "no /dev/liveupdate whose state could be lost");
}

static void say_crash_kernel(FILE *out, const struct doctor *d)
{
	if (!d->crash_kernel_bytes)
		fprintf(out, "no memory is reserved for one (crashkernel=)");
	else
		fprintf(out, "%llu MiB are reserved, and one is %sloaded", mib(d->crash_kernel_bytes), d->crash_kernel_is_loaded ? "" : "not ");
	/* That nothing at all can be loaded is said of the switches, unless it is what is missing here. */
	if (d->crash_switches.err == KX_LOAD_LIMIT_PANIC || (d->crash_switches.err && d->verdict[DOCTOR_CRASH_KERNEL].mark != DOCTOR_OK)) {
		fprintf(out, "; ");
		say_fail(out, &d->crash_switches);
	} else if (d->crash_limit.limited && !d->crash_switches.err) {
		fprintf(out, "; %llu more loads of one until the next boot (kernel.kexec_load_limit_panic)",
			(unsigned long long)d->crash_limit.left);
	} else if (d->crash_limit.unknown) {
		fprintf(out, "; kernel.kexec_load_limit_panic cannot be read, so whether loads of one are limited is not known");
	}
}

static void say_firmware(FILE *out, const struct doctor *d)
{
	if (d->machine.err)
		say_fail(out, &d->machine);
	else
		fprintf(out, "%s%s%s%s", d->efi ? "EFI" : "device tree", d->acpi ? ", ACPI" : "", d->memory_guess ? "; " : "",
			d->memory_guess ? d->memory_guess : "");
}

static void say(FILE *out, const struct doctor *d, enum doctor_check check)
{
	switch (check) {
	case DOCTOR_RIGHTS:
		if (d->rights.err)
			say_fail(out, &d->rights);
		else
			fprintf(out, "this process may load a kernel, and is in no container");
		break;
	case DOCTOR_RESET:
		fprintf(out, "%s", d->psci ? "by PSCI: a failed check resets the machine, which comes back through the firmware" :
			err_text(KX_NO_PSCI));
		break;
	case DOCTOR_PSTORE:
		fprintf(out, "%s", d->guards.pstore[0] ? d->guards.pstore : "there is none: reasons for a reboot survive on the console only");
		break;
	case DOCTOR_WAY: say_way(out, d); break;
	case DOCTOR_SWITCHES: say_switches(out, d); break;
	case DOCTOR_KEXEC_LOAD: say_load_call(out, d); break;
	case DOCTOR_KEXEC_FILE_LOAD: say_file_call(out, d); break;
	case DOCTOR_STAGING: say_staging(out, d); break;
	case DOCTOR_HUGE_PAGES: say_huge_pages(out, d); break;
	case DOCTOR_MEMORY: say_memory(out, d); break;
	case DOCTOR_SWAP: say_swap(out, d); break;
	case DOCTOR_LOADED: say_loaded(out, d); break;
	case DOCTOR_PLAN: say_plan(out, d); break;
	case DOCTOR_VERIFICATION: say_verification(out, d); break;
	case DOCTOR_CPUS: say_cpus(out, d); break;
	case DOCTOR_CONSOLE: say_console(out, d); break;
	case DOCTOR_BOOT_LOG: say_boot_log(out, d); break;
	case DOCTOR_GIC: say_gic(out, d); break;
	case DOCTOR_WATCHDOG: say_watchdog(out, d); break;
	case DOCTOR_LIVE_UPDATE: say_live_update(out, d); break;
	case DOCTOR_CRASH_KERNEL: say_crash_kernel(out, d); break;
	case DOCTOR_FIRMWARE: say_firmware(out, d); break;
	case DOCTOR_CHECKS: break;
	}
}

#define INDENT	"                         "

void doctor_text(const struct doctor *d, FILE *out)
{
	unsigned int check, i;

	for (check = 0; check < DOCTOR_CHECKS; check++) {
		const struct doctor_verdict *v = &d->verdict[check];

		if (!v->shown)
			continue;
		fprintf(out, "%-8s %-15s ", marks[v->mark], names[check]);
		say(out, d, (enum doctor_check)check);
		fprintf(out, ".\n");
		for (i = 0; check == DOCTOR_PLAN && i < d->planned.notes; i++)
			fprintf(out, INDENT "note: %s.\n", d->planned.note[i]);
		if (commands[v->remedy])
			fprintf(out, INDENT "# %s\n", commands[v->remedy]);
	}
}

static struct json_object *checks_json(const struct doctor *d)
{
	struct json_object *list = json_object_new_array();
	unsigned int check;

	for (check = 0; check < DOCTOR_CHECKS; check++) {
		const struct doctor_verdict *v = &d->verdict[check];
		struct json_object *o;
		char *text = NULL;
		size_t bytes;
		FILE *found;

		if (!v->shown)
			continue;
		o = json_object_new_object();
		add_text(o, "name", names[check]);
		add_text(o, "mark", marks[v->mark]);
		found = open_memstream(&text, &bytes);
		if (found) {
			say(found, d, (enum doctor_check)check);
			fclose(found);
		}
		add_text(o, "found", text ? text : "");
		free(text);
		add_text(o, "command", commands[v->remedy] ? commands[v->remedy] : "");
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *plan_json(const struct doctor *d)
{
	struct json_object *o = json_object_new_object(), *notes = json_object_new_array();
	unsigned int i;

	add_text(o, "kernel", d->planned.kernel);
	add_text(o, "format", d->planned.format);
	add_u64(o, "payload_bytes", d->payload_bytes);
	add_u64(o, "staged_bytes", d->planned.staged_bytes);
	add_u64(o, "huge_pages", d->slots);
	add_u64(o, "huge_pages_in_place", d->in_place);
	add_u64(o, "huge_pages_moved", d->moved);
	add_u64(o, "huge_pages_relocated", d->relocated);
	for (i = 0; i < d->planned.notes; i++)
		json_object_array_add(notes, json_object_new_string(d->planned.note[i]));
	json_object_object_add(o, "notes", notes);
	return o;
}

static const char *call_state(const struct doctor *d, const struct fail *fail, bool unknown, enum doctor_check check)
{
	if (!d->verdict[check].shown || unknown)
		return "unknown";
	return !fail->err ? "present" : fail->err == KX_NO_SYSCALL || fail->err == KX_FILE_UNAVAILABLE ? "missing" :
	       fail->err == KX_LOCKDOWN ? "lockdown" : "refused";
}

static void add_loading(struct json_object *o, const struct doctor *d)
{
	static const char *const signatures[] = {
		[SIGNATURES_UNKNOWN] = "unknown", [SIGNATURES_FREE] = "not enforced", [SIGNATURES_LOCKDOWN] = "lockdown",
		[SIGNATURES_FORCED] = "enforced",
	};
	static const char *const truths[] = {
		[STAGED_NOTHING] = "nothing", [STAGED_TRUE] = "true", [STAGED_MOVED] = "moved", [STAGED_DAMAGED] = "damaged",
	};

	add_text(o, "kexec_load", call_state(d, &d->load_call, d->load_unknown, DOCTOR_KEXEC_LOAD));
	add_text(o, "kexec_file_load", call_state(d, &d->file_call, d->file_unknown, DOCTOR_KEXEC_FILE_LOAD));
	add_text(o, "signatures", signatures[d->signatures]);
	add_u64(o, "huge_page_bytes", PLAN_SLOT_BYTES);
	add_bool(o, "has_huge_pages", d->trial.has_limit);
	add_u64(o, "huge_page_limit", d->trial.limit.limit);
	add_bool(o, "huge_page_limit_writable", d->trial.has_limit && !d->trial.limit.write_error);
	add_u64(o, "huge_page_pool", d->trial.limit.pool);
	add_u64(o, "payload_bytes_max", d->payload_bytes_max);
	add_u64(o, "available_bytes", d->budget.available_bytes);
	add_u64(o, "swap_used_bytes", d->budget.swap_used_bytes);
	add_bool(o, "loaded", d->is_loaded);
	add_bool(o, "staged", d->staged.staged && d->staged.counted);
	add_text(o, "staged_truth", truths[d->staged.staged && d->staged.counted ? d->staged.check.truth : STAGED_NOTHING]);
	json_object_object_add(o, "plan", d->kernel_named && d->verdict[DOCTOR_PLAN].shown && !d->plan.err ? plan_json(d) : NULL);
}

/* Null, where the machine could not be read. */
static void add_machine(struct json_object *o, const struct doctor *d)
{
	static const char *const gics[] = {
		[GIC_LEAVES_NOTHING] = "nothing to reserve", [GIC_BY_EFI] = "efi", [GIC_RESERVED] = "device tree", [GIC_UNKNOWN] = "unknown",
	};
	struct json_object *m = json_object_new_object();

	add_text(m, "firmware", d->efi ? "efi" : "device tree");
	add_bool(m, "acpi", d->acpi);
	add_bool(m, "psci", d->psci);
	add_text(m, "check", checks[d->check]);
	add_u64(m, "crc32c_ms_per_100_mib", d->crc32c_ms);
	add_u64(m, "sha256_ms_per_100_mib", d->sha256_ms);
	add_u64(m, "cpus_online", d->cpus_online);
	add_u64(m, "cpus", d->cpus);
	add_u64(m, "cpus_auto", d->cpus_auto);
	add_text(m, "console", d->console);
	add_text(m, "gic_tables_kept_by", gics[d->gic]);
	add_u64(m, "gic_table_bytes", d->gic_table_bytes);
	add_text(m, "boot_log_console", d->boot_log.tty);
	add_u64(m, "boot_log_baud", d->boot_log.baud);
	add_bool(m, "boot_log_quiet", d->boot_log.quiet);
	add_u64(m, "boot_log_bytes", d->boot_log.bytes);
	add_u64(m, "boot_log_ms", d->boot_log.ms);
	json_object_object_add(o, "machine", m);
}

static void add_guards(struct json_object *o, const struct doctor *d)
{
	static const char *const at_reboot[] = {
		[WATCHDOG_DRIVER_DECIDES] = "driver-decides", [WATCHDOG_GOES_ON] = "goes-on", [WATCHDOG_STOPS] = "stops",
	};
	const struct guards *g = &d->guards;
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < g->watchdogs; i++) {
		struct json_object *w = json_object_new_object();

		add_text(w, "name", g->watchdog[i].name);
		add_text(w, "identity", g->watchdog[i].identity);
		add_bool(w, "active", g->watchdog[i].active);
		add_u64(w, "timeout_s", g->watchdog[i].timeout_s);
		json_object_array_add(list, w);
	}
	json_object_object_add(o, "watchdogs", list);
	add_text(o, "kexec_watchdog_sec", g->kexec_watchdog);
	add_text(o, "runtime_watchdog_sec", g->runtime_watchdog);
	add_text(o, "watchdog_at_reboot", at_reboot[g->at_reboot]);
	add_bool(o, "watchdog_guards_jump", guards_jump(g));
	add_text(o, "pstore", g->pstore);
	add_bool(o, "live_update", g->liveupdate);
	add_bool(o, "kho", g->kho);
	add_u64(o, "crash_kernel_bytes", d->crash_kernel_bytes);
	add_bool(o, "crash_kernel_loaded", d->crash_kernel_is_loaded);
}

void doctor_json(const struct doctor *d, FILE *out)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "way", ways[d->way]);
	json_object_object_add(o, "checks", checks_json(d));
	add_loading(o, d);
	if (!d->machine.err)
		add_machine(o, d);
	else
		json_object_object_add(o, "machine", NULL);
	add_guards(o, d);
	print_json(o, out);
}
