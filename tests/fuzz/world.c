/* SPDX-License-Identifier: ISC */
#include "world.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "embedded.h"
#include "guest.h"
#include "server.h"
#include "tree.h"
#include "world_parts.h"
#include "world_signals.h"

#define FILE_MAX (64 << 10) /* so that no input fills gigabytes: EFBIG above */

struct run world;

static enum group group;
static int nothing; /* /dev/null */
static struct run_options options = {.image = "fuzz"};
static struct volume_option devices = {.devices = true};
static struct termios terminal;
static struct handle stdio[3];
static bool files_changed, terminal_changed, peers_noted;

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

/* The linker puts these in the place of libc's: random bytes that are always the same, and an end
 * of the process that libFuzzer notices. */
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags)
{
    (void)flags;
    memset(buffer, 0x5a, size);
    return (ssize_t)size;
}

_Noreturn void __wrap__exit(int status);
_Noreturn void __wrap__exit(int status)
{
    (void)status;
    require(false, "the monitor ends by itself");
    abort();
}

static void start_network(void)
{
    static const char *const ports[] = {"127.0.0.1:0:80", "127.0.0.1:0:0", "127.0.0.1:0:53/udp"};
    struct husk_error err = {0};

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        require(!net_parse_publish(ports[i], &options.publish[options.publish_count++]), ports[i]);
    require(!net_parse_connect("127.0.0.1:1", &options.connect[0]), "connect");
    require(!net_parse_connect("localhost:1", &options.connect[1]), "connect");
    options.connect_count = 2;
    require(net_start(&world.network, &options, -1, &err) == 0, err.text);
}

/* A fault is reported with the symbols of guest-rt, which is the program here. */
static void start_program(void)
{
    const struct elf_file file = {"fuzz", -1, embedded_guest_rt, embedded_guest_rt_size};
    struct program *program = &world.program;
    struct husk_error err = {0};

    require(elf_parse(&file, &program->image, &err) == 0, err.text);
    program->rt = program->image.note;
    program->stack_top = DATA + DATA_SIZE;
    program->stack_low = DATA;
}

/* Standard input, output and error: nothing to wait for, and nowhere to write to but a terminal of
 * its own. */
static void start_stdio(void)
{
    const uint8_t kinds[3] = {HUSK_KIND_STREAM, HUSK_KIND_STREAM, HUSK_KIND_TTY};
    int master, slave = nothing, zero = open("/dev/zero", O_RDWR | O_CLOEXEC);

    require(nothing >= 0 && zero >= 0, "open");
    if (group == PROCESS) {
        require(openpty(&master, &slave, NULL, NULL, NULL) == 0, "openpty");
        require(tcgetattr(slave, &terminal) == 0, "tcgetattr");
    }
    handles_init(&world.handles, kinds);
    world.handles.table[0].dir.fd = group == MEMORY ? nothing : zero;
    world.handles.table[1].dir.fd = nothing;
    world.handles.table[2].dir.fd = slave;
    memcpy(stdio, world.handles.table, sizeof(stdio));
}

static void start_memory(void)
{
    guest_create(&world.memory);
    require(memory_map(&world.memory, DATA, DATA_SIZE, HUSK_PROT_READ | HUSK_PROT_WRITE) == 0,
            "memory_map");
    guest_keep(&world.memory);
}

void world_create(enum group which)
{
    static char buffer[64 << 10];

    group = which;
    nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    world = (struct run){.options = &options, .trace_fd = nothing, .vm = {.vcpu = -1}};
    setvbuf(stderr, buffer, _IOFBF, sizeof(buffer)); /* reports are many small pieces */
    umask(0);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){FILE_MAX, FILE_MAX});
    signals_create();
    start_memory();
    world.mounts = tree_create();
    start_stdio();
    start_program();
    if (group == NETWORK || group == WAITING)
        start_network();
    parts_create();
}

static void apply(unsigned settings)
{
    static const uint64_t output[] = {UINT64_MAX, UINT64_MAX, 5000, 0};

    world.output_left = output[settings % 4];
    world.handles.max_files = settings & 4 ? 2 : UINT64_MAX;
    world.handles.max_sockets = settings & 8 ? 2 : UINT64_MAX;
    world.trace_fd = settings & 16 ? -1 : nothing;
    world.network.trace_fd = settings & 16 ? nothing : -1;
    options.volumes = &devices;
    options.volume_count = settings >> 5 & 1;
    world.stats = (struct stats){.fd = -1};
    stats_start(&world.stats, settings & 64);
}

