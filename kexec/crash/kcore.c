/* SPDX-License-Identifier: GPL-2.0-only */
#include "kcore.h"

#include "elf64.h"

/* "NUMBER(kimage_voffset)=0x..." in the notes: VMCOREINFO is text, and nothing else there looks like it. */
static void parse_notes(struct kcore *kcore, const unsigned char *notes, size_t bytes)
{
	static const char name[] = "NUMBER(kimage_voffset)=0x";
	const unsigned char *at = memmem(notes, bytes, name, sizeof(name) - 1), *end = notes + bytes;
	uint64_t value = 0;
	unsigned int digits = 0;

	if (!at)
		return;
	for (at += sizeof(name) - 1; at < end && digits < 17; at++, digits++) {
		unsigned int digit = *at >= '0' && *at <= '9' ? (unsigned int)(*at - '0')
				     : *at >= 'a' && *at <= 'f' ? (unsigned int)(*at - 'a' + 10) : 16;

		if (digit == 16)
			break;
		value = value << 4 | digit;
	}
	kcore->kimage_known = digits >= 1 && digits <= 16;
	kcore->kimage_voffset = value;
}

/* One program header after the other; null behind the last one that was read. */
static const unsigned char *next_phdr(const unsigned char *head, size_t bytes, const unsigned char *phdr)
{
	uint64_t first = elf64_load(Elf64_Ehdr, head, e_phoff), at = phdr ? (uint64_t)(phdr - head) + sizeof(Elf64_Phdr) : first;

	if (at > bytes || bytes - at < sizeof(Elf64_Phdr) ||
	    (at - first) / sizeof(Elf64_Phdr) >= elf64_load(Elf64_Ehdr, head, e_phnum))
		return NULL;
	return head + at;
}

static bool is_kcore(const unsigned char *head, size_t bytes)
{
	return bytes >= sizeof(Elf64_Ehdr) && elf64_is_le(head, bytes);
}

void kcore_parse(struct kcore *kcore, const unsigned char *head, size_t bytes, const struct range_set *ram)
{
	const unsigned char *phdr = NULL;

	*kcore = (struct kcore){ 0 };
	if (!is_kcore(head, bytes))
		return;
	while ((phdr = next_phdr(head, bytes, phdr))) {
		uint64_t type = elf64_load(Elf64_Phdr, phdr, p_type), offset = elf64_load(Elf64_Phdr, phdr, p_offset);
		uint64_t pa = elf64_load(Elf64_Phdr, phdr, p_paddr), file_bytes = elf64_load(Elf64_Phdr, phdr, p_filesz);

		if (type == PT_NOTE && offset <= bytes)
			parse_notes(kcore, head + offset, file_bytes < bytes - offset ? file_bytes : bytes - offset);
		/* Only memory of the linear map has a physical address here; vmalloc and modules have none (all ones). */
		if (type != PT_LOAD || kcore->linear_known || pa >= PA_END || !range_set_contains(ram, (struct range){ pa, 1 }))
			continue;
		/* The kernel's own image lies in memory, too, and comes before it (KCORE_TEXT). */
		offset = elf64_load(Elf64_Phdr, phdr, p_vaddr) - pa;
		if (kcore->kimage_known && offset != kcore->kimage_voffset) {
			kcore->linear_known = true;
			kcore->linear_offset = offset;
		}
	}
}

bool kcore_find(const unsigned char *head, size_t head_bytes, struct range memory, uint64_t *file_offset)
{
	const unsigned char *phdr = NULL;

	if (!is_kcore(head, head_bytes))
		return false;
	while ((phdr = next_phdr(head, head_bytes, phdr))) {
		uint64_t pa = elf64_load(Elf64_Phdr, phdr, p_paddr), bytes = elf64_load(Elf64_Phdr, phdr, p_filesz);

		if (elf64_load(Elf64_Phdr, phdr, p_type) != PT_LOAD || pa > memory.start || memory.start - pa > bytes ||
		    bytes - (memory.start - pa) < memory.bytes)
			continue;
		*file_offset = elf64_load(Elf64_Phdr, phdr, p_offset) + (memory.start - pa);
		return true;
	}
	return false;
}

bool kcore_find_va(const unsigned char *head, size_t head_bytes, uint64_t va, uint64_t bytes, uint64_t *file_offset)
{
	const unsigned char *phdr = NULL;

	if (!is_kcore(head, head_bytes))
		return false;
	while ((phdr = next_phdr(head, head_bytes, phdr))) {
		uint64_t first = elf64_load(Elf64_Phdr, phdr, p_vaddr), count = elf64_load(Elf64_Phdr, phdr, p_filesz);

		if (elf64_load(Elf64_Phdr, phdr, p_type) != PT_LOAD || va < first || va - first > count || count - (va - first) < bytes)
			continue;
		*file_offset = elf64_load(Elf64_Phdr, phdr, p_offset) + (va - first);
		return true;
	}
	return false;
}
