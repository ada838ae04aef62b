/* SPDX-License-Identifier: ISC
 *
 * Limits of a run, other than those of time (interrupt.h) and of handles (handles.h).
 */
#ifndef HUSK_RUN_LIMITS_H
#define HUSK_RUN_LIMITS_H

#include <sys/uio.h>

#include "run.h"

/* --nice, --cgroup and room for descriptors, before anything is spent. Returns 0 or -1 with ERR set
 * (STATUS_HUSK). */
int limits_start(const struct run_options *options, struct husk_error *err);

/*
 * --max-output. limits_cut shortens COUNT elements of IOV to what may still be written and returns
 * how many are left; if that is nothing the run ends, and it returns -EFBIG. limits_spend counts
 * what was written, and ends the run if more was asked for than there was room.
 */
int limits_cut(struct run *run, struct iovec *iov, int count);
void limits_spend(struct run *run, uint64_t bytes);

#endif
