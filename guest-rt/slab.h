/* SPDX-License-Identifier: ISC
 *
 * Objects smaller than a page. Each page holds objects of one size.
 */
#ifndef HUSK_SLAB_H
#define HUSK_SLAB_H

#include "rt.h"

#define SLAB_MAX 2032 /* bytes of the largest object: two fill a page */

/* An object with undefined contents, aligned to 16, or NULL. */
void *slab_alloc(size_t size);
void *slab_alloc_zeroed(size_t size);
void slab_free(void *object);

#endif
