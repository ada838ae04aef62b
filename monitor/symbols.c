/* SPDX-License-Identifier: ISC */
#include "symbols.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX (1U << 20)
#define STRINGS_MAX (64U << 20)
#define BATCH       128
/* Sections whose symbols are looked at; programs have about 30. */
#define SECTIONS_MAX 256
/* How many functions that begin before an address, but end before it too, are looked at. */
#define LOOK_BACK 16

struct symbol {
    uint64_t address, size;
    uint32_t name; /* offset in strings */
    bool open;     /* its size is not known: it ends with the section, or where the next begins */
    uint8_t rank;  /* of several with the same address the highest is shown */
};

struct symbols {
    char *strings; /* with a zero behind the last byte */
    size_t strings_size;
    size_t count;
    struct symbol sorted[]; /* by address, then rank */
};

/* Where each executable section ends, 0 for others. */
struct section_ends {
    uint64_t end[SECTIONS_MAX];
};

static void read_section_ends(const struct elf_file *file, struct section_ends *ends)
{
    struct elf_section section;

    for (uint32_t i = 0; i < SECTIONS_MAX; i++) {
        ends->end[i] = 0;
        if (elf_section(file, i, &section) == 0 && section.executable)
            ends->end[i] = section.vaddr + section.file_size;
    }
}

/* Assembly often leaves out type and size (musl's _start), so that untyped symbols count too. */
static bool is_function(const Elf64_Sym *symbol, const struct section_ends *ends)
{
    unsigned type = ELF64_ST_TYPE(symbol->st_info);

    return symbol->st_shndx < SECTIONS_MAX && symbol->st_value < ends->end[symbol->st_shndx] &&
           (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

/* Aliases are common (malloc, __malloc, __libc_malloc): prefer what a programmer would call it. */
static uint8_t rank_of(const Elf64_Sym *symbol, const char *name)
{
    uint8_t rank = 0;

    if (symbol->st_size > 0)
        rank |= 16;
    if (ELF64_ST_TYPE(symbol->st_info) != STT_NOTYPE)
        rank |= 8;
    if (ELF64_ST_BIND(symbol->st_info) != STB_LOCAL)
        rank |= 4;
    if (name[0] != '_')
        rank |= 2;
    else if (name[1] != '_')
        rank |= 1;
    return rank;
}

static int compare(const void *a, const void *b)
{
    const struct symbol *left = a, *right = b;

    if (left->address != right->address)
        return left->address < right->address ? -1 : 1;
    return left->rank - right->rank;
}

static int read_strings(const struct elf_file *file, uint32_t index, struct symbols *symbols)
{
    struct elf_section section;

    if (elf_section(file, index, &section) < 0 || section.type != SHT_STRTAB ||
        section.file_size > STRINGS_MAX)
        return -1;
    symbols->strings = malloc(section.file_size + 1);
    if (!symbols->strings)
        return -1;
    symbols->strings[section.file_size] = '\0';
    symbols->strings_size = section.file_size;
    return elf_read(file, section.file_offset, symbols->strings, section.file_size);
}

static void add(struct symbols *symbols, const Elf64_Sym *symbol, const struct section_ends *ends)
{
    const char *name;
    uint64_t room;

    if (!is_function(symbol, ends) || symbol->st_name >= symbols->strings_size)
        return;
    name = symbols->strings + symbol->st_name;
    if (*name == '\0')
        return;
    room = ends->end[symbol->st_shndx] - symbol->st_value;
    symbols->sorted[symbols->count++] = (struct symbol){
        .address = symbol->st_value,
        .size = symbol->st_size && symbol->st_size < room ? symbol->st_size : room,
        .name = symbol->st_name,
        .open = symbol->st_size == 0,
        .rank = rank_of(symbol, name),
    };
}

static int read_symbols(const struct elf_file *file, uint64_t offset, size_t count,
                        struct symbols *symbols)
{
    struct section_ends ends;
    Elf64_Sym batch[BATCH];

    read_section_ends(file, &ends);
    for (size_t done = 0, len; done < count; done += len) {
        len = count - done < BATCH ? count - done : BATCH;
        if (elf_read(file, offset + done * sizeof(*batch), batch, len * sizeof(*batch)) < 0)
            return -1;
        for (size_t i = 0; i < len; i++)
            add(symbols, &batch[i], &ends);
    }
    qsort(symbols->sorted, symbols->count, sizeof(*symbols->sorted), compare);
    return 0;
}

struct symbols *symbols_load(const struct elf_file *file)
{
    struct elf_section section;
    struct symbols *symbols;
    size_t count;

    if (elf_find_section(file, SHT_SYMTAB, ".symtab", &section) < 0)
        return NULL;
    count = section.file_size / sizeof(Elf64_Sym);
    if (count > SYMBOLS_MAX)
        return NULL;
    symbols = calloc(1, sizeof(*symbols) + count * sizeof(*symbols->sorted));
    if (!symbols)
        return NULL;
    if (read_strings(file, section.link, symbols) == 0 &&
        read_symbols(file, section.file_offset, count, symbols) == 0)
        return symbols;
    symbols_free(symbols);
    return NULL;
}

void symbols_free(struct symbols *symbols)
{
    if (!symbols)
        return;
    free(symbols->strings);
    free(symbols);
}

/* The number of symbols that begin at or before ADDRESS. */
static size_t begin_before(const struct symbols *symbols, uint64_t address)
{
    size_t low = 0, high = symbols->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (symbols->sorted[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct symbol *find(const struct symbols *symbols, uint64_t address)
{
    size_t before, last;

    if (!symbols)
        return NULL;
    before = begin_before(symbols, address);
    last = before > LOOK_BACK ? before - LOOK_BACK : 0;
    for (size_t i = before; i > last; i--) {
        const struct symbol *symbol = &symbols->sorted[i - 1];
        bool nearest = symbol->address == symbols->sorted[before - 1].address;

        if (address - symbol->address < symbol->size && (!symbol->open || nearest))
            return symbol;
    }
    return NULL;
}

const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset)
{
    const struct symbol *symbol = find(symbols, address);

    if (!symbol)
        return NULL;
    *offset = address - symbol->address;
    return symbols->strings + symbol->name;
}

bool symbols_bounds(const struct symbols *symbols, uint64_t address, uint64_t *start, uint64_t *end)
{
    const struct symbol *symbol = find(symbols, address);
    size_t next;

    if (!symbol)
        return false;
    *start = symbol->address;
    *end = symbol->address + symbol->size;
    next = begin_before(symbols, address);
    if (symbol->open && next < symbols->count && symbols->sorted[next].address < *end)
        *end = symbols->sorted[next].address;
    return true;
}

uint64_t symbols_address(const struct symbols *symbols, const char *name)
{
    for (size_t i = 0; symbols && i < symbols->count; i++)
        if (strcmp(symbols->strings + symbols->sorted[i].name, name) == 0)
            return symbols->sorted[i].address;
    return 0;
}
