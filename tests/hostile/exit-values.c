/* SPDX-License-Identifier: ISC
 *
 *     exit-values STATUS SIGNAL
 *
 * Ends with these arguments of the operation, which may be any numbers.
 */
#include "hostile.h"

int main(int argc, char **argv)
{
    RING(HUSK_OP_EXIT, strtoull(argc > 1 ? argv[1] : "0", NULL, 0),
         strtoull(argc > 2 ? argv[2] : "0", NULL, 0));
    return 1;
}
