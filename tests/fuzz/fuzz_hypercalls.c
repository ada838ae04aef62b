/* SPDX-License-Identifier: ISC
 *
 * libFuzzer: the input is a list of hypercalls of one group (HYPERCALL_GROUP), served by the real
 * handlers on a guest memory without a VM, a tree of files and, where it is about sockets, ports of
 * the loopback device. `make fuzz` builds one target for each group. What an input does depends on
 * nothing but the input: world.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "guest.h"
#include "interrupt.h"
#include "world.h"

#define CALLS_MAX 16
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

/* Not operations, but what happens between them: world.h. */
enum { DO_SIGNAL = HUSK_OP_COUNT, DO_TAKE };

static const uint8_t memory_group[] = {
    HUSK_OP_MAP,   HUSK_OP_PROTECT,  HUSK_OP_UNMAP, HUSK_OP_DISCARD, HUSK_OP_MAPFILE,
    HUSK_OP_MSYNC, HUSK_OP_READ,     HUSK_OP_WRITE, HUSK_OP_READV,   HUSK_OP_OPEN,
    HUSK_OP_CLOSE, HUSK_OP_TRUNCATE, HUSK_OP_MEMORY};
static const uint8_t io_group[] = {
    HUSK_OP_READ,     HUSK_OP_WRITE, HUSK_OP_READV, HUSK_OP_WRITEV,   HUSK_OP_OPEN,
    HUSK_OP_CLOSE,    HUSK_OP_SEEK,  HUSK_OP_TTY,   HUSK_OP_GETDENTS, HUSK_OP_SYNC,
    HUSK_OP_ALLOCATE, HUSK_OP_LOCK,  HUSK_OP_FLOCK, HUSK_OP_STAT,     HUSK_OP_APPEND,
    HUSK_OP_TRUNCATE, HUSK_OP_IMAGE};
static const uint8_t paths_group[] = {
    HUSK_OP_OPEN,    HUSK_OP_CLOSE,   HUSK_OP_STAT,     HUSK_OP_ACCESS, HUSK_OP_READLINK,
    HUSK_OP_PATH,    HUSK_OP_MKDIR,   HUSK_OP_UNLINK,   HUSK_OP_RENAME, HUSK_OP_LINK,
    HUSK_OP_SYMLINK, HUSK_OP_CHMOD,   HUSK_OP_CHOWN,    HUSK_OP_UTIMES, HUSK_OP_TRUNCATE,
    HUSK_OP_STATFS,  HUSK_OP_RESOLVE, HUSK_OP_GETDENTS, HUSK_OP_VOLUME};
static const uint8_t network_group[] = {
    HUSK_OP_SOCKET, HUSK_OP_BIND,     HUSK_OP_LISTEN, HUSK_OP_ACCEPT, HUSK_OP_CONNECT,
    HUSK_OP_SEND,   HUSK_OP_RECEIVE,  HUSK_OP_NAME,   HUSK_OP_GETOPT, HUSK_OP_SETOPT,
    HUSK_OP_QUEUED, HUSK_OP_SHUTDOWN, HUSK_OP_HOSTS,  HUSK_OP_CLOSE,  HUSK_OP_READ,
    HUSK_OP_WRITEV, HUSK_OP_SENDFILE, HUSK_OP_OPEN,   HUSK_OP_SKIP};
static const uint8_t process_group[] = {HUSK_OP_EXIT,  HUSK_OP_FAULT,  HUSK_OP_TRACE,  HUSK_OP_MARK,
                                        HUSK_OP_CLOCK, HUSK_OP_RANDOM, HUSK_OP_FSBASE, HUSK_OP_TTY};
