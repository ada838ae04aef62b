/* SPDX-License-Identifier: ISC
 *
 * One run of a program: everything that a hypercall may need.
 */
#ifndef HUSK_RUN_H
#define HUSK_RUN_H

#include <stdbool.h>

#include "handles.h"
#include "kvm.h"
#include "memory.h"
#include "mounts.h"
#include "net.h"
#include "options.h"
#include "program.h"
#include "stats.h"

struct run {
    const struct run_options *options;
    struct program program;
    struct vm vm;
    struct guest_memory memory;
    struct mounts *mounts;
    struct handles handles;
    struct network network;
    struct stats stats;
    int trace_fd;         /* where --trace's lines go, or -1 */
    uint64_t output_left; /* bytes of --max-output, or UINT64_MAX */
    bool output_cut;      /* the guest wanted to write more than that */
    bool ended;
    int status; /* of the process, once ended */
};

/* End the run with STATUS; the first end counts. */
void run_end(struct run *run, int status);

#endif
