/* SPDX-License-Identifier: ISC
 *
 * Pages of guest-rt's own that can be shown at other addresses as well: a file of memory of the
 * monitor's (HUSK_MEMORY_FILE), and where guest-rt sees it.
 */
#ifndef HUSK_RT_SHARED_H
#define HUSK_RT_SHARED_H

#include "rt.h"

struct shared_pages {
    char *base;
    uint64_t bytes;  /* 0: there are none */
    uint64_t held;   /* bytes of the file: more if it could grow, and not be shown */
    uint64_t number; /* for HUSK_OP_MAPFILE */
};

/* Make or grow them to so many bytes, rounded up to pages: what is new is zero, and BASE may be
 * another. -ENOMEM or -ENFILE, and no change. */
int shared_pages_grow(struct shared_pages *pages, uint64_t bytes);
/* Nothing may show them any more. */
void shared_pages_free(struct shared_pages *pages);

#endif
