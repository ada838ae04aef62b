/* SPDX-License-Identifier: ISC
 *
 * select(2): poll(2) with sets of descriptors.
 */
#include <asm/poll.h>
#include <linux/fcntl.h>

#include "poll.h"

#define WORD_BITS 64
#define WORDS     (FILES_MAX / WORD_BITS)
#define MICROS    1000000
#define NANOS     1000000000

/* As in Linux's select.c. */
#define READS  (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define WRITES (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define OTHER  POLLPRI

enum { SETS = 3 };

struct sets {
    uint64_t count; /* of descriptors that are looked at */
    guest_addr_t addr[SETS];
    uint64_t bits[SETS][WORDS];
};

static const uint32_t events_of_set[SETS] = {READS, WRITES, OTHER};

/* The application's are as long as COUNT says, in words. */
static size_t bytes_of(const struct sets *sets)
{
    return (sets->count + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t);
}

static int64_t read_sets(struct sets *sets, const struct call *call)
{
    int32_t count = (int32_t)call->arg[0];

    if (count < 0)
        return -EINVAL;
    sets->count = count < FILES_MAX ? count : FILES_MAX;
    for (int i = 0; i < SETS; i++) {
        sets->addr[i] = call->arg[1 + i];
        memset(sets->bits[i], 0, sizeof(sets->bits[i]));
        if (sets->addr[i] &&
            user_copy(sets->bits[i], (const void *)sets->addr[i], bytes_of(sets)) < 0)
            return -EFAULT;
    }
    return 0;
}

static bool is_in(const uint64_t *bits, uint64_t fd)
{
    return bits[fd / WORD_BITS] >> fd % WORD_BITS & 1;
}

static uint32_t wanted(const struct sets *sets, uint64_t fd)
{
    uint32_t events = 0;

    for (int i = 0; i < SETS; i++)
        if (is_in(sets->bits[i], fd))
            events |= events_of_set[i];
    return events;
}

static int64_t add_files(struct poll_set *set, const struct sets *sets)
{
    int64_t ret = 0;

    for (uint64_t fd = 0; fd < sets->count && ret == 0; fd++) {
        uint32_t events = wanted(sets, fd);
        struct file *file = file_get(fd);

        if (!events)
            continue;
        if (!file || file->flags & O_PATH)
            return -EBADF;
        ret = poll_set_add(set, file, events);
    }
    return ret;
}

/* Leave in the sets what came; returns how many bits there are. */
static int64_t keep_ready(const struct poll_set *set, struct sets *sets)
{
    uint64_t index = 0;
    int64_t ready = 0;

    for (uint64_t fd = 0; fd < sets->count; fd++) {
        uint32_t events;

        if (!wanted(sets, fd))
            continue;
        events = poll_set_at(set, index++)->revents;
        for (int i = 0; i < SETS; i++)
            if (!is_in(sets->bits[i], fd))
                continue;
            else if (events & events_of_set[i])
                ready++;
            else
                sets->bits[i][fd / WORD_BITS] &= ~(1ULL << fd % WORD_BITS);
    }
    return ready;
}

static int64_t write_sets(const struct sets *sets)
{
    for (int i = 0; i < SETS; i++)
        if (sets->addr[i] && user_copy((void *)sets->addr[i], sets->bits[i], bytes_of(sets)) < 0)
            return -EFAULT;
    return 0;
}

static int64_t do_select(struct sets *sets, uint64_t deadline)
{
    struct poll_set set;
    int64_t ret;

    poll_set_init(&set);
    ret = add_files(&set, sets);
    if (ret == 0)
        ret = poll_set_wait(&set, deadline);
    if (ret >= 0) {
        int64_t ready = keep_ready(&set, sets);

        ret = write_sets(sets);
        ret = ret < 0 ? ret : ready;
    }
    poll_set_free(&set);
    return ret;
}

int64_t sys_select(const struct call *call)
{
    struct timeout timeout;
    struct sets sets;
    int64_t ret = timeout_read(&timeout, call->arg[4], MICROS);

    if (ret == 0)
        ret = read_sets(&sets, call);
    if (ret == 0)
        ret = do_select(&sets, timeout.deadline);
    timeout_write(&timeout);
    return ret;
}

int64_t sys_pselect6(const struct call *call)
{
    struct {
        guest_addr_t addr;
        uint64_t size;
    } mask = {0};
    struct timeout timeout;
    struct sets sets;
    int64_t ret;

    if (call->arg[5] && user_read(&mask, call->arg[5]) < 0)
        return -EFAULT;
    ret = timeout_read(&timeout, call->arg[4], NANOS);
    if (ret == 0)
        ret = read_sets(&sets, call);
    if (ret == 0)
        ret = mask_begin(mask.addr, mask.size);
    if (ret < 0)
        return ret;
    ret = mask_end(do_select(&sets, timeout.deadline));
    timeout_write(&timeout);
    return ret;
}
