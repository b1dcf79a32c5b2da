/* SPDX-License-Identifier: GPL-2.0-only */
#include "request.h"

#include <stddef.h>

const char *request_excludes_file_load(const struct load_request *request)
{
	if (request->fast != FAST_NO)
		return "--fast-reloc";
	if (request->check == CHECK_CRC32C || request->check == CHECK_SHA256)
		return "--check";
	if (request->cpus)
		return "--cpus";
	if (request->dtb)
		return "--dtb";
	if (request->serial)
		return "--serial";
	if (request->mem_min || request->mem_max)
		return "--mem-min and --mem-max";
	if (request->entry)
		return "--entry";
	if (request->plan_only)
		return "--plan";
	if (request->no_mmu)
		return "--purgatory-no-mmu";
	return NULL;
}
