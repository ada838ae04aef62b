/* SPDX-License-Identifier: ISC
 *
 * The operations of abi.h on open files of guest-rt's own file systems.
 */
#ifndef HUSK_LOCAL_IO_H
#define HUSK_LOCAL_IO_H

#include "lookup.h"

file_fn local_read, local_write, local_readv, local_writev, local_close, local_seek, local_getdents,
    local_allocate, local_lock, local_flock, local_nothing;

#endif
