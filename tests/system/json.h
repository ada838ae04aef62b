/* SPDX-License-Identifier: ISC
 *
 * A strict reader of JSON (RFC 8259), for what husk writes.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Whether TEXT is exactly one JSON value, with nothing but white space around it. */
bool json_is_valid(const char *text);

/* In valid JSON: the value of member NAME of the object at VALUE, or NULL. */
const char *json_member(const char *value, const char *name);

/* Element INDEX of the array at VALUE, or NULL; the same for members of objects. */
const char *json_element(const char *value, size_t index);

/* The number at VALUE, or -1 if there is none. */
double json_number(const char *value);

#endif
