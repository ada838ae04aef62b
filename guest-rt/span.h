/* SPDX-License-Identifier: ISC
 *
 * The application's side of a transfer: one buffer, or those of a vector, that is moved along.
 */
#ifndef HUSK_SPAN_H
#define HUSK_SPAN_H

#include "rt.h"

struct span {
    guest_addr_t at; /* in the current piece */
    uint64_t room;   /* of it */
    guest_addr_t vector;
    uint64_t pieces; /* that follow, at VECTOR */
    uint64_t left;   /* bytes in all */
};

/* LEN bytes, but no more than a call of Linux moves. */
struct span span_of(guest_addr_t addr, uint64_t len);
/* struct iovec[COUNT]: 0, -EINVAL or -EFAULT. */
int span_of_vector(struct span *span, guest_addr_t addr, uint64_t count);

/* Move bytes to the application or from it: how many, less than asked for only where the span or
 * the application's memory ends. */
size_t span_put(struct span *span, const void *from, size_t len);
size_t span_get(struct span *span, void *to, size_t len);

/* Bytes of a vector in all, or -EINVAL or -EFAULT. */
int64_t vector_length(guest_addr_t addr, uint64_t count);

#endif
