/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. System calls that read and write what nobody has touched of a
 * stack, next to what somebody has. */
#include "scratch.h"
#include "stacks.h"

#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { SIZE = 2 * MIB, PART = 1000, STATX = 256, BASIC_STATS = 0x7ff }; /* statx(2) */

static char content[SIZE], elsewhere[PART];
static int file;

/* The middle of a new stack, in place of the last one. */
static char *untouched(void)
{
    static char *stack;

    if (stack)
        munmap(stack, SIZE);
    stack = new_stack(SIZE);
    return stack + SIZE / 2;
}

/* An address amid such a stack where what is known begins: half of FIELD lies before. */
static char *at_border(size_t field)
{
    return untouched() + SIZE / 2 - PIECE - field / 2;
}

/* The end of what was touched of a reservation that grows upwards, as malloc's heaps do. Another
 * MiB behind it was permitted since. */
static char *grown(void)
{
    static char *stack;

    if (stack)
        munmap(stack, 4 * MIB);
    stack = map_as_stack(NULL, 4 * MIB, PROT_NONE, 0);
    if (mprotect(stack, MIB, READ_WRITE) < 0)
        give_up("mprotect");
    memset(stack, 1, MIB);
    if (mprotect(stack + MIB, MIB, READ_WRITE) < 0)
        give_up("mprotect");
    return stack + MIB;
}

static bool is_content(const char *data, size_t offset, size_t size)
{
    return memcmp(data, content + offset, size) == 0;
}

static void check_reads(void)
{
    char *data = untouched() - SIZE / 2;

    check(pread(file, data, SIZE, 0) == SIZE && is_content(data, 0, SIZE), "2 MiB are read");
    data = untouched() - SIZE / 2 + 100;
    check(pread(file, data, MIB, 1) == MIB && is_content(data, 1, MIB) && data[MIB] == 0,
          "1 MiB is read");
    data = grown() - 100 * KIB;
    check(pread(file, data, 800 * KIB, 2) == 800 * KIB && is_content(data, 2, 800 * KIB),
          "across what has grown");
    data = grown() - MIB;
    check(pread(file, data, 2 * MIB, 0) == SIZE && is_content(data, 0, SIZE), "all of it");
    data = untouched();
    check(lseek(file, 7, SEEK_SET) == 7 && read(file, data, PART) == PART &&
              is_content(data, 7, PART) && lseek(file, 0, SEEK_CUR) == 7 + PART,
          "read(2) moves on by what it read");
    data = new_stack(300 * MIB);
    check(pread(file, data, 300 * MIB, 0) == SIZE && is_content(data, 0, SIZE),
          "room for more than all memory");
    munmap(data, 300 * MIB);
}

static void check_vectors(void)
{
    struct iovec one = {untouched(), PART}, two[2] = {{elsewhere, PART}, {0}};

    check(lseek(file, 0, SEEK_SET) == 0 && readv(file, &one, 1) == PART &&
              is_content(one.iov_base, 0, PART),
          "readv");
    two[1] = (struct iovec){untouched(), PART};
    check(readv(file, two, 2) == 2 * PART && is_content(elsewhere, PART, PART) &&
              is_content(two[1].iov_base, 2 * PART, PART),
          "readv with other memory before");
    check(lseek(file, 0, SEEK_CUR) == 3 * PART, "moves on by both");
    two[0] = (struct iovec){untouched(), PART}, two[1] = (struct iovec){elsewhere, PART};
    check(readv(file, two, 2) == 2 * PART && is_content(two[0].iov_base, 3 * PART, PART) &&
              is_content(elsewhere, 4 * PART, PART),
          "and behind");
    one = (struct iovec){untouched(), PART};
    check(preadv(file, &one, 1, 5) == PART && is_content(one.iov_base, 5, PART), "preadv");
    two[0] = (struct iovec){elsewhere, PART}, two[1] = (struct iovec){at_border(PART), PART};
    check(preadv(file, two, 2, 0) == 2 * PART && is_content(two[1].iov_base, PART, PART),
          "preadv across a border");
}

