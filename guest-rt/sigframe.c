/* SPDX-License-Identifier: ISC
 *
 * Calling a handler and returning from it: the frame on the application's stack, as
 * arch/x86/include/asm/sigframe.h of Linux lays it out, since libc and unwinders know it.
 */
#include "thread.h"

#include <asm/sigcontext.h>
#include <asm/ucontext.h>
#include <linux/signal.h>

#define RED_ZONE      128
#define MAGIC_BYTES   4          /* FP_XSTATE_MAGIC2 behind the state */
#define STATE_ALIGN   64         /* of XSAVE's area */
#define FLAGS_KEPT    0x40dd5ULL /* CF PF AF ZF SF TF DF OF AC may be the handler's choice */
#define FLAGS_ALWAYS  0x202ULL   /* IF and the bit that is always set */
#define FLAGS_CLEARED (1ULL << 10 | 1ULL << 16 | 1ULL << 8) /* DF, RF and TF, for a handler */
#define MINSIGSTKSZ_  2048

struct sigframe {
    uint64_t return_address;
    struct ucontext context;
    siginfo_t info;
};

/* The software's part of the state's first 512 bytes, in its last 48. */
struct state_note {
    uint32_t magic, extended_size;
    uint64_t features;
    uint32_t state_size, pad[7];
};
_Static_assert(sizeof(struct state_note) == 48, "struct _fpx_sw_bytes");

static bool on_alternate(uint64_t rsp)
{
    const struct thread_signals *signals = &current->signals;

    return signals->alternate_size && rsp > signals->alternate &&
           rsp - signals->alternate <= signals->alternate_size;
}

static stack_t alternate_stack(uint64_t rsp)
{
    const struct thread_signals *signals = &current->signals;
    stack_t stack = {.ss_sp = (void *)signals->alternate,
                     .ss_size = signals->alternate_size,
                     .ss_flags = (int)signals->alternate_flags};

    if (!signals->alternate_size)
        stack.ss_flags = SS_DISABLE;
    else if (on_alternate(rsp))
        stack.ss_flags |= SS_ONSTACK;
    return stack;
}

/* The extended state at ADDR, aligned. */
static bool write_state(uint64_t addr)
{
    const uint32_t end = FP_XSTATE_MAGIC2;
    struct state_note note = {.magic = FP_XSTATE_MAGIC1,
                              .extended_size = fpu_size() + MAGIC_BYTES,
                              .features = fpu_components(),
                              .state_size = fpu_size()};

    fpu_save(current->fpu);
    if (!note.features)
        note = (struct state_note){0};
    memcpy((char *)current->fpu + 512 - sizeof(note), &note, sizeof(note));
    return user_copy((void *)addr, current->fpu, fpu_size()) == 0 &&
           user_write(addr + fpu_size(), &end) == 0;
}

static void save_registers(struct sigcontext *to, const struct husk_regs *regs)
{
    *to = (struct sigcontext){
        .r8 = regs->r8,
        .r9 = regs->r9,
        .r10 = regs->r10,
        .r11 = regs->r11,
        .r12 = regs->r12,
        .r13 = regs->r13,
        .r14 = regs->r14,
        .r15 = regs->r15,
        .rdi = regs->rdi,
        .rsi = regs->rsi,
        .rbp = regs->rbp,
        .rbx = regs->rbx,
        .rdx = regs->rdx,
        .rax = regs->rax,
        .rcx = regs->rcx,
        .rsp = regs->rsp,
        .rip = regs->rip,
        .eflags = regs->rflags,
        .cs = HUSK_USER_CS,
        .ss = HUSK_USER_SS,
        .err = current->signals.error,
        .trapno = current->signals.vector,
        .cr2 = current->signals.address,
    };
}

static void load_registers(struct husk_regs *regs, const struct sigcontext *from)
{
    *regs = (struct husk_regs){
        .r8 = from->r8,
        .r9 = from->r9,
        .r10 = from->r10,
        .r11 = from->r11,
        .r12 = from->r12,
        .r13 = from->r13,
        .r14 = from->r14,
        .r15 = from->r15,
        .rdi = from->rdi,
        .rsi = from->rsi,
        .rbp = from->rbp,
        .rbx = from->rbx,
        .rdx = from->rdx,
        .rax = from->rax,
        .rcx = from->rcx,
        .rsp = from->rsp,
        .rip = from->rip,
        .rflags = (from->eflags & FLAGS_KEPT) | FLAGS_ALWAYS,
        .cs = HUSK_USER_CS,
        .ss = HUSK_USER_SS,
    };
}

