/* SPDX-License-Identifier: ISC
 *
 * A monitor that a guest has taken over (tests/takeover), with the tests' directory: mount/ is the
 * volume; secret and link are beside it.
 */
#ifndef HUSK_TESTS_ATTACK_H
#define HUSK_TESTS_ATTACK_H

#include <signal.h>

#include "directory.h"
#include "harness.h"

enum { FAILED = 125, KILLED = 128 + SIGSYS };

struct attack {
    const char *name;
    const char *mode; /* of the mount; NULL: none */
    int wanted;       /* KILLED, a result, or -errno */
};

/* cmocka's set-up; remove_directory is the clean-up. */
int make_attacked_directory(void **state);

void add_attacks(struct test_list *list, const struct attack *attacks, size_t count,
                 CMUnitTestFunction test);

/* The run ended, or the call returned, as the attack wants. */
void assert_ends_as_wanted(const struct result *result, const struct attack *attack);

#endif
