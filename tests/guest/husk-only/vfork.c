/* SPDX-License-Identifier: ISC */
/* vfork fails, and returns once. Not to be run natively. */
#include "../check.h"

#include <unistd.h>

int main(void)
{
    fflush(stdout);
    pid_t child = vfork();
    if (child == 0)
        _exit(0);
    check_error(child, ENOSYS, "vfork");
    return exit_status();
}
