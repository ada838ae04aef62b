/* SPDX-License-Identifier: ISC
 *
 * Moving data, for copy.c and mm.c.
 */
#ifndef HUSK_IO_H
#define HUSK_IO_H

#include "files.h"

/* The description behind FD if it was opened for OP (READ or WRITE), else NULL. */
struct file *file_for(uint64_t fd, enum husk_op op);

/* Does it have a position? */
bool file_seekable(const struct file *file);

/* OP on LEN bytes or elements at ADDR, at the file's own position, which moves. Bytes or -errno. */
int64_t file_transfer(struct file *file, enum husk_op op, uint64_t addr, uint64_t len);

/* Its position, or -errno. */
int64_t file_position(struct file *file);

#endif
