/* SPDX-License-Identifier: ISC */
/* Programs that watch files are told that they cannot, and then poll. Not to be run natively. */
#include "../check.h"

#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    check_error(syscall(SYS_inotify_init), ENOSYS, "inotify_init");
    check_error(inotify_init1(IN_CLOEXEC), ENOSYS, "inotify_init1");
    return exit_status();
}
