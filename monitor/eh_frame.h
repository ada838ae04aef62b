/* SPDX-License-Identifier: ISC
 *
 * The section .eh_frame of an image: which function covers an address, and where its call frame
 * instructions are. LSB Core 5.0, section 10.6.
 */
#ifndef HUSK_EH_FRAME_H
#define HUSK_EH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dwarf.h"
#include "elf.h"

struct eh_frame {
    uint8_t *bytes;
    size_t size;
    uint64_t vaddr; /* of bytes, as linked */
};

/* A common information entry: what many functions share. */
struct eh_cie {
    uint64_t code_align, data_align;
    uint8_t pointer_encoding;
    bool has_lengths; /* 'z': augmentation data is preceded by its length */
    bool signal_frame;
    struct dwarf_cursor program;
};

struct eh_function {
    uint64_t start; /* first address, as linked */
    struct eh_cie cie;
    struct dwarf_cursor program; /* lives as long as the table */
};

/* Read the image's table. Returns 0, or -1 when it has none. At most 8 MiB; eh_frame_free it. */
int eh_frame_load(const struct elf_image *image, struct eh_frame *table);
void eh_frame_free(struct eh_frame *table);

/* The function that covers PC, as linked. Returns 0, or -1 when none does or it is malformed. */
int eh_frame_find(const struct eh_frame *table, uint64_t pc, struct eh_function *function);

/* An encoded pointer at CURSOR, which is in TABLE. */
uint64_t eh_frame_pointer(const struct eh_frame *table, struct dwarf_cursor *cursor,
                          uint8_t encoding);

#endif
