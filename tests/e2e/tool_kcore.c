/* SPDX-License-Identifier: GPL-2.0-only */
/* The running kernel's memory by virtual address, through /proc/kcore: an ELF core file whose program headers say what is where. */
#include "tool.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
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

int kcore_u64(unsigned long address, unsigned long count)
{
	Elf64_Phdr load;
	int fd = find_load(address, &load);
	unsigned long i;

	if (fd < 0)
		return 1;
	for (i = 0; i < count; i++) {
		uint64_t word;
		ssize_t got = pread(fd, &word, sizeof(word), (off_t)(load.p_offset + (address - load.p_vaddr) + i * sizeof(word)));

		if (got != sizeof(word)) {
			fprintf(stderr, "tool: %#lx: %s\n", address + i * sizeof(word), got < 0 ? strerror(errno) : "nothing there");
			close(fd);
			return 1;
		}
		printf("%#lx\n", (unsigned long)word);
	}
	close(fd);
	return 0;
}
