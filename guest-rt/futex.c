/* SPDX-License-Identifier: ISC
 *
 * futex(2). The address is the key, for private and shared ones alike: memory has one address here.
 */
#include <linux/futex.h>
#include <linux/time.h>

#include "thread.h"

#define BUCKETS    256 /* a power of two */
#define SECOND     1000000000ULL
#define ROBUST_MAX 2048 /* ROBUST_LIST_LIMIT of Linux */

/* A waiting thread, on its own stack. In each bucket they are in the order of their coming. */
struct sleeper {
    struct sleeper *next, *previous;
    struct thread *thread;
    uint64_t address;
    uint32_t bits; /* of WAIT_BITSET */
    int32_t owner; /* waits in LOCK_PI for this thread, and is woken as the owner; or 0 */
    bool woken;
};

static struct bucket {
    struct sleeper *first, *last;
} buckets[BUCKETS];
static uint32_t pi_sleepers;

static struct bucket *bucket_of(uint64_t address)
{
    uint64_t key = address >> 2;

    return &buckets[(key ^ key >> 8 ^ key >> 16) & (BUCKETS - 1)];
}

static void enter(struct sleeper *sleeper)
{
    struct bucket *bucket = bucket_of(sleeper->address);

    sleeper->next = NULL;
    sleeper->previous = bucket->last;
    if (bucket->last)
        bucket->last->next = sleeper;
    else
        bucket->first = sleeper;
    bucket->last = sleeper;
}

static void leave(struct sleeper *sleeper)
{
    struct bucket *bucket = bucket_of(sleeper->address);

    if (sleeper->previous)
        sleeper->previous->next = sleeper->next;
    else
        bucket->first = sleeper->next;
    if (sleeper->next)
        sleeper->next->previous = sleeper->previous;
    else
        bucket->last = sleeper->previous;
}

static void wake_sleeper(struct sleeper *sleeper)
{
    leave(sleeper);
    sleeper->woken = true;
    thread_wake(sleeper->thread);
}

static struct sleeper *first_at(uint64_t address, struct sleeper *from)
{
    while (from && from->address != address)
        from = from->next;
    return from;
}

static int64_t wake(uint64_t address, uint64_t count, uint32_t bits)
{
    struct sleeper *sleeper = first_at(address, bucket_of(address)->first);
    int64_t woken = 0;

    while (sleeper && (uint64_t)woken < count) {
        struct sleeper *next = first_at(address, sleeper->next);

        if (sleeper->owner)
            return -EINVAL;
        if (sleeper->bits & bits) {
            wake_sleeper(sleeper);
            woken++;
        }
        sleeper = next;
    }
    return woken;
}

/* Wait at an address. 0: woken; else thread_sleep's reason. */
static int64_t sleep_at(struct sleeper *sleeper, uint64_t deadline)
{
    int64_t ret = 0;

    sleeper->thread = current;
    enter(sleeper);
    while (!sleeper->woken && ret == 0)
        ret = thread_sleep(deadline);
    if (sleeper->woken)
        return 0;
    leave(sleeper);
    return ret;
}

/* The time limit at ADDR (0: none) as a deadline. */
static int64_t read_deadline(uint64_t addr, bool absolute, bool realtime, uint64_t *deadline)
{
    struct timespec limit;
    uint64_t ns, now;

    *deadline = NEVER;
    if (!addr)
        return 0;
    if (user_read(&limit, addr) < 0)
        return -EFAULT;
    if (limit.tv_sec < 0 || (uint64_t)limit.tv_nsec >= SECOND)
        return -EINVAL;
    if ((uint64_t)limit.tv_sec >= INT64_MAX / SECOND)
        return 0;
    ns = limit.tv_sec * SECOND + limit.tv_nsec;
    if (absolute) {
        now = realtime ? clock_realtime() : clock_monotonic();
        ns = ns > now ? ns - now : 0;
    }
    *deadline = deadline_in(ns);
    return 0;
}

static int64_t wait(const struct call *call, uint32_t bits, bool absolute, bool realtime)
{
    struct sleeper sleeper = {.address = call->arg[0], .bits = bits};
    uint64_t deadline;
    uint32_t value;
    int64_t ret = read_deadline(call->arg[3], absolute, realtime, &deadline);

    if (ret < 0)
        return ret;
    if (bits == 0)
        return -EINVAL;
    if (user_read(&value, call->arg[0]) < 0)
        return -EFAULT;
    if (value != (uint32_t)call->arg[2])
        return -EAGAIN;
    ret = sleep_at(&sleeper, deadline);
    return ret == -EINTR && deadline == NEVER ? -ERESTARTSYS : ret;
}

