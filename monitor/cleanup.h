/* SPDX-License-Identifier: ISC
 *
 * Scope-bound clean-up: `cleanup_fd int fd = open(...);` is closed when fd leaves its scope.
 */
#ifndef HUSK_CLEANUP_H
#define HUSK_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_fd_(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_free_(void *pointer)
{
    free(*(void **)pointer);
}

/* The compiler clears locals; large ones that are filled anyway can do without. */
#define uncleared __attribute__((uninitialized))

#define cleanup_fd   __attribute__((cleanup(cleanup_fd_)))
#define cleanup_free __attribute__((cleanup(cleanup_free_)))

/* Hand a descriptor out of its cleanup_fd scope. */
static inline int fd_release(int *fd)
{
    int released = *fd;

    *fd = -1;
    return released;
}

#endif