static const uint8_t waiting_group[] = {
    HUSK_OP_WAIT,  HUSK_OP_EPOLL,   HUSK_OP_WATCH,   HUSK_OP_EVENTS,   HUSK_OP_ALARM,
    DO_SIGNAL,     HUSK_OP_FORWARD, DO_TAKE,         HUSK_OP_JOIN,     HUSK_OP_SOCKET,
    HUSK_OP_BIND,  HUSK_OP_LISTEN,  HUSK_OP_CONNECT, HUSK_OP_ACCEPT,   HUSK_OP_WRITE,
    HUSK_OP_CLOSE, HUSK_OP_OPEN,    HUSK_OP_READ,    HUSK_OP_SHUTDOWN, HUSK_OP_SKIP};

static const struct {
    const uint8_t *operations;
    size_t count;
} groups[GROUPS] = {
    [MEMORY] = {memory_group, COUNT(memory_group)},
    [IO] = {io_group, COUNT(io_group)},
    [PATHS] = {paths_group, COUNT(paths_group)},
    [NETWORK] = {network_group, COUNT(network_group)},
    [PROCESS] = {process_group, COUNT(process_group)},
    [WAITING] = {waiting_group, COUNT(waiting_group)},
};

/* The kind of each argument: see argument(). */
static const char *const kinds[] = {
    [HUSK_OP_EXIT] = "nn",
    [HUSK_OP_FAULT] = "s",
    [HUSK_OP_TRACE] = "s",
    [HUSK_OP_MARK] = "n",
    [HUSK_OP_CLOCK] = "a",
    [HUSK_OP_WAIT] = "snwsn",
    [HUSK_OP_ALARM] = "w",
    [HUSK_OP_FORWARD] = "b",
    [HUSK_OP_JOIN] = "",
    [HUSK_OP_RANDOM] = "al",
    [HUSK_OP_FSBASE] = "x",
    [HUSK_OP_MAP] = "GLn",
    [HUSK_OP_PROTECT] = "GLn",
    [HUSK_OP_UNMAP] = "GL",
    [HUSK_OP_DISCARD] = "GL",
    [HUSK_OP_READ] = "halx",
    [HUSK_OP_WRITE] = "halx",
    [HUSK_OP_READV] = "hvnx",
    [HUSK_OP_WRITEV] = "hvnx",
    [HUSK_OP_OPEN] = "dpon",
    [HUSK_OP_CLOSE] = "h",
    [HUSK_OP_SEEK] = "hxn",
    [HUSK_OP_STAT] = "dpfna",
    [HUSK_OP_ACCESS] = "dpnf",
    [HUSK_OP_READLINK] = "dpal",
    [HUSK_OP_GETDENTS] = "hal",
    [HUSK_OP_PATH] = "hal",
    [HUSK_OP_TTY] = "hta",
    [HUSK_OP_MAPFILE] = "GLmxnn",
    [HUSK_OP_MSYNC] = "GLn",
    [HUSK_OP_MKDIR] = "dpn",
    [HUSK_OP_UNLINK] = "dpf",
    [HUSK_OP_RENAME] = "PPn",
    [HUSK_OP_LINK] = "PPf",
    [HUSK_OP_SYMLINK] = "dpp",
    [HUSK_OP_CHMOD] = "dpnf",
    [HUSK_OP_CHOWN] = "dpxf",
    [HUSK_OP_UTIMES] = "dpsf",
    [HUSK_OP_TRUNCATE] = "dpxf",
    [HUSK_OP_STATFS] = "dpaf",
    [HUSK_OP_ALLOCATE] = "hnxx",
    [HUSK_OP_SYNC] = "hn",
    [HUSK_OP_LOCK] = "hns",
    [HUSK_OP_FLOCK] = "hn",
    [HUSK_OP_APPEND] = "hn",
    [HUSK_OP_RESOLVE] = "dpnal",
    [HUSK_OP_SOCKET] = "nnn",
    [HUSK_OP_BIND] = "hS",
    [HUSK_OP_LISTEN] = "hn",
    [HUSK_OP_ACCEPT] = "hal",
    [HUSK_OP_CONNECT] = "hS",
    [HUSK_OP_SHUTDOWN] = "hn",
    [HUSK_OP_NAME] = "hnal",
    [HUSK_OP_SEND] = "hgnn",
    [HUSK_OP_RECEIVE] = "hgnn",
    [HUSK_OP_SENDFILE] = "hhxl",
    [HUSK_OP_GETOPT] = "hnnal",
    [HUSK_OP_SETOPT] = "hnnsl",
    [HUSK_OP_QUEUED] = "h",
    [HUSK_OP_HOSTS] = "al",
    [HUSK_OP_EPOLL] = "",
    [HUSK_OP_WATCH] = "hnhnx",
    [HUSK_OP_EVENTS] = "hanwsn",
    [HUSK_OP_SKIP] = "hn",
    [HUSK_OP_MEMORY] = "mL",
    [HUSK_OP_IMAGE] = "",
    [HUSK_OP_VOLUME] = "nal",
    [DO_SIGNAL] = "n",
    [DO_TAKE] = "",
};

