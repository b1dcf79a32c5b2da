/* SPDX-License-Identifier: GPL-2.0-only */
#include "boot_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "[    0.000000] " in front of a line, and CR and LF behind it (printk.time, drivers/tty/serial/serial_core.c) */
#define LINE_OVERHEAD_BYTES	17
/* A start bit, eight of data, a stop bit */
#define BITS_PER_BYTE		10
/* Documentation/admin-guide/kernel-parameters.txt: quiet is CONSOLE_LOGLEVEL_QUIET, 4. Levels below are warnings' and worse. */
#define LOGLEVEL_QUIET		4

static bool starts(const char *word, size_t bytes, const char *with)
{
	return bytes >= strlen(with) && strncmp(word, with, strlen(with)) == 0;
}

/* "ttyAMA0,115200n8", "ttyS1", "uart8250,mmio32,0x..."; screens (tty0) and consoles of hypervisors (hvc0) wait for no line. */
static void take_console(struct boot_log *to, const char *value, size_t bytes)
{
	size_t name_bytes = strcspn(value, ", ");

	if (name_bytes > bytes)
		name_bytes = bytes;
	if (!starts(value, bytes, "tty") || name_bytes < 4 || (value[3] >= '0' && value[3] <= '9') || name_bytes >= sizeof(to->tty))
		return;
	snprintf(to->tty, sizeof(to->tty), "%.*s", (int)name_bytes, value);
	to->baud = value[name_bytes] == ',' ? (uint32_t)strtoul(value + name_bytes + 1, NULL, 10) : 0;
}

static void read_cmdline(struct boot_log *to, const char *cmdline)
{
	unsigned long level = 7;
	bool ignored = false;
	const char *word;
	size_t bytes;

	for (word = cmdline; *word; word += bytes) {
		word += strspn(word, " \n");
		bytes = strcspn(word, " \n");
		/* What follows is for the first process. */
		if (bytes == 2 && strncmp(word, "--", 2) == 0)
			break;
		if (starts(word, bytes, "console="))
			take_console(to, word + 8, bytes - 8);
		else if (bytes == 5 && starts(word, bytes, "quiet"))
			level = LOGLEVEL_QUIET;
		else if (bytes == 5 && starts(word, bytes, "debug"))
			level = 10;
		else if (starts(word, bytes, "loglevel="))
			level = strtoul(word + 9, NULL, 10);
		else if (starts(word, bytes, "ignore_loglevel"))
			ignored = true;
		else if (starts(word, bytes, "earlycon"))
			to->earlycon = true;
	}
	to->quiet = level <= LOGLEVEL_QUIET && !ignored;
}

/* Up to the line "Run /init as init process". */
static void read_log(struct boot_log *to, struct sys *sys)
{
	char *text, *line;
	size_t bytes, line_bytes;
	bool ended = false;

	if (sys->kernel_log(sys, &text, &bytes) < 0)
		return;
	to->whole = strstr(text, "Booting Linux on physical CPU") != NULL;
	for (line = text; *line && !ended; line += line_bytes + (line[line_bytes] == '\n')) {
		line_bytes = strcspn(line, "\n");
		to->bytes += line_bytes + LINE_OVERHEAD_BYTES;
		ended = starts(line, line_bytes, "Run /") && memmem(line, line_bytes, " as init process", 16);
	}
	to->whole &= ended;
	free(text);
}

void boot_log_read(struct boot_log *to, struct sys *sys, const char *cmdline)
{
	*to = (struct boot_log){ 0 };
	read_cmdline(to, cmdline);
	read_log(to, sys);
	if (to->tty[0])
		to->ms = to->bytes * BITS_PER_BYTE * 1000 / (to->baud ? to->baud : BOOT_LOG_BAUD_GUESS);
}
