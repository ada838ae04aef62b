/* SPDX-License-Identifier: ISC
 *
 * libFuzzer: an image, parsed from memory; where that succeeds its symbols, and a backtrace with
 * registers and a stack of the fuzzer's choice. Seeds: any small static programs and husk images.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iinclude -iquote monitor \
 *         tests/fuzz/fuzz_elf.c
 * monitor/{elf,elf_file,error,symbols,eh_frame,cfi,backtrace,memory,interrupt}.c
 */
#include <stdlib.h>
#include <string.h>

#include "elf.h"
#include "memory.h"
#include "symbols.h"

#define RAM    (16ULL << 20)
#define STACK  (RAM - 0x10000)
#define LOADED 0x100000 /* at most so much of each segment */

static int accept_registration(void *context, uint64_t start, uint64_t end, void *host)
{
    (void)context;
    (void)start;
    (void)end;
    (void)host;
    return 0;
}

static struct guest_memory *guest(void)
{
    static struct guest_memory memory;
    struct husk_error err;

    if (!memory.host && memory_create(&memory, RAM, accept_registration, NULL, &err) < 0)
        abort();
    return &memory;
}

/* What fits in RAM; rights as the segment wants them. */
static void load_segment(struct guest_memory *memory, const struct elf_image *image,
                         const struct elf_segment *segment)
{
    uint64_t start = segment->vaddr & ~0xfffULL;
    uint64_t size = segment->file_size < LOADED ? segment->file_size : LOADED;
    uint64_t len = (segment->vaddr + size - start + 0xfff) & ~0xfffULL;
    void *host;

    if (size == 0 || memory_map(memory, start, len, HUSK_PROT_READ | HUSK_PROT_WRITE) < 0)
        return;
    host = memory_pointer(memory, segment->vaddr, size, HUSK_PROT_WRITE);
    if (!host || elf_read(&image->file, segment->file_offset, host, size) < 0)
        abort();
    memory_protect(memory, start, len, (int)segment->prot);
}

static void check_symbols(const struct elf_image *image, uint64_t address)
{
    struct symbols *symbols = symbols_load(&image->file);
    uint64_t offset, start, end;
    const char *name = symbols_find(symbols, address, &offset);

    if (name && (offset > address || strlen(name) > image->file.size))
        abort();
    if (symbols_bounds(symbols, address, &start, &end) && (address < start || address >= end))
        abort();
    symbols_address(symbols, "main");
    symbols_free(symbols);
}

static void check_image(const struct elf_image *image)
{
    if (image->segment_count == 0 || image->segment_count > ELF_SEGMENTS_MAX)
        abort();
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        uint64_t end = segment->vaddr + segment->mem_size;

        if (end <= segment->vaddr || end > HUSK_WINDOW + HUSK_WINDOW_SIZE ||
            segment->file_size > segment->mem_size || segment->prot == 6 || segment->prot == 7 ||
            segment->file_offset > image->file.size ||
            segment->file_size > image->file.size - segment->file_offset)
            abort();
        if (i > 0 && ((segment[-1].vaddr + segment[-1].mem_size - 1) >> 12) >= segment->vaddr >> 12)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_file file = {"fuzz", -1, data, size};
    struct guest_memory *memory = guest();
    guest_addr_t frames[BACKTRACE_MAX];
    struct husk_regs regs = {0};
    struct elf_image image;
    struct husk_error err;

    if (elf_parse(&file, &image, &err) < 0)
        return 0;
    check_image(&image);
    for (size_t i = 0; i < image.segment_count; i++)
        load_segment(memory, &image, &image.segments[i]);

    /* The input's end doubles as registers and stack. */
    if (size > sizeof(regs))
        memcpy(&regs, data + size - sizeof(regs), sizeof(regs));
    if (memory_map(memory, STACK, 0x10000, HUSK_PROT_READ | HUSK_PROT_WRITE) < 0)
        abort();
    memcpy(memory_pointer(memory, STACK, 0x1000, HUSK_PROT_WRITE),
           size > 0x1000 ? data + size - 0x1000 : data, size > 0x1000 ? 0x1000 : size);
    if (regs.cs & 1)
        regs.rsp = STACK + (regs.rsp & 0xff8);
    if (regs.cs & 2)
        regs.rbp = STACK + (regs.rbp & 0xff8);
    if (regs.cs & 4)
        regs.rip = image.entry + (regs.rip & 0xfff);
    check_symbols(&image, regs.rip);
    if (backtrace_walk(&image, regs.cs & 8 ? 0 : regs.ss & ~0xfffULL, memory, &regs, frames) < 1)
        abort();
    memory_unmap(memory, HUSK_NULL_GUARD, RAM - HUSK_NULL_GUARD);
    memory_unmap(memory, HUSK_RT_BASE, HUSK_WINDOW + HUSK_WINDOW_SIZE - HUSK_RT_BASE);
    return 0;
}
