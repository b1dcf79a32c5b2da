/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console of the last resort: polled output to the UART that the loader named. Only ever used with the MMU off, so
 * the UART is reached by its physical address as Device memory and needs no mapping.
 */
#include "purgatory.h"

#define READY_TRIES	1000000		/* far more than one character takes at any speed */

#define PL011_DR	0x00
#define PL011_FR	0x18
#define PL011_FR_TXFF	(1u << 5)
#define UART8250_THR	0
#define UART8250_LSR	5
#define UART8250_LSR_THRE	(1u << 5)

static uint32_t read32(uint64_t pa)
{
	return *(volatile uint32_t *)(uintptr_t)pa;
}

static uint8_t read8(uint64_t pa)
{
	return *(volatile uint8_t *)(uintptr_t)pa;
}

static void write32(uint64_t pa, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)pa = value;
}

static void write8(uint64_t pa, uint8_t value)
{
	*(volatile uint8_t *)(uintptr_t)pa = value;
}

static void put_char(const struct purg_params *params, char c)
{
	uint64_t uart_pa = params->uart_pa, lsr_pa = uart_pa + ((uint64_t)UART8250_LSR << params->uart_reg_shift);
	uint32_t tries = READY_TRIES;

	switch (params->uart_kind) {
	case PURG_UART_PL011:
		while (tries-- && read32(uart_pa + PL011_FR) & PL011_FR_TXFF)
			;
		write32(uart_pa + PL011_DR, (uint8_t)c);
		break;
	case PURG_UART_8250:
		while (tries-- && !(read8(lsr_pa) & UART8250_LSR_THRE))
			;
		write8(uart_pa + UART8250_THR, (uint8_t)c);
		break;
	case PURG_UART_8250_MMIO32:
		while (tries-- && !(read32(lsr_pa) & UART8250_LSR_THRE))
			;
		write32(uart_pa + UART8250_THR, (uint8_t)c);
		break;
	default:
		break;
	}
}

void console_text(const struct purg_params *params, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put_char(params, '\r');
		put_char(params, *text);
	}
}

static void put_nibble(const struct purg_params *params, uint64_t nibble)
{
	put_char(params, (char)(nibble < 10 ? '0' + nibble : 'a' + nibble - 10));
}

void console_hex(const struct purg_params *params, uint64_t value)
{
	int shift;

	console_text(params, "0x");
	for (shift = 60; shift >= 0; shift -= 4)
		put_nibble(params, value >> shift & 0xf);
}

void console_digest(const struct purg_params *params, const uint8_t *digest, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		put_nibble(params, digest[i] >> 4);
		put_nibble(params, digest[i] & 0xf);
	}
}
