/* SPDX-License-Identifier: ISC
 *
 * One run of a program: everything that a hypercall may need.
 */
#ifndef HUSK_RUN_H
#define HUSK_RUN_H

#include <stdbool.h>

#include "handles.h"
#include "kvm.h"
#include "memory_files.h"
#include "mounts.h"
#include "net.h"
#include "options.h"
#include "program.h"
#include "stats.h"

/* What every run uses comes before the large tables, of which most use little: a page less to touch
 * is time. */
struct run {
    const struct run_options *options;
    int trace_fd;         /* where --trace's lines go, or -1 */
    uint64_t output_left; /* bytes of --max-output, or UINT64_MAX */
    bool output_cut;      /* the guest wanted to write more than that */
    bool ended;
    int status; /* of the process, once ended */
    struct mounts *mounts;
    struct vm vm;
    struct guest_memory memory;
    struct program program;
    struct stats stats;
    struct network network;
    struct handles handles;
    struct memory_files memory_files;
};

/* End the run with STATUS; the first end counts. */
void run_end(struct run *run, int status);

#endif
