/* SPDX-License-Identifier: ISC */
/*
 * Arguments: a mounted directory, a number, and what to do: "read" or "write". Uses paths through
 * DIR/swap and DIR/other so often, while a process of the host exchanges the two all the time: one
 * is a directory, the other a symbolic link that leads out. What is read has to be what lies
 * inside.
 */
#include "hostile.h"

#define INSIDE "inside"

enum { PATHS = 4 };

static char paths[PATHS][256];
static unsigned long found;

static void make_paths(const char *directory)
{
    static const char *const below[PATHS] = {"swap", "other", "swap/deep/..", "sub/../other/."};

    for (int i = 0; i < PATHS; i++)
        snprintf(paths[i], sizeof(paths[i]), "%s/%s", directory, below[i]);
}

static const char *in_path(unsigned long i, const char *name)
{
    static char text[2][1024];
    static unsigned next;

    next = !next;
    snprintf(text[next], sizeof(text[next]), "%.255s/%s", paths[i % PATHS], name);
    return text[next];
}

/* By path: the result of an operation that takes no more than ARG0 and ARG1 besides. */
static int64_t by_path(uint32_t op, const char *path, uint64_t arg0, uint64_t arg1)
{
    return RING(op, HUSK_DIR_ROOT, path, strlen(path), arg0, arg1);
}

static void read_one(unsigned long i)
{
    char text[64] = "";
    int64_t handle = open_handle(in_path(i, "secret"), O_RDONLY);
    static char stat[STATX_SIZE];
    uint64_t size = 6;

    if (handle >= 0) {
        RING(HUSK_OP_READ, handle, text, sizeof(text) - 1, 0);
        RING(HUSK_OP_CLOSE, handle);
        expect(strcmp(text, INSIDE) == 0, "read %s", text);
        found++;
    }
    if (i % 4 == 0 && RING(HUSK_OP_STAT, HUSK_DIR_ROOT, in_path(i, "secret"),
                           strlen(in_path(i, "secret")), 0, STATX_ALL, stat) == 0)
        expect(memcmp(stat + 40 /* stx_size */, &size, sizeof(size)) == 0, "stat of another file");
}

static int64_t rename_to(const char *from, const char *to)
{
    const struct husk_path source = {HUSK_DIR_ROOT, (guest_addr_t)from, strlen(from)};
    const struct husk_path target = {HUSK_DIR_ROOT, (guest_addr_t)to, strlen(to)};

    return RING(HUSK_OP_RENAME, &source, &target, 0);
}

static int64_t link_to(const char *from, const char *to)
{
    const struct husk_path source = {HUSK_DIR_ROOT, (guest_addr_t)from, strlen(from)};
    const struct husk_path target = {HUSK_DIR_ROOT, (guest_addr_t)to, strlen(to)};

    return RING(HUSK_OP_LINK, &source, &target, AT_SYMLINK_FOLLOW);
}

static void write_over(const char *path)
{
    int64_t opened =
        RING(HUSK_OP_OPEN, HUSK_DIR_ROOT, path, strlen(path), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (opened < 0)
        return;
    RING(HUSK_OP_WRITE, HUSK_OPEN_HANDLE(opened), "overwritten", 11, 0);
    RING(HUSK_OP_CLOSE, HUSK_OPEN_HANDLE(opened));
    found++;
}

/* Each of these would be seen outside. */
static void write_one(unsigned long i)
{
    const char *victim = in_path(i, "victim");

    switch (i % 9) {
    case 0:
        write_over(victim);
        break;
    case 1:
        write_over(in_path(i, "new"));
        break;
    case 2:
        by_path(HUSK_OP_UNLINK, in_path(i, "new"), 0, 0);
        break;
    case 3:
        by_path(HUSK_OP_MKDIR, in_path(i, "made"), 0755, 0);
        break;
    case 4:
        by_path(HUSK_OP_UNLINK, in_path(i, "made"), AT_REMOVEDIR, 0);
        break;
    case 5:
        rename_to(victim, in_path(i + 1, "moved"));
        rename_to(in_path(i + 2, "moved"), in_path(i + 3, "victim"));
        break;
    case 6:
        by_path(HUSK_OP_CHMOD, victim, 0600, 0);
        by_path(HUSK_OP_UTIMES, victim, 0, 0);
        break;
    case 7:
        by_path(HUSK_OP_TRUNCATE, victim, 3, 0);
        break;
    case 8:
        link_to(in_path(i, "secret"), in_path(i + 1, "stolen"));
        by_path(HUSK_OP_UNLINK, in_path(i, "stolen"), 0, 0);
        break;
    }
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc == 4 ? strtoul(argv[2], NULL, 0) : 0;
    bool writes = argc == 4 && strcmp(argv[3], "write") == 0;

    make_paths(argv[1]);
    for (unsigned long i = 0; i < rounds; i++) {
        if (writes && i % 4 != 3)
            write_one(i);
        else
            read_one(i);
    }
    expect(found > rounds / 200, "only %lu of %lu led inside", found, rounds);
    return held();
}
