/* SPDX-License-Identifier: ISC */
#include "elf.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One read of this size holds the ELF header, program headers and notes of nearly every image. */
#define HEAD_SIZE  4096
#define NAME_SHOWN 190 /* of a long name the end, so that the fault fits in the message */
#define PHDRS_MAX  64  /* linkers write about a dozen */
/* Bounds on the work that a hostile image can ask for. */
#define NOTES_MAX      256
#define NOTE_BYTES_MAX 0x10000
#define DYNAMIC_MAX    1024

#define WINDOW_END (HUSK_WINDOW + HUSK_WINDOW_SIZE)

#define RELINK  "relink with -static, or use husk-cc"
#define DAMAGED "copy or build it again"

struct parser {
    const struct elf_file *file;
    struct elf_image *image;
    struct husk_error *err;
    Elf64_Ehdr header;
    Elf64_Phdr phdrs[PHDRS_MAX];
    bool flagged_pie;
    size_t head_len;
    uint8_t head[HEAD_SIZE];
};

static int __attribute__((format(printf, 2, 3)))
refuse(const struct parser *parser, const char *format, ...)
{
    const char *name = parser->file->name;
    size_t len = strlen(name), skipped = len > NAME_SHOWN ? len - NAME_SHOWN : 0;
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return error_set(parser->err, STATUS_IMAGE, "%s%s: %s", skipped ? "..." : "", name + skipped,
                     text);
}

static uint64_t round_down(uint64_t value, uint64_t unit)
{
    return value & ~(unit - 1);
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return round_down(value + unit - 1, unit);
}

/* As elf_read, without a system call for what the first read brought. */
static int read_part(const struct parser *parser, uint64_t offset, void *dst, size_t len)
{
    if (offset <= parser->head_len && len <= parser->head_len - offset) {
        memcpy(dst, parser->head + offset, len);
        return 0;
    }
    if (elf_read(parser->file, offset, dst, len) == 0)
        return 0;
    return refuse(parser, "cannot be read: %s", strerror(errno));
}

/* Whether LEN bytes at OFFSET are in the file; WHAT names them, with NUMBER if not negative. */
static int check_extent(const struct parser *parser, const char *what, int number, uint64_t offset,
                        uint64_t len)
{
    bool wraps;
    char index[16] = "";
    uint64_t end;

    wraps = __builtin_add_overflow(offset, len, &end);
    if (!wraps && end <= parser->file->size)
        return 0;
    if (number >= 0)
        snprintf(index, sizeof(index), " %d", number);
    if (wraps)
        return refuse(parser, "malformed: %s%s has 0x%lx bytes at offset 0x%lx; " DAMAGED, what,
                      index, len, offset);
    return refuse(parser, "truncated: %s%s needs 0x%lx bytes, the file has 0x%lx; " DAMAGED, what,
                  index, end, parser->file->size);
}

static int read_head(struct parser *parser)
{
    uint64_t size = parser->file->size;
    size_t len = size < HEAD_SIZE ? (size_t)size : HEAD_SIZE;

    if (size == 0)
        return refuse(parser, "an empty file; " DAMAGED);
    if (elf_read(parser->file, 0, parser->head, len) < 0)
        return refuse(parser, "cannot be read: %s", strerror(errno));
    parser->head_len = len;
    if (len >= 2 && memcmp(parser->head, "#!", 2) == 0)
        return refuse(parser, "a script, not a program; run its interpreter with the script as "
                              "argument");
    if (len < SELFMAG || memcmp(parser->head, ELFMAG, SELFMAG) != 0)
        return refuse(parser, "not an ELF file; husk runs static x86-64 Linux programs");
    return read_part(parser, 0, &parser->header,
                     len < sizeof(parser->header) ? len : sizeof(parser->header));
}

/* gABI, ELF header, e_ident. */
static const struct {
    uint8_t index, value;
    const char *fault;
} ident_rules[] = {
    {EI_CLASS, ELFCLASS64, "a 32-bit program; rebuild it for x86-64 (without -m32 and -mx32)"},
    {EI_DATA, ELFDATA2LSB, "a big-endian program; rebuild it for x86-64"},
    {EI_VERSION, EV_CURRENT, "of an unknown ELF version; " DAMAGED},
};

