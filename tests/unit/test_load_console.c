/* SPDX-License-Identifier: GPL-2.0-only */
/* Where purgatory may write what goes wrong: the port that was asked for, the kernel's own console, or none. */
#include "job.h"

static void test_serial(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;

	(void)state;
	fake_text(job->fake, "/sys/class/tty/ttyS3/iomem_base", "0x1FE001000\n");
	fake_text(job->fake, "/sys/class/tty/ttyS3/type", "4\n");
	fake_text(job->fake, "/sys/class/tty/ttyS3/io_type", "3\n");
	fake_text(job->fake, "/sys/class/tty/ttyS3/iomem_reg_shift", "2\n");
	job->request.serial = "/dev/ttyS3";
	assert_loads(job, &m);
	assert_int_equal(m.params.uart_pa, 0x1fe001000);
	assert_int_equal(m.params.uart_kind, PURG_UART_8250_MMIO32);
	assert_int_equal(m.params.uart_reg_shift, 2);
	assert_int_equal(m.params.flags, PURG_FLAG_VERBOSE);
	assert_string_equal(job->report.console, "ttyS3");
	purg_model_free(&m);
	job_free(job);

}

/* One that is no use is no reason to fail, as with kexec-tools: bad news go to the kernel's own console. */
static void test_unusable_serial(void **state)
{
	static const char *const names[] = { "ttyS9", "/dev/ttyS9", "../../../etc" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		struct job *job = job_whole();
		struct purg_model m;
		char note[200];

		job->request.serial = names[i];
		assert_loads(job, &m);
		assert_int_equal(m.params.flags, 0);
		assert_int_equal(m.params.uart_pa, 0x9000000);
		assert_string_equal(job->report.console, "ttyAMA0");
		snprintf(note, sizeof(note), "%s has no memory-mapped registers that purgatory could write to, so it only gives bad news, "
			 "on the kernel's own console; name another tty with --serial", names[i]);
		assert_true(noted(job, note));
		purg_model_free(&m);
		job_free(job);
	}
}

static void set_tty(struct fake *f, const char *tty, const char *type, const char *io_type, const char *reg_shift)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/tty/%s/iomem_base", tty);
	fake_text(f, path, "0xff000000\n");
	snprintf(path, sizeof(path), "/sys/class/tty/%s/type", tty);
	fake_text(f, path, type);
	snprintf(path, sizeof(path), "/sys/class/tty/%s/io_type", tty);
	fake_text(f, path, io_type);
	snprintf(path, sizeof(path), "/sys/class/tty/%s/iomem_reg_shift", tty);
	fake_text(f, path, reg_shift);
}

/* Only what is known to be a PL011 or an 8250 is written to, and never at an address that Device memory does not take. */
static void test_console_kinds(void **state)
{
	static const struct {
		const char *active, *tty, *type, *io_type, *reg_shift;
		uint32_t kind;
		const char *note;
	} v[] = {
		{ "tty0 ttyS0\n", "ttyS0", "4\n", "2\n", "0\n", PURG_UART_8250, NULL },
		{ "ttyS0\n", "ttyS0", "1\n", "2\n", "4\n", PURG_UART_8250, NULL },
		{ "ttyS0\n", "ttyS0", "20\n", "3\n", "2\n", PURG_UART_8250_MMIO32, NULL },
		{ "ttyS0\n", "ttyS0", "40\n", "3\n", "2\n", PURG_UART_8250_MMIO32, NULL },	/* NPCM */
		{ "ttyS0\n", "ttyS0", "4\n", "3\n", "0\n", PURG_UART_NONE, "console ttyS0" },	/* unaligned */
		{ "ttyS0\n", "ttyS0", "4\n", "3\n", "1\n", PURG_UART_NONE, "console ttyS0" },
		{ "ttyS0\n", "ttyS0", "4\n", "2\n", "5\n", PURG_UART_NONE, "console ttyS0" },
		{ "ttyS0\n", "ttyS0", "0\n", "2\n", "0\n", PURG_UART_NONE, "console ttyS0" },	/* nobody there */
		{ "ttyS0\n", "ttyS0", "4\n", "0\n", "0\n", PURG_UART_NONE, "console ttyS0" },	/* ports, not memory */
		{ "ttyS0\n", "ttyS0", "109\n", "2\n", "0\n", PURG_UART_NONE, "console ttyS0" },	/* Meson */
		{ "tty0 ttyPS0\n", "ttyPS0", "98\n", "2\n", "0\n", PURG_UART_NONE, "silent: it does not know the console ttyPS0" },
		{ "ttyLP0\n", "ttyLP0", "103\n", "2\n", "0\n", PURG_UART_NONE, "console ttyLP0" },
		{ "ttymxc0\n", "ttymxc0", "62\n", "2\n", "0\n", PURG_UART_NONE, "console ttymxc0" },
		{ "hvc0\n", "ttyS9", "4\n", "2\n", "0\n", PURG_UART_NONE, "console hvc0" },
		{ "ttyPS0 ttyAMA0\n", "ttyPS0", "98\n", "2\n", "0\n", PURG_UART_PL011, NULL },	/* there is another */
		{ "tty0\n", "ttyS9", "4\n", "2\n", "0\n", PURG_UART_NONE, NULL },	/* a screen */
		{ "\n", "ttyS9", "4\n", "2\n", "0\n", PURG_UART_NONE, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_whole();
		struct purg_model m;

		fake_text(job->fake, "/sys/class/tty/console/active", v[i].active);
		set_tty(job->fake, v[i].tty, v[i].type, v[i].io_type, v[i].reg_shift);
		assert_loads(job, &m);
		assert_int_equal(m.params.uart_kind, v[i].kind);
		assert_int_equal(job->report.notes, v[i].note ? 1 : 0);
		assert_true(!v[i].note || noted(job, v[i].note));
		purg_model_free(&m);
		job_free(job);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serial),
		cmocka_unit_test(test_unusable_serial),
		cmocka_unit_test(test_console_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
