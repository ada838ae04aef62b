/* SPDX-License-Identifier: ISC
 *
 * Threads come and go: clone, exit, their numbers and names.
 */
#include "thread.h"

#include <linux/sched.h>

#include "pages.h"

#define STACK_SIZE  (32 << 10) /* a rename's two paths need most of it */
#define FPU_ALIGN   64         /* of XSAVE's area */
#define TID_MAX     (1 << 22)  /* PID_MAX_LIMIT of Linux: TIDs are below */
#define THREADS_MAX 8192
#define SPARE_MAX   16 /* memory of threads that ended, kept for new ones */

/* What clone(2) must say, and may say, to make a thread. */
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define OTHER_FLAGS                                                                                \
    (CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID |                   \
     CLONE_CHILD_SETTID | CLONE_DETACHED)

static struct thread first = {.tid = PID, .deadline = NEVER, .call = -1, .name = "husk"};
static struct thread *all = &first;
static struct thread *spare;
static uint32_t spare_count;
static int32_t last_tid = PID;

uint32_t thread_count = 1;

void thread_init(void)
{
    current = &first;
    first.stack_top = kernel_stack_pointer;
}

struct thread *thread_after(const struct thread *thread)
{
    return thread ? thread->next_of_all : all;
}

struct thread *thread_find(uint64_t tid)
{
    struct thread *thread = all;

    while (thread && thread->tid != (int32_t)tid)
        thread = thread->next_of_all;
    return thread;
}

void fs_base_set(uint64_t base)
{
    if (BOOT->flags & HUSK_BOOT_FSGSBASE)
        __asm__ volatile("wrfsbase %0" : : "r"(base));
    else
        HYPERCALL(HUSK_OP_FSBASE, base);
    current->fs_base = base;
}

uint64_t fs_base_get(void)
{
    uint64_t base = current->fs_base;

    if (BOOT->flags & HUSK_BOOT_FSGSBASE)
        __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

static int32_t new_tid(void)
{
    do
        last_tid = last_tid + 1 < TID_MAX ? last_tid + 1 : PID + 1;
    while (thread_find(last_tid));
    return last_tid;
}

/* One block: the stack, above it the thread and its extended state. */
static size_t block_size(void)
{
    return page_up(STACK_SIZE + sizeof(struct thread) + FPU_ALIGN + fpu_size());
}

static void *fpu_area(const struct thread *thread)
{
    return (void *)(((uint64_t)(thread + 1) + FPU_ALIGN - 1) & ~(uint64_t)(FPU_ALIGN - 1));
}

/* The first thread's has no place of its own before it is needed. */
bool thread_provide_fpu(struct thread *thread)
{
    if (!thread->fpu)
        thread->fpu = rt_pages_alloc(fpu_size());
    return thread->fpu != NULL;
}

static struct thread *thread_alloc(void)
{
    struct thread *thread = spare;
    char *stack;

    if (thread) {
        spare = thread->next;
        spare_count--;
        stack = thread->stack;
    } else {
        stack = rt_stack_alloc(block_size());
        if (!stack)
            return NULL;
        thread = (struct thread *)(stack + STACK_SIZE);
    }
    *thread = (struct thread){.tid = new_tid(),
                              .deadline = NEVER,
                              .call = -1,
                              .stack = stack,
                              .stack_top = (uint64_t)stack + STACK_SIZE,
                              .fpu = fpu_area(thread)};
    return thread;
}

void thread_free(struct thread *thread)
{
    if (!thread->stack)
        return;
    if (spare_count < SPARE_MAX) {
        thread->next = spare;
        spare = thread;
        spare_count++;
    } else {
        rt_stack_free(thread->stack, block_size());
    }
}

static void enter_list(struct thread *thread)
{
    thread->next_of_all = all;
    if (all)
        all->previous_of_all = thread;
    all = thread;
    thread_count++;
}

static void leave_list(struct thread *thread)
{
    if (thread->previous_of_all)
        thread->previous_of_all->next_of_all = thread->next_of_all;
    else
        all = thread->next_of_all;
    if (thread->next_of_all)
        thread->next_of_all->previous_of_all = thread->previous_of_all;
    thread_count--;
}

/* The new thread returns from the same call, with 0 and a stack of its own. */
static void prepare_registers(struct thread *thread, const struct call *call)
{
    struct husk_regs *regs = (struct husk_regs *)thread->stack_top - 1;
    uint64_t *frame = (uint64_t *)regs - 7;

    *regs = *call->regs;
    regs->rax = 0;
    regs->rip = call->regs->rip;
    if (call->arg[1])
        regs->rsp = call->arg[1];
    for (int i = 0; i < 6; i++)
        frame[i] = 0; /* what thread_switch takes from the stack, and where it returns to */
    frame[6] = (uint64_t)thread_begin;
    thread->stack_pointer = (uint64_t)frame;
}

int64_t sys_clone(const struct call *call)
{
    uint64_t flags = call->arg[0], tls = call->arg[4];
    struct thread *thread;

    if ((flags & CLONE_THREAD && !(flags & CLONE_SIGHAND)) ||
        (flags & CLONE_SIGHAND && !(flags & CLONE_VM)))
        return -EINVAL;
    if ((flags & THREAD_FLAGS) != THREAD_FLAGS)
        return -ENOSYS; /* a process of its own: there is one */
    if (flags & ~(uint64_t)(THREAD_FLAGS | OTHER_FLAGS))
        return -EINVAL;
    if (flags & CLONE_SETTLS && tls >> 47)
        return -EPERM;
    if (thread_count >= THREADS_MAX)
        return -EAGAIN;
    if (!thread_provide_fpu(current) || !(thread = thread_alloc()))
        return -ENOMEM;
    if ((flags & CLONE_PARENT_SETTID && user_write(call->arg[2], &thread->tid) < 0) ||
        (flags & CLONE_CHILD_SETTID && user_write(call->arg[3], &thread->tid) < 0)) {
        thread_free(thread);
        return -EFAULT;
    }
    memcpy(thread->name, current->name, sizeof(thread->name));
    thread->fs_base = flags & CLONE_SETTLS ? tls : fs_base_get();
    thread->clear_tid = flags & CLONE_CHILD_CLEARTID ? call->arg[3] : 0;
    thread->signals.blocked = current->signals.blocked;
    thread_account();
    fpu_save(thread->fpu);
    prepare_registers(thread, call);
    enter_list(thread);
    thread_start(thread);
    return thread->tid;
}

int64_t sys_exit(const struct call *call)
{
    if (thread_count == 1)
        rt_exit(call->arg[0], 0);
    futex_thread_exit(current);
    signals_thread_exit(current);
    leave_list(current);
    thread_stop();
}

int64_t sys_gettid(const struct call *call)
{
    (void)call;
    return current->tid;
}

int64_t sys_set_tid_address(const struct call *call)
{
    current->clear_tid = call->arg[0];
    return current->tid;
}

int64_t sys_sched_yield(const struct call *call)
{
    (void)call;
    thread_yield();
    return 0;
}