static const char *const type_faults[] = {
    [ET_NONE] = "an ELF file of no type; " DAMAGED,
    [ET_REL] = "an object file; link it with husk-cc, or with gcc -static",
    [ET_CORE] = "a core dump; run the program that it came from",
};

static int check_header(const struct parser *parser)
{
    const Elf64_Ehdr *header = &parser->header;
    uint8_t osabi = header->e_ident[EI_OSABI];
    uint16_t type = header->e_type;

    if (check_extent(parser, "the ELF header", -1, 0, sizeof(*header)) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(ident_rules) / sizeof(*ident_rules); i++)
        if (header->e_ident[ident_rules[i].index] != ident_rules[i].value)
            return refuse(parser, "%s", ident_rules[i].fault);
    if (header->e_machine != EM_X86_64)
        return refuse(parser, "for another processor (ELF machine %u); rebuild it for x86-64",
                      header->e_machine);
    if (osabi != ELFOSABI_NONE && osabi != ELFOSABI_LINUX)
        return refuse(parser, "for another system (ELF OS ABI %u); rebuild it for Linux", osabi);
    if (type < sizeof(type_faults) / sizeof(*type_faults) && type_faults[type])
        return refuse(parser, "%s", type_faults[type]);
    if (type != ET_EXEC && type != ET_DYN)
        return refuse(parser, "of an unknown ELF type (%u); " RELINK, type);
    return 0;
}

static int read_phdrs(struct parser *parser)
{
    const Elf64_Ehdr *header = &parser->header;
    size_t len = header->e_phnum * sizeof(Elf64_Phdr);

    if (header->e_phnum == 0)
        return refuse(parser, "has no program headers; " RELINK);
    if (header->e_phentsize != sizeof(Elf64_Phdr))
        return refuse(parser, "malformed: program headers of %u bytes, not %zu; " DAMAGED,
                      header->e_phentsize, sizeof(Elf64_Phdr));
    if (header->e_phnum > PHDRS_MAX)
        return refuse(parser, "has %u program headers, husk reads at most %d; " RELINK,
                      header->e_phnum, PHDRS_MAX);
    if (check_extent(parser, "the program header table", -1, header->e_phoff, len) < 0)
        return -1;
    return read_part(parser, header->e_phoff, parser->phdrs, len);
}

static int take_interp(struct parser *parser, int index)
{
    (void)index;
    return refuse(parser, "dynamically linked; " RELINK);
}

static enum husk_prot segment_prot(uint32_t flags)
{
    int prot = HUSK_PROT_NONE;

    if (flags & PF_W)
        prot |= HUSK_PROT_WRITE;
    if (flags & PF_X)
        prot |= HUSK_PROT_EXEC;
    /* Page tables cannot say "write" or "execute" without "read" (SDM 3A 4.6). */
    if (flags & (PF_R | PF_W | PF_X))
        prot |= HUSK_PROT_READ;
    return (enum husk_prot)prot;
}

/* Keeps the segments sorted: the gABI asks for it, but linker scripts can order them otherwise. */
static void insert_segment(struct elf_image *image, const struct elf_segment *segment)
{
    size_t at = image->segment_count;

    for (; at > 0 && image->segments[at - 1].vaddr > segment->vaddr; at--)
        image->segments[at] = image->segments[at - 1];
    image->segments[at] = *segment;
    image->segment_count++;
}

