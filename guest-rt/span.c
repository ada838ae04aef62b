/* SPDX-License-Identifier: ISC */
#include "span.h"

#include "usermem.h"

#define TRANSFER_MAX 0x7ffff000 /* MAX_RW_COUNT of Linux */

struct span span_of(guest_addr_t addr, uint64_t len)
{
    if (len > TRANSFER_MAX)
        len = TRANSFER_MAX;
    return (struct span){.at = addr, .room = len, .left = len};
}

int64_t vector_length(guest_addr_t addr, uint64_t count)
{
    uint64_t total = 0;

    if (count > HUSK_IOV_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        struct husk_iovec piece;

        if (user_read(&piece, addr + i * sizeof(piece)) < 0)
            return -EFAULT;
        if ((int64_t)piece.len < 0 || __builtin_add_overflow(total, piece.len, &total) ||
            (int64_t)total < 0)
            return -EINVAL;
    }
    return total;
}

int span_of_vector(struct span *span, guest_addr_t addr, uint64_t count)
{
    int64_t total = vector_length(addr, count);

    if (total < 0)
        return total;
    *span = (struct span){
        .vector = addr, .pieces = count, .left = total < TRANSFER_MAX ? total : TRANSFER_MAX};
    return 0;
}

/* Go on to the next piece when one is done; false: there is none. */
static bool next_piece(struct span *span)
{
    struct husk_iovec piece;

    while (span->room == 0) {
        if (span->pieces == 0 || user_read(&piece, span->vector) < 0)
            return false;
        span->vector += sizeof(piece);
        span->pieces--;
        span->at = piece.base;
        span->room = piece.len;
    }
    return true;
}

enum direction { TO_USER, FROM_USER };

static size_t move(struct span *span, char *data, size_t len, enum direction direction)
{
    size_t done = 0;

    if (len > span->left)
        len = span->left;
    while (done < len && next_piece(span)) {
        size_t piece = len - done < span->room ? len - done : span->room;
        size_t moved = direction == TO_USER ? copy_to_user(span->at, data + done, piece)
                                            : copy_from_user(data + done, span->at, piece);

        span->at += moved;
        span->room -= moved;
        span->left -= moved;
        done += moved;
        if (moved < piece)
            break;
    }
    return done;
}

size_t span_put(struct span *span, const void *from, size_t len)
{
    return move(span, (char *)from, len, TO_USER);
}

size_t span_get(struct span *span, void *to, size_t len)
{
    return move(span, to, len, FROM_USER);
}
