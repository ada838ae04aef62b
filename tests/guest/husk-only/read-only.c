/* SPDX-License-Identifier: ISC */
/*
 * Argument: the tree, in a read-only mount. Nothing below it can be changed or created. Natively
 * this would change the tree.
 */
#include "../check.h"
#include "../tree.h"

#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    find_tree(argc, argv);
    check_error(open(in_tree("files/text"), O_WRONLY), EROFS, "open for writing");
    check_error(open(in_tree("files/text"), O_RDWR), EROFS, "open for reading and writing");
    check_error(open(in_tree("files/text"), O_RDONLY | O_TRUNC), EROFS, "open to empty");
    check_error(open(in_tree("files/new"), O_WRONLY | O_CREAT, 0644), EROFS, "open to create");
    check_error(open(in_tree("files"), O_WRONLY), EISDIR, "open of a directory for writing");
    check_error(access(in_tree("files/text"), W_OK), EROFS, "access for writing");
    check(access(in_tree("files/text"), R_OK) == 0, "access for reading");
    return exit_status();
}
