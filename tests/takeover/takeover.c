/* SPDX-License-Identifier: ISC
 *
 * A monitor that a guest has taken over, for tests of the jail: build/husk-test is husk with this
 * linked in, in front of HUSK_OP_MARK (ld's --wrap). The operation (TAKEOVER_MARK, &name, length)
 * then makes the system call that the name stands for, with the monitor's rights, and returns its
 * result. Never a part of husk.
 */
#include <errno.h>
#include <string.h>

#include "attack.h"
#include "hypercall.h"
#include "resolve.h"
#include "takeover.h"

hypercall_fn __real_serve_mark, __wrap_serve_mark;

int mount_fd = -1;
struct run *taken;

static const struct attack *find(const struct attack *list, const char *name)
{
    while (list->name && strcmp(list->name, name) != 0)
        list++;
    return list->name ? list : NULL;
}

int64_t __wrap_serve_mark(struct run *run, const struct husk_desc *desc)
{
    char name[32] = {0};
    const struct attack *attack;

    if (desc->arg[0] != TAKEOVER_MARK)
        return __real_serve_mark(run, desc);
    if (desc->arg[2] >= sizeof(name) ||
        memory_read(&run->memory, name, desc->arg[1], desc->arg[2]) < 0)
        return -EFAULT;
    taken = run;
    mount_fd = run->mounts->count ? run->mounts->table[0].fd : -1;
    attack = find(attacks_on_files, name);
    if (!attack)
        attack = find(attacks_on_system, name);
    return attack ? attack->attack() : -ENOEXEC;
}
