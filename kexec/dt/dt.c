/* SPDX-License-Identifier: GPL-2.0-only */
#include "dt.h"

#include "bytes.h"
#include "dt_node.h"

#include <libfdt.h>
#include <string.h>

/* What the old boot left in /chosen and the next must not see: drivers/of/kexec.c deletes the same, and kernels up to
 * 7.3 would act on them. */
static const char *const stale[] = {
	"linux,initrd-start", "linux,initrd-end", "linux,elfcorehdr", "linux,usable-memory-range", "linux,dmcryptkeys",
	"linux,ima-kexec-buffer", "linux,kho-fdt", "linux,kho-scratch", "kaslr-seed", "rng-seed",
};

static bool overlap(uint64_t at, uint64_t bytes, uint64_t other_at, uint64_t other_bytes)
{
	return at < other_at + other_bytes && other_at < at + bytes;
}

/* The list of reserved memory ends with an entry of no size: it may run on into the next block, and libfdt, which looks at where
 * the blocks begin, would write what it takes for entries beyond the end. */
static bool blocks_overlap(const void *dtb)
{
	uint64_t list = fdt_off_mem_rsvmap(dtb), structure = fdt_off_dt_struct(dtb), strings = fdt_off_dt_strings(dtb);
	uint64_t list_bytes = ((uint64_t)fdt_num_mem_rsv(dtb) + 1) * sizeof(struct fdt_reserve_entry);
	uint64_t structure_bytes = fdt_size_dt_struct(dtb), strings_bytes = fdt_size_dt_strings(dtb);

	return overlap(list, list_bytes, structure, structure_bytes) || overlap(list, list_bytes, strings, strings_bytes) ||
	       overlap(structure, structure_bytes, strings, strings_bytes);
}

enum kx_err dt_check(const void *dtb, size_t bytes, size_t *total)
{
	/* Before version 17 (2006) a tree does not say how long its structure is, and libfdt reads on without end. */
	if (bytes < sizeof(struct fdt_header) || fdt_magic(dtb) != FDT_MAGIC || fdt_version(dtb) < 17 ||
	    fdt_check_full(dtb, bytes) != 0 || blocks_overlap(dtb))
		return KX_DTB_BAD;
	*total = fdt_totalsize(dtb);
	return KX_OK;
}

/* libfdt's fdt_pack() keeps them: 140 bytes for each kernel that a tree goes through, for its rng-seed. */
static void drop_nops(void *dtb)
{
	char *structure = (char *)dtb + fdt_off_dt_struct(dtb);
	int at, next = 0, kept = 0;
	uint32_t tag;

	do {
		at = next;
		tag = fdt_next_tag(dtb, at, &next);
		if (next < 0)
			return;	/* not of a checked tree; what was moved so far says the same as before */
		if (tag == FDT_NOP)
			continue;
		memmove(structure + kept, structure + at, (size_t)(next - at));
		kept += next - at;
	} while (tag != FDT_END);
	fdt_set_size_dt_struct(dtb, (uint32_t)kept);
}

size_t dt_pack(void *dtb)
{
	drop_nops(dtb);
	fdt_pack(dtb);	/* a tree that it does not take stays as it is */
	return fdt_totalsize(dtb);
}

/* Tables of the interrupt controller are allocated anew by each kernel: those of the kernel before last are free memory again, and if
 * every load only added its own, the list would grow until a kernel cannot take it. Tables of LPIs stay the same from kernel to kernel:
 * they are taken out and added again. So it has to be known which are in use (keep_reserved). */
static int drop_own_reserves(void *out)
{
	size_t bytes, at;
	const unsigned char *own = dt_chosen(out, DT_RESERVED_PROPERTY, &bytes);
	uint64_t address, size;
	int i, err = 0;

	for (at = 0; own && !err && at + 16 <= bytes; at += 16) {
		for (i = fdt_num_mem_rsv(out) - 1; i >= 0; i--)
			if (fdt_get_mem_rsv(out, i, &address, &size) == 0 && address == load_be(own + at, 8) &&
			    size == load_be(own + at + 8, 8))
				break;
		if (i < 0)
			continue;
		err = fdt_del_mem_rsv(out, i);
		/* The list lies before the structure, which has moved. */
		own = dt_chosen(out, DT_RESERVED_PROPERTY, &bytes);
	}
	return err;
}

/* Whether it had to be added: what firmware or the old kernel's tree reserves is reserved already. */
static int add_reserve(void *out, struct range r, bool *added)
{
	uint64_t address, size;
	int i, n = fdt_num_mem_rsv(out);

	*added = false;
	for (i = 0; i < n; i++)
		if (fdt_get_mem_rsv(out, i, &address, &size) == 0 && address <= r.start && address + size >= range_end(r))
			return 0;
	*added = true;
	return fdt_add_mem_rsv(out, r.start, r.bytes);
}

