/* SPDX-License-Identifier: ISC
 *
 * What a program can read or write now, and waiting until it can: for poll, select and epoll.
 * Events are those of poll(2).
 */
#ifndef HUSK_POLL_H
#define HUSK_POLL_H

#include "files.h"
#include "wait.h"

/* What guest-rt knows of a file's events now. */
uint32_t file_events(struct file *file);
/* Woken when they may have changed; NULL: they never do. */
struct wait_queue *file_queue(struct file *file);
/* The handle whose events are the file's as well, or -1. */
int64_t file_host(const struct file *file);
/* Can it be waited for at all? A regular file is always ready. */
bool file_can_wait(const struct file *file);

/* One file that is waited for. */
struct poll_entry {
    struct file *file; /* held; NULL: EVENTS are there */
    uint32_t events, revents;
    bool asked; /* HOST waits */
    struct waiter local;
    struct host_waiter host;
};

#define POLL_BLOCK 34 /* entries that fit in a page */

struct poll_block {
    struct poll_block *next;
    struct poll_entry entries[POLL_BLOCK];
};
_Static_assert(sizeof(struct poll_block) <= HUSK_PAGE_SIZE, "it is a page");

/* All of them, in the order in which they were added. */
struct poll_set {
    uint64_t count;
    bool on_host; /* some of them are the host's */
    struct poll_entry few[8];
    struct poll_block *first, *last; /* the rest */
};

void poll_set_init(struct poll_set *set);
/* EVENTS of FILE; where that is NULL, they are what comes. 0 or -ENOMEM. */
int64_t poll_set_add(struct poll_set *set, struct file *file, uint32_t events);
struct poll_entry *poll_set_at(const struct poll_set *set, uint64_t index);
void poll_set_free(struct poll_set *set);

/* Wait until there are events, which are REVENTS then: how many entries have some. 0 after DEADLINE
 * (0: do not wait), -EINTR. */
int64_t poll_set_wait(struct poll_set *set, uint64_t deadline);

/* A timeout: a struct timespec or timeval (UNITS of it are a second) at ADDR, 0 for none. */
struct timeout {
    guest_addr_t addr;
    uint64_t units;
    uint64_t deadline; /* 0: do not wait; NEVER */
};
int64_t timeout_read(struct timeout *timeout, guest_addr_t addr, uint64_t units);
/* Tell the application what is left, as Linux does. */
void timeout_write(const struct timeout *timeout);

/* A signal mask for as long as a call waits: a sigset_t at ADDR, 0 for none. */
int64_t mask_begin(guest_addr_t addr, uint64_t size);
/* The call's RESULT is known: returns it. */
int64_t mask_end(int64_t result);

#endif
