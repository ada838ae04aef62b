/* SPDX-License-Identifier: ISC
 *
 * Reading ELF images, which are untrusted. Nothing here touches the guest; load.c does.
 */
#ifndef HUSK_ELF_H
#define HUSK_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "husk/abi.h"

/* Where an image's bytes come from: a file (data NULL) or memory (fd -1). */
struct elf_file {
    const char *name; /* for messages; not owned */
    int fd;           /* not owned */
    const uint8_t *data;
    uint64_t size; /* bytes */
};

/*
 * Copy LEN bytes at OFFSET. Returns 0, or -1 when any of them is outside the file, could not be
 * read (errno says why), or OFFSET + LEN overflows. The one way by which image bytes enter the
 * monitor.
 */
int elf_read(const struct elf_file *file, uint64_t offset, void *dst, size_t len);

#define ELF_SEGMENTS_MAX 32

/* A PT_LOAD segment. Addresses are as linked: add the image's load bias to get guest addresses. */
struct elf_segment {
    uint64_t vaddr;       /* first byte, not page-aligned */
    uint64_t mem_size;    /* bytes in memory, at least file_size, never 0 */
    uint64_t file_offset; /* congruent to vaddr modulo the page size, unless file_size is 0 */
    uint64_t file_size;
    enum husk_prot prot; /* never write and execute together; both imply read */
};

struct elf_image {
    struct elf_file file;
    bool pie;  /* static-pie (ET_DYN): may be loaded at any page-aligned bias */
    bool husk; /* a husk image: note is valid */
    struct husk_note note;
    uint64_t entry;      /* as linked; of a husk image guest-rt's, see note.entry */
    uint64_t phdr_vaddr; /* where the program headers are in memory as linked, or 0 if nowhere */
    uint16_t phdr_count;
    uint16_t segment_count;                        /* at least 1 */
    struct elf_segment segments[ELF_SEGMENTS_MAX]; /* ascending, no two share a page */
    uint64_t low, high;    /* page-aligned bounds of the segments below HUSK_WINDOW, or 0 */
    uint64_t eh_frame_hdr; /* address of the unwind table's header as linked, or 0; unchecked */
};

/*
 * Parse FILE's headers. Returns 0, or -1 with ERR set (STATUS_IMAGE) in the form
 * "NAME: fault; cure". Refused:
 * - not ELF; a script ("#!"); ELF32, another byte order, machine or system; ET_REL and ET_CORE;
 * - truncated headers, segments or notes; address or offset overflow; more than 64 program headers
 *   or ELF_SEGMENTS_MAX segments; no loadable segment (those of size 0 are skipped);
 * - PT_INTERP (dynamically linked), and ET_DYN without the flag DF_1_PIE (a shared library);
 * - a segment that is larger in the file than in memory, whose offset is not congruent to its
 *   address, that is writable and executable, or that overlaps or shares a page with another;
 * - for ET_EXEC a segment below HUSK_NULL_GUARD; for images without the husk note one that ends
 *   above HUSK_RAM_MAX, for those with it one that is neither below HUSK_RAM_MAX nor in the window
 *   from HUSK_RT_BASE on;
 * - an entry point outside every executable segment;
 * - a husk note of another ABI version (names both), of a wrong size, with addresses that are not
 *   what abi.h says, with an rt_start that is not the entry point, or in a position-independent
 *   image. Its entry may be 0 only in an image from memory: the monitor's own guest-rt.
 * A request for an executable stack (PT_GNU_STACK) is ignored. Costs one read where headers and
 * notes are in the first 4 KiB, and one or two more elsewhere; allocates nothing.
 */
int elf_parse(const struct elf_file *file, struct elf_image *image, struct husk_error *err);

/* A section, for what only debugging needs. */
struct elf_section {
    uint32_t name; /* offset in the section name table */
    uint32_t type; /* SHT_ */
    uint32_t link; /* another section's index; what for depends on the type */
    bool executable;
    uint64_t vaddr;
    uint64_t file_offset, file_size; /* within the file; file_size is 0 if it has no bytes there */
};

/*
 * Section INDEX, and the first section of TYPE (or any, SHT_NULL) and NAME. Return 0, or -1 when
 * there is none or it is malformed. Images with 65,280 sections or more are not supported: they
 * seem to have none.
 */
int elf_section(const struct elf_file *file, uint32_t index, struct elf_section *section);
int elf_find_section(const struct elf_file *file, uint32_t type, const char *name,
                     struct elf_section *section);

#endif
