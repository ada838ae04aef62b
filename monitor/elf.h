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
 * read, or OFFSET + LEN overflows. The one way by which image bytes enter the monitor.
 */
int elf_read(const struct elf_file *file, uint64_t offset, void *dst, size_t len);

#define ELF_SEGMENTS_MAX 32

/* A PT_LOAD segment. Addresses are as linked: add the image's load bias to get guest addresses. */
struct elf_segment {
    uint64_t vaddr;       /* first byte, not page-aligned */
    uint64_t mem_size;    /* bytes in memory, at least file_size, never 0 */
    uint64_t file_offset; /* congruent to vaddr modulo the page size */
    uint64_t file_size;
    enum husk_prot prot; /* never write and execute together */
};

struct elf_image {
    struct elf_file file;
    bool pie;  /* static-pie (ET_DYN): may be loaded at any page-aligned bias */
    bool husk; /* a husk image: note is valid */
    struct husk_note note;
    uint64_t entry;         /* as linked */
    uint64_t phdr_vaddr;    /* where the program headers are in memory as linked, or 0 if nowhere */
    uint16_t phdr_count;
    uint16_t segment_count; /* at least 1 */
    struct elf_segment segments[ELF_SEGMENTS_MAX]; /* ascending, no two share a page */
    uint64_t low, high;     /* page-aligned bounds of the segments below HUSK_WINDOW */
};

/*
 * Parse FILE's headers. Returns 0, or -1 with ERR set (STATUS_IMAGE) in the form
 * "NAME: fault; cure". Refused: not ELF, a script ("#!": says that it is one), ELF32, wrong machine or
 * byte order, ET_REL/ET_CORE, truncated headers or segments, PT_INTERP ("dynamically linked; relink
 * with -static, or use husk-cc"), ET_DYN that is a shared library (no PT_INTERP, and no entry or no
 * DF_1_PIE flag), no loadable segment, more than ELF_SEGMENTS_MAX, mem_size < file_size, offset not
 * congruent to vaddr, write+execute, overlap or sharing of a page, address overflow, entry outside
 * every executable segment, a husk note of another ABI version (names both versions) or malformed,
 * for images without the note any segment in or above the window, and a segment below
 * HUSK_NULL_GUARD for ET_EXEC. An executable-stack request (PT_GNU_STACK with PF_X) is ignored.
 * Segments of size 0 are skipped. ERR's text for sizes and addresses is in hex.
 */
int elf_parse(const struct elf_file *file, struct elf_image *image, struct husk_error *err);

#endif
