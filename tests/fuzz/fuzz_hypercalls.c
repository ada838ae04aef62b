/* SPDX-License-Identifier: ISC
 *
 * libFuzzer: the input is a list of hypercalls of one group (HYPERCALL_GROUP), served by the real
 * handlers on a guest memory without a VM, a scratch directory as a writable mount and, for the
 * network, a port of the loopback device. `make fuzz` builds one target for each group.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "hypercall.h"
#include "server.h"

enum { MEMORY, IO, PATHS, NETWORK, PROCESS };

#define RAM       (16ULL << 20)
#define FAR_END   0xfee00000
#define DATA      0x100000ULL /* a copy of the input, then what follows */
#define PATH_AT   (DATA + 0x8000)
#define DATA_SIZE 0x10000ULL
#define CALLS_MAX 48
#define OUTPUT    (1ULL << 20)
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

static const uint8_t operations[] = {
#if HYPERCALL_GROUP == 0 /* MEMORY */
    HUSK_OP_MAP,  HUSK_OP_PROTECT, HUSK_OP_UNMAP, HUSK_OP_DISCARD, HUSK_OP_MAPFILE,  HUSK_OP_MSYNC,
    HUSK_OP_READ, HUSK_OP_WRITE,   HUSK_OP_OPEN,  HUSK_OP_CLOSE,   HUSK_OP_TRUNCATE,
#elif HYPERCALL_GROUP == 1 /* IO */
    HUSK_OP_READ,  HUSK_OP_WRITE, HUSK_OP_READV,    HUSK_OP_WRITEV, HUSK_OP_OPEN,
    HUSK_OP_CLOSE, HUSK_OP_SEEK,  HUSK_OP_GETDENTS, HUSK_OP_TTY,    HUSK_OP_ALLOCATE,
    HUSK_OP_SYNC,  HUSK_OP_LOCK,  HUSK_OP_FLOCK,    HUSK_OP_APPEND, HUSK_OP_TRUNCATE,
#elif HYPERCALL_GROUP == 2 /* PATHS */
    HUSK_OP_OPEN,    HUSK_OP_CLOSE,   HUSK_OP_STAT,     HUSK_OP_ACCESS, HUSK_OP_READLINK,
    HUSK_OP_PATH,    HUSK_OP_MKDIR,   HUSK_OP_UNLINK,   HUSK_OP_RENAME, HUSK_OP_LINK,
    HUSK_OP_SYMLINK, HUSK_OP_CHMOD,   HUSK_OP_CHOWN,    HUSK_OP_UTIMES, HUSK_OP_TRUNCATE,
    HUSK_OP_STATFS,  HUSK_OP_RESOLVE, HUSK_OP_GETDENTS,
#elif HYPERCALL_GROUP == 3 /* NETWORK */
    HUSK_OP_SOCKET,  HUSK_OP_BIND,     HUSK_OP_LISTEN, HUSK_OP_ACCEPT,
    HUSK_OP_CONNECT, HUSK_OP_SHUTDOWN, HUSK_OP_NAME,   HUSK_OP_SEND,
    HUSK_OP_RECEIVE, HUSK_OP_GETOPT,   HUSK_OP_SETOPT, HUSK_OP_QUEUED,
    HUSK_OP_HOSTS,   HUSK_OP_CLOSE,    HUSK_OP_READ,   HUSK_OP_WRITE,
#else                      /* PROCESS */
    HUSK_OP_EXIT, HUSK_OP_FAULT,  HUSK_OP_TRACE,  HUSK_OP_MARK, HUSK_OP_CLOCK,
    HUSK_OP_WAIT, HUSK_OP_RANDOM, HUSK_OP_FSBASE, HUSK_OP_TTY,
#endif
};

static const char *const paths[] = {"/m", "/m/a", "/m/d", "/m/d/b", "/m/link", "/m/../m/./d/", "/"};

static struct run run;
static struct run_options options = {.image = "fuzz"};
static char scratch[] = "/tmp/husk-fuzz-XXXXXX";

/* The handlers alone are of interest: nobody else serves. */
bool server_enter(struct run *unused)
{
    (void)unused;
    return true;
}

void server_leave(struct run *unused)
{
    (void)unused;
}

void server_consider(struct run *unused)
{
    (void)unused;
}

static int accept_registration(void *context, uint64_t start, uint64_t end, void *host)
{
    (void)context, (void)start, (void)end, (void)host;
    return 0;
}

