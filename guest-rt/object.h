/* SPDX-License-Identifier: ISC
 *
 * What programs wait for and guest-rt keeps itself, behind a descriptor: pipes, eventfds, timerfds,
 * signalfds, epoll instances, local sockets.
 */
#ifndef HUSK_OBJECT_H
#define HUSK_OBJECT_H

#include "files.h"
#include "span.h"
#include "wait.h"

struct socket_kind;
struct text;

/* What a kind of object can do; functions that are NULL are EINVAL. */
struct object_kind {
    const char *name; /* of its links in /proc/self/fd, in front of the number; or the whole */
    bool numbered;
    uint32_t mode;   /* as stat(2) tells it */
    uint32_t system; /* f_type of statfs(2) */
    /* Bytes or -errno, as read(2) and write(2). They look at the file's O_NONBLOCK. */
    int64_t (*read)(struct file *file, struct span *to);
    int64_t (*write)(struct file *file, struct span *from);
    /* What of poll(2)'s events is there now. Required. */
    uint32_t (*poll)(struct file *file);
    /* A handle of the host's whose POLLIN is this object's too, or -1. May be NULL: -1. */
    int64_t (*handle)(const struct file *file);
    /* FIONREAD: bytes that can be read. */
    int64_t (*queued)(struct file *file);
    /* The description is gone. Required. */
    void (*release)(struct file *file);
    const struct socket_kind *socket; /* of sockets, else NULL */
};

/* The head of every object. */
struct object {
    const struct object_kind *kind;
    struct wait_queue queue; /* of those that wait for its events */
    uint32_t woken;          /* while QUEUE is woken: the events that came */
    uint64_t number;         /* st_ino, from object_init on */
};

void object_init(struct object *object, const struct object_kind *kind);

/* A description for it: the descriptor, or -EMFILE or -ENFILE. FLAGS: O_CLOEXEC and what F_GETFL
 * tells. */
int64_t object_open(struct object *object, uint32_t flags);
struct file *file_new_object(struct object *object, uint32_t flags);

/* The object behind FD if it is of that kind, else NULL. */
struct object *object_get(uint64_t fd, const struct object_kind *kind);

/* EVENTS came: whoever waits for the object is to look. */
void object_wake(struct object *object, uint32_t events);

/* Wait for something to come: 0, -EAGAIN with O_NONBLOCK or after DEADLINE, -ERESTARTSYS. Others
 * run meanwhile: look again at everything. */
int64_t object_wait(const struct file *file, uint64_t deadline);
/* The same for an object that may go meanwhile. */
int64_t object_wait_for(struct object *object, bool nonblocking, uint64_t deadline);
/* It goes: whoever waits for it looks again, at other things. */
void object_abandon(struct object *object);

/* The target of its link in /proc/self/fd. */
void object_name(const struct object *object, struct text *text);

#endif
