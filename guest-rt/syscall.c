/* SPDX-License-Identifier: ISC
 *
 * From the application's `syscall` to the function that serves it; hypercalls.
 */
#include "calls.h"
#include "lazy.h"
#include "thread.h"

static syscall_fn *const table[] = {
#define SYSCALL(number, name) [number] = sys_##name,
#include "syscalls.def"
#undef SYSCALL
};

uint64_t hypercall_count, hypercall_news;

#define POSTED_LOOKS 200  /* the server takes it within a microsecond, if it has a processor */
#define TAKEN_LOOKS  4000 /* then the doorbell is the better way to wait */

static struct husk_doorbell *doorbell(void)
{
    return (struct husk_doorbell *)HUSK_DESC_PAGE;
}

static int64_t ring(uint32_t index)
{
    hypercall_count++;
    __asm__ volatile("out %0, %1" : : "a"(index), "d"((uint16_t)HUSK_PORT) : "memory");
    return doorbell()->desc[index].result;
}

static uint32_t server_state(void)
{
    return __atomic_load_n(&doorbell()->server, __ATOMIC_SEQ_CST);
}

static bool change_server(uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&doorbell()->server, &from, to, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static uint32_t look_while(uint32_t state, unsigned looks)
{
    while (looks-- > 0 && server_state() == state)
        __builtin_ia32_pause();
    return server_state();
}

/* What the server does; it looks at the handle as well. */
static bool is_served(enum husk_op op)
{
    switch (op) {
    case HUSK_OP_READ:
    case HUSK_OP_WRITE:
    case HUSK_OP_READV:
    case HUSK_OP_WRITEV:
    case HUSK_OP_OPEN:
    case HUSK_OP_CLOSE:
    case HUSK_OP_SEEK:
    case HUSK_OP_STAT:
    case HUSK_OP_STATFS:
    case HUSK_OP_ACCESS:
    case HUSK_OP_READLINK:
    case HUSK_OP_RESOLVE:
    case HUSK_OP_GETDENTS:
    case HUSK_OP_PATH:
    case HUSK_OP_MKDIR:
    case HUSK_OP_UNLINK:
    case HUSK_OP_RENAME:
    case HUSK_OP_LINK:
    case HUSK_OP_SYMLINK:
    case HUSK_OP_CHMOD:
    case HUSK_OP_CHOWN:
    case HUSK_OP_UTIMES:
    case HUSK_OP_TRUNCATE:
    case HUSK_OP_ALLOCATE:
    case HUSK_OP_SYNC:
    case HUSK_OP_SEND:
    case HUSK_OP_RECEIVE:
    case HUSK_OP_SKIP:
    case HUSK_OP_ACCEPT:
    case HUSK_OP_SENDFILE:
    case HUSK_OP_WATCH:
    case HUSK_OP_EVENTS:
    case HUSK_OP_WAIT:
        return true;
    default:
        return false;
    }
}

static unsigned telling;

void hypercall_tell(enum telling means)
{
    telling |= means;
}

bool hypercall_is_latest(uint64_t news)
{
    return news == hypercall_news && !(telling & TELLING_MEMORY);
}

/* Can the guest learn by it what others did meanwhile? */
static bool tells(enum husk_op op)
{
    switch (op) {
    case HUSK_OP_WRITE:
    case HUSK_OP_WRITEV:
    case HUSK_OP_SEND:
    case HUSK_OP_SENDFILE:
        return telling & TELLING_SENDS;
    case HUSK_OP_TRACE:
    case HUSK_OP_MARK:
    case HUSK_OP_CLOCK:
    case HUSK_OP_ALARM:
    case HUSK_OP_JOIN:
    case HUSK_OP_FSBASE:
    case HUSK_OP_MAP:
    case HUSK_OP_PROTECT:
    case HUSK_OP_UNMAP:
    case HUSK_OP_DISCARD:
    case HUSK_OP_CLOSE:
    case HUSK_OP_SETOPT:
    case HUSK_OP_SKIP:
    case HUSK_OP_WATCH:
        return false;
    default:
        return true;
    }
}

/* Descriptor HUSK_SERVED_DESC without an exit. False: the doorbell must be rung for it. */
static bool served(void)
{
    uint32_t state;

    if (!change_server(HUSK_SERVER_FREE, HUSK_SERVER_POSTED))
        return false;
    if (look_while(HUSK_SERVER_POSTED, POSTED_LOOKS) == HUSK_SERVER_POSTED &&
        change_server(HUSK_SERVER_POSTED, HUSK_SERVER_FREE))
        return false;
    while ((state = look_while(HUSK_SERVER_TAKEN, TAKEN_LOOKS)) == HUSK_SERVER_TAKEN) {
        doorbell()->desc[0] = (struct husk_desc){.op = HUSK_OP_JOIN};
        ring(0);
    }
    change_server(state, HUSK_SERVER_FREE);
    return state == HUSK_SERVER_DONE;
}

int64_t hypercall(enum husk_op op, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                  uint64_t a5)
{
    volatile struct husk_desc *desc;
    uint32_t index;
    bool post;

    /* It makes hypercalls itself. */
    if (lazy_there)
        lazy_reach_arguments(op, (const uint64_t[]){a0, a1, a2, a3, a4, a5});
    post = server_state() == HUSK_SERVER_FREE && is_served(op);
    index = post ? HUSK_SERVED_DESC : 0;
    desc = &doorbell()->desc[index];
    hypercall_news += tells(op);
    desc->op = op;
    desc->flags = 0;
    desc->arg[0] = a0;
    desc->arg[1] = a1;
    desc->arg[2] = a2;
    desc->arg[3] = a3;
    desc->arg[4] = a4;
    desc->arg[5] = a5;
    if (post && served())
        return desc->result;
    return ring(index);
}

void hypercall_defer(enum husk_op op, uint64_t a0, uint64_t a1)
{
    uint32_t count = doorbell()->deferred;

    for (uint32_t i = 0; op == HUSK_OP_SKIP && i < count; i++) {
        struct husk_desc *other = &doorbell()->desc[HUSK_DEFERRED_DESC + i];

        if (other->op == op && other->arg[0] == a0) {
            other->arg[1] += a1;
            return;
        }
    }
    if (count == HUSK_DEFERRED_MAX) {
        HYPERCALL(op, a0, a1);
        return;
    }
    doorbell()->desc[HUSK_DEFERRED_DESC + count] = (struct husk_desc){.op = op, .arg = {a0, a1}};
    doorbell()->deferred = count + 1;
}

/* As strace -f shows it: only if there are others. */
static uint32_t traced_thread(void)
{
    return thread_count > 1 ? (uint32_t)current->tid : 0;
}

void trace_signal(const siginfo_t *info)
{
    struct husk_trace record = {
        .signal = 1,
        .arg = {info->si_signo, info->si_code, info->si_pid, info->si_uid, (uint64_t)info->si_addr},
        .thread = traced_thread(),
    };

    if (BOOT->flags & HUSK_BOOT_TRACE)
        HYPERCALL(HUSK_OP_TRACE, &record);
}

static void trace(const struct husk_regs *regs, uint64_t number, int64_t result, uint64_t exits)
{
    struct husk_trace record = {
        .number = number,
        .arg = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9},
        .result = result,
        .exits = exits,
        .thread = traced_thread(),
    };

    HYPERCALL(HUSK_OP_TRACE, &record);
}