/* So that an operation that is new in abi.h is not forgotten here. */
static void check_groups(void)
{
    for (unsigned op = 0; op < HUSK_OP_COUNT; op++) {
        bool found = false;

        for (size_t i = 0; i < GROUPS; i++)
            found |= memchr(groups[i].operations, (int)op, groups[i].count) != NULL;
        require(found && kinds[op], "an operation is in no group of the fuzzer's");
    }
}

struct input {
    const uint8_t *at, *end;
    uint64_t results[8]; /* of the last calls: handles, mostly */
    unsigned calls;
};

static uint64_t take(struct input *input, unsigned bytes)
{
    uint64_t value = 0;

    for (; bytes > 0 && input->at < input->end; bytes--)
        value = value << 8 | *input->at++;
    return value;
}

/* Whatever an argument is for. */
static uint64_t take_wild(struct input *input)
{
    static const uint64_t values[] = {
        0,
        UINT64_MAX,
        INT64_MAX,
        1ULL << 63,
        1ULL << 31,
        1ULL << 32,
        GUEST_RAM,
        GUEST_RAM - 1,
        HUSK_WINDOW,
        HUSK_RT_BASE,
        HUSK_BOOT_PAGE,
        HUSK_DESC_PAGE,
        HUSK_RAM_MAX,
        HUSK_RING0_TABLES,
        HUSK_NULL_GUARD,
        DATA + DATA_SIZE,
        DATA + DATA_SIZE - 8,
    };
    uint64_t kind = take(input, 1);

    return kind < 0xc0 ? values[kind % COUNT(values)] : take(input, 8);
}

/* The first handles of a run, the same entries used again, or what came out of a call. */
static uint64_t take_handle(struct input *input, uint64_t kind)
{
    if (kind < 0x80)
        return kind % 16;
    return kind < 0xb0 ? (kind % 16) | 1 << 16 : input->results[kind % 8] & 0x7fffffff;
}

static uint64_t take_length(struct input *input, uint64_t kind)
{
    if (kind < 0x80)
        return kind;
    if (kind < 0xc0)
        return (kind % 16) * HUSK_PAGE_SIZE;
    return kind < 0xe0 ? 1ULL << kind % 32 : take(input, 2);
}

static uint64_t take_offset(struct input *input, uint64_t kind)
{
    if (kind < 0x40)
        return kind;
    if (kind < 0x80)
        return (kind % 16) * HUSK_PAGE_SIZE;
    if (kind < 0xb0)
        return HUSK_STREAM;
    return kind < 0xd0 ? take(input, 2) : ~take(input, 1);
}

static uint64_t take_pages_at(struct input *input, uint64_t kind)
{
    if (kind < 0x80)
        return DATA + DATA_SIZE + (kind % 16) * HUSK_PAGE_SIZE;
    if (kind < 0x90)
        return DATA + (kind % 8) * HUSK_PAGE_SIZE;
    if (kind < 0xc0)
        return HUSK_NULL_GUARD + take(input, 1) * HUSK_PAGE_SIZE;
    if (kind < 0xd8)
        return HUSK_RT_BASE + take(input, 1) * HUSK_PAGE_SIZE;
    if (kind < 0xe8)
        return world.memory.far_start + (kind % 4) * HUSK_PAGE_SIZE;
    return (kind < 0xf8 ? world.memory.far_end : GUEST_RAM) - (kind % 8) * HUSK_PAGE_SIZE;
}

