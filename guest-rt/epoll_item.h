/* SPDX-License-Identifier: ISC
 *
 * What epoll's two halves share: epoll.c, which keeps what is watched, and epoll_wait.c.
 */
#ifndef HUSK_RT_EPOLL_ITEM_H
#define HUSK_RT_EPOLL_ITEM_H

#include <linux/eventpoll.h>

#include "object.h"
#include "poll.h"

#define EPOLL_BUCKETS 64

/* What stays of an item's events when a one-shot has been told: EP_PRIVATE_BITS of Linux. */
#define EPOLL_PRIVATE (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

struct epoll_item {
    struct waiter waiter; /* for what guest-rt knows of FILE */
    struct epoll *epoll;
    struct file *file; /* which knows its items: no reference */
    uint32_t fd;
    uint32_t events;
    uint64_t data;
    bool ready;                       /* in the list of those that may be */
    struct epoll_item *next;          /* in its bucket */
    struct epoll_item *next_ready;    /* READY */
    struct epoll_item *next_watching; /* the same file */
};

struct epoll {
    struct object object;
    struct file *file;
    int64_t handle; /* of the host's instance, or -1 */
    bool streams;   /* it watches TCP sockets, perhaps */
    struct epoll_item *first_ready, *last_ready;
    struct epoll_item *buckets[EPOLL_BUCKETS];
};

bool epoll_is(const struct file *file);
struct epoll *epoll_of(const struct file *file);

/* The list of those that may be ready. */
void epoll_append_ready(struct epoll_item *item);
struct epoll_item *epoll_take_ready(struct epoll *epoll);

/* What guest-rt knows to be ready of what the item waits for. */
uint32_t epoll_item_events(const struct epoll_item *item);

/* What an event of the host's with these DATA is about, or NULL. */
struct epoll_item *epoll_find_host(struct epoll *epoll, uint64_t data);

#endif