static int take_load(struct parser *parser, int index)
{
    const Elf64_Phdr *phdr = &parser->phdrs[index];
    struct elf_segment segment = {
        .vaddr = phdr->p_vaddr,
        .mem_size = phdr->p_memsz,
        .file_offset = phdr->p_offset,
        .file_size = phdr->p_filesz,
        .prot = segment_prot(phdr->p_flags),
    };
    uint64_t end;

    if (segment.mem_size < segment.file_size)
        return refuse(parser,
                      "malformed: segment %d has 0x%lx bytes in memory, 0x%lx in the "
                      "file; " DAMAGED,
                      index, segment.mem_size, segment.file_size);
    if (segment.mem_size == 0)
        return 0;
    if (check_extent(parser, "segment", index, segment.file_offset, segment.file_size) < 0)
        return -1;
    if (__builtin_add_overflow(segment.vaddr, segment.mem_size, &end))
        return refuse(parser, "malformed: segment %d has 0x%lx bytes at address 0x%lx; " DAMAGED,
                      index, segment.mem_size, segment.vaddr);
    if (segment.file_size > 0 && (segment.vaddr - segment.file_offset) % HUSK_PAGE_SIZE != 0)
        return refuse(parser,
                      "segment %d is at offset 0x%lx for address 0x%lx, which differ within a "
                      "page; relink with -z max-page-size=4096",
                      index, segment.file_offset, segment.vaddr);
    if (segment.prot & HUSK_PROT_WRITE && segment.prot & HUSK_PROT_EXEC)
        return refuse(parser,
                      "segment %d at 0x%lx is writable and executable; relink without -N and "
                      "--omagic",
                      index, segment.vaddr);
    if (parser->image->segment_count == ELF_SEGMENTS_MAX)
        return refuse(parser, "has more than %d segments; " RELINK, ELF_SEGMENTS_MAX);
    insert_segment(parser->image, &segment);
    return 0;
}

/* A static-pie program and a shared library differ in one flag. */
static int take_dynamic(struct parser *parser, int index)
{
    const Elf64_Phdr *phdr = &parser->phdrs[index];
    Elf64_Dyn entries[DYNAMIC_MAX];
    size_t len = phdr->p_filesz < sizeof(entries) ? phdr->p_filesz : sizeof(entries);

    if (check_extent(parser, "dynamic segment", index, phdr->p_offset, phdr->p_filesz) < 0 ||
        read_part(parser, phdr->p_offset, entries, len) < 0)
        return -1;
    for (size_t i = 0; i < len / sizeof(*entries) && entries[i].d_tag != DT_NULL; i++)
        if (entries[i].d_tag == DT_FLAGS_1 && entries[i].d_un.d_val & DF_1_PIE)
            parser->flagged_pie = true;
    return 0;
}

static int read_husk_note(struct parser *parser, uint64_t offset, uint64_t len)
{
    struct husk_note *note = &parser->image->note;

    if (len < sizeof(note->abi))
        return refuse(parser, "malformed: its husk note has %lu bytes; rebuild it with husk-cc",
                      len);
    if (read_part(parser, offset, &note->abi, sizeof(note->abi)) < 0)
        return -1;
    if (note->abi != HUSK_ABI_VERSION)
        return refuse(parser,
                      "built for husk ABI %u, and this husk has ABI %u; rebuild it with this "
                      "husk's husk-cc",
                      note->abi, HUSK_ABI_VERSION);
    if (len != sizeof(*note))
        return refuse(parser,
                      "malformed: its husk note has %lu bytes, not %zu; rebuild it with husk-cc",
                      len, sizeof(*note));
    parser->image->husk = true;
    return read_part(parser, offset, note, sizeof(*note));
}

/*
 * gABI, Note Section: header, owner, descriptor. Owner and descriptor are padded to 4 bytes, or to
 * 8 where the segment's alignment is 8 (as binutils and glibc do). Other owners' notes are no
 * business of husk's, so that damage there only ends the search.
 */