static void check_writes(void)
{
    int fd = must_open("zeros", O_RDWR | O_CREAT);
    struct iovec one = {untouched(), PART}, two[2] = {{content, PART}, {0}};
    char byte;

    check(writev(fd, &one, 1) == PART, "writev");
    two[1] = (struct iovec){untouched(), PART};
    check(writev(fd, two, 2) == 2 * PART, "writev with other memory before");
    one.iov_base = untouched();
    check(pwritev(fd, &one, 1, 3 * PART) == PART, "pwritev");
    check(pwrite(fd, grown() - MIB, 2 * MIB, 4 * PART) == 2 * MIB, "pwrite of what has grown");
    check(size_of(fd) == 2 * MIB + 4 * PART, "all of it is there");
    check(pread(fd, &byte, 1, 2 * PART - 1) == 1 && byte == content[PART - 1],
          "where it should be");
    close(fd);
}

static void check_pipes(void)
{
    struct iovec two[2] = {{elsewhere, 4}, {untouched(), PART}};
    off_t *offset;
    int ends[2], pair[2];

    if (pipe(ends) < 0 || socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
        give_up("pipe");
    check(write(ends[1], "0123456789", 10) == 10 && readv(ends[0], two, 2) == 10 &&
              memcmp(two[1].iov_base, "456789", 6) == 0,
          "readv from a pipe");
    offset = (off_t *)untouched();
    check(sendfile(ends[1], file, offset, 100) == 100 && *offset == 100, "sendfile's offset");
    check(read(ends[0], at_border(100), 100) == 100, "read from a pipe across a border");
    two[1].iov_base = untouched();
    check(write(pair[0], "0123456789", 10) == 10 && readv(pair[1], two, 2) == 10 &&
              memcmp(two[1].iov_base, "456789", 6) == 0,
          "readv from a local socket");
    for (int i = 0; i < 2; i++) {
        close(ends[i]);
        close(pair[i]);
    }
}

static int entries(const char *data, long size)
{
    int count = 0;

    /* struct linux_dirent64: the record's size is at 16 */
    for (long at = 0; at < size; at += *(const unsigned short *)(data + at + 16))
        count++;
    return count;
}

static void check_directory(void)
{
    int dir = must_open(".", O_RDONLY | O_DIRECTORY);
    char *data = untouched();
    int there = entries(data, syscall(SYS_getdents64, dir, data, 64 * KIB));

    check(there > 3, "getdents64");
    lseek(dir, 0, SEEK_SET);
    data = grown() - 24;
    check(entries(data, syscall(SYS_getdents64, dir, data, 4 * KIB)) == there,
          "across what has grown");
    close(dir);
}

static void check_status(void)
{
    struct stat here, *status;
    char more[STATX], *extended; /* musl 1.2.3 has no struct for it */
    struct statfs system, *there;
    long room = (sizeof(here) / 2 + 7) & ~7UL;

    stat("content", &here);
    status = (struct stat *)untouched();
    check(stat("content", status) == 0 && memcmp(status, &here, sizeof(here)) == 0, "stat");
    status = (struct stat *)(grown() - room);
    check(stat("content", status) == 0 && memcmp(status, &here, sizeof(here)) == 0,
          "across what has grown");
    status = (struct stat *)untouched();
    check(fstat(file, status) == 0 && memcmp(status, &here, sizeof(here)) == 0, "fstat");
    extended = at_border(STATX);
    check(syscall(SYS_statx, AT_FDCWD, "content", 0, BASIC_STATS, more) == 0 &&
              syscall(SYS_statx, AT_FDCWD, "content", 0, BASIC_STATS, extended) == 0 &&
              memcmp(extended, more, STATX) == 0,
          "statx across a border");
    statfs(".", &system);
    there = (struct statfs *)untouched();
    check(statfs(".", there) == 0 && there->f_type == system.f_type &&
              there->f_bsize == system.f_bsize && there->f_namelen == system.f_namelen,
          "statfs");
    there = (struct statfs *)at_border(sizeof(system));
    check(fstatfs(file, there) == 0 && there->f_type == system.f_type &&
              there->f_namelen == system.f_namelen,
          "fstatfs across a border");
}

static void check_names(const char *own)
{
    char *text = untouched();
    struct stat status;

    check(symlink("target", "link") == 0 && readlink("link", text, PART) == 6 &&
              strcmp(text, "target") == 0,
          "readlink");
    text = at_border(6);
    check(readlink("link", text, PART) == 6 && strcmp(text, "target") == 0, "across a border");
    check_error(symlink(untouched(), "no link"), ENOENT, "symlink to what is empty");
    check_error(open(untouched(), O_RDONLY), ENOENT, "open of what is empty");
    text = untouched();
    check(getcwd(text, PART) == text && strcmp(text, own) == 0, "getcwd");
    text = at_border(4);
    check(getcwd(text, PART) == text && strcmp(text, own) == 0, "across a border");
    check(utimensat(AT_FDCWD, "content", (struct timespec *)untouched(), 0) == 0 &&
              stat("content", &status) == 0 && status.st_mtime == 0,
          "utimensat to 1970");
}

static bool has_randomness(const char *data)
{
    bool some = false;

    for (int i = 0; i < 32; i++)
        some = some || data[i] != data[0];
    return some;
}

static void check_other_calls(void)
{
    struct epoll_event event = {EPOLLIN, {.u64 = 5}}, *events;
    char *data = untouched() - SIZE / 2 + 10;
    struct timeval none = {0};
    struct flock *lock;
    int ends[2], epoll = epoll_create1(0);
    uint32_t *word;

    check(getrandom(data, SIZE - 10, 0) == SIZE - 10 && has_randomness(data) &&
              has_randomness(data + MIB) && has_randomness(data + SIZE - 50),
          "getrandom");
    data = grown() - 50;
    check(getrandom(data, 100, 0) == 100 && has_randomness(data) && has_randomness(data + 60),
          "across what has grown");
    lock = (struct flock *)untouched();
    check(fcntl(file, F_GETLK, lock) == 0 && lock->l_type == F_UNLCK, "F_GETLK");
    if (epoll < 0 || pipe(ends) < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) < 0 ||
        write(ends[1], "a", 1) != 1)
        give_up("epoll");
    events = (struct epoll_event *)untouched();
    check(epoll_wait(epoll, events, 10, -1) == 1 && events[0].data.u64 == 5, "epoll_wait");
    check(select(ends[0] + 1, (fd_set *)untouched(), NULL, NULL, &none) == 0, "select of none");
    check(select(0, NULL, NULL, NULL, (struct timeval *)untouched()) == 0, "select for no time");
    word = (uint32_t *)untouched();
    check(syscall(SYS_futex, word, 1 /* wake */, 1, NULL, NULL, 0) == 0, "futex: nobody waits");
    word = (uint32_t *)untouched();
    check_error(syscall(SYS_futex, word, 0 /* wait */, 1, NULL, NULL, 0), EAGAIN,
                "futex: another value");
    for (int i = 0; i < 2; i++)
        close(ends[i]);
    close(epoll);
}

static volatile uintptr_t handler_frame;

static void on_signal(int signal)
{
    handler_frame = (uintptr_t)&signal;
}

static void check_alternate_stack(void)
{
    stack_t none = {.ss_flags = SS_DISABLE}, stack = {.ss_sp = untouched(), .ss_size = SIZE / 4};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};

    /* Its end is not that of the mapping. */
    check(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0 &&
              raise(SIGUSR1) == 0 && handler_frame >= (uintptr_t)stack.ss_sp &&
              handler_frame < (uintptr_t)stack.ss_sp + stack.ss_size,
          "a handler on an alternate stack");
    sigaltstack(&none, NULL);
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (char)(i % 251);
    file = must_open("content", O_RDWR | O_CREAT);
    if (write(file, content, SIZE) != SIZE)
        give_up("content");
    check_reads();
    check_vectors();
    check_writes();
    check_pipes();
    check_directory();
    check_status();
    check_names(argv[1]);
    check_other_calls();
    check_alternate_stack();
    return exit_status();
}
