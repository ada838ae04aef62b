/* SPDX-License-Identifier: ISC */
#include "calls.h"

#include "husk/calls.h"

#define LEA_SIZE     7
#define JUMP         0xe9 /* jmp rel32 */
#define SYSCALL_SIZE 2

/* In entry.asm: the first trampoline's place is that of struct husk_calls. */
extern const uint64_t call_room[2];

struct displacement {
    uint8_t opcode;
    int32_t distance;
} __attribute__((packed));

static bool in_trampoline(uint64_t rip)
{
    return rip >= call_room[0] + HUSK_CALL_SIZE && rip < call_room[1];
}

static uint64_t tail_of(uint64_t rip)
{
    return (rip | (HUSK_CALL_SIZE - 1)) + 1 - HUSK_CALL_TAIL;
}

/* Where the `syscall` is whose trampoline has this tail; 0: it was overwritten. */
static uint64_t syscall_of(uint64_t tail)
{
    int32_t distance;

    if (user_read(&distance, tail + LEA_SIZE - sizeof(distance)) < 0)
        return 0;
    return tail + LEA_SIZE + (uint64_t)(int64_t)distance - SYSCALL_SIZE;
}

/* The tail has changed nothing that `syscall` leaves: in it, the `syscall` is still to come. */
uint64_t calls_origin(uint64_t rip)
{
    uint64_t tail = tail_of(rip), syscall;

    if (!in_trampoline(rip) || !(syscall = syscall_of(tail)))
        return rip;
    return rip < tail ? syscall - (tail - rip) : syscall;
}

/* Where the first of the moved instructions was there is now a jump to it. */
static bool leads_to(uint64_t origin, uint64_t rip)
{
    struct displacement jump;

    return user_read(&jump, origin) == 0 && jump.opcode == JUMP &&
           origin + sizeof(jump) + (uint64_t)(int64_t)jump.distance == rip;
}

/*
 * Between moved instructions it has to stay. The first of them it can meet again by the jump, but
 * not if it goes step by step: this would be the same step for ever. From the tail it goes to the
 * `syscall`, and so no step leads into guest-rt.
 */
void calls_leave(struct husk_regs *regs, bool stepping)
{
    uint64_t origin = calls_origin(regs->rip);

    if (origin == regs->rip)
        return;
    if (regs->rip >= tail_of(regs->rip) || (!stepping && leads_to(origin, regs->rip)))
        regs->rip = origin;
}