/* Move sleepers to another address. */
static int64_t requeue(const struct call *call, bool compare)
{
    uint64_t from = call->arg[0], to = call->arg[4];
    int32_t wakes = call->arg[2], moves = call->arg[3];
    struct sleeper *sleeper;
    int64_t done;
    uint32_t value;

    if (wakes < 0 || moves < 0 || to % sizeof(value))
        return -EINVAL;
    if (user_read(&value, from) < 0)
        return -EFAULT;
    if (compare && value != (uint32_t)call->arg[5])
        return -EAGAIN;
    if (user_read(&value, to) < 0)
        return -EFAULT;
    done = wake(from, wakes, FUTEX_BITSET_MATCH_ANY);
    sleeper = done < 0 ? NULL : first_at(from, bucket_of(from)->first);
    for (int32_t moved = 0; sleeper && moved < moves; moved++) {
        struct sleeper *next = first_at(from, sleeper->next);

        leave(sleeper);
        sleeper->address = to;
        enter(sleeper);
        done++;
        /* In the same bucket it is at the end now, where this loop may meet it again. */
        sleeper = from == to ? NULL : next;
    }
    return done;
}

static uint32_t operate(uint32_t operation, uint32_t old, uint32_t arg)
{
    switch (operation) {
    case FUTEX_OP_SET:
        return arg;
    case FUTEX_OP_ADD:
        return old + arg;
    case FUTEX_OP_OR:
        return old | arg;
    case FUTEX_OP_ANDN:
        return old & ~arg;
    default:
        return old ^ arg;
    }
}

static bool holds(uint32_t comparison, int32_t old, int32_t arg)
{
    switch (comparison) {
    case FUTEX_OP_CMP_EQ:
        return old == arg;
    case FUTEX_OP_CMP_NE:
        return old != arg;
    case FUTEX_OP_CMP_LT:
        return old < arg;
    case FUTEX_OP_CMP_LE:
        return old <= arg;
    case FUTEX_OP_CMP_GT:
        return old > arg;
    default:
        return old >= arg;
    }
}

/* The encoding of VAL3: futex(2), FUTEX_WAKE_OP. Arguments have 12 bits and a sign. */
static int64_t wake_op(const struct call *call)
{
    uint32_t code = call->arg[5], operation = code >> 28 & 7, comparison = code >> 24 & 15;
    int32_t arg = (int32_t)(code << 8) >> 20, against = (int32_t)(code << 20) >> 20;
    uint64_t second = call->arg[4];
    int64_t woken, more;
    uint32_t old, new;

    if (operation > FUTEX_OP_XOR || comparison > FUTEX_OP_CMP_GE || second % sizeof(old))
        return -ENOSYS;
    if (code >> 28 & FUTEX_OP_OPARG_SHIFT)
        arg = 1 << (arg & 31);
    if (user_read(&old, second) < 0)
        return -EFAULT;
    new = operate(operation, old, arg);
    if (user_write(second, &new) < 0)
        return -EFAULT;
    woken = wake(call->arg[0], (uint32_t)call->arg[2], FUTEX_BITSET_MATCH_ANY);
    if (woken < 0 || !holds(comparison, old, against))
        return woken;
    more = wake(second, (uint32_t)call->arg[3], FUTEX_BITSET_MATCH_ANY);
    return more < 0 ? more : woken + more;
}

/* The word of a PI futex: its owner's TID, FUTEX_WAITERS, FUTEX_OWNER_DIED. */
static int64_t try_lock_pi(uint64_t address, uint32_t *value)
{
    uint32_t new;

    if (user_read(value, address) < 0)
        return -EFAULT;
    if ((int32_t)(*value & FUTEX_TID_MASK) == current->tid)
        return -EDEADLK;
    if (*value & FUTEX_TID_MASK)
        return -EAGAIN;
    new = (*value & FUTEX_OWNER_DIED) | current->tid |
          (first_at(address, bucket_of(address)->first) ? FUTEX_WAITERS : 0);
    return user_write(address, &new);
}

/* There is one vCPU and no priority, so nothing is inherited; what remains is who owns the lock. */
static int64_t lock_pi(const struct call *call, bool realtime)
{
    struct sleeper sleeper = {.address = call->arg[0], .bits = ~0U};
    uint64_t deadline;
    uint32_t value;
    int64_t ret = read_deadline(call->arg[3], true, realtime, &deadline);

    if (ret == 0)
        ret = try_lock_pi(call->arg[0], &value);
    if (ret != -EAGAIN)
        return ret;
    sleeper.owner = value & FUTEX_TID_MASK;
    if (!thread_find(sleeper.owner))
        return -ESRCH;
    value |= FUTEX_WAITERS;
    if (user_write(call->arg[0], &value) < 0)
        return -EFAULT;
    pi_sleepers++;
    ret = sleep_at(&sleeper, deadline);
    pi_sleepers--;
    return ret == -EINTR ? -ERESTARTNOINTR : ret;
}

/* The longest waiter becomes the owner. */
static int64_t hand_over(uint64_t address, uint32_t flags)
{
    struct sleeper *heir = first_at(address, bucket_of(address)->first);
    uint32_t value = flags;

    if (heir && !heir->owner)
        return -EINVAL;
    if (heir) {
        value |= heir->thread->tid;
        if (first_at(address, heir->next))
            value |= FUTEX_WAITERS;
    }
    if (user_write(address, &value) < 0)
        return -EFAULT;
    if (!heir)
        return 0;
    wake_sleeper(heir);
    for (struct sleeper *other = heir; (other = first_at(address, other->next));)
        other->owner = heir->thread->tid;
    return 0;
}

