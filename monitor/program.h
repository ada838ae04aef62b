/* SPDX-License-Identifier: ISC
 *
 * The program in the guest: image and guest-rt loaded, the initial stack, the boot page.
 */
#ifndef HUSK_PROGRAM_H
#define HUSK_PROGRAM_H

#include "elf.h"
#include "memory.h"
#include "options.h"

struct program {
    struct elf_image image;
    uint64_t bias;       /* added to the image's addresses; 0 unless it is a static-pie */
    struct husk_note rt; /* the image's own guest-rt, or the monitor's */
    guest_addr_t stack_low, stack_top;
};

/* What the boot page says besides. */
struct boot_request {
    uint32_t flags; /* HUSK_BOOT_ */
    guest_addr_t main_break;
    uint8_t stdio_kind[3], stdio_flags[3];
    const char *cwd;
    uint64_t cwd_handle;
    uint32_t umask;
    uint64_t ignored; /* signals: bit N - 1 is signal N */
    unsigned local_count;
    struct husk_local locals[HUSK_LOCALS_MAX];
};

/*
 * Open and parse the image at PATH; the descriptor in program->image.file.fd stays open. Returns 0,
 * or -1 with ERR set: STATUS_NOT_FOUND, or STATUS_IMAGE when it cannot be read or run.
 */
int program_open(struct program *program, const char *path, struct husk_error *err);

/*
 * Load the program, and the monitor's guest-rt if it has none, into MEMORY. Returns 0 or -1 with
 * ERR set (STATUS_IMAGE when it does not fit).
 */
int program_load(struct program *program, struct guest_memory *memory, struct husk_error *err);

/*
 * Write the initial stack (System V ABI, 3.4.1) and the boot page. ARGV is NULL-terminated; ENV are
 * NAME=VALUE. Returns 0 or -1 with ERR set when the strings take more than a quarter of the stack.
 */
int program_start(const struct program *program, struct guest_memory *memory, char **argv,
                  const char **env, size_t env_count, const struct boot_request *request,
                  struct husk_error *err);

/* --stats: where main starts in what is loaded, or 0 if the image's symbols do not say it. */
guest_addr_t program_find_main(const struct program *program);

/* --stats: main was reached, its first byte comes back. */
void program_restore_main(const struct guest_memory *memory, struct husk_boot *boot);

#endif
