/* SPDX-License-Identifier: ISC
 *
 * A husk image that was just linked, as sites.h wants to have it.
 */
#ifndef HUSK_LINKER_IMAGE_H
#define HUSK_LINKER_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "sites.h"

struct image {
    uint8_t *data; /* the file */
    size_t size;
    uint64_t text_offset; /* of the segment in the file */
    struct text text;
    struct span *code; /* what TEXT refers to */
    struct function *functions;
    uint64_t *labels;
};

/*
 * Find text, functions and room in IMAGE, whose DATA and SIZE the caller has filled in and whose
 * rest is zero. Returns NULL, or why this image is left as it is, in words. image_free in any case.
 */
const char *image_read(struct image *image);

/* Everything but DATA. */
void image_free(struct image *image);

#endif