static void need(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    abort();
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void remove_scratch(void)
{
    nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void start_network(struct husk_error *err)
{
    if (HYPERCALL_GROUP != NETWORK)
        return;
    need(!net_parse_publish("127.0.0.1:0:80", &options.publish[0]), "publish");
    need(!net_parse_publish("127.0.0.1:0:53/udp", &options.publish[1]), "publish");
    options.publish_count = 2;
    need(net_start(&run.network, &options, -1, err) == 0, err->text);
}

static void start(void)
{
    const uint8_t kinds[3] = {HUSK_KIND_STREAM, HUSK_KIND_STREAM, HUSK_KIND_TTY};
    const struct sigaction faults = {.sa_handler = memory_on_bus_error, .sa_flags = SA_NODEFER};
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct husk_error err = {0};

    need(mkdtemp(scratch), "mkdtemp");
    atexit(remove_scratch);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){16 << 20, 16 << 20});
    sigaction(SIGBUS, &faults, NULL);
    sigaction(SIGSEGV, &faults, NULL);
    umask(0);
    run = (struct run){.options = &options, .trace_fd = nothing, .vm = {.vcpu = -1}};
    run.program.image.file = (struct elf_file){.name = "fuzz", .fd = -1};
    need(memory_create(&run.memory, RAM, accept_registration, NULL, &err) == 0, err.text);
    run.mounts = mounts_new();
    need(run.mounts && mounts_add(run.mounts, scratch, "/m", MOUNT_WRITABLE, &err) == 0, err.text);
    handles_init(&run.handles, kinds);
    for (int fd = 0; fd < 3; fd++)
        run.handles.table[fd].dir.fd = nothing;
    start_network(&err);
}

/* The same start for each input, but for files of earlier ones. */
static void reset(const uint8_t *data, size_t size)
{
    for (uint64_t i = 3; i < HANDLES_MAX; i++)
        if (run.handles.table[i].kind != HUSK_KIND_NONE)
            handles_close(&run.handles, i | (uint64_t)run.handles.table[i].generation << 16);
    memory_unmap(&run.memory, HUSK_NULL_GUARD, RAM - HUSK_NULL_GUARD);
    memory_unmap(&run.memory, run.memory.far_start, run.memory.far_end - run.memory.far_start);
    need(run.memory.held == 0, "memory that nobody holds counts");
    need(memory_map(&run.memory, DATA, DATA_SIZE, HUSK_PROT_READ | HUSK_PROT_WRITE) == 0, "map");
    memory_write(&run.memory, DATA, data, size < 0x8000 ? size : 0x8000);
    for (size_t i = 0; i < COUNT(paths); i++)
        memory_write(&run.memory, PATH_AT + 16 * i, paths[i], strlen(paths[i]));
    run.ended = run.output_cut = run.memory.broken = false;
    run.output_left = OUTPUT;
}

struct input {
    const uint8_t *at, *end;
    uint64_t results[16]; /* of the last calls: handles, mostly */
    unsigned calls;
};

static uint64_t take(struct input *input, unsigned bytes)
{
    uint64_t value = 0;

    for (; bytes > 0 && input->at < input->end; bytes--)
        value = value << 8 | *input->at++;
    return value;
}

/* A byte chooses what kind of value an argument is. */
static uint64_t argument(struct input *input)
{
    static const uint64_t values[] = {
        HUSK_DIR_ROOT,  HUSK_STREAM,
        1ULL << 31,     1ULL << 32,
        1ULL << 63,     RAM,
        RAM - 1,        RAM - 4096,
        64ULL << 20,    FAR_END - 4096,
        HUSK_WINDOW,    HUSK_RING0_TABLES,
        HUSK_DESC_PAGE, HUSK_RT_BASE,
        HUSK_BOOT_PAGE, 0x10000,
        DATA,           DATA + 4096,
        DATA + 0xfff8,  DATA_SIZE,
        4096,           8192,
        AT_EMPTY_PATH,  O_CREAT | O_RDWR,
        O_DIRECTORY,    O_TRUNC | O_RDWR,
        O_PATH,
    };
    uint64_t kind = take(input, 1);

    if (kind < 64)
        return kind;
    if (kind < 96)
        return values[kind % COUNT(values)];
    if (kind < 128)
        return input->results[kind % 16] & 0x7fffffff;
    if (kind < 160)
        return PATH_AT + 16 * (kind % COUNT(paths));
    if (kind < 192)
        return DATA + take(input, 2) % 0x8000;
    if (kind < 208)
        return ~take(input, 1);
    return take(input, kind < 232 ? 2 : 8);
}

static void call(struct input *input)
{
    struct husk_doorbell *doorbell = memory_host(&run.memory, HUSK_DESC_PAGE);
    struct husk_desc *desc = &doorbell->desc[7];

    desc->op = operations[take(input, 1) % COUNT(operations)];
    desc->flags = 0;
    for (unsigned i = 0; i < 6; i++)
        desc->arg[i] = argument(input);
    if (desc->op == HUSK_OP_WAIT && desc->arg[2] > 1000)
        desc->arg[2] = 1000;
    if (desc->op == HUSK_OP_LOCK && (desc->arg[1] & 0xff) == F_SETLKW)
        desc->arg[1] = F_SETLK;
    if (hypercall_serve(&run, 7) < 0)
        abort();
    input->results[input->calls++ % 16] = (uint64_t)desc->result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.at = data, .end = data + size};

    if (!run.mounts)
        start();
    reset(data, size);
    while (input.at < input.end && input.calls < CALLS_MAX)
        call(&input);
    return 0;
}
