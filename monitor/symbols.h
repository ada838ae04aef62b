/* SPDX-License-Identifier: ISC
 *
 * Function names and unwinding for fault reports, read from the image only when a fault needs them.
 */
#ifndef HUSK_SYMBOLS_H
#define HUSK_SYMBOLS_H

#include "elf.h"
#include "memory.h"

struct symbols; /* the image's function symbols, sorted by address */

/*
 * Read the symbol table of IMAGE (.symtab, else none). Returns NULL when there is none, it is
 * malformed or memory is short: a fault report then prints bare addresses. Caller frees with
 * symbols_free, which takes NULL too. Bounded: at most 1 Mi symbols and 64 MiB of strings.
 */
struct symbols *symbols_load(const struct elf_file *file);
void symbols_free(struct symbols *symbols);

/*
 * The function that covers ADDRESS (as linked, bias removed), or NULL. *OFFSET is the distance from
 * its start. A symbol of size 0 covers up to the next one. The name lives as long as SYMBOLS and
 * has been checked to be terminated.
 */
const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset);

/*
 * The bounds of the function that covers ADDRESS, as symbols_find finds it: its first byte and the
 * one past its last. Returns whether there is one.
 */
bool symbols_bounds(const struct symbols *symbols, uint64_t address, uint64_t *start,
                    uint64_t *end);

/* The address as linked of the function NAME, or 0. Works on NULL. */
uint64_t symbols_address(const struct symbols *symbols, const char *name);

#define BACKTRACE_MAX 64

/*
 * Walk the stack from REGS and write up to BACKTRACE_MAX guest addresses of frames, the faulting
 * instruction first, into FRAMES; return their number (at least 1). Unwinds by the image's
 * .eh_frame call frame information. Where a function has none (all of musl's) or it leads nowhere,
 * by the word on the stack that returns from a call to the current function, by the frame pointer
 * chain, or by the first word that follows a call instruction. Stops at the outermost frame, when
 * the stack pointer does not move up, or when no frame can be found in the next 32 KiB. BIAS is
 * what was added to the image's addresses. Everything it reads is untrusted; it allocates a bounded
 * amount and takes a bounded time.
 */
size_t backtrace_walk(const struct elf_image *image, uint64_t bias,
                      const struct guest_memory *memory, const struct husk_regs *regs,
                      guest_addr_t frames[BACKTRACE_MAX]);

#endif