void world_begin(unsigned settings, const uint8_t *input, size_t size)
{
    parts_write(memory_host(&world.memory, DATA), input, size);
    world.ended = world.output_cut = false;
    world.status = 0;
    apply(settings);
}

static bool changes_files(const struct husk_desc *asked, int64_t result)
{
    switch (asked->op) {
    case HUSK_OP_OPEN:
        return asked->arg[3] & (O_CREAT | O_TRUNC) || (asked->arg[3] & O_TMPFILE) == O_TMPFILE;
    case HUSK_OP_MAPFILE: /* what is written to the memory later changes the file */
        return result >= 0 && asked->arg[5];
    case HUSK_OP_WRITE:
    case HUSK_OP_WRITEV:
        return result > 0 && (asked->arg[0] & 0xffff) > 2;
    case HUSK_OP_MKDIR:
    case HUSK_OP_UNLINK:
    case HUSK_OP_RENAME:
    case HUSK_OP_LINK:
    case HUSK_OP_SYMLINK:
    case HUSK_OP_CHMOD:
    case HUSK_OP_CHOWN:
    case HUSK_OP_TRUNCATE:
    case HUSK_OP_ALLOCATE:
        return result >= 0;
    default:
        return false;
    }
}

/* A connection that is closed must not keep its port for a minute (TIME_WAIT). */
static void close_at_once(int64_t handle)
{
    const struct linger at_once = {1, 0};
    const struct handle *opened = handles_get(&world.handles, (uint32_t)handle);

    if (opened && opened->socket && opened->socket->protocol == NET_TCP)
        setsockopt(opened->dir.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void world_note(const struct husk_desc *asked, int64_t result)
{
    files_changed |= changes_files(asked, result);
    terminal_changed |= asked->op == HUSK_OP_TTY && result >= 0;
    peers_noted |= (asked->op == HUSK_OP_RECEIVE || asked->op == HUSK_OP_READ) && result >= 0;
    if ((asked->op == HUSK_OP_SOCKET || asked->op == HUSK_OP_ACCEPT) && result >= 0)
        close_at_once(result);
    signals_note(asked, result);
}

/* The table is as new afterwards: generations begin again. */
static void close_handles(void)
{
    struct handles *handles = &world.handles;

    for (uint64_t i = 3; handles->files + handles->sockets > 0; i++) {
        struct handle *handle = &handles->table[i];

        require(i < HANDLES_MAX, "more handles are counted than there are");
        if (handle->kind == HUSK_KIND_NONE)
            continue;
        close_at_once((int64_t)(i | (uint64_t)handle->generation << 16));
        handles_close(handles, i | (uint64_t)handle->generation << 16);
    }
    for (size_t i = 3; i < 3 + 64; i++) /* more than an input can use */
        handles->table[i] = (struct handle){0};
    /* The guest may have closed these, too. */
    memcpy(handles->table, stdio, sizeof(stdio));
    handles->locks_records = false;
}

static void restore_network(void)
{
    struct net_policy *policy = &world.network.policy;

    for (size_t i = 0; i < policy->publication_count; i++) {
        struct net_publication *publication = &policy->publications[i];

        require(!publication->claimed, "a closed socket still has a published port");
        publication->announced = false;
        if (!publication->peers || !peers_noted)
            continue;
        free(publication->peers);
        publication->peers = net_peers_new();
        require(publication->peers, "net_peers_new");
    }
}

void world_end(void)
{
    if (world.ended && world.stats.enabled) {
        world.stats.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        stats_write(&world);
    }
    if (group == MEMORY)
        guest_unmap(&world.memory);
    close_handles();
    if (files_changed)
        tree_restore();
    if (terminal_changed)
        tcsetattr(world.handles.table[2].dir.fd, TCSANOW, &terminal);
    restore_network();
    signals_restore();
    fflush(stderr);
    files_changed = terminal_changed = peers_noted = false;
}

void world_check_fresh(guest_addr_t addr, uint64_t length)
{
    static const uint8_t zero[HUSK_PAGE_SIZE];
    const uint8_t *host = memory_host(&world.memory, addr);

    require(memcmp(host, zero, sizeof(zero)) == 0 &&
                memcmp(host + length - sizeof(zero), zero, sizeof(zero)) == 0,
            "fresh memory holds something");
}
