/* SPDX-License-Identifier: GPL-2.0-only */
/* Which CPUs purgatory is told of, by the device tree and by the MADT. */
#include "job.h"

static void set_cpus_of_tree(struct fake *f, unsigned int cpus, const char *online)
{
	unsigned int i;

	fake_cpus_online(f, online);
	for (i = 0; i < cpus; i++) {
		unsigned char reg[8] = { 0, 0, 0, 0, 0, 0, (unsigned char)(i / 4), (unsigned char)(i % 4) };
		char path[80];

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/of_node/reg", i);
		fake_file(f, path, i % 2 ? reg : reg + 4, i % 2 ? 8 : 4);
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/of_node/enable-method", i);
		fake_file(f, path, "psci", 5);
	}
}

static void set_madt(struct fake *f, unsigned int enabled, unsigned int disabled)
{
	unsigned char madt[44 + 24 + 12 * 80] = { 'A', 'P', 'I', 'C' };
	size_t at = 44;
	unsigned int i;

	madt[at] = 0x0c;	/* a GICD */
	madt[at + 1] = 24;
	at += 24;
	for (i = 0; i < enabled + disabled; i++, at += 80) {
		madt[at] = 0x0b;
		madt[at + 1] = 80;
		madt[at + 12] = i < enabled;
		madt[at + 69] = (unsigned char)i;
	}
	fake_file(f, "/sys/firmware/acpi/tables/APIC", madt, at);
}

/* Tables that end early, or claim lengths that they have not: no CPU is known then, and nothing is read behind them. */
static void test_bad_madt(void **state)
{
	enum { SHORT, LENGTH_0, LENGTH_1, LENGTH_TOO_LONG, GICC_SHORT, HEADER_ONLY, EMPTY, KINDS };
	int kind;

	(void)state;
	for (kind = 0; kind < KINDS; kind++) {
		struct job *job = job_whole();
		/* Two GICCs; of its own size, so that the sanitizer sees a byte too far. */
		size_t bytes = kind == SHORT ? 44 + 79 : kind == HEADER_ONLY ? 43 : kind == EMPTY ? 0 : 44 + 160;
		unsigned char *madt = calloc(1, bytes + 1);
		struct purg_model m;
		size_t at;

		for (at = 44; at + 80 <= bytes + 1; at += 80) {
			madt[at] = 0x0b;
			madt[at + 1] = kind == LENGTH_0 ? 0 : kind == LENGTH_1 ? 1 : kind == LENGTH_TOO_LONG ? 255 : 80;
			madt[at + 12] = 1;
		}
		if (kind == GICC_SHORT)
			madt[44 + 80 + 1] = 75;
		fake_file(job->fake, "/sys/firmware/acpi/tables/APIC", madt, bytes);
		fake_cpus_online(job->fake, "0-1\n");
		job->request.cpus = 2;
		assert_loads(job, &m);
		assert_int_equal(m.params.cpus, 1);
		assert_true(noted(job, "it is not known how firmware numbers"));
		purg_model_free(&m);
		free(madt);
		job_free(job);
	}
}

/* How many CPUs "auto" takes is up to the payload, the check, and what there is. With --plan, since nothing is read then. */
static void test_auto_cpus(void **state)
{
	static const struct {
		uint64_t initrd_bytes;
		unsigned int online;
		enum check_kind check;
		unsigned int want;
	} v[] = {
		{ MIB(200), 8, CHECK_SHA256, 1 }, { MIB(256), 8, CHECK_SHA256, 8 }, { MIB(256), 3, CHECK_SHA256, 3 },
		{ MIB(256), 8, CHECK_CRC32C, 4 }, { MIB(256), 2, CHECK_CRC32C, 2 }, { MIB(256), 8, CHECK_NONE, 1 },
		{ MIB(256), 1, CHECK_SHA256, 1 },
	};
	unsigned char *zeros = calloc(1, MIB(256));
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_whole();
		char online[16];

		snprintf(online, sizeof(online), "0-%u\n", v[i].online - 1);
		set_cpus_of_tree(job->fake, v[i].online, online);
		fake_file(job->fake, INITRD, zeros, v[i].initrd_bytes);
		job->request.cpus = CPUS_AUTO;
		job->request.check = v[i].check;
		job->request.fast = FAST_NO;
		job->request.plan_only = true;
		assert_int_equal(load(job), KX_OK);
		assert_int_equal(job->report.cpus, v[i].want);
		assert_int_equal(job->report.notes, 0);
		job_free(job);
	}
	free(zeros);
}

