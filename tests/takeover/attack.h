/* SPDX-License-Identifier: ISC
 *
 * What a taken-over monitor may be told to try: takeover.c.
 */
#ifndef TAKEOVER_ATTACK_H
#define TAKEOVER_ATTACK_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run.h"

/* Returns what its system call did, or -errno. */
struct attack {
    const char *name;
    long (*attack)(void);
};

/* Both end with a name that is NULL. */
extern const struct attack attacks_on_files[], attacks_on_system[];

extern int mount_fd; /* of the first mount, or -1 */
extern struct run *taken;

static inline long result(long returned)
{
    return returned < 0 ? -errno : returned;
}
#define CALL(...) result(syscall(__VA_ARGS__))

#endif
