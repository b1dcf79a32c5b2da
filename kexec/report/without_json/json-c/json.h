/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In place of json-c's header in a build without it: what makes and prints JSON compiles, and makes nothing. It is never called there, since
 * the command line does not take --json (cli/options.c).
 */
#ifndef WITHOUT_JSON_H
#define WITHOUT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_C_TO_STRING_PRETTY			0
#define JSON_C_TO_STRING_SPACED			0
#define JSON_C_TO_STRING_NOSLASHESCAPE		0

struct json_object;

static inline struct json_object *json_object_new_object(void)
{
	return NULL;
}

static inline struct json_object *json_object_new_array(void)
{
	return NULL;
}

static inline struct json_object *json_object_new_string(const char *value)
{
	(void)value;
	return NULL;
}

static inline struct json_object *json_object_new_uint64(uint64_t value)
{
	(void)value;
	return NULL;
}

static inline struct json_object *json_object_new_int64(int64_t value)
{
	(void)value;
	return NULL;
}

static inline struct json_object *json_object_new_int(int32_t value)
{
	(void)value;
	return NULL;
}

static inline struct json_object *json_object_new_boolean(bool value)
{
	(void)value;
	return NULL;
}

static inline void json_object_object_add(struct json_object *to, const char *name, struct json_object *value)
{
	(void)to, (void)name, (void)value;
}

static inline void json_object_array_add(struct json_object *to, struct json_object *value)
{
	(void)to, (void)value;
}

static inline const char *json_object_to_json_string_ext(struct json_object *object, int flags)
{
	(void)object, (void)flags;
	return "";
}

static inline void json_object_put(struct json_object *object)
{
	(void)object;
}

#endif
