/* SPDX-License-Identifier: ISC
 *
 *     takeover NAME
 *
 * Lets build/husk-test make a system call that no hypercall would, as if this guest had taken over
 * its monitor, and prints the result. husk itself refuses the operation: EINVAL.
 */
#include "hostile.h"

#include "../takeover/takeover.h"

int main(int argc, char **argv)
{
    const char *name = argc == 2 ? argv[1] : "";

    printf("%lld\n", (long long)RING(HUSK_OP_MARK, TAKEOVER_MARK, name, strlen(name)));
    return 0;
}
