/* SPDX-License-Identifier: ISC
 *
 * ELF images for tests: a good one that each test spoils in one way. What is at offset N of the
 * file from PROGRAM_TEXT on is also at PROGRAM_BASE + N in memory.
 */
#ifndef HUSK_ELF_BUILDER_H
#define HUSK_ELF_BUILDER_H

#include <elf.h>
#include <stdint.h>
#include <string.h>

#include "elf.h"

enum {
    PROGRAM_BASE = 0x400000,
    PROGRAM_TEXT = 0x2000, /* offsets in the file */
    PROGRAM_DATA = 0x3000,
    PROGRAM_NOTE = 0x1804, /* puts the descriptor at a multiple of 8 */
    PROGRAM_DYNAMIC = 0x1900,
    PROGRAM_RT_TEXT = 0x4000,
    PROGRAM_RT_DATA = 0x5000,
    PROGRAM_SIZE = 0x6000,
    PROGRAM_PHDRS = 66
};

struct program_image {
    Elf64_Ehdr header;
    Elf64_Phdr phdrs[PROGRAM_PHDRS];
    uint8_t rest[0x10000 - sizeof(Elf64_Ehdr) - PROGRAM_PHDRS * sizeof(Elf64_Phdr)];
    struct elf_file file;
};
_Static_assert(offsetof(struct program_image, file) == 0x10000, "the image is contiguous");

static inline uint8_t *image_at(struct program_image *image, size_t offset)
{
    return (uint8_t *)image + offset;
}

static inline Elf64_Phdr *image_add(struct program_image *image, uint32_t type, uint32_t flags,
                                    uint64_t vaddr, uint64_t offset, uint64_t size)
{
    Elf64_Phdr *phdr = &image->phdrs[image->header.e_phnum++];

    *phdr = (Elf64_Phdr){
        .p_type = type,
        .p_flags = flags,
        .p_vaddr = vaddr,
        .p_paddr = vaddr,
        .p_offset = offset,
        .p_filesz = size,
        .p_memsz = size,
        .p_align = HUSK_PAGE_SIZE,
    };
    return phdr;
}

enum { HEADERS, TEXT, DATA, RT_TEXT, RT_DATA, NOTE }; /* program headers of the images below */

/* A static program: headers, text and data with .bss. */
static inline void image_program(struct program_image *image)
{
    memset(image, 0, sizeof(*image));
    image->header = (Elf64_Ehdr){
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = PROGRAM_BASE + PROGRAM_TEXT + 0x10,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_shentsize = sizeof(Elf64_Shdr),
    };
    image->file = (struct elf_file){"./prog", -1, (uint8_t *)image, PROGRAM_SIZE};
    image_add(image, PT_LOAD, PF_R, PROGRAM_BASE, 0, PROGRAM_TEXT);
    image_add(image, PT_LOAD, PF_R | PF_X, PROGRAM_BASE + PROGRAM_TEXT, PROGRAM_TEXT, 0x800);
    image_add(image, PT_LOAD, PF_R | PF_W, PROGRAM_BASE + PROGRAM_DATA, PROGRAM_DATA, 0x800)
        ->p_memsz = 0x1800;
}

/* The note is laid out by hand: its descriptor follows at 20 bytes, where no struct would put it.
 */
static inline Elf64_Nhdr *image_note_header(struct program_image *image)
{
    return (Elf64_Nhdr *)image_at(image, PROGRAM_NOTE);
}

static inline char *image_note_owner(struct program_image *image)
{
    return (char *)image_at(image, PROGRAM_NOTE + 12);
}

static inline struct husk_note *image_note(struct program_image *image)
{
    return (struct husk_note *)image_at(image, PROGRAM_NOTE + 20);
}

