/* SPDX-License-Identifier: ISC
 *
 * Pages for guest-rt's own data. They come from mm.c in chunks, because asking costs a VM exit, and
 * go back when a chunk is empty.
 */
#ifndef HUSK_PAGES_H
#define HUSK_PAGES_H

#include "rt.h"

/* In mm.c: page-aligned zeroed memory outside the application's mappings, or NULL. */
void *rt_pages_alloc(size_t bytes);
void rt_pages_free(void *pages, size_t bytes);

/* The same with a page below that cannot be accessed: a stack. */
void *rt_stack_alloc(size_t bytes);
void rt_stack_free(void *stack, size_t bytes);

/* A page with undefined contents, or NULL when there is no memory. */
void *page_alloc(void);
void page_free(void *page);

/* Bytes that mm.c has lent. */
uint64_t pages_held(void);

#endif