static uint64_t take_open_flags(struct input *input, uint64_t kind)
{
    static const uint32_t flags[] = {
        O_RDONLY,
        O_RDWR,
        O_WRONLY,
        O_RDWR | O_CREAT,
        O_RDWR | O_CREAT | O_EXCL,
        O_PATH,
        O_APPEND | O_WRONLY,
        O_RDWR | O_TRUNC,
        O_WRONLY | O_CREAT | O_TRUNC,
        O_DIRECTORY,
        O_NOFOLLOW,
        O_PATH | O_NOFOLLOW,
        O_TMPFILE | O_RDWR,
        O_DIRECTORY | O_CREAT,
    };

    return kind < 0xc0 ? flags[kind % COUNT(flags)] : take(input, 4);
}

static uint64_t take_at_flags(struct input *input, uint64_t kind)
{
    static const uint32_t flags[] = {0,
                                     AT_EMPTY_PATH,
                                     AT_SYMLINK_NOFOLLOW,
                                     AT_SYMLINK_FOLLOW,
                                     AT_REMOVEDIR,
                                     AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW};

    return kind < 0xd0 ? flags[kind % COUNT(flags)] : take(input, 2);
}

/* Where something is: pages, room for results, or a structure. */
static uint64_t take_address(struct input *input, char what, uint64_t kind)
{
    switch (what) {
    case 'G': /* pages */
        return take_pages_at(input, kind);
    case 'a': /* results */
        return kind < 0xb0   ? RESULTS + kind * 64
               : kind < 0xd8 ? DATA + DATA_SIZE + (kind % 16) * HUSK_PAGE_SIZE
                             : DATA + take(input, 2);
    default: /* P struct husk_path, v iovecs, g messages, s any other */
        return kind < 0xb0 ? world_part(what, kind).addr : DATA + take(input, 1);
    }
}

static uint64_t take_value(struct input *input, char what, uint64_t kind)
{
    switch (what) {
    case 'h': /* handle */
        return take_handle(input, kind);
    case 'm': /* a file of memory, or a handle */
        return kind < 0x40   ? HUSK_MEMORY_FILE | kind % 4
               : kind < 0x60 ? HUSK_MEMORY_NEW
                             : take_handle(input, kind);
    case 'd': /* directory */
        return kind < 0x80 ? HUSK_DIR_ROOT : kind < 0xc0 ? kind % 16 : take_handle(input, kind);
    case 't': /* ioctl of a terminal */
        return 0x5400 + kind % 32;
    case 'w': /* nanoseconds: see world_limit_waiting */
        return kind < 0x50 ? 0 : kind < 0xa0 ? 1 : UINT64_MAX;
    case 'b': /* signals */
        return kind < 0xc0 ? 1ULL << kind % 64 : UINT64_MAX;
    case 'l':
        return take_length(input, kind);
    case 'x':
        return take_offset(input, kind);
    case 'L': /* bytes of whole pages */
        return (kind < 0xd0 ? kind % 16 : take(input, 2)) * HUSK_PAGE_SIZE;
    case 'o':
        return take_open_flags(input, kind);
    case 'f':
        return take_at_flags(input, kind);
    default: /* a number */
        return kind < 0xd0 ? kind : take(input, 2);
    }
}

