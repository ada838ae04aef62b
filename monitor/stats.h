/* SPDX-License-Identifier: ISC
 *
 * --stats: exits, hypercalls and boot phases, written as JSON when the run has ended.
 */
#ifndef HUSK_STATS_H
#define HUSK_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "husk/abi.h"

#define STATS_STEPS_MAX 64
#define STATS_EXITS_MAX 64

struct stats {
    bool enabled;
    int fd;               /* where it is written */
    uint64_t began_ns;    /* when husk's main started */
    uint64_t interrupted; /* KVM_RUN ended by a signal */
    uint64_t deferred;    /* operations that came along with a hypercall */
    unsigned step_count;
    struct {
        const char *name;
        uint64_t ns; /* since main started, when it was done */
    } steps[STATS_STEPS_MAX];
    uint64_t exits[STATS_EXITS_MAX]; /* by KVM exit reason */
    struct {
        uint64_t count, ns;
    } hypercalls[HUSK_OP_COUNT];
};

/* All but stats_exit() do nothing unless enabled, so that the start-up path pays only a branch. */
void stats_start(struct stats *stats, bool enabled);
void stats_step(struct stats *stats, const char *name);
void stats_exit(struct stats *stats, uint32_t reason);

/* Time spent on one hypercall: begin gives what the end needs. */
uint64_t stats_begin(const struct stats *stats);
void stats_hypercall(struct stats *stats, uint32_t op, uint64_t began);

struct run;
/* Write it and close the descriptor. Prints a warning when that fails. */
void stats_write(const struct run *run);

#endif