static int add_reserves(void *out, const struct range_set *reserve, bool keep)
{
	unsigned char entry[16];
	int chosen, err = 0;
	bool added;
	size_t i;

	if (!keep) {
		chosen = fdt_path_offset(out, "/chosen");
		fdt_delprop(out, chosen, DT_RESERVED_PROPERTY);
	}
	for (i = 0; !err && reserve && i < reserve->count; i++) {
		err = add_reserve(out, reserve->v[i], &added);
		if (err || !added)
			continue;
		store_be(store_be(entry, reserve->v[i].start, 8), reserve->v[i].bytes, 8);
		err = fdt_appendprop(out, fdt_path_offset(out, "/chosen"), DT_RESERVED_PROPERTY, entry, sizeof(entry));
	}
	return err;
}

static bool fits(uint64_t value, unsigned int cells)
{
	return cells == 2 || value >> 32 == 0;
}

/* As the kernel reads them, in cells of the root (drivers/of/fdt.c, early_init_dt_check_for_elfcorehdr and
 * ..._usable_mem_range). */
static int add_crash_properties(void *out, int chosen, const struct dt_edit *edit)
{
	unsigned int address_cells = dt_cells(out, 0, "#address-cells"), size_cells = dt_cells(out, 0, "#size-cells");
	unsigned int address_bytes = 4 * address_cells, size_bytes = 4 * size_cells;
	int err;
	unsigned char value[DT_USABLE_MAX * 16], *end = value;
	size_t i;

	if (!address_cells || !size_cells || edit->usable_count > DT_USABLE_MAX ||
	    !fits(range_end(edit->elfcore), address_cells))
		return -FDT_ERR_BADNCELLS;
	end = store_be(store_be(value, edit->elfcore.start, address_bytes), edit->elfcore.bytes, size_bytes);
	err = fdt_setprop(out, chosen, "linux,elfcorehdr", value, (int)(end - value));
	if (err)
		return err;
	for (i = 0, end = value; i < edit->usable_count; i++) {
		if (!fits(edit->usable[i].start, address_cells) || !fits(edit->usable[i].bytes, size_cells))
			return -FDT_ERR_BADNCELLS;
		end = store_be(store_be(end, edit->usable[i].start, address_bytes), edit->usable[i].bytes, size_bytes);
	}
	return fdt_setprop(out, chosen, "linux,usable-memory-range", value, (int)(end - value));
}

/* Kernels of Debian and Ubuntu that know lockdown ask for it beside the others, and drop EFI where it is missing; a kernel that does not
 * know it writes none for the next. 0: not known (efi_secureboot_mode_unset), as if it had not been asked for. */
static int add_secure_boot(void *out, int chosen)
{
	static const char name[] = "linux,uefi-secure-boot";
	size_t ignored;

	if (!dt_chosen(out, "linux,uefi-system-table", &ignored) || dt_chosen(out, name, &ignored))
		return 0;
	return fdt_setprop_u32(out, chosen, name, 0);
}

static int edit_chosen(void *out, int chosen, const struct dt_edit *edit)
{
	int err = 0;

	if (edit->cmdline)
		err = fdt_setprop(out, chosen, "bootargs", edit->cmdline, (int)strlen(edit->cmdline) + 1);
	/* Always 64 bits, whatever #address-cells says: the kernel takes the property's length for it. */
	if (!err && edit->initrd.bytes)
		err = fdt_setprop_u64(out, chosen, "linux,initrd-start", edit->initrd.start);
	if (!err && edit->initrd.bytes)
		err = fdt_setprop_u64(out, chosen, "linux,initrd-end", range_end(edit->initrd));
	if (!err && edit->seeds)
		err = fdt_setprop(out, chosen, "kaslr-seed", edit->kaslr_seed, sizeof(edit->kaslr_seed));
	if (!err)
		err = add_secure_boot(out, chosen);
	if (!err && edit->seeds)
		err = fdt_setprop(out, chosen, "rng-seed", edit->rng_seed, sizeof(edit->rng_seed));
	if (!err && edit->usable_count)
		err = add_crash_properties(out, chosen, edit);
	if (!err && edit->property)
		err = fdt_setprop(out, chosen, edit->property, edit->value, (int)edit->value_bytes);
	return err;
}

