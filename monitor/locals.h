/* SPDX-License-Identifier: ISC
 *
 * The directories that guest-rt serves without the host: which there are in a run.
 */
#ifndef HUSK_LOCALS_H
#define HUSK_LOCALS_H

#include "mounts.h"
#include "options.h"
#include "program.h"

/*
 * Enter what --tmpfs asks for, and what there is by default, into the name space, which has its
 * volumes already, and into REQUEST. Returns 0 or -1 with ERR set.
 */
int locals_add(const struct run_options *options, struct mounts *mounts,
               struct boot_request *request, struct husk_error *err);

#endif
