/* SPDX-License-Identifier: ISC */
/*
 * Argument: the tree. System calls given addresses that the program may not use fail with EFAULT.
 * They are made by syscall(), as a libc may follow a pointer itself. Standard output must not be
 * /dev/null, which takes a write without a look at it.
 */
#include "check.h"
#include "memory.h"
#include "tree.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Stand for arguments that are known only when the program runs. */
enum { BAD = -1000, BUFFER, FILE_OPEN, FILE_PATH, LINK_PATH, DIRECTORY_OPEN };

struct call {
    const char *name;
    long number;
    long arguments[4];
};

static const char constants[PAGE] = "read-only, also in a program that relocates itself";
static int file;
static int directory;

/* The bad pointer is where the answer should go. */
static const struct call answering_calls[] = {
    {"uname", SYS_uname, {BAD}},
    {"sysinfo", SYS_sysinfo, {BAD}},
    {"clock_gettime", SYS_clock_gettime, {CLOCK_MONOTONIC, BAD}},
    {"clock_getres", SYS_clock_getres, {CLOCK_REALTIME, BAD}},
    {"gettimeofday", SYS_gettimeofday, {BAD}},
    {"time", SYS_time, {BAD}},
    {"getrandom", SYS_getrandom, {BAD, 64}},
    {"getcwd", SYS_getcwd, {BAD, 4096}},
    {"getrlimit", SYS_getrlimit, {RLIMIT_STACK, BAD}},
    {"prlimit64", SYS_prlimit64, {0, RLIMIT_STACK, 0, BAD}},
    {"getresuid", SYS_getresuid, {BAD, BUFFER, BUFFER}},
    {"read", SYS_read, {FILE_OPEN, BAD, 100}},
    {"pread64", SYS_pread64, {FILE_OPEN, BAD, 100, 0}},
    {"fstat", SYS_fstat, {FILE_OPEN, BAD}},
    {"stat", SYS_stat, {FILE_PATH, BAD}},
    {"lstat", SYS_lstat, {FILE_PATH, BAD}},
    {"newfstatat", SYS_newfstatat, {AT_FDCWD, FILE_PATH, BAD, 0}},
    {"readlink", SYS_readlink, {LINK_PATH, BAD, 100}},
    {"getdents64", SYS_getdents64, {DIRECTORY_OPEN, BAD, 4096}},
    {NULL, 0, {0}},
};

/* The bad pointer is where the question should be. */
static const struct call asking_calls[] = {
    {"open of a path", SYS_open, {BAD, O_RDONLY}},
    {"openat of a path", SYS_openat, {AT_FDCWD, BAD, O_RDONLY}},
    {"stat of a path", SYS_stat, {BAD, BUFFER}},
    {"newfstatat of a path", SYS_newfstatat, {AT_FDCWD, BAD, BUFFER, 0}},
    {"access of a path", SYS_access, {BAD, F_OK}},
    {"readlink of a path", SYS_readlink, {BAD, BUFFER, 100}},
    {"chdir to a path", SYS_chdir, {BAD}},
    {"nanosleep", SYS_nanosleep, {BAD, 0}},
    {"write", SYS_write, {STDOUT_FILENO, BAD, 100}},
    {"writev", SYS_writev, {STDOUT_FILENO, BAD, 2}},
    {"readv", SYS_readv, {FILE_OPEN, BAD, 2}},
    {NULL, 0, {0}},
};

static long argument_value(long argument, const void *bad)
{
    static char buffer[1024];

    switch (argument) {
    case BAD:
        return (long)bad;
    case BUFFER:
        return (long)buffer;
    case FILE_OPEN:
        return file;
    case FILE_PATH:
        return (long)in_tree("files/text");
    case LINK_PATH:
        return (long)in_tree("links/relative");
    case DIRECTORY_OPEN:
        return directory;
    default:
        return argument;
    }
}

static void check_calls(const struct call *call, const void *bad, const char *kind)
{
    fflush(stdout); /* so that a write that should fail would show in its place */
    for (; call->name != NULL; call++) {
        long a[4];
        for (int i = 0; i < 4; i++)
            a[i] = argument_value(call->arguments[i], bad);
        long result = syscall(call->number, a[0], a[1], a[2], a[3]);
        check_error(result, EFAULT, "%s, %s", call->name, kind);
    }
}

static void check_vectors(char *unmapped)
{
    static char buffer[10];
    struct iovec first_bad[] = {{unmapped, sizeof buffer}, {buffer, sizeof buffer}};
    struct iovec second_bad[] = {{buffer, sizeof buffer}, {unmapped, sizeof buffer}};
    struct iovec too_long[] = {{buffer, sizeof buffer}, {buffer, SIZE_MAX}};

    check_error(syscall(SYS_readv, file, first_bad, 2), EFAULT, "readv, bad first buffer");
    check(syscall(SYS_readv, file, second_bad, 2) == sizeof buffer,
          "readv, bad second buffer: fills the first");
    check_error(syscall(SYS_readv, file, first_bad, -1), EINVAL, "readv, negative count");
    check_error(syscall(SYS_readv, file, first_bad, 1025), EINVAL, "readv, count over IOV_MAX");
    check_error(syscall(SYS_readv, file, too_long, 2), EINVAL, "readv, negative length");
    check(syscall(SYS_readv, file, unmapped, 0) == 0, "readv, no buffers");
}

/* Objects that begin in good memory and end, or would end, in bad. */
static void check_edges(char *unmapped)
{
    memset(unmapped - PAGE, 'x', PAGE);
    check_error(syscall(SYS_open, unmapped - 5, O_RDONLY), EFAULT, "a path without an end");
    memcpy(unmapped - 5, "none", 5);
    check_error(syscall(SYS_open, unmapped - 5, O_RDONLY), ENOENT, "a path up to the edge");
    check_error(syscall(SYS_fstat, file, unmapped - 8), EFAULT, "the start of a struct stat");
    check(syscall(SYS_fstat, file, unmapped - sizeof(struct stat)) == 0, "a whole struct stat");
    check_error(syscall(SYS_clock_gettime, CLOCK_REALTIME, unmapped - 8), EFAULT,
                "half a timespec");
    check(syscall(SYS_clock_gettime, CLOCK_REALTIME, unmapped - 16) == 0, "a whole timespec");
    check(syscall(SYS_read, file, unmapped, 0) == 0, "no bytes to a bad address");
}

int main(int argc, char **argv)
{
    find_tree(argc, argv);
    file = open(in_tree("files/text"), O_RDONLY);
    directory = open(in_tree("files"), O_RDONLY | O_DIRECTORY);
    check(file >= 0 && directory >= 0, "the tree is there");

    char *good = map_pages(2, PROT_READ | PROT_WRITE);
    char *unmapped = good + PAGE;
    munmap(unmapped, PAGE);
    const struct {
        const char *kind;
        const void *address;
    } places[] = {
        {"null page", (void *)8},
        {"unmapped", unmapped},
        {"kernel half", (void *)0xffff800000000000},
        {"not canonical", (void *)0x8000000000000000},
        {"last bytes", (void *)-8},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        check_calls(answering_calls, places[i].address, places[i].kind);
        check_calls(asking_calls, places[i].address, places[i].kind);
    }
    check_calls(answering_calls, (const void *)(uintptr_t)check_edges, "own code");
    check_calls(answering_calls, constants, "own constants");
    check_vectors(unmapped);
    check_edges(unmapped);
    return exit_status();
}
