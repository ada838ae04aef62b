/* SPDX-License-Identifier: ISC */
#include "attack.h"

#include <sys/stat.h>
#include <unistd.h>

int make_attacked_directory(void **state)
{
    make_directory(state);
    file_write(in_directory("secret"), "SECRET\n", 7);
    mkdir(in_directory("mount"), 0755);
    file_write(in_directory("mount/file"), "file\n", 5);
    /* Open to nobody, as whom some attacks are made. */
    return symlink("file", in_directory("link")) | chmod(directory, 0755);
}

void add_attacks(struct test_list *list, const struct attack *attacks, size_t count,
                 CMUnitTestFunction test)
{
    for (size_t i = 0; i < count; i++)
        test_list_add(list,
                      text("taken-over monitor, mount %s: %s",
                           attacks[i].mode ? attacks[i].mode : "none", attacks[i].name),
                      test, &attacks[i]);
}

void assert_ends_as_wanted(const struct result *result, const struct attack *attack)
{
    assert_prints(result, attack->wanted == KILLED ? "" : text("%d\n", attack->wanted));
    assert_status(result, attack->wanted == KILLED ? KILLED : 0);
}