enum kx_err dt_edit(const void *dtb, const struct dt_edit *edit, void *out, size_t room, size_t *out_bytes,
		    size_t *value_at)
{
	const void *value;
	int chosen, err;
	size_t i;

	if (room > INT32_MAX)
		room = INT32_MAX;
	err = fdt_open_into(dtb, out, (int)room);
	if (err)
		return err == -FDT_ERR_NOSPACE ? KX_DTB_TOO_BIG : KX_DTB_BAD;
	chosen = fdt_path_offset(out, "/chosen");
	if (chosen == -FDT_ERR_NOTFOUND)
		chosen = fdt_add_subnode(out, 0, "chosen");
	if (chosen < 0)
		err = chosen;
	if (!err && !edit->keep_reserved)
		err = drop_own_reserves(out);
	if (!err)
		err = add_reserves(out, edit->reserve, edit->keep_reserved);
	chosen = fdt_path_offset(out, "/chosen");
	for (i = 0; !err && i < sizeof(stale) / sizeof(stale[0]); i++) {
		err = fdt_delprop(out, chosen, stale[i]);
		if (err == -FDT_ERR_NOTFOUND)
			err = 0;
	}
	if (!err && edit->property)
		fdt_delprop(out, chosen, edit->property);
	if (!err)
		err = edit_chosen(out, chosen, edit);
	if (!err)
		err = fdt_pack(out);
	if (err)
		return err == -FDT_ERR_NOSPACE ? KX_DTB_TOO_BIG : KX_DTB_BAD;

	*out_bytes = fdt_totalsize(out);
	*value_at = 0;
	if (edit->property) {
		value = fdt_getprop(out, fdt_path_offset(out, "/chosen"), edit->property, NULL);
		if (!value)
			return KX_DTB_BAD;
		*value_at = (size_t)((const char *)value - (const char *)out);
	}
	return KX_OK;
}

enum dt_psci dt_psci(const void *dtb)
{
	static const char *const compatible[] = { "arm,psci-1.0", "arm,psci-0.2" };
	int node = -1;
	size_t i;

	for (i = 0; node < 0 && i < sizeof(compatible) / sizeof(compatible[0]); i++)
		node = fdt_node_offset_by_compatible(dtb, -1, compatible[i]);
	if (node < 0)
		return DT_PSCI_NONE;
	if (dt_says(dtb, node, "method", "hvc"))
		return DT_PSCI_HVC;
	if (dt_says(dtb, node, "method", "smc"))
		return DT_PSCI_SMC;
	return DT_PSCI_NONE;
}

bool dt_leaves_gic_tables(const void *dtb)
{
	size_t ignored;

	return fdt_node_offset_by_compatible(dtb, -1, "arm,gic-v3") >= 0 &&
	       !dt_chosen(dtb, "linux,uefi-system-table", &ignored);
}

const void *dt_chosen(const void *dtb, const char *property, size_t *bytes)
{
	int chosen = fdt_path_offset(dtb, "/chosen"), n;
	const void *value;

	if (chosen < 0)
		return NULL;
	value = fdt_getprop(dtb, chosen, property, &n);
	if (value)
		*bytes = (size_t)n;
	return value;
}

/* Of one cell or of two, as drivers/firmware/efi/fdtparams.c takes it. */
static bool chosen_number(const void *dtb, const char *property, uint64_t *value)
{
	size_t bytes;
	const void *at = dt_chosen(dtb, property, &bytes);

	if (!at || (bytes != 4 && bytes != 8))
		return false;
	*value = load_be(at, (unsigned int)bytes);
	return true;
}

bool dt_efi_map(const void *dtb, struct range *map, uint64_t *desc_bytes)
{
	size_t ignored;

	return dt_chosen(dtb, "linux,uefi-system-table", &ignored) && chosen_number(dtb, "linux,uefi-mmap-start", &map->start) &&
	       chosen_number(dtb, "linux,uefi-mmap-size", &map->bytes) &&
	       chosen_number(dtb, "linux,uefi-mmap-desc-size", desc_bytes);
}

enum kx_err dt_memory(const void *dtb, struct range_set *memory)
{
	unsigned int address_cells = dt_cells(dtb, 0, "#address-cells"), size_cells = dt_cells(dtb, 0, "#size-cells");
	int node, bytes, entry, at;
	size_t ignored;

	/* An EFI kernel takes its memory from the EFI memory map and not from here. */
	if (!address_cells || !size_cells ||
	    dt_chosen(dtb, "linux,uefi-system-table", &ignored))
		return KX_OK;
	entry = (int)(address_cells + size_cells) * 4;
	fdt_for_each_subnode(node, dtb, 0) {
		const unsigned char *reg;

		if (!dt_is_memory(dtb, node))
			continue;
		reg = fdt_getprop(dtb, node, "reg", &bytes);
		for (at = 0; reg && at + entry <= bytes; at += entry) {
			struct range r = { load_be(reg + at, 4 * address_cells),
					   load_be(reg + at + address_cells * 4, 4 * size_cells) };

			if (r.start >= PA_END)
				continue;
			if (r.bytes > PA_END - r.start)
				r.bytes = PA_END - r.start;
			if (!range_set_add(memory, r))
				return KX_NO_MEMORY;
		}
	}
	return KX_OK;
}
