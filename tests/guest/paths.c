/* SPDX-License-Identifier: ISC */
/* Argument: the tree. Long, odd and malformed paths. */
#include "check.h"
#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long try_open(const char *path)
{
    int fd = open(path, O_RDONLY);

    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static void check_name_lengths(void)
{
    char path[300] = "names/";
    size_t start = strlen(path);
    struct stat status;

    memset(path + start, 'n', 255);
    check(try_open(in_tree(path)) == 0, "a name of 255 bytes");
    path[start] = 'm';
    check_error(try_open(in_tree(path)), ENOENT, "another of 255 bytes");
    memset(path + start, 'n', 256);
    check_error(try_open(in_tree(path)), ENAMETOOLONG, "a name of 256 bytes");
    check_error(stat(in_tree(path), &status), ENAMETOOLONG, "stat of it");
    check_error(access(in_tree(path), F_OK), ENAMETOOLONG, "access to it");
    strcat(path, "/x");
    check_error(try_open(in_tree(path)), ENAMETOOLONG, "below it");
}

/* A path to files/text of exactly that length, by slashes that change nothing. */
static const char *path_of_length(size_t length)
{
    static char path[2 * PATH_MAX];
    static const char end[] = "/files/text";
    size_t root = strlen(tree_root);
    size_t slashes = length - root - strlen(end);

    memcpy(path, tree_root, root);
    memset(path + root, '/', slashes);
    strcpy(path + root + slashes, end);
    return path;
}

static void check_path_lengths(void)
{
    char target[8];
    struct stat status;

    check(try_open(path_of_length(1000)) == 0, "a path of 1000 bytes");
    check(try_open(path_of_length(4095)) == 0, "a path of 4095 bytes");
    check_error(try_open(path_of_length(4096)), ENAMETOOLONG, "a path of 4096 bytes");
    check_error(try_open(path_of_length(6000)), ENAMETOOLONG, "a path of 6000 bytes");
    check_error(stat(path_of_length(4096), &status), ENAMETOOLONG, "stat of 4096 bytes");
    check_error(access(path_of_length(4096), F_OK), ENAMETOOLONG, "access to 4096 bytes");
    check_error(chdir(path_of_length(4096)), ENAMETOOLONG, "chdir to 4096 bytes");
    check_error(readlink(path_of_length(4096), target, sizeof target), ENAMETOOLONG,
                "readlink of 4096 bytes");
}

static void check_shapes(void)
{
    static const char *const good[] = {
        "files/text",
        "files//text",
        "files/./text",
        "./files/text",
        "files/../files/",
        "files/",
        "files//",
        "files/.",
        "files/..",
        "nested/a/b/../..",
        ".",
        "..",
        "./.././",
        "names/-dash",
        "names/two words",
        "names/new\nline",
        "names/.hidden",
        "nested/a/b/c/d/e",
        "///files///text",
        "names/bytes-\377\200\376",
        "links/directory/",
        "strict",
        "strict/../strict",
    };
    static const struct {
        const char *path;
        int error;
    } bad[] = {
        {"files/text/", ENOTDIR},         {"files/text/.", ENOTDIR}, {"files/text/..", ENOTDIR},
        {"files/text/../text", ENOTDIR},  {"missing/", ENOENT},      {"missing/../files", ENOENT},
        {"files/text ", ENOENT},          {"files/TEXT", ENOENT},    {"files/...", ENOENT},
        {"names/bytes-\377\200", ENOENT}, {"files/tex", ENOENT},     {"empty-dir/x", ENOENT},
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        bool opens = try_open(in_tree(good[i])) == 0;
        print_quoted(good[i]);
        check(opens, " opens");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        long result = try_open(in_tree(bad[i].path));
        print_quoted(bad[i].path);
        check_error(result, bad[i].error, " does not");
    }
    check_error(try_open(""), ENOENT, "an empty path");
    check_error(openat(AT_FDCWD, "", O_RDONLY), ENOENT, "an empty path, by openat");
    check_error(access("", F_OK), ENOENT, "an empty path, by access");
    check_error(chdir(""), ENOENT, "an empty path, by chdir");
}

/* Names that readdir gives must open. */
static void check_names_from_readdir(void)
{
    DIR *directory = opendir(in_tree("names"));
    int opened = 0;

    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        int fd = openat(dirfd(directory), entry->d_name, O_RDONLY);
        opened += fd >= 0;
        close(fd);
    }
    printf("%d names from readdir open\n", opened);
    closedir(directory);
}

int main(int argc, char **argv)
{
    find_tree(argc, argv);
    check_name_lengths();
    check_path_lengths();
    check_shapes();
    check_names_from_readdir();
    return exit_status();
}
