/* SPDX-License-Identifier: ISC */
#include "world_signals.h"

#include <linux/kvm.h>
#include <signal.h>
#include <stddef.h>

#include "guest.h"
#include "interrupt.h"
#include "world.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define BIT(signal) (1ULL << ((signal)-1))
#define NEVER       1000000000000ULL /* nanoseconds: no input takes so long */

/* Those of interrupt.c, and libFuzzer's others that interrupt_init takes. */
static const int forwardable[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
static struct sigaction as_before[COUNT(forwardable)];

static struct kvm_run vcpu;
static uint64_t forwarded, arrived;
static bool alarm_set, alarm_near;

void signals_create(void)
{
    struct sigaction alarm;
    uint64_t ignored;

    for (size_t i = 0; i < COUNT(forwardable); i++)
        sigaction(forwardable[i], NULL, &as_before[i]);
    sigaction(SIGALRM, NULL, &alarm);
    require(interrupt_init(&vcpu, 0, 0, &ignored) == 0, "interrupt_init");
    sigaction(SIGALRM, &alarm, NULL);
    for (size_t i = 0; i < COUNT(forwardable); i++)
        sigaction(forwardable[i], &as_before[i], NULL);
}

void signals_note(const struct husk_desc *asked, int64_t result)
{
    if (result < 0)
        return;
    if (asked->op == HUSK_OP_FORWARD)
        forwarded |= asked->arg[0];
    if (asked->op == HUSK_OP_ALARM) {
        alarm_set = true;
        alarm_near = asked->arg[0] == 1;
    }
}

/* Waiting without an end is for those whom something interrupts. */
void world_limit_waiting(struct husk_desc *desc)
{
    uint64_t *span = desc->op == HUSK_OP_WAIT     ? &desc->arg[2]
                     : desc->op == HUSK_OP_EVENTS ? &desc->arg[3]
                                                  : NULL;

    if (desc->op == HUSK_OP_ALARM && desc->arg[0] > 1)
        desc->arg[0] = NEVER;
    if (span && *span != 0 && !arrived && !alarm_near)
        *span = 1;
}

/* What pass_interruption (cmd_run.c) does after each exit. */
static void interrupt(void)
{
    uint64_t signals = 0;
    bool taken = interrupt_take(&signals);

    require(taken || !arrived, "a signal got lost");
    require(!taken || signals == arrived, "other signals than those that came");
    if (taken)
        alarm_near = false;
    arrived = 0;
}

void world_happens(int signal)
{
    int number = forwardable[(unsigned)signal % COUNT(forwardable)];

    if (signal < 0) {
        interrupt();
    } else if (forwarded & BIT(number)) {
        arrived |= BIT(number);
        raise(number);
    }
}

void signals_restore(void)
{
    uint64_t signals;

    if (!forwarded && !alarm_set)
        return;
    require(interrupt_alarm(0) == 0, "interrupt_alarm");
    interrupt_take(&signals);
    for (size_t i = 0; i < COUNT(forwardable); i++)
        if (forwarded & BIT(forwardable[i]))
            sigaction(forwardable[i], &as_before[i], NULL);
    forwarded = arrived = 0;
    alarm_set = alarm_near = false;
}