static int take_note(struct parser *parser, int index)
{
    const Elf64_Phdr *phdr = &parser->phdrs[index];
    uint64_t unit = phdr->p_align == 8 ? 8 : 4;
    uint64_t size = phdr->p_filesz < NOTE_BYTES_MAX ? phdr->p_filesz : NOTE_BYTES_MAX;
    uint64_t at = 0;
    struct {
        Elf64_Nhdr header;
        char owner[sizeof(HUSK_NOTE_OWNER)];
    } start;
    const size_t start_len = sizeof(start.header) + sizeof(start.owner);

    if (check_extent(parser, "note segment", index, phdr->p_offset, phdr->p_filesz) < 0)
        return -1;
    for (int i = 0; i < NOTES_MAX && !parser->image->husk && size - at >= start_len; i++) {
        if (read_part(parser, phdr->p_offset + at, &start, start_len) < 0)
            return -1;
        uint64_t desc = round_up(sizeof(start.header) + start.header.n_namesz, unit);
        uint64_t end = desc + start.header.n_descsz;

        if (end > size - at)
            break;
        if (start.header.n_type == HUSK_NOTE_TYPE && start.header.n_namesz == sizeof(start.owner) &&
            memcmp(start.owner, HUSK_NOTE_OWNER, sizeof(start.owner)) == 0)
            return read_husk_note(parser, phdr->p_offset + at + desc, start.header.n_descsz);
        if (round_up(end, unit) > size - at)
            break;
        at += round_up(end, unit);
    }
    return 0;
}

static int take_eh_frame_hdr(struct parser *parser, int index)
{
    parser->image->eh_frame_hdr = parser->phdrs[index].p_vaddr;
    return 0;
}

static const struct {
    uint32_t type;
    int (*take)(struct parser *parser, int index);
} takers[] = {
    {PT_INTERP, take_interp},
    {PT_LOAD, take_load},
    {PT_DYNAMIC, take_dynamic},
    {PT_NOTE, take_note},
    {PT_GNU_EH_FRAME, take_eh_frame_hdr},
};

static int take_phdrs(struct parser *parser)
{
    for (int i = 0; i < parser->header.e_phnum; i++)
        for (size_t j = 0; j < sizeof(takers) / sizeof(*takers); j++)
            if (parser->phdrs[i].p_type == takers[j].type && takers[j].take(parser, i) < 0)
                return -1;
    return 0;
}

static const struct elf_segment *segment_of(const struct elf_image *image, uint64_t vaddr)
{
    for (size_t i = 0; i < image->segment_count; i++)
        if (vaddr - image->segments[i].vaddr < image->segments[i].mem_size)
            return &image->segments[i];
    return NULL;
}

static bool in_runtime(const struct elf_segment *segment)
{
    return segment->vaddr >= HUSK_RT_BASE;
}

/* Where a segment may lie depends on what the image is, which its notes tell. */
static int check_range(const struct parser *parser, const struct elf_segment *segment)
{
    uint64_t end = segment->vaddr + segment->mem_size;

    if (!parser->image->pie && segment->vaddr < HUSK_NULL_GUARD)
        return refuse(parser,
                      "a segment at 0x%lx lies below 0x%x, which stays unmapped; relink it at a "
                      "higher address",
                      segment->vaddr, HUSK_NULL_GUARD);
    if (end <= HUSK_RAM_MAX)
        return 0;
    if (!parser->image->husk)
        return refuse(parser,
                      "a segment at 0x%lx ends above 0x%lx, where programs cannot be; relink it at "
                      "a lower address",
                      segment->vaddr, HUSK_RAM_MAX);
    if (in_runtime(segment) && end <= WINDOW_END)
        return 0;
    return refuse(parser, "a segment at 0x%lx lies outside husk's window; rebuild it with husk-cc",
                  segment->vaddr);
}

static int check_segments(const struct parser *parser)
{
    struct elf_image *image = parser->image;
    uint64_t above = 0; /* the first page above the segments so far */

    if (image->segment_count == 0)
        return refuse(parser, "has no loadable segment; " RELINK);
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        uint64_t start = round_down(segment->vaddr, HUSK_PAGE_SIZE);

        if (check_range(parser, segment) < 0)
            return -1;
        if (start < above)
            return refuse(parser,
                          "the segment at 0x%lx overlaps the one below it or shares a page with "
                          "it; relink with -z separate-code",
                          segment->vaddr);
        above = round_up(segment->vaddr + segment->mem_size, HUSK_PAGE_SIZE);
        if (in_runtime(segment))
            continue;
        if (i == 0)
            image->low = start;
        image->high = above;
    }
    return 0;
}

