/* SPDX-License-Identifier: ISC
 *
 * Lets the names of open directories grow without end, and the monitor's memory with them: the
 * outermost directory is moved to the end of a new chain of directories, again and again, so that
 * what is open lies deeper than any path can say. Argument: a directory that it may fill.
 */
#include "hostile.h"

enum { ROUNDS = 12, NAME = 240, LINKS = 15, NAME_LIMIT = 4 * HUSK_PATH_MAX };

static char name[1 << 20];

static int64_t make_directory(const char *path)
{
    return RING(HUSK_OP_MKDIR, HUSK_DIR_ROOT, path, strlen(path), 0700);
}

/* DIRECTORY/ROUND, and its chain: LINKS long names, one in the other. */
static const char *make_chain(const char *directory, int round, char path[HUSK_PATH_MAX])
{
    size_t length = (size_t)snprintf(path, HUSK_PATH_MAX, "%s/%d", directory, round);

    expect(make_directory(path) == 0, "the directory %d", round);
    for (int i = 0; i < LINKS; i++) {
        path[length++] = '/';
        memset(path + length, 'n', NAME);
        length += NAME;
        path[length] = '\0';
        expect(make_directory(path) == 0, "name %d of chain %d", i, round);
    }
    return path;
}

static int64_t move(const char *from, const char *to)
{
    const struct husk_path paths[2] = {{HUSK_DIR_ROOT, (guest_addr_t)from, strlen(from)},
                                       {HUSK_DIR_ROOT, (guest_addr_t)to, strlen(to)}};

    return RING(HUSK_OP_RENAME, &paths[0], &paths[1], 0);
}

/* All of it again, from the outside to the inside: no path is too long. */
static void clean_up(const char *directory)
{
    static char path[HUSK_PATH_MAX], to[64];

    for (int round = ROUNDS; round >= 0; round--) {
        size_t length = (size_t)snprintf(path, sizeof(path), "%s/%d", directory, round);

        for (int i = 0; i < LINKS; i++, length += NAME + 1)
            memset(path + length, 'n', NAME + 1), path[length] = '/';
        strcpy(path + length, "/0");
        snprintf(to, sizeof(to), "%s/%d", directory, round - 1);
        if (round > 0)
            expect(move(path, to) == 0, "round %d: the move back", round);
        for (int i = 0; i <= LINKS; i++, length -= NAME + 1)
            expect_result(0, HUSK_OP_UNLINK, HUSK_DIR_ROOT, path, length, 0x200 /* AT_REMOVEDIR */);
    }
}

int main(int argc, char **argv)
{
    const char *directory = argc == 2 ? argv[1] : "/mnt";
    static char from[64], chain[HUSK_PATH_MAX];
    int64_t open;

    snprintf(from, sizeof(from), "%s/0", directory);
    open = open_handle(make_chain(directory, 0, chain), O_RDONLY | O_DIRECTORY);
    expect(open >= 0, "open gave %lld", (long long)open);
    for (int round = 1; round <= ROUNDS; round++) {
        int64_t length;

        strcat(strcpy(chain, make_chain(directory, round, chain)), "/0");
        expect(move(from, chain) == 0, "round %d: the move", round);
        length = RING(HUSK_OP_PATH, open, name, sizeof(name));
        expect(length == -ENOENT || (length > 0 && length <= NAME_LIMIT),
               "round %d: a name of %lld bytes", round, (long long)length);
        expect(RING(HUSK_OP_OPEN, open, ".", 1, O_PATH) != -ENOMEM, "round %d: no memory", round);
        snprintf(from, sizeof(from), "%s/%d", directory, round);
    }
    expect_result(0, HUSK_OP_CLOSE, open);
    clean_up(directory);
    return held();
}
