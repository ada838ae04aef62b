/* SPDX-License-Identifier: ISC */
/*
 * Argument: a mounted directory. Prints everything that it can read by paths that lead out of it:
 * the test looks for what lies there. test_hostile.c makes the directory.
 */
#include "hostile.h"

static const char *const paths[] = {
    "file", /* allowed */
    "../secret",
    "sub/../../secret",
    "../../../../../../../../etc/passwd",
    "./.././secret",
    "..//secret",
    "up/secret",
    "up/inside/up/secret",
    "sub/up-up/secret",
    "link-up",
    "link-secret",
    "link-etc",
    "link-root/etc/passwd",
    "link-proc",
    "link-proc/environ",
    "link-chain",
    "hard-to-find/../../secret",
    "file/../../secret",
    "link-root/proc/self/root/etc/passwd",
    "link-root/dev/kvm",
    "link-root",
    "up",
    "..",
    "../..",
    "link-loop",
    "link-dangling",
};

static void print_file(uint64_t handle)
{
    static char data[4096];
    int64_t got = RING(HUSK_OP_READ, handle, data, sizeof(data), 0);

    if (got > 0)
        fwrite(data, 1, (size_t)got, stdout);
}

static void print_directory(uint64_t handle)
{
    static char data[4096];
    int64_t got;

    while ((got = RING(HUSK_OP_GETDENTS, handle, data, sizeof(data))) > 0)
        fwrite(data, 1, (size_t)got, stdout);
}

static void try_path(uint64_t directory, const char *path, uint64_t flags)
{
    int64_t opened = RING(HUSK_OP_OPEN, directory, path, strlen(path), flags, 0644);
    static char target[256];
    int64_t length = RING(HUSK_OP_READLINK, directory, path, strlen(path), target, sizeof(target));

    (void)length; /* the target's text is the guest's own to see */
    if (opened < 0)
        return;
    print_file(HUSK_OPEN_HANDLE(opened));
    print_directory(HUSK_OPEN_HANDLE(opened));
    /* From there on upwards. */
    if (flags != 0 || HUSK_OPEN_KIND(opened) != HUSK_KIND_DIR)
        flags = UINT64_MAX;
    for (size_t i = 0; flags == 0 && i < COUNT(paths); i++) {
        int64_t next = RING(HUSK_OP_OPEN, HUSK_OPEN_HANDLE(opened), paths[i], strlen(paths[i]), 0);

        if (next >= 0)
            print_file(HUSK_OPEN_HANDLE(next));
        RING(HUSK_OP_CLOSE, next);
    }
    RING(HUSK_OP_CLOSE, HUSK_OPEN_HANDLE(opened));
}

static void change(uint64_t directory, const char *path)
{
    uint64_t length = strlen(path);
    static const struct {
        int64_t times[4];
    } times = {{1, 1, 1, 1}};
    const struct husk_path from = {directory, (guest_addr_t) "file", 4};
    const struct husk_path to = {directory, (guest_addr_t)path, length};

    RING(HUSK_OP_MKDIR, directory, path, length, 0777);
    RING(HUSK_OP_SYMLINK, directory, path, length, "x", 1);
    RING(HUSK_OP_LINK, &from, &to, 0);
    RING(HUSK_OP_LINK, &to, &from, AT_SYMLINK_FOLLOW);
    RING(HUSK_OP_CHMOD, directory, path, length, 0777, 0);
    RING(HUSK_OP_CHOWN, directory, path, length, 1 | 1ULL << 32, 0);
    RING(HUSK_OP_UTIMES, directory, path, length, &times, 0);
    RING(HUSK_OP_TRUNCATE, directory, path, length, 0, 0);
    RING(HUSK_OP_RENAME, &to, &from, 0);
    RING(HUSK_OP_RENAME, &from, &to, 0);
    RING(HUSK_OP_UNLINK, directory, path, length, 0);
    RING(HUSK_OP_UNLINK, directory, path, length, AT_REMOVEDIR);
}

int main(int argc, char **argv)
{
    const char *root = argc == 2 ? argv[1] : "/";
    uint64_t directory = open_handle(root, O_RDONLY | O_DIRECTORY);
    char path[4096];

    expect((int64_t)directory >= 0, "cannot open %s", root);
    for (size_t i = 0; i < COUNT(paths); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, paths[i]);
        try_path(HUSK_DIR_ROOT, path, O_RDONLY);
        for (unsigned bit = 0; bit < 64; bit++)
            try_path(directory, paths[i], 1ULL << bit);
        try_path(directory, paths[i], 0);
        try_path(directory, paths[i], O_PATH | O_NOFOLLOW);
        try_path(directory, paths[i], O_WRONLY | O_CREAT | O_TRUNC);
        change(directory, paths[i]);
        change(HUSK_DIR_ROOT, path);
    }
    fflush(stdout);
    puts(""); /* after whatever was found */
    return held();
}
