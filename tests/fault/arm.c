/* SPDX-License-Identifier: ISC
 *
 * How a guest asks for faults: access(2) of /fault/..., which no mount has.
 *
 *     /fault/arm/CALL/NTH/ERRNO    the host call fails when it is made for the NTH time from now on
 *     /fault/short/BYTES           reads and writes move at most so many
 *     /fault/off                   neither any more: ENOENT if the call was never made
 *     /fault/descriptors           the monitor's open descriptors are the "errno"
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "mounts.h"

int __real_mounts_access(const struct mounts *mounts, const struct guest_dir *base,
                         const char *path, int mode, int flags);
int __wrap_mounts_access(const struct mounts *mounts, const struct guest_dir *base,
                         const char *path, int mode, int flags);

static int count_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 2048; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int obey(const char *order)
{
    static char call[32];
    unsigned nth, most;
    int error;

    if (sscanf(order, "arm/%31[^/]/%u/%d", call, &nth, &error) == 3) {
        faults_arm_call(call, nth, error);
        return 0;
    }
    if (sscanf(order, "short/%u", &most) == 1) {
        faults_shorten(most);
        return 0;
    }
    faults_disarm();
    if (strcmp(order, "descriptors") == 0)
        return -count_descriptors();
    return faults_happened() ? 0 : -ENOENT;
}

int __wrap_mounts_access(const struct mounts *mounts, const struct guest_dir *base,
                         const char *path, int mode, int flags)
{
    static const char prefix[] = "/fault/";

    if (strncmp(path, prefix, sizeof(prefix) - 1) == 0)
        return obey(path + sizeof(prefix) - 1);
    return __real_mounts_access(mounts, base, path, mode, flags);
}