static bool ends_the_run(uint64_t number)
{
    return number == 60 || number == 231;
}

bool interrupted(void)
{
    return __atomic_load_n(&doorbell()->pending.due, __ATOMIC_SEQ_CST);
}

/*
 * Called by entry.asm; returns whether registers were changed that a system call does not change.
 * The calling convention of Linux: the x86-64 System V ABI's appendix A.2.1.
 */
bool rt_syscall(struct husk_regs *regs)
{
    uint64_t number = regs->rax, before = hypercall_count;
    const struct call call = {
        .arg = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9},
        .regs = regs,
    };
    bool tracing = BOOT->flags & HUSK_BOOT_TRACE;

    current->call = (int64_t)number;
    if (tracing && ends_the_run(number))
        trace(regs, number, 0, 1);
    if (number < ARRAY_SIZE(table) && table[number])
        regs->rax = table[number](&call);
    else
        regs->rax = -ENOSYS;
    if (tracing)
        trace(regs, number, regs->rax, hypercall_count - before);
    if (thread_work || interrupted() || signal_restarts(regs->rax))
        return thread_return(regs, false);
    return false;
}

/* Called by entry.asm: the monitor interrupted the application. */
void rt_interrupt(struct husk_regs *regs)
{
    calls_leave(regs, false);
    current->call = -1;
    thread_return(regs, true);
}
