/* SPDX-License-Identifier: GPL-2.0-only */
#include "request.h"

#include <stddef.h>

#define OPTION(key, name, argument, help, origin, how)
#define OPTION_BY_LOAD(key, name, argument, help, origin, how, when, why)	if (when) return "--" name " (" why ")";

const char *request_excludes_file_load(const struct load_request *r)
{
#include "option_list.h"
	return NULL;
}
