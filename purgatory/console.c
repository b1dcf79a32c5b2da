/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console of the last resort: polled output to the UART that the loader named. Only ever used with the MMU off, so
 * the UART is reached by its physical address as Device memory and needs no mapping.
 */
#include "console.h"

#include "cpu.h"

#define READY_MS	20	/* more than a character takes at 1200 baud */

#define PL011_DR	0x00
#define PL011_FR	0x18
#define PL011_FR_BUSY	(1u << 3)
#define PL011_FR_TXFF	(1u << 5)
#define UART8250_THR	0
#define UART8250_LSR	5
#define UART8250_LSR_THRE	(1u << 5)
#define UART8250_LSR_TEMT	(1u << 6)

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

/* Whether the UART can take a character, or with flush, has sent them all. */
static int is_ready(const struct purg_params *params, int flush)
{
	uint64_t uart_pa = params->uart_pa, lsr_pa = uart_pa + ((uint64_t)UART8250_LSR << params->uart_reg_shift);
	uint32_t lsr_ready = flush ? UART8250_LSR_TEMT : UART8250_LSR_THRE;

	switch (params->uart_kind) {
	case PURG_UART_PL011:
		return !(read32(uart_pa + PL011_FR) & (flush ? PL011_FR_BUSY : PL011_FR_TXFF));
	case PURG_UART_8250:
		return (read8(lsr_pa) & lsr_ready) != 0;
	case PURG_UART_8250_MMIO32:
		return (read32(lsr_pa) & lsr_ready) != 0;
	default:
		return 1;
	}
}

/* By the counter, not by tries: how long a read of a UART takes, nobody knows. */
static void wait_ready(const struct purg_params *params, int flush)
{
	uint64_t deadline = read_counter() + counter_hz_for_waits() / 1000 * READY_MS;

	while (!is_ready(params, flush) && read_counter() < deadline)
		;
}

static void put_char(const struct purg_params *params, char c)
{
	wait_ready(params, 0);
	switch (params->uart_kind) {
	case PURG_UART_PL011:
		write32(params->uart_pa + PL011_DR, (uint8_t)c);
		break;
	case PURG_UART_8250:
		write8(params->uart_pa + UART8250_THR, (uint8_t)c);
		break;
	case PURG_UART_8250_MMIO32:
		write32(params->uart_pa + UART8250_THR, (uint8_t)c);
		break;
	default:
		break;
	}
}

void console_flush(const struct purg_params *params)
{
	wait_ready(params, 1);
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
