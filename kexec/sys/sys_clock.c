/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock of the kernel log, put beside the counter. */
#include "sys_linux.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/perf_event.h, struct perf_event_mmap_page: how the scheduler's clock is made of the counter. */
static int convert(const struct perf_event_mmap_page *page, uint64_t counter, uint64_t *ns)
{
	const volatile struct perf_event_mmap_page *p = page;
	uint64_t zero, cycles, mask, rest;
	uint32_t sequence, mult;
	uint16_t shift;
	bool shown;

	do {
		sequence = p->lock;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);	/* the fields are read behind it ... */
		shown = p->cap_user_time_zero;
		zero = p->time_zero;
		mult = p->time_mult;
		shift = p->time_shift;
		cycles = p->cap_user_time_short ? p->time_cycles : 0;
		mask = p->cap_user_time_short ? p->time_mask : UINT64_MAX;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);	/* ... and before it is read again */
	} while (sequence != p->lock);
	if (!shown || shift >= 64)
		return -ENOTSUP;
	counter = cycles + ((counter - cycles) & mask);
	rest = counter & ((1ull << shift) - 1);
	*ns = zero + (counter >> shift) * mult + (rest * mult >> shift);
	return 0;
}

static int log_clock(struct sys *sys, uint64_t *counter, uint64_t *ns)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY, .exclude_kernel = 1, .exclude_hv = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC), err;
	void *page;

	if (fd < 0)
		return -errno;
	page = mmap(NULL, sys->page_bytes, PROT_READ, MAP_SHARED, fd, 0);
	err = page == MAP_FAILED ? -errno : 0;
	*counter = sys->counter(sys);
	if (!err)
		err = convert(page, *counter, ns);
	if (page != MAP_FAILED)
		munmap(page, sys->page_bytes);
	close(fd);
	return err;
}

void sys_linux_clock(struct sys *sys)
{
	sys->log_clock = log_clock;
}