static bool is_code(const struct elf_image *image, uint64_t vaddr, bool runtime)
{
    const struct elf_segment *segment = segment_of(image, vaddr);

    return segment && segment->prot & HUSK_PROT_EXEC && in_runtime(segment) == runtime;
}

static bool is_runtime(const struct elf_image *image, uint64_t vaddr)
{
    const struct elf_segment *segment = segment_of(image, vaddr);

    return segment && in_runtime(segment);
}

/* The stack pointer may be one past the last byte, and something must lie below it. */
static bool is_runtime_stack_pointer(const struct elf_image *image, uint64_t vaddr)
{
    const struct elf_segment *segment = segment_of(image, vaddr - 1);

    return segment && segment->prot & HUSK_PROT_WRITE && in_runtime(segment) && vaddr % 16 == 0;
}

/* Only the monitor's own guest-rt, which comes from memory, may leave the program's entry open. */
static bool is_program_entry(const struct parser *parser, uint64_t vaddr)
{
    return is_code(parser->image, vaddr, false) || (vaddr == 0 && parser->file->data);
}

static int check_note(const struct parser *parser)
{
    const struct elf_image *image = parser->image;
    const struct husk_note *note = &image->note;
    const struct {
        const char *name;
        uint64_t value;
        bool good;
    } fields[] = {
        {"flags", note->flags, note->flags == 0},
        {"entry", note->entry, is_program_entry(parser, note->entry)},
        {"rt_start", note->rt_start,
         is_code(image, note->rt_start, true) && note->rt_start == image->entry},
        {"syscall_direct", note->syscall_direct, is_code(image, note->syscall_direct, true)},
        {"syscall_stubbed", note->syscall_stubbed, is_code(image, note->syscall_stubbed, true)},
        {"exception", note->exception, is_code(image, note->exception, true)},
        {"exception_stack", note->exception_stack,
         is_runtime_stack_pointer(image, note->exception_stack)},
        {"interrupt", note->interrupt, is_code(image, note->interrupt, true)},
        {"vdso", note->vdso, is_runtime(image, note->vdso)},
    };

    if (image->pie)
        return refuse(parser, "a husk image that is position-independent; rebuild it with husk-cc");
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        if (!fields[i].good)
            return refuse(parser,
                          "malformed: %s is 0x%lx in its husk note; rebuild it with husk-cc",
                          fields[i].name, fields[i].value);
    return 0;
}

static int check_program(const struct parser *parser)
{
    const struct elf_image *image = parser->image;

    if (image->pie && (!parser->flagged_pie || image->entry == 0))
        return refuse(parser,
                      "a shared library; link the program with -static-pie, or use husk-cc");
    if (!is_code(image, image->entry, false))
        return refuse(parser, "its entry point 0x%lx is in no executable segment; " RELINK,
                      image->entry);
    return 0;
}

/* AT_PHDR needs the address, which no header states reliably: PT_PHDR is optional. */
static uint64_t phdr_vaddr(const struct parser *parser)
{
    uint64_t offset = parser->header.e_phoff;
    uint64_t len = parser->header.e_phnum * sizeof(Elf64_Phdr);

    for (size_t i = 0; i < parser->image->segment_count; i++) {
        const struct elf_segment *segment = &parser->image->segments[i];
        uint64_t distance = offset - segment->file_offset;

        if (offset >= segment->file_offset && distance <= segment->file_size &&
            len <= segment->file_size - distance)
            return segment->vaddr + distance;
    }
    return 0;
}

int elf_parse(const struct elf_file *file, struct elf_image *image, struct husk_error *err)
{
    struct parser parser = {.file = file, .image = image, .err = err};

    *image = (struct elf_image){.file = *file};
    if (read_head(&parser) < 0 || check_header(&parser) < 0 || read_phdrs(&parser) < 0)
        return -1;
    image->pie = parser.header.e_type == ET_DYN;
    image->entry = parser.header.e_entry;
    image->phdr_count = parser.header.e_phnum;
    if (take_phdrs(&parser) < 0 || check_segments(&parser) < 0)
        return -1;
    image->phdr_vaddr = phdr_vaddr(&parser);
    return image->husk ? check_note(&parser) : check_program(&parser);
}
