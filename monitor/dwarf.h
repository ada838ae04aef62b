/* SPDX-License-Identifier: ISC
 *
 * Reading DWARF's bytes, which are untrusted: a cursor that cannot leave its range. Past the end,
 * or after anything malformed, it is bad for good and reads as zeros.
 */
#ifndef HUSK_DWARF_H
#define HUSK_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers of the registers: System V ABI for x86-64, figure 3.36. */
enum {
    DWARF_RBX = 3,
    DWARF_RBP = 6,
    DWARF_RSP = 7,
    DWARF_R12 = 12,
    DWARF_RIP = 16,
    DWARF_REGS = 17
};

struct dwarf_cursor {
    const uint8_t *at, *end;
    bool bad;
};

static inline bool dwarf_more(const struct dwarf_cursor *cursor)
{
    return !cursor->bad && cursor->at < cursor->end;
}

/* The next LEN bytes, or NULL. */
static inline const uint8_t *dwarf_bytes(struct dwarf_cursor *cursor, uint64_t len)
{
    const uint8_t *bytes = cursor->at;

    if (cursor->bad || len > (uint64_t)(cursor->end - cursor->at)) {
        cursor->bad = true;
        return NULL;
    }
    cursor->at += len;
    return bytes;
}

/* A little-endian number of LEN bytes, at most 8. */
static inline uint64_t dwarf_fixed(struct dwarf_cursor *cursor, size_t len)
{
    const uint8_t *bytes = dwarf_bytes(cursor, len);
    uint64_t value = 0;

    for (size_t i = 0; bytes && i < len; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* DWARF 4 section 7.6. Numbers of more than ten bytes are malformed; bits past the 64th are lost.
 */
static inline uint64_t dwarf_leb128(struct dwarf_cursor *cursor, bool is_signed)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = dwarf_fixed(cursor, 1);

        value |= (byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if (is_signed && byte & 0x40 && shift + 7 < 64)
            value |= ~0ULL << (shift + 7);
        return value;
    }
    cursor->bad = true;
    return 0;
}

static inline uint64_t dwarf_unsigned(struct dwarf_cursor *cursor)
{
    return dwarf_leb128(cursor, false);
}

/* As two's complement: callers compute modulo 2^64, like the machine whose addresses these are. */
static inline uint64_t dwarf_signed(struct dwarf_cursor *cursor)
{
    return dwarf_leb128(cursor, true);
}

#endif
