/* SPDX-License-Identifier: ISC
 *
 * Bytes on their way from writers to readers, in pages.
 */
#ifndef HUSK_BYTES_H
#define HUSK_BYTES_H

#include "span.h"

struct byte_page;

/* Zeros are an empty one. */
struct bytes {
    struct byte_page *first, *last;
    uint64_t used;
};

/* Append LEN bytes of the application's: how many, or -EFAULT or -ENOMEM if none. */
int64_t bytes_put(struct bytes *bytes, struct span *from, uint64_t len);
/* Give the first LEN to the application, fewer if there are fewer: how many, or -EFAULT if none. */
int64_t bytes_take(struct bytes *bytes, struct span *to, uint64_t len);
/* The same, SKIP bytes further, and they stay. */
int64_t bytes_peek(const struct bytes *bytes, uint64_t skip, struct span *to, uint64_t len);
void bytes_free(struct bytes *bytes);

#endif
