/* SPDX-License-Identifier: ISC
 *
 * One run as hypercalls know it, without a VM: memory, files, handles, sockets, signals. Every
 * input finds the same, down to the numbers of handles and what getrandom(2) returns.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "hypercall.h"

enum group { MEMORY, IO, PATHS, NETWORK, PROCESS, WAITING, GROUPS };

extern struct run world;

/* Once. */
void world_create(enum group group);

/* Before and after each input. SETTINGS choose what options of `husk run` would: limits, --trace,
 * --stats, devices. The input is in the guest's memory too, as what pointers lead to. */
void world_begin(unsigned settings, const uint8_t *input, size_t size);
void world_end(void);

/* The guest's memory: pages that can be read and written, which begin with the input. */
#define DATA      0x100000ULL
#define DATA_SIZE 0xa000ULL
#define RESULTS   (DATA + 0x4000) /* room for results */

/* Something there that is well-formed, one of several. WHAT: 'p' a path, 'P' a struct husk_path,
 * 'S' a socket's address, 'v' iovecs, 'g' messages, 's' other structures. */
struct world_part {
    guest_addr_t addr;
    uint64_t length;
};
struct world_part world_part(char what, uint64_t which);

/* The operation was served with RESULT: what has to be put back? */
void world_note(const struct husk_desc *asked, int64_t result);

/* Bound how long DESC waits: for ever only when an interruption is under way. */
void world_limit_waiting(struct husk_desc *desc);

/* A signal comes that the guest asked for, if it did; or (-1) the guest is interrupted. */
void world_happens(int signal);

/* Memory that was just mapped reads as zero. */
void world_check_fresh(guest_addr_t addr, uint64_t length);

#endif
