/* SPDX-License-Identifier: ISC
 *
 * Bytes and sections of an image. Its program headers, which are all that running it needs, are in
 * elf.c.
 */
#include "elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"

#define SECTION_NAME_MAX 32

int elf_read(const struct elf_file *file, uint64_t offset, void *dst, size_t len)
{
    uint8_t *to = dst;

    if (offset > file->size || len > file->size - offset) {
        errno = ERANGE;
        return -1;
    }
    if (file->data) {
        memcpy(to, file->data + offset, len);
        return 0;
    }
    while (len > 0) {
        ssize_t got = pread(file->fd, to, len, (off_t)offset);

        if (got < 0 && errno == EINTR && !interrupt_pending())
            continue;
        if (got == 0)
            errno = EIO; /* it shrank since its size was taken */
        if (got <= 0)
            return -1;
        to += got;
        offset += (uint64_t)got;
        len -= (size_t)got;
    }
    return 0;
}

static int read_header(const struct elf_file *file, Elf64_Ehdr *header)
{
    if (elf_read(file, 0, header, sizeof(*header)) < 0)
        return -1;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_shentsize != sizeof(Elf64_Shdr))
        return -1;
    return 0;
}

static int read_section(const struct elf_file *file, const Elf64_Ehdr *header, uint32_t index,
                        struct elf_section *section)
{
    Elf64_Shdr shdr;
    uint64_t offset;

    if (index >= header->e_shnum ||
        __builtin_add_overflow(header->e_shoff, index * sizeof(shdr), &offset) ||
        elf_read(file, offset, &shdr, sizeof(shdr)) < 0)
        return -1;
    *section = (struct elf_section){
        .name = shdr.sh_name,
        .type = shdr.sh_type,
        .link = shdr.sh_link,
        .executable = shdr.sh_flags & SHF_EXECINSTR,
        .vaddr = shdr.sh_addr,
        .file_offset = shdr.sh_offset,
        .file_size = shdr.sh_type == SHT_NOBITS ? 0 : shdr.sh_size,
    };
    if (section->file_size == 0)
        return 0;
    if (section->file_offset > file->size || section->file_size > file->size - section->file_offset)
        return -1;
    return 0;
}

int elf_section(const struct elf_file *file, uint32_t index, struct elf_section *section)
{
    Elf64_Ehdr header;

    return read_header(file, &header) < 0 ? -1 : read_section(file, &header, index, section);
}

static bool has_name(const struct elf_file *file, const struct elf_section *names,
                     const struct elf_section *section, const char *name)
{
    char found[SECTION_NAME_MAX];
    size_t len = strlen(name) + 1;

    if (section->name > names->file_size || len > names->file_size - section->name)
        return false;
    return len <= sizeof(found) &&
           elf_read(file, names->file_offset + section->name, found, len) == 0 &&
           memcmp(found, name, len) == 0;
}

int elf_find_section(const struct elf_file *file, uint32_t type, const char *name,
                     struct elf_section *section)
{
    Elf64_Ehdr header;
    struct elf_section names;

    if (read_header(file, &header) < 0 ||
        read_section(file, &header, header.e_shstrndx, &names) < 0)
        return -1;
    for (uint32_t i = 1; i < header.e_shnum; i++) {
        if (read_section(file, &header, i, section) < 0)
            continue;
        if ((type == SHT_NULL || section->type == type) && has_name(file, &names, section, name))
            return 0;
    }
    return -1;
}
