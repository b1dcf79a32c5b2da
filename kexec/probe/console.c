/* SPDX-License-Identifier: GPL-2.0-only */
/* The UART that purgatory writes to: the one that --serial names, or the kernel's own console. */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool tty_number(struct sys *sys, const char *tty, const char *attribute, int base, uint64_t *value)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/tty/%s/%s", tty, attribute);
	return sys_read_u64(sys, path, base, value);
}

/* Values of include/uapi/linux/serial_core.h and include/linux/serial_core.h. Types up to PORT_MAX_8250 are the 8250 driver's; those it
 * was given later have numbers among the others'. */
#define PORT_8250	1
#define PORT_MAX_8250	30
#define PORT_AMBA	32
#define PORT_NPCM	40
#define PORT_SUNIX	121
#define UPIO_MEM	2
#define UPIO_MEM32	3

/* Other drivers have the same kinds of access and other registers. */
static bool is_8250(uint64_t type)
{
	return (type >= PORT_8250 && type <= PORT_MAX_8250) || type == PORT_NPCM || type == PORT_SUNIX;
}

/* With the MMU off memory is Device, and a word that is not aligned faults (Arm ARM, "Device memory"). */
#define REG_SHIFT_WORDS	2
#define REG_SHIFT_MAX	4

static bool uart_read(struct uart *uart, struct sys *sys, const char *tty)
{
	uint64_t base, type, io_type = 0, reg_shift = 0;

	if (strlen(tty) >= sizeof(uart->name) || strchr(tty, '/'))
		return false;
	if (!tty_number(sys, tty, "iomem_base", 16, &base) || !base || !tty_number(sys, tty, "type", 0, &type))
		return false;
	tty_number(sys, tty, "io_type", 0, &io_type);
	tty_number(sys, tty, "iomem_reg_shift", 0, &reg_shift);
	if (type == PORT_AMBA)
		uart->kind = PURG_UART_PL011;
	else if (!is_8250(type) || reg_shift > REG_SHIFT_MAX)
		return false;
	else if (io_type == UPIO_MEM)
		uart->kind = PURG_UART_8250;
	else if (io_type == UPIO_MEM32 && reg_shift >= REG_SHIFT_WORDS && base % 4 == 0)
		uart->kind = PURG_UART_8250_MMIO32;
	else
		return false;
	uart->pa = base;
	uart->reg_shift = (uint32_t)reg_shift;
	strcpy(uart->name, tty);
	return true;
}

/* tty0, tty1: screens, which nobody expects purgatory on */
static bool is_screen(const char *tty)
{
	return strncmp(tty, "tty", 3) == 0 && tty[3] >= '0' && tty[3] <= '9';
}

/* The one that --serial names, else the kernel's own consoles; the last one named is the one that /dev/console is. */
void machine_find_console(struct machine *machine, struct sys *sys, const char *serial)
{
	char *text, *word, *save;
	size_t bytes;

	if (serial && strncmp(serial, "/dev/", 5) == 0)
		serial += 5;
	machine->serial_found = serial && uart_read(&machine->uart, sys, serial);
	if (machine->serial_found)
		return;
	if (sys->read_file(sys, "/sys/class/tty/console/active", 4096, &text, &bytes) < 0)
		return;
	for (word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
		if (!uart_read(&machine->uart, sys, word) && !is_screen(word))
			snprintf(machine->unknown_console, sizeof(machine->unknown_console), "%s", word);
	free(text);
}
