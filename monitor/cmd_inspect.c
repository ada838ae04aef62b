/* SPDX-License-Identifier: ISC
 *
 * husk inspect: what an image is and what it needs. Runs nothing.
 */
#include <elf.h>
#include <stdio.h>

#include "commands.h"
#include "husk/calls.h"
#include "program.h"
#include "symbols.h"

static void print_kind(const struct elf_image *image)
{
    if (image->husk)
        printf("kind      husk image, ABI %u (this husk: %d)\n", image->note.abi, HUSK_ABI_VERSION);
    else
        printf("kind      unmodified static%s Linux program; husk adds its guest-rt\n",
               image->pie ? "-pie" : "");
}

static void print_segments(const struct elf_image *image)
{
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];

        printf("segment   0x%012llx %9llu bytes  %c%c%c  %s\n", (unsigned long long)segment->vaddr,
               (unsigned long long)segment->mem_size, segment->prot & HUSK_PROT_READ ? 'r' : '-',
               segment->prot & HUSK_PROT_WRITE ? 'w' : '-',
               segment->prot & HUSK_PROT_EXEC ? 'x' : '-',
               segment->vaddr >= HUSK_WINDOW ? "guest-rt" : "program");
    }
}

/* What husk-cc made of a husk image's system calls. */
static void print_calls(const struct elf_image *image)
{
    struct elf_section section;
    struct husk_calls calls;

    if (!image->husk ||
        elf_find_section(&image->file, SHT_PROGBITS, HUSK_CALLS_SECTION, &section) < 0 ||
        section.file_size < sizeof(calls) ||
        elf_read(&image->file, section.file_offset, &calls, sizeof(calls)) < 0)
        return;
    if (calls.sites)
        printf("calls     %u of %u system calls are jumps into guest-rt\n", calls.turned,
               calls.sites);
    else
        printf("calls     system calls are traps\n");
}

static void print_image(const struct elf_image *image)
{
    struct symbols *symbols = symbols_load(&image->file);

    printf("image     %s\n", image->file.name);
    print_kind(image);
    printf("file      %llu bytes\n", (unsigned long long)image->file.size);
    printf("entry     0x%llx\n",
           (unsigned long long)(image->husk ? image->note.entry : image->entry));
    print_segments(image);
    print_calls(image);
    printf("memory    %llu KiB for the image%s\n",
           (unsigned long long)(image->high - image->low) >> 10,
           image->pie ? ", at a random address" : "");
    printf("symbols   %s\n",
           symbols ? "yes: fault reports name functions" : "none: fault reports show addresses");
    symbols_free(symbols);
}

int cmd_inspect(char **argv)
{
    struct husk_error err = {0};
    struct program program;

    if (!argv[0] || argv[0][0] == '-' || argv[1]) {
        error_set(&err, STATUS_HUSK, "inspect takes one image; see `husk help inspect`");
        return error_print(&err);
    }
    if (program_open(&program, argv[0], &err) < 0)
        return error_print(&err);
    print_image(&program.image);
    if (fflush(stdout) == EOF) {
        perror("husk: standard output");
        return STATUS_HUSK;
    }
    return 0;
}
