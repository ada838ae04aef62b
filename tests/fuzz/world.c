/* SPDX-License-Identifier: ISC */
#include "world.h"

#include <elf.h>
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

#include "guest.h"
#include "server.h"
#include "tree.h"
#include "world_parts.h"
#include "world_signals.h"

/* No input fills gigabytes: EFBIG above. Longer than the log, which the limit is for as well. */
#define FILE_MAX (1 << 20)

struct run world;

static enum group group;
static int nothing; /* /dev/null */
static struct run_options options = {.image = "fuzz"};
static struct volume_option devices = {.devices = true};
static struct termios terminal;
static struct handle stdio[3];
static enum tree_change files_changed;
static bool terminal_changed, peers_noted, looks;

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

/* The linker puts it in the place of libc's: libFuzzer does not notice that one. */
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

/* The program of which a fault is reported: nothing but two functions' names. */
static const struct {
    Elf64_Ehdr header;
    Elf64_Shdr sections[3];
    Elf64_Sym symbols[3];
    char names[16];
} program_file = {
#define AT(member) offsetof(typeof(program_file), member)
    .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
               .e_type = ET_EXEC,
               .e_machine = EM_X86_64,
               .e_shoff = AT(sections),
               .e_shentsize = sizeof(Elf64_Shdr),
               .e_shnum = 3},
    .sections = {[1] = {.sh_type = SHT_SYMTAB,
                        .sh_offset = AT(symbols),
                        .sh_size = sizeof(program_file.symbols),
                        .sh_entsize = sizeof(Elf64_Sym),
                        .sh_link = 2},
                 [2] = {.sh_type = SHT_STRTAB,
                        .sh_offset = AT(names),
                        .sh_size = sizeof(program_file.names)}},
    .symbols = {[1] = {.st_name = 1, .st_info = STT_FUNC, .st_value = DATA, .st_size = 0x1000},
                [2] = {.st_name = 6, .st_info = STT_FUNC, .st_value = RESULTS, .st_size = 0x1000}},
    .names = "\0main\0\033esc",
};

static void start_program(void)
{
    struct program *program = &world.program;

    program->image.file =
        (struct elf_file){"fuzz", -1, (const uint8_t *)&program_file, sizeof(program_file)};
    program->image.low = DATA;
    program->image.high = DATA + DATA_SIZE;
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
    looks = settings & 128;
}

/* Only for what the input does: libFuzzer writes files, too. */
static void limit_files(rlim_t most)
{
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){most, RLIM_INFINITY});
}

void world_begin(unsigned settings, const uint8_t *input, size_t size)
{
    parts_write(memory_host(&world.memory, DATA), input, size);
    world.ended = world.output_cut = false;
    world.status = 0;
    apply(settings);
    limit_files(FILE_MAX);
}

static enum tree_change changes_files(const struct husk_desc *asked, int64_t result)
{
    switch (asked->op) {
    case HUSK_OP_OPEN: /* O_TRUNC may have changed what then could not be opened */
        return asked->arg[3] & O_TRUNC                                ? TREE_DATA
               : result >= 0 && asked->arg[3] & (O_CREAT | O_TMPFILE) ? TREE_NAMES
                                                                      : TREE_UNCHANGED;
    case HUSK_OP_MAPFILE: /* what is written to the memory later changes the file */
        return result >= 0 && asked->arg[5] ? TREE_DATA : TREE_UNCHANGED;
    case HUSK_OP_WRITE:
    case HUSK_OP_WRITEV:
        return result > 0 && (asked->arg[0] & 0xffff) > 2 ? TREE_DATA : TREE_UNCHANGED;
    case HUSK_OP_TRUNCATE:
    case HUSK_OP_ALLOCATE:
        return result >= 0 ? TREE_DATA : TREE_UNCHANGED;
    case HUSK_OP_MKDIR:
    case HUSK_OP_UNLINK:
    case HUSK_OP_RENAME:
    case HUSK_OP_LINK:
    case HUSK_OP_SYMLINK:
        return result >= 0 ? TREE_NAMES : TREE_UNCHANGED;
    case HUSK_OP_CHMOD:
    case HUSK_OP_CHOWN:
        return result >= 0 ? TREE_ATTRIBUTES : TREE_UNCHANGED;
    default:
        return TREE_UNCHANGED;
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

static bool hears_peers(const struct husk_desc *asked)
{
    const struct handle *handle = handles_get(&world.handles, asked->arg[0]);

    return (asked->op == HUSK_OP_RECEIVE || asked->op == HUSK_OP_READ) && handle &&
           handle->socket && handle->socket->publication && handle->socket->publication->peers;
}

void world_note(const struct husk_desc *asked, int64_t result)
{
    enum tree_change change = changes_files(asked, result);

    files_changed = change > files_changed ? change : files_changed;
    terminal_changed |= asked->op == HUSK_OP_TTY && result >= 0;
    peers_noted |= result >= 0 && hears_peers(asked);
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
    limit_files(RLIM_INFINITY);
    if (world.ended && world.stats.enabled) {
        world.stats.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        stats_write(&world);
    }
    for (uint64_t i = 0; i < HUSK_MEMORY_FILES_MAX; i++)
        memory_files_resize(&world.memory_files, &world.memory, HUSK_MEMORY_FILE | i, 0);
    if (group == MEMORY)
        guest_restore(&world.memory);
    close_handles();
    tree_restore(files_changed);
    if (terminal_changed)
        tcsetattr(world.handles.table[2].dir.fd, TCSANOW, &terminal);
    restore_network();
    signals_restore();
    fflush(stderr);
    files_changed = TREE_UNCHANGED;
    terminal_changed = peers_noted = false;
}

void world_check_fresh(guest_addr_t addr, uint64_t length)
{
    static const uint8_t zero[HUSK_PAGE_SIZE];
    const uint8_t *host = memory_host(&world.memory, addr);

    if (!looks) /* pages that were read are slower to unmap */
        return;
    require(memcmp(host, zero, sizeof(zero)) == 0 &&
                memcmp(host + length - sizeof(zero), zero, sizeof(zero)) == 0,
            "fresh memory holds something");
}
