/* SPDX-License-Identifier: ISC
 *
 * Hypercalls that change the guest's mappings. memory.c checks everything.
 */
#include "hypercall.h"

int64_t serve_map(struct run *run, const struct husk_desc *desc)
{
    return memory_map(&run->memory, desc->arg[0], desc->arg[1], desc->arg[2] & 7);
}

int64_t serve_protect(struct run *run, const struct husk_desc *desc)
{
    return memory_protect(&run->memory, desc->arg[0], desc->arg[1], desc->arg[2] & 7);
}

int64_t serve_unmap(struct run *run, const struct husk_desc *desc)
{
    return memory_unmap(&run->memory, desc->arg[0], desc->arg[1]);
}

int64_t serve_discard(struct run *run, const struct husk_desc *desc)
{
    return memory_discard(&run->memory, desc->arg[0], desc->arg[1]);
}
