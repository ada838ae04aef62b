/* SPDX-License-Identifier: ISC
 *
 * The table is searched from its start for each frame: that needs no .eh_frame_hdr, which linkers
 * leave out of static programs that are not PIE, and a fault report searches only a few times.
 */
#include "eh_frame.h"

#include <elf.h>
#include <stdlib.h>

#define TABLE_MAX        (8U << 20)
#define AUGMENTATION_MAX 8

/* Pointer encodings: LSB Core 5.0, section 10.5.1. */
#define PE_FORMAT  0x0f
#define PE_PCREL   0x10 /* to itself */
#define PE_DATAREL 0x30 /* to the start of .eh_frame_hdr; .eh_frame itself does not use it */

static const struct {
    uint8_t len; /* 0: LEB128 */
    bool is_signed, valid;
} formats[16] = {
    [0x0] = {8, false, true}, [0x1] = {0, false, true}, [0x2] = {2, false, true},
    [0x3] = {4, false, true}, [0x4] = {8, false, true}, [0x9] = {0, true, true},
    [0xa] = {2, true, true},  [0xb] = {4, true, true},  [0xc] = {8, true, true},
};

/* The number of an encoded pointer, without what it is relative to. */
static uint64_t pointer_number(struct dwarf_cursor *cursor, uint8_t encoding)
{
    size_t format = encoding & PE_FORMAT;
    uint64_t value;

    if (!formats[format].valid) {
        cursor->bad = true;
        return 0;
    }
    if (formats[format].len == 0)
        return dwarf_leb128(cursor, formats[format].is_signed);
    value = dwarf_fixed(cursor, formats[format].len);
    if (formats[format].is_signed && value >> (8 * formats[format].len - 1) != 0)
        value |= formats[format].len == 8 ? 0 : ~0ULL << (8 * formats[format].len);
    return value;
}

uint64_t eh_frame_pointer(const struct eh_frame *table, struct dwarf_cursor *cursor,
                          uint8_t encoding)
{
    uint64_t here = table->vaddr + (uint64_t)(cursor->at - table->bytes);
    uint64_t value = pointer_number(cursor, encoding);

    switch (encoding & ~PE_FORMAT) {
    case 0:
        return value;
    case PE_PCREL:
        return here + value;
    case PE_DATAREL:
        return table->vaddr + value;
    default:
        cursor->bad = true;
        return 0;
    }
}

/*
 * The entry at OFFSET without its length, or an empty cursor at the end of the table. 64-bit
 * lengths (0xffffffff) are malformed here; no linker writes them.
 */
static struct dwarf_cursor entry_at(const struct eh_frame *table, size_t offset)
{
    struct dwarf_cursor cursor = {table->bytes + offset, table->bytes + table->size, false};
    uint64_t len = dwarf_fixed(&cursor, 4);
    const uint8_t *start = dwarf_bytes(&cursor, len);

    if (!start)
        return (struct dwarf_cursor){NULL, NULL, true};
    return (struct dwarf_cursor){start, start + len, false};
}

static void read_augmentation(struct dwarf_cursor *cursor, const char *letters, struct eh_cie *cie)
{
    struct dwarf_cursor data;
    uint64_t len;

    if (*letters == '\0')
        return;
    if (*letters != 'z') {
        cursor->bad = true;
        return;
    }
    cie->has_lengths = true;
    len = dwarf_unsigned(cursor);
    data.at = dwarf_bytes(cursor, len);
    data.end = data.at ? data.at + len : NULL;
    data.bad = !data.at;
    for (letters++; *letters; letters++) {
        switch (*letters) {
        case 'R':
            cie->pointer_encoding = (uint8_t)dwarf_fixed(&data, 1);
            break;
        case 'P': /* the personality routine, for exceptions */
            pointer_number(&data, (uint8_t)dwarf_fixed(&data, 1));
            break;
        case 'L':
            dwarf_fixed(&data, 1);
            break;
        case 'S':
            cie->signal_frame = true;
            break;
        default:
            data.bad = true;
        }
    }
    cursor->bad = cursor->bad || data.bad;
}

