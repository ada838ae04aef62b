/* SPDX-License-Identifier: ISC */
#ifndef HUSK_PIPE_H
#define HUSK_PIPE_H

#include "files.h"

/* F_GETPIPE_SZ and F_SETPIPE_SZ: the size in bytes, or -errno; -EBADF if FILE is no pipe. */
int64_t pipe_size(const struct file *file);
int64_t pipe_set_size(const struct file *file, uint64_t size);

#endif
