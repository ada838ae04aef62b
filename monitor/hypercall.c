/* SPDX-License-Identifier: ISC */
#include "hypercall.h"

#include <errno.h>

#include "server.h"

static const struct {
    const char *name;
    hypercall_fn *serve;
} operations[HUSK_OP_COUNT] = {
    [HUSK_OP_EXIT] = {"exit", serve_exit},
    [HUSK_OP_FAULT] = {"fault", serve_fault},
    [HUSK_OP_TRACE] = {"trace", serve_trace},
    [HUSK_OP_MARK] = {"mark", serve_mark},
    [HUSK_OP_CLOCK] = {"clock", serve_clock},
    [HUSK_OP_WAIT] = {"wait", serve_wait},
    [HUSK_OP_ALARM] = {"alarm", serve_alarm},
    [HUSK_OP_FORWARD] = {"forward", serve_forward},
    [HUSK_OP_JOIN] = {"join", serve_join},
    [HUSK_OP_RANDOM] = {"random", serve_random},
    [HUSK_OP_FSBASE] = {"fsbase", serve_fsbase},
    [HUSK_OP_MAP] = {"map", serve_map},
    [HUSK_OP_PROTECT] = {"protect", serve_protect},
    [HUSK_OP_UNMAP] = {"unmap", serve_unmap},
    [HUSK_OP_DISCARD] = {"discard", serve_discard},
    [HUSK_OP_READ] = {"read", serve_read},
    [HUSK_OP_WRITE] = {"write", serve_write},
    [HUSK_OP_READV] = {"readv", serve_readv},
    [HUSK_OP_WRITEV] = {"writev", serve_writev},
    [HUSK_OP_OPEN] = {"open", serve_open},
    [HUSK_OP_CLOSE] = {"close", serve_close},
    [HUSK_OP_SEEK] = {"seek", serve_seek},
    [HUSK_OP_STAT] = {"stat", serve_stat},
    [HUSK_OP_ACCESS] = {"access", serve_access},
    [HUSK_OP_READLINK] = {"readlink", serve_readlink},
    [HUSK_OP_GETDENTS] = {"getdents", serve_getdents},
    [HUSK_OP_PATH] = {"path", serve_path},
    [HUSK_OP_TTY] = {"tty", serve_tty},
    [HUSK_OP_MAPFILE] = {"mapfile", serve_mapfile},
    [HUSK_OP_MSYNC] = {"msync", serve_msync},
    [HUSK_OP_MKDIR] = {"mkdir", serve_mkdir},
    [HUSK_OP_UNLINK] = {"unlink", serve_unlink},
    [HUSK_OP_RENAME] = {"rename", serve_rename},
    [HUSK_OP_LINK] = {"link", serve_link},
    [HUSK_OP_SYMLINK] = {"symlink", serve_symlink},
    [HUSK_OP_CHMOD] = {"chmod", serve_chmod},
    [HUSK_OP_CHOWN] = {"chown", serve_chown},
    [HUSK_OP_UTIMES] = {"utimes", serve_utimes},
    [HUSK_OP_TRUNCATE] = {"truncate", serve_truncate},
    [HUSK_OP_STATFS] = {"statfs", serve_statfs},
    [HUSK_OP_ALLOCATE] = {"allocate", serve_allocate},
    [HUSK_OP_SYNC] = {"sync", serve_sync},
    [HUSK_OP_LOCK] = {"lock", serve_lock},
    [HUSK_OP_FLOCK] = {"flock", serve_flock},
    [HUSK_OP_APPEND] = {"append", serve_append},
    [HUSK_OP_RESOLVE] = {"resolve", serve_resolve},
    [HUSK_OP_SOCKET] = {"socket", serve_socket},
    [HUSK_OP_BIND] = {"bind", serve_bind},
    [HUSK_OP_LISTEN] = {"listen", serve_listen},
    [HUSK_OP_ACCEPT] = {"accept", serve_accept},
    [HUSK_OP_CONNECT] = {"connect", serve_connect},
    [HUSK_OP_SHUTDOWN] = {"shutdown", serve_shutdown},
    [HUSK_OP_NAME] = {"name", serve_name},
    [HUSK_OP_SEND] = {"send", serve_send},
    [HUSK_OP_RECEIVE] = {"receive", serve_receive},
    [HUSK_OP_SENDFILE] = {"sendfile", serve_sendfile},
    [HUSK_OP_GETOPT] = {"getoption", serve_getoption},
    [HUSK_OP_SETOPT] = {"setoption", serve_setoption},
    [HUSK_OP_QUEUED] = {"queued", serve_queued},
    [HUSK_OP_SKIP] = {"skip", serve_skip},
    [HUSK_OP_HOSTS] = {"hosts", serve_hosts},
    [HUSK_OP_EPOLL] = {"epoll", serve_epoll},
    [HUSK_OP_WATCH] = {"watch", serve_watch},
    [HUSK_OP_EVENTS] = {"events", serve_events},
    [HUSK_OP_MEMORY] = {"memory", serve_memory},
    [HUSK_OP_IMAGE] = {"image", serve_image},
    [HUSK_OP_VOLUME] = {"volume", serve_volume},
};

const char *hypercall_name(uint32_t op)
{
    return op < HUSK_OP_COUNT ? operations[op].name : NULL;
}

static bool is_kind(struct run *run, uint64_t number, enum husk_kind kind)
{
    const struct handle *handle = handles_get(&run->handles, number);

    return handle && handle->kind == kind;
}

