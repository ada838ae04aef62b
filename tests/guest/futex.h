/* SPDX-License-Identifier: ISC */
/* <linux/futex.h> for musl-gcc, which lacks the kernel's headers. futex(2). */
#ifndef GUEST_FUTEX_H
#define GUEST_FUTEX_H

enum {
    FUTEX_WAIT,
    FUTEX_WAKE,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE,
    FUTEX_WAKE_OP,
    FUTEX_LOCK_PI,
    FUTEX_UNLOCK_PI,
    FUTEX_TRYLOCK_PI,
    FUTEX_WAIT_BITSET,
    FUTEX_WAKE_BITSET,
    FUTEX_PRIVATE = 128, /* to be added to these */
    FUTEX_CLOCK_REALTIME = 256
};

enum { FUTEX_OP_SET, FUTEX_OP_ADD, FUTEX_OP_OR, FUTEX_OP_ANDN, FUTEX_OP_XOR, FUTEX_OP_SHIFT = 8 };

enum {
    FUTEX_OP_CMP_EQ,
    FUTEX_OP_CMP_NE,
    FUTEX_OP_CMP_LT,
    FUTEX_OP_CMP_LE,
    FUTEX_OP_CMP_GT,
    FUTEX_OP_CMP_GE
};

#define FUTEX_OP(op, argument, comparison, against)                                                \
    ((uint32_t)(op) << 28 | (comparison) << 24 | ((argument)&0xfff) << 12 | ((against)&0xfff))

#define FUTEX_TID_MASK  0x3fffffffU
#define FUTEX_WAITERS   0x80000000U
#define FUTEX_MATCH_ANY 0xffffffffU

#endif
