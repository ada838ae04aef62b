/* SPDX-License-Identifier: ISC
 *
 * Call frame information: where a function keeps what its caller needs, for each of its
 * instructions. DWARF 4 section 6.4.
 */
#ifndef HUSK_CFI_H
#define HUSK_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eh_frame.h"

enum cfi_how {
    CFI_SAME,       /* not changed so far */
    CFI_UNDEFINED,  /* lost; of the return address: there is no caller */
    CFI_SAVED,      /* in memory at CFA + offset */
    CFI_CFA,        /* CFA + offset */
    CFI_REGISTER,   /* register + offset */
    CFI_SAVED_AT,   /* in memory at the expression's value */
    CFI_EXPRESSION, /* the expression's value */
};

/*
 * How to compute a register of the caller, or the canonical frame address (CFA), which is the stack
 * pointer that the caller will have after the return.
 */
struct cfi_rule {
    enum cfi_how how;
    uint64_t reg;              /* for CFI_REGISTER: below DWARF_REGS */
    uint64_t offset;           /* modulo 2^64 */
    const uint8_t *expression; /* DWARF 4 section 2.5; lives as long as the table */
    size_t expression_len;
};

struct cfi_row {
    struct cfi_rule cfa; /* CFI_REGISTER or CFI_EXPRESSION */
    struct cfi_rule reg[DWARF_REGS];
    bool signal_frame; /* the kernel, not a call, made this frame: the caller's pc is exact */
};

/*
 * The rules at PC, as linked. Returns 0, or -1 when no function covers PC or its entry is malformed
 * or uses what compilers for x86-64 do not emit.
 */
int cfi_find(const struct eh_frame *table, uint64_t pc, struct cfi_row *row);

#endif