static void test_cpus(void **state)
{
	enum { TREE = 1, MADT = 2, NO_PSCI_NODE = 4, NO_MMU = 8, SPIN = 16 };
	static const struct {
		unsigned int wanted, cpus;
		const char *online;
		unsigned int how, get, listed;
		const char *note;
	} v[] = {
		{ 0, 4, "0-3\n", TREE, 1, 0, NULL },
		{ 1, 4, "0-3\n", TREE, 1, 0, NULL },
		{ 2, 4, "0-3\n", TREE, 2, 4, NULL },
		{ 4, 4, "0-3\n", TREE, 4, 4, NULL },
		{ 3, 8, "0,2-3,5\n", TREE, 3, 4, NULL },
		{ 9, 3, "0-2\n", TREE, 3, 3, "uses 3 CPUs: there are no more" },
		{ 100, 16, "0-15\n", TREE, PURG_CPUS_MAX, PURG_CPUS_MAX, "uses 8 CPUs: more would only wait" },
		{ CPUS_AUTO, 4, "0-3\n", TREE, 1, 0, NULL },	/* too small to pay */
		{ 4, 4, "0-3\n", MADT, 4, 4, NULL },
		{ 4, 4, "0-2\n", MADT, 1, 0, "one CPU: it is not known how firmware" },	/* which one is offline? */
		{ 4, 4, "0-3\n", 0, 1, 0, "one CPU: it is not known how firmware" },
		{ 2, 4, "0-3\n", TREE | SPIN, 1, 0, "one CPU: it is not known how firmware" },
		{ 2, 4, "nonsense", TREE, 1, 0, "one CPU: it is not known how firmware" },
		{ 2, 4, "0-3\n", TREE | NO_PSCI_NODE, 1, 0, "one CPU: there is no PSCI" },
		{ 2, 4, "0-3\n", TREE | NO_MMU, 1, 0, "one CPU: with the MMU off" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_whole();
		struct purg_model m;

		fake_cpus_online(job->fake, v[i].online);
		if (v[i].how & TREE)
			set_cpus_of_tree(job->fake, v[i].cpus, v[i].online);
		if (v[i].how & SPIN)
			fake_file(job->fake, "/sys/devices/system/cpu/cpu2/of_node/enable-method", "spin-table", 11);
		if (v[i].how & MADT)
			set_madt(job->fake, v[i].cpus, 3);
		if (v[i].how & NO_PSCI_NODE)
			drop_psci(job);
		job->request.fast = FAST_AUTO;
		job->request.cpus = v[i].wanted;
		job->request.no_mmu = v[i].how & NO_MMU;
		assert_loads(job, &m);
		assert_int_equal(m.params.cpus, v[i].get);
		assert_int_equal(m.params.mpidr_count, v[i].listed);
		assert_int_equal(job->report.cpus, v[i].get);
		if (v[i].note)
			assert_true(noted(job, v[i].note));
		else
			assert_int_equal(job->report.notes, 0);
		if (i == 4) {
			assert_int_equal(m.params.mpidr[0], 0);
			assert_int_equal(m.params.mpidr[1], 2);
			assert_int_equal(m.params.mpidr[2], 3);
			assert_int_equal(m.params.mpidr[3], 0x101);
		}
		if (v[i].how & MADT && v[i].get > 1)
			assert_int_equal(m.params.mpidr[3], 0x300);
		purg_model_free(&m);
		job_free(job);
	}
}

/* The kernel would stop at the jump, without a next one. A crash kernel does not need it, and the first CPU stays anyway. */
static void test_cannot_go_offline(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;

	(void)state;
	fake_cpus_online(job->fake, "0-3");
	fake_drop(job->fake, "/sys/devices/system/cpu/cpu0/online");
	assert_loads(job, &m);
	purg_model_free(&m);
	job_free(job);
	job = job_whole();
	fake_cpus_online(job->fake, "0-3");
	fake_drop(job->fake, "/sys/devices/system/cpu/cpu2/online");
	assert_int_equal(load(job), KX_CPUS_STAY);
	assert_string_equal(job->fail.detail, "CPU 2");
	assert_int_equal(job->fake->kexec_loads, 0);
	/* reboot=s2, or by hand: then it is that one which stays. */
	fake_text(job->fake, "/sys/kernel/reboot/cpu", "2\n");
	assert_int_equal(load(job), KX_OK);
	fake_text(job->fake, "/sys/kernel/reboot/cpu", "9\n");
	assert_int_equal(load(job), KX_CPUS_STAY);
	job_free(job);
}

/* Pages come from the node of the CPU that makes the jump while there are some, for loads and for heals; then from wherever they can be had. */
static void test_node(void **state)
{
	unsigned int cpu;

	(void)state;
	for (cpu = 0; cpu < 4; cpu++) {
		struct job *job = job_whole();
		struct fake *f = job->fake;
		int node = cpu >= 2;
		char text[8];
		struct heal h;
		uint32_t i;

		fake_cpus_online(f, "0-3");
		for (i = 0; i < 4; i++) {
			char path[80];

			snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/node%u/meminfo", i, i >= 2);
			fake_text(f, path, "");
		}
		f->node1_pa = f->page[f->pages / 2].pa;
		snprintf(text, sizeof(text), "%u\n", cpu);
		fake_text(f, "/sys/kernel/reboot/cpu", text);
		job->request.extra_given = true;
		assert_int_equal(load(job), KX_OK);
		assert_clean(f);
		for (i = 0; i < f->pages; i++)
			assert_true(!f->page[i].taken || (f->page[i].pa >= f->node1_pa) == node);
		/* A page that has gone to the other node, and what a heal takes for its place. */
		for (i = 0; i < f->pages && !f->page[i].taken; i++)
			;
		assert_true(fake_move_page(f, f->page[i].pa));
		assert_int_equal(heal(job, &h), KX_OK);
		assert_true_and_boots(job);
		job_free(job);
	}
}

/* More than one node has. */
static void test_node_is_full(void **state)
{
	struct job *job = job_whole();
	struct fake *f = job->fake;
	struct purg_model m;

	(void)state;
	fake_cpus_online(f, "0");
	fake_text(f, "/sys/devices/system/cpu/cpu0/node1/meminfo", "");
	fake_text(f, "/sys/devices/system/cpu/cpu0/node1x/meminfo", "");
	f->node1_pa = f->page[f->pages - 2].pa;
	job->request.extra_given = true;
	assert_loads(job, &m);
	assert_true(f->page[f->pages - 1].taken && f->page[f->pages - 2].taken && f->page[0].taken);
	purg_model_free(&m);
	job_free(job);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_madt),
		cmocka_unit_test(test_auto_cpus),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_cannot_go_offline),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_node_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
