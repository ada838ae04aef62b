/* SPDX-License-Identifier: ISC
 *
 * RLIMIT_FSIZE, the one limit that is guest-rt's to keep. The others are those of the VM.
 */
#ifndef HUSK_LIMITS_H
#define HUSK_LIMITS_H

#include "rt.h"

/* Is there one? */
bool limits_file_size(void);

/*
 * May a file be written at OFFSET, or get that size? The bytes that may be written there, at least
 * 1, or -EFBIG, for which SIGXFSZ was sent.
 */
int64_t limits_room(uint64_t offset);

/* May a file get this size? 0 or -EFBIG, likewise. */
int64_t limits_check_size(uint64_t size);

#endif
