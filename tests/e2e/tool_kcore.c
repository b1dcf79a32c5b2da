/* SPDX-License-Identifier: GPL-2.0-only */
/* The running kernel's memory by virtual address, through /proc/kcore: an ELF core file whose program headers say what is where. */
#include "tool.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Opens it and finds the program header of an address. The file is not seekable to a section list, so the headers are all there is. */
static int find_load(unsigned long address, Elf64_Phdr *found)
{
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr header;
	int i;

	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
		fprintf(stderr, "tool: /proc/kcore: %s\n", strerror(errno));
		return -1;
	}
	for (i = 0; i < header.e_phnum; i++) {
		off_t at = (off_t)(header.e_phoff + (Elf64_Off)i * header.e_phentsize);

		if (pread(fd, found, sizeof(*found), at) != sizeof(*found))
			break;
		if (found->p_type == PT_LOAD && address >= found->p_vaddr && address - found->p_vaddr < found->p_memsz)
			return fd;
	}
	fprintf(stderr, "tool: no PT_LOAD of %d program headers covers %#lx\n", header.e_phnum, address);
	close(fd);
	return -1;
}

int kcore_map(unsigned long address)
{
	Elf64_Phdr load;
	int fd = find_load(address, &load);

	if (fd < 0)
		return 1;
	printf("vaddr %#lx paddr %#lx offset %#lx filesz %#lx memsz %#lx\n", (unsigned long)load.p_vaddr, (unsigned long)load.p_paddr,
	       (unsigned long)load.p_offset, (unsigned long)load.p_filesz, (unsigned long)load.p_memsz);
	close(fd);
	return 0;
}

static int read_kernel(unsigned long address, void *to, size_t bytes)
{
	Elf64_Phdr load;
	int fd = find_load(address, &load);
	ssize_t got;

	if (fd < 0)
		return 1;
	got = pread(fd, to, bytes, (off_t)(load.p_offset + (address - load.p_vaddr)));
	if (got != (ssize_t)bytes)
		fprintf(stderr, "tool: %#lx: %s\n", address, got < 0 ? strerror(errno) : "nothing there");
	close(fd);
	return got != (ssize_t)bytes;
}

int kcore_u64(unsigned long address, unsigned long count)
{
	uint64_t word;

	for (; count; count--, address += sizeof(word)) {
		if (read_kernel(address, &word, sizeof(word)) != 0)
			return 1;
		printf("%#lx\n", (unsigned long)word);
	}
	return 0;
}

/* A symbol's address, 0 if there is none. Modules' symbols come last and are none of ours. */
static unsigned long symbol(const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long address = 0;
	char line[512], is[256];

	while (file && !address && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*x %*c %255s", is) == 1 && strcmp(is, name) == 0)
			address = strtoul(line, NULL, 16);
	if (file)
		fclose(file);
	return address;
}

/*
 * Where the variable kexec_image is. Kernels without CONFIG_KALLSYMS_ALL name functions only, so there it is taken from the function
 * behind /sys/kernel/kexec_loaded: the first word that it loads by an address of its own (ADRP, then LDR Xt, [Xn, #imm]).
 */
int kexec_image(void)
{
	unsigned long address = symbol("kexec_image"), show = symbol("kexec_loaded_show"), page[32] = { 0 };
	uint32_t code[24];
	size_t i;

	if (address) {
		printf("%lx by its symbol\n", address);
		return 0;
	}
	if (!show || read_kernel(show, code, sizeof(code)) != 0)
		return 1;
	for (i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
		uint32_t op = code[i];

		if ((op & 0x9f000000) == 0x90000000) {
			/* immhi:immlo, a signed number of 21 bits, in pages of 4 KiB */
			int64_t pages = (int64_t)((uint64_t)((op >> 5 & 0x7ffff) << 2 | (op >> 29 & 3)) << 43) >> 43;

			page[op & 31] = ((show + 4 * i) & ~0xffful) + (unsigned long)(pages * 4096);
		} else if ((op & 0xffc00000) == 0xf9400000 && page[op >> 5 & 31]) {
			printf("%lx by the code of kexec_loaded_show\n", page[op >> 5 & 31] + (op >> 10 & 0xfff) * 8);
			return 0;
		}
	}
	fprintf(stderr, "tool: kexec_loaded_show does not look as expected\n");
	return 1;
}