/* The same program as a husk image. */
static inline void image_husk(struct program_image *image)
{
    image_program(image);
    image_add(image, PT_LOAD, PF_R | PF_X, HUSK_RT_BASE, PROGRAM_RT_TEXT, 0x1000);
    image_add(image, PT_LOAD, PF_R | PF_W, HUSK_RT_BASE + 0x1000, PROGRAM_RT_DATA, 0x1000);
    image_add(image, PT_NOTE, PF_R, PROGRAM_BASE + PROGRAM_NOTE, PROGRAM_NOTE,
              20 + sizeof(struct husk_note))
        ->p_align = 4;
    *image_note_header(image) = (Elf64_Nhdr){
        .n_namesz = sizeof(HUSK_NOTE_OWNER),
        .n_descsz = sizeof(struct husk_note),
        .n_type = HUSK_NOTE_TYPE,
    };
    memcpy(image_note_owner(image), HUSK_NOTE_OWNER, sizeof(HUSK_NOTE_OWNER));
    *image_note(image) = (struct husk_note){
        .abi = HUSK_ABI_VERSION,
        .entry = image->header.e_entry,
        .rt_start = HUSK_RT_BASE + 0x10,
        .syscall_direct = HUSK_RT_BASE + 0x20,
        .syscall_stubbed = HUSK_RT_BASE + 0x30,
        .exception = HUSK_RT_BASE + 0x40,
        .exception_stack = HUSK_RT_BASE + 0x2000,
        .interrupt = HUSK_RT_BASE + 0x50,
        .vdso = HUSK_RT_BASE + 0x60,
    };
    image->header.e_entry = image_note(image)->rt_start;
}

/* The same program as static-pie, linked at 0. */
static inline void image_pie(struct program_image *image)
{
    Elf64_Dyn *dynamic = (Elf64_Dyn *)image_at(image, PROGRAM_DYNAMIC);

    image_program(image);
    image->header.e_type = ET_DYN;
    image->header.e_entry -= PROGRAM_BASE;
    for (int i = HEADERS; i <= DATA; i++)
        image->phdrs[i].p_vaddr -= PROGRAM_BASE;
    image_add(image, PT_DYNAMIC, PF_R, PROGRAM_DYNAMIC, PROGRAM_DYNAMIC, 3 * sizeof(*dynamic));
    dynamic[0] = (Elf64_Dyn){.d_tag = DT_SYMTAB};
    dynamic[1] = (Elf64_Dyn){.d_tag = DT_FLAGS_1, .d_un.d_val = 0x08000000};
    dynamic[2] = (Elf64_Dyn){.d_tag = DT_NULL};
}

/*
 * Append section headers at the end of the file: COUNT of them, the first being the null section
 * and the last the names.
 */
struct image_section {
    const char *name;
    uint32_t type, link;
    uint64_t flags, vaddr;
    const void *bytes;
    size_t size;
};

static inline void image_sections(struct program_image *image, const struct image_section *sections,
                                  uint16_t count)
{
    Elf64_Shdr headers[16] = {{0}};
    char names[256] = "";
    size_t names_size = 1;

    for (uint16_t i = 0; i < count; i++) {
        headers[i + 1] = (Elf64_Shdr){
            .sh_name = (uint32_t)names_size,
            .sh_type = sections[i].type,
            .sh_link = sections[i].link,
            .sh_flags = sections[i].flags,
            .sh_addr = sections[i].vaddr,
            .sh_offset = image->file.size,
            .sh_size = sections[i].size,
        };
        memcpy(image_at(image, image->file.size), sections[i].bytes, sections[i].size);
        image->file.size += (sections[i].size + 7) & ~7ULL;
        memcpy(names + names_size, sections[i].name, strlen(sections[i].name) + 1);
        names_size += strlen(sections[i].name) + 1;
    }
    headers[count + 1] = (Elf64_Shdr){
        .sh_type = SHT_STRTAB, .sh_offset = image->file.size, .sh_size = sizeof(names)};
    memcpy(image_at(image, image->file.size), names, sizeof(names));
    image->file.size += sizeof(names);
    image->header.e_shoff = image->file.size;
    image->header.e_shnum = count + 2;
    image->header.e_shstrndx = count + 1;
    memcpy(image_at(image, image->file.size), headers, image->header.e_shnum * sizeof(*headers));
    image->file.size += image->header.e_shnum * sizeof(*headers);
}

#endif