/* One argument, or two: a path or a socket's address with its length. Returns how many. */
static unsigned argument(struct input *input, char what, uint64_t *arg)
{
    uint64_t kind = take(input, 1);
    struct world_part part;

    if (kind >= 0xf0) {
        arg[0] = take_wild(input);
        return 1;
    }
    if (what != 'p' && what != 'S') {
        arg[0] = strchr("GaPvgs", what) ? take_address(input, what, kind)
                                        : take_value(input, what, kind);
        return 1;
    }
    part = world_part(what, kind);
    arg[0] = kind < 0xc0 ? part.addr : DATA + take(input, 1);
    arg[1] = kind < 0xc0 ? part.length : take(input, 1);
    return 2;
}

/* Nobody else is there who would release what a call waits for. */
static void keep_from_blocking(struct husk_desc *desc)
{
    if (desc->op == HUSK_OP_LOCK && (int)desc->arg[1] == F_SETLKW)
        desc->arg[1] = F_SETLK;
    if (desc->op == HUSK_OP_LOCK && (int)desc->arg[1] == F_OFD_SETLKW)
        desc->arg[1] = F_OFD_SETLK;
    if (desc->op == HUSK_OP_FLOCK)
        desc->arg[1] |= LOCK_NB;
    world_limit_waiting(desc);
}

static void fill(struct input *input, struct husk_desc *desc, unsigned op)
{
    unsigned count = 0;

    *desc = (struct husk_desc){.op = op};
    for (const char *what = op < COUNT(kinds) ? kinds[op] : "nnnnnn"; *what; what++)
        count += argument(input, *what, &desc->arg[count]);
}

/* The descriptor as the monitor found it, and what it wrote there. */
static void check_result(const struct husk_desc *asked, int64_t result)
{
    require(result >= -4095, "a result is neither a value nor an error");
    if (asked->op == HUSK_OP_READ || asked->op == HUSK_OP_WRITE || asked->op == HUSK_OP_GETDENTS)
        require(result < 0 || (uint64_t)result <= asked->arg[2], "more bytes than were asked for");
    if (asked->op == HUSK_OP_MAP && result == 0)
        world_check_fresh(asked->arg[0], asked->arg[1]);
}

/* The first byte: which operation, and how it comes to the monitor. */
static void call(struct input *input)
{
    struct husk_doorbell *doorbell = memory_host(&world.memory, HUSK_DESC_PAGE);
    uint64_t kind = take(input, 1);
    unsigned op = groups[HYPERCALL_GROUP].operations[kind % 32 % groups[HYPERCALL_GROUP].count];
    struct husk_desc *desc = &doorbell->desc[HUSK_SERVED_DESC], asked;
    bool posted = kind >= 0xb0;

    input->calls++;
    if (op == DO_SIGNAL || op == DO_TAKE) {
        world_happens(op == DO_SIGNAL ? (int)take(input, 1) : -1);
        return;
    }
    fill(input, desc, op);
    if (kind >= 0xf8) { /* none that there is */
        desc->op = HUSK_OP_COUNT + (uint32_t)take(input, 1);
        desc->flags = (uint32_t)take(input, 1);
    }
    keep_from_blocking(desc);
    if (kind >= 0xa0 && !posted) { /* guest-rt defers only those that the monitor would do so */
        doorbell->desc[HUSK_DEFERRED_DESC + doorbell->deferred++ % HUSK_DEFERRED_MAX] = *desc;
        return;
    }
    asked = *desc;
    /* As guest-rt does: what the server declines comes by the doorbell. */
    if (!posted || !hypercall_serve_posted(&world))
        require(hypercall_serve(&world, HUSK_SERVED_DESC) == 0, "a descriptor is refused");
    check_result(&asked, desc->result);
    world_note(&asked, desc->result);
    input->results[input->calls % 8] = (uint64_t)desc->result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.at = data, .end = data + size};

    if (!world.mounts) {
        check_groups();
        world_create(HYPERCALL_GROUP);
    }
    world_begin((unsigned)take(&input, 1), data, size);
    while (input.at < input.end && input.calls < CALLS_MAX && !world.ended)
        call(&input);
    hypercall_finish(&world); /* what was deferred, as at the end of a run */
    world_end();
    return 0;
}