static uint64_t stack_for(const struct signal_action *action, uint64_t rsp)
{
    const struct thread_signals *signals = &current->signals;

    if (action->flags & SA_ONSTACK && signals->alternate_size && !on_alternate(rsp))
        return signals->alternate + signals->alternate_size;
    return rsp - RED_ZONE;
}

bool sigframe_push(struct husk_regs *regs, const struct signal_action *action,
                   const siginfo_t *info, uint64_t blocked)
{
    struct sigframe frame = {.return_address = action->restorer, .info = *info};
    uint64_t state, at;

    if (!(action->flags & SA_RESTORER) || !thread_provide_fpu(current))
        return false;
    state = (stack_for(action, regs->rsp) - fpu_size() - MAGIC_BYTES) & -(uint64_t)STATE_ALIGN;
    at = ((state - sizeof(frame)) & ~15ULL) - 8;
    save_registers(&frame.context.uc_mcontext, regs);
    frame.context.uc_flags =
        (fpu_components() ? UC_FP_XSTATE : 0) | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    frame.context.uc_mcontext.fpstate = (struct _fpstate *)state;
    frame.context.uc_stack = alternate_stack(regs->rsp);
    memcpy(&frame.context.uc_sigmask, &blocked, sizeof(blocked));
    if (!write_state(state) || user_write(at, &frame) < 0)
        return false;
    if (current->signals.alternate_flags & SS_AUTODISARM)
        current->signals.alternate_size = 0;
    regs->rdi = info->si_signo;
    regs->rsi = at + offsetof(struct sigframe, info);
    regs->rdx = at + offsetof(struct sigframe, context);
    regs->rax = 0;
    regs->rip = action->handler;
    regs->rsp = at;
    regs->rflags &= ~FLAGS_CLEARED;
    return true;
}

/* The handler may have changed all of it. Without a state the extended registers stay. */
static bool read_state(uint64_t addr)
{
    if (!addr)
        return true;
    if (user_copy(current->fpu, (void *)addr, fpu_size()) < 0)
        return false;
    fpu_sanitize(current->fpu);
    fpu_load(current->fpu);
    return true;
}

static int64_t set_alternate(const stack_t *stack, uint64_t rsp)
{
    struct thread_signals *signals = &current->signals;
    uint32_t flags = stack->ss_flags, mode = flags & ~SS_AUTODISARM;

    if (on_alternate(rsp) && !(signals->alternate_flags & SS_AUTODISARM))
        return -EPERM;
    if (mode != 0 && mode != SS_DISABLE && mode != SS_ONSTACK)
        return -EINVAL;
    if (mode != SS_DISABLE && stack->ss_size < MINSIGSTKSZ_)
        return -ENOMEM;
    signals->alternate = mode == SS_DISABLE ? 0 : (uint64_t)stack->ss_sp;
    signals->alternate_size = mode == SS_DISABLE ? 0 : stack->ss_size;
    signals->alternate_flags = flags & SS_AUTODISARM;
    return 0;
}

int64_t sys_sigaltstack(const struct call *call)
{
    stack_t new, old = alternate_stack(call->regs->rsp);
    int64_t ret = 0;

    if (call->arg[0] && user_read(&new, call->arg[0]) < 0)
        return -EFAULT;
    if (call->arg[0])
        ret = set_alternate(&new, call->regs->rsp);
    if (ret < 0)
        return ret;
    return call->arg[1] ? user_write(call->arg[1], &old) : 0;
}

int64_t sys_rt_sigreturn(const struct call *call)
{
    struct thread_signals *signals = &current->signals;
    uint64_t at = call->regs->rsp - offsetof(struct sigframe, context);
    struct sigframe frame;

    if (user_read(&frame, at) < 0 || !thread_provide_fpu(current) ||
        !read_state((uint64_t)frame.context.uc_mcontext.fpstate))
        rt_exit(0, SIGSEGV);
    load_registers(call->regs, &frame.context.uc_mcontext);
    set_alternate(&frame.context.uc_stack, call->regs->rsp);
    memcpy(&signals->blocked, &frame.context.uc_sigmask, sizeof(signals->blocked));
    signals->blocked &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    signals->restore = true;
    current->call = -1;
    thread_work = 1;
    return call->regs->rax;
}