static int read_cie(const struct eh_frame *table, size_t offset, struct eh_cie *cie)
{
    struct dwarf_cursor cursor = entry_at(table, offset);
    uint64_t id = dwarf_fixed(&cursor, 4);
    uint64_t version = dwarf_fixed(&cursor, 1);
    char letters[AUGMENTATION_MAX];
    size_t count = 0;
    uint64_t return_column;

    if (id != 0 || (version != 1 && version != 3))
        return -1;
    do {
        letters[count] = (char)dwarf_fixed(&cursor, 1);
    } while (letters[count++] && count < sizeof(letters));
    if (letters[count - 1])
        return -1;
    *cie = (struct eh_cie){0};
    cie->code_align = dwarf_unsigned(&cursor);
    cie->data_align = dwarf_signed(&cursor);
    return_column = version == 1 ? dwarf_fixed(&cursor, 1) : dwarf_unsigned(&cursor);
    read_augmentation(&cursor, letters, cie);
    cie->program = cursor;
    return cursor.bad || return_column != DWARF_RIP ? -1 : 0;
}

int eh_frame_find(const struct eh_frame *table, uint64_t pc, struct eh_function *function)
{
    struct eh_cie *cie = &function->cie;
    uint64_t known_cie = UINT64_MAX;
    size_t next;

    for (size_t offset = 0; offset < table->size; offset = next) {
        struct dwarf_cursor cursor = entry_at(table, offset);
        uint64_t here, back, size;

        if (!dwarf_more(&cursor)) /* malformed, or the terminator: an entry of length 0 */
            return -1;
        here = (uint64_t)(cursor.at - table->bytes);
        next = (size_t)(cursor.end - table->bytes);
        back = dwarf_fixed(&cursor, 4);
        if (back == 0 || back > here)
            continue;
        if (here - back != known_cie) {
            known_cie = UINT64_MAX;
            if (read_cie(table, here - back, cie) < 0)
                continue;
            known_cie = here - back;
        }
        function->start = eh_frame_pointer(table, &cursor, cie->pointer_encoding);
        size = pointer_number(&cursor, cie->pointer_encoding);
        if (cursor.bad || pc - function->start >= size)
            continue;
        if (cie->has_lengths)
            dwarf_bytes(&cursor, dwarf_unsigned(&cursor));
        function->program = cursor;
        return cursor.bad ? -1 : 0;
    }
    return -1;
}

/* Where the bytes at VADDR are in the file, and how many follow in the segment. */
static int locate(const struct elf_image *image, uint64_t vaddr, uint64_t *offset, uint64_t *len)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        uint64_t distance = vaddr - segment->vaddr;

        if (distance >= segment->file_size)
            continue;
        *offset = segment->file_offset + distance;
        *len = segment->file_size - distance;
        return 0;
    }
    return -1;
}

/* Images without section headers: .eh_frame_hdr knows the address (LSB Core 5.0, section 10.6.2).
 */
static int locate_by_header(const struct elf_image *image, uint64_t *vaddr, uint64_t *offset,
                            uint64_t *len)
{
    uint8_t bytes[12];
    struct eh_frame header = {bytes, sizeof(bytes), image->eh_frame_hdr};
    struct dwarf_cursor cursor = {bytes + 4, bytes + sizeof(bytes), false};

    if (image->eh_frame_hdr == 0 || locate(image, image->eh_frame_hdr, offset, len) < 0 ||
        *len < sizeof(bytes) || elf_read(&image->file, *offset, bytes, sizeof(bytes)) < 0 ||
        bytes[0] != 1)
        return -1;
    *vaddr = eh_frame_pointer(&header, &cursor, bytes[1]);
    return cursor.bad ? -1 : locate(image, *vaddr, offset, len);
}

int eh_frame_load(const struct elf_image *image, struct eh_frame *table)
{
    struct elf_section section;
    uint64_t vaddr, offset, len;

    *table = (struct eh_frame){0};
    if (elf_find_section(&image->file, SHT_NULL, ".eh_frame", &section) == 0) {
        vaddr = section.vaddr;
        offset = section.file_offset;
        len = section.file_size;
    } else if (locate_by_header(image, &vaddr, &offset, &len) < 0) {
        return -1;
    }
    if (len > TABLE_MAX)
        len = TABLE_MAX;
    table->bytes = malloc(len ? len : 1);
    if (!table->bytes)
        return -1;
    if (elf_read(&image->file, offset, table->bytes, len) < 0) {
        eh_frame_free(table);
        return -1;
    }
    table->size = len;
    table->vaddr = vaddr;
    return 0;
}

void eh_frame_free(struct eh_frame *table)
{
    free(table->bytes);
    *table = (struct eh_frame){0};
}
