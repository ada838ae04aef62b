/* SPDX-License-Identifier: ISC
 *
 * Reading and writing what may have to be waited for on the host: pipes, terminals.
 */
#ifndef HUSK_STREAM_H
#define HUSK_STREAM_H

#include "files.h"

/* HUSK_OP_READ, WRITE, READV or WRITEV. Other threads run while this one waits. */
int64_t stream_transfer(struct file *file, enum husk_op op, uint64_t addr, uint64_t len);

#endif
