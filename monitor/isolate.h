/* SPDX-License-Identifier: ISC
 *
 * --isolate: namespaces of the run's own, in which the volumes are all that there is of the host's
 * files. The jail alone cannot hide names and attributes: neither Landlock nor a seccomp filter
 * knows what path a call looks up.
 */
#ifndef HUSK_ISOLATE_H
#define HUSK_ISOLATE_H

#include <stdbool.h>

#include "error.h"

struct mounts;

/*
 * First, before volumes are opened: namespaces for mounts, IPC and host names, and for the network
 * unless the run was granted some. Without CAP_SYS_ADMIN in a user namespace that knows the
 * caller's own user and group. Returns 0 or -1 with ERR set (STATUS_HUSK): the host does not allow
 * it, or a standard stream is a directory, which would lead out.
 */
int isolate_begin(bool network, struct husk_error *err);

/*
 * Make each directory of MOUNTS, all added since, a mount of its own, at whose root ".." ends; what
 * is mounted below it on the host comes along. Before anything is opened in them. As above.
 */
int isolate_mounts(struct mounts *mounts, struct husk_error *err);

/* Last: an empty read-only root, and nothing else in the mount namespace. As above. */
int isolate_end(struct husk_error *err);

#endif