/* FIFOs and devices are waited for. */
static bool opens_at_once(const struct run_options *options)
{
    for (size_t i = 0; i < options->volume_count; i++)
        if (options->volumes[i].devices)
            return false;
    return true;
}

/* What the server may do: it changes no page tables, does not end the run, and waits for nothing
 * but a disk. */
static bool is_short(struct run *run, const struct husk_desc *desc)
{
    switch (desc->op) {
    case HUSK_OP_OPEN:
        return opens_at_once(run->options);
    case HUSK_OP_STAT:
    case HUSK_OP_STATFS:
    case HUSK_OP_ACCESS:
    case HUSK_OP_READLINK:
    case HUSK_OP_RESOLVE:
    case HUSK_OP_GETDENTS:
    case HUSK_OP_PATH:
    case HUSK_OP_SEEK:
    case HUSK_OP_CLOSE:
    case HUSK_OP_MKDIR:
    case HUSK_OP_UNLINK:
    case HUSK_OP_RENAME:
    case HUSK_OP_LINK:
    case HUSK_OP_SYMLINK:
    case HUSK_OP_CHMOD:
    case HUSK_OP_CHOWN:
    case HUSK_OP_UTIMES:
    case HUSK_OP_TRUNCATE:
    case HUSK_OP_SYNC:
        return true;
    case HUSK_OP_WRITE:
    case HUSK_OP_WRITEV:
    case HUSK_OP_ALLOCATE:
        if (run->output_left != UINT64_MAX)
            return false; /* --max-output ends the run */
        __attribute__((fallthrough));
    case HUSK_OP_READ:
    case HUSK_OP_READV:
        return is_kind(run, desc->arg[0], HUSK_KIND_FILE) ||
               is_kind(run, desc->arg[0], HUSK_KIND_SOCKET);
    case HUSK_OP_SEND:
    case HUSK_OP_RECEIVE:
    case HUSK_OP_SKIP:
    case HUSK_OP_ACCEPT:
    case HUSK_OP_SENDFILE: /* sockets never block here */
    case HUSK_OP_WATCH:
    case HUSK_OP_EVENTS: /* see timeout_of */
    case HUSK_OP_WAIT:
        return true;
    default:
        return false;
    }
}

/* The argument that says how long an operation may wait. The server looks without waiting. */
static uint64_t *timeout_of(struct husk_desc *desc)
{
    return desc->op == HUSK_OP_EVENTS ? &desc->arg[3]
           : desc->op == HUSK_OP_WAIT ? &desc->arg[2]
                                      : NULL;
}

static bool waits(struct husk_desc *desc)
{
    const uint64_t *timeout = timeout_of(desc);

    return timeout && *timeout != 0;
}

static int64_t act(struct run *run, const struct husk_desc *desc)
{
    uint64_t began = stats_begin(&run->stats);
    int64_t result = operations[desc->op].serve(run, desc);

    stats_hypercall(&run->stats, desc->op, began);
    return result;
}

static bool is_deferrable(const struct husk_desc *desc)
{
    return !desc->flags && (desc->op == HUSK_OP_CLOSE || desc->op == HUSK_OP_SKIP);
}

/* What the guest left to be done before its next operation. */
static void serve_deferred(struct run *run)
{
    struct husk_doorbell *doorbell = memory_host(&run->memory, HUSK_DESC_PAGE);
    uint32_t count = *(volatile uint32_t *)&doorbell->deferred;

    if (count == 0)
        return;
    if (count > HUSK_DEFERRED_MAX)
        count = HUSK_DEFERRED_MAX;
    for (uint32_t i = 0; i < count; i++) {
        struct husk_desc desc =
            *(volatile struct husk_desc *)&doorbell->desc[HUSK_DEFERRED_DESC + i];

        if (!is_deferrable(&desc))
            continue;
        operations[desc.op].serve(run, &desc);
        run->stats.deferred++;
    }
    doorbell->deferred = 0;
}

int hypercall_serve(struct run *run, uint32_t index)
{
    struct husk_desc *shared = memory_host(&run->memory, HUSK_DESC_PAGE);
    struct husk_desc desc;
    bool brief;

    if (index >= HUSK_DESC_COUNT)
        return -1;
    /* The one read of the descriptor: later changes by the guest have no effect. */
    desc = *(volatile struct husk_desc *)&shared[index];
    if (desc.op >= HUSK_OP_COUNT || desc.flags) {
        shared[index].result = -ENOSYS;
        return 0;
    }
    if (!server_enter(run))
        return 0;
    serve_deferred(run);
    brief = is_short(run, &desc) && !waits(&desc);
    shared[index].result = act(run, &desc);
    server_leave(run);
    if (brief || desc.op == HUSK_OP_JOIN)
        server_consider(run);
    return 0;
}

void hypercall_finish(struct run *run)
{
    if (!server_enter(run))
        return;
    serve_deferred(run);
    server_leave(run);
}

bool hypercall_serve_posted(struct run *run)
{
    struct husk_desc *shared = memory_host(&run->memory, HUSK_DESC_PAGE);
    struct husk_desc desc = *(volatile struct husk_desc *)&shared[HUSK_SERVED_DESC];
    bool would_wait = waits(&desc);
    int64_t result;

    serve_deferred(run);
    if (desc.op >= HUSK_OP_COUNT || desc.flags || !is_short(run, &desc))
        return false;
    if (would_wait)
        *timeout_of(&desc) = 0;
    result = act(run, &desc);
    if (would_wait && result == 0)
        return false; /* nothing is ready: the vCPU's thread is the one to wait */
    shared[HUSK_SERVED_DESC].result = result;
    return true;
}
