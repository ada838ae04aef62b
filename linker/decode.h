/* SPDX-License-Identifier: ISC
 *
 * One instruction after the other, reduced to what matters for moving some of them. The decoder is
 * Capstone.
 */
#ifndef HUSK_LINKER_DECODE_H
#define HUSK_LINKER_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum insn_kind {
    INSN_MOVABLE = 1,  /* does the same anywhere: computes, loads or stores, and goes on */
    INSN_SYSCALL = 2,  /* `syscall` */
    INSN_BRANCH = 4,   /* jumps or calls, and says where: TARGET */
    INSN_INDIRECT = 8, /* jumps, and does not say where */
    INSN_END = 16,     /* the next instruction does not follow */
    INSN_NUMBER = 32,  /* `mov eax, n` with a number that a system call may have */
    INSN_RETURN = 64,  /* sets eax or rax to the number of rt_sigreturn(2) */
    INSN_CALL = 128,   /* of branches: calls */
    INSN_NAMES = 256,  /* has a number that may be the address of an instruction: TARGET */
};

struct insn {
    uint64_t address;
    uint64_t target;
    uint8_t size;
    uint16_t kind; /* enum insn_kind, or'ed */
};

struct decoder;

/* NULL: no memory. */
struct decoder *decoder_open(void);
void decoder_close(struct decoder *decoder);

/* The instruction at ADDRESS, whose bytes are at BYTES with LEFT of them there. False: there is
 * none that is known. */
bool decode(struct decoder *decoder, const uint8_t *bytes, size_t left, uint64_t address,
            struct insn *insn);

#endif