static int64_t unlock_pi(const struct call *call)
{
    uint32_t value;

    if (user_read(&value, call->arg[0]) < 0)
        return -EFAULT;
    if ((int32_t)(value & FUTEX_TID_MASK) != current->tid)
        return -EPERM;
    return hand_over(call->arg[0], 0);
}

int64_t sys_futex(const struct call *call)
{
    uint64_t command = call->arg[1] & FUTEX_CMD_MASK;
    bool realtime = call->arg[1] & FUTEX_CLOCK_REALTIME;
    uint32_t value;

    if (realtime && command != FUTEX_WAIT_BITSET && command != FUTEX_LOCK_PI2)
        return -ENOSYS;
    if (call->arg[0] % sizeof(uint32_t))
        return -EINVAL;
    switch (command) {
    case FUTEX_WAIT:
        return wait(call, FUTEX_BITSET_MATCH_ANY, false, false);
    case FUTEX_WAIT_BITSET:
        return wait(call, call->arg[5], true, realtime);
    case FUTEX_WAKE:
        return wake(call->arg[0], (uint32_t)call->arg[2], FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
        return (uint32_t)call->arg[5] ? wake(call->arg[0], (uint32_t)call->arg[2], call->arg[5])
                                      : -EINVAL;
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
        return requeue(call, command == FUTEX_CMP_REQUEUE);
    case FUTEX_WAKE_OP:
        return wake_op(call);
    case FUTEX_LOCK_PI: /* its limit is on the real-time clock */
    case FUTEX_LOCK_PI2:
        return lock_pi(call, command == FUTEX_LOCK_PI || realtime);
    case FUTEX_TRYLOCK_PI:
        return try_lock_pi(call->arg[0], &value);
    case FUTEX_UNLOCK_PI:
        return unlock_pi(call);
    default:
        return -ENOSYS;
    }
}

int64_t sys_set_robust_list(const struct call *call)
{
    if (call->arg[1] != sizeof(struct robust_list_head))
        return -EINVAL;
    current->robust_list = call->arg[0];
    return 0;
}

int64_t sys_get_robust_list(const struct call *call)
{
    const struct thread *thread = call->arg[0] ? thread_find(call->arg[0]) : current;
    const uint64_t size = sizeof(struct robust_list_head);

    if (!thread)
        return -ESRCH;
    if (user_write(call->arg[1], &thread->robust_list) < 0)
        return -EFAULT;
    return user_write(call->arg[2], &size);
}

/* Its owner has gone: the next one who takes it learns so. */
static void owner_died(uint64_t address, bool inherits)
{
    uint32_t value;

    if (address % sizeof(value) || user_read(&value, address) < 0 ||
        (int32_t)(value & FUTEX_TID_MASK) != current->tid)
        return;
    if (inherits) {
        hand_over(address, FUTEX_OWNER_DIED);
        return;
    }
    value = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    if (user_write(address, &value) == 0 && value & FUTEX_WAITERS)
        wake(address, 1, FUTEX_BITSET_MATCH_ANY);
}

/* The list is the application's: bit 0 of a pointer marks PI futexes (set_robust_list(2)). */
static void end_robust_list(uint64_t list)
{
    struct robust_list_head head;
    uint64_t entry, next;

    if (!list || user_read(&head, list) < 0)
        return;
    entry = (uint64_t)head.list.next;
    for (int i = 0; i < ROBUST_MAX && (entry & ~1ULL) != list; i++, entry = next) {
        if (user_read(&next, entry & ~1ULL) < 0)
            return;
        if (entry != (uint64_t)head.list_op_pending)
            owner_died((entry & ~1ULL) + head.futex_offset, entry & 1);
    }
    entry = (uint64_t)head.list_op_pending;
    if (entry)
        owner_died((entry & ~1ULL) + head.futex_offset, entry & 1);
}

/* Whoever waits for a lock of this thread inherits it, whatever its word says by now. */
static void end_pi_locks(void)
{
    for (size_t i = 0; pi_sleepers && i < BUCKETS; i++)
        for (struct sleeper *sleeper = buckets[i].first, *next; sleeper; sleeper = next) {
            next = sleeper->next;
            if (sleeper->owner == current->tid &&
                hand_over(sleeper->address, FUTEX_OWNER_DIED) == 0)
                next = buckets[i].first; /* it changed the list */
        }
}

void futex_thread_exit(struct thread *thread)
{
    const uint32_t zero = 0;

    end_robust_list(thread->robust_list);
    end_pi_locks();
    if (!thread->clear_tid)
        return;
    if (user_write(thread->clear_tid, &zero) == 0)
        wake(thread->clear_tid, 1, FUTEX_BITSET_MATCH_ANY);
}
