/* SPDX-License-Identifier: ISC
 *
 * What the guest may name: a table of host objects, each with its kind. A handle carries the
 * generation of its entry, so that one that was closed never reaches what came after it.
 */
#ifndef HUSK_HANDLES_H
#define HUSK_HANDLES_H

#include "husk/abi.h"
#include "mounts.h"
#include "net.h"

#define HANDLES_MAX 1088 /* the guest's 1,024 descriptors and what it holds for itself */

/* Is a TCP socket to be received from when HUSK_OP_EVENTS finds it readable? */
enum ahead {
    AHEAD_NO,
    AHEAD_YES,
    AHEAD_THERE, /* the guest has something that it has not read yet */
    AHEAD_NEVER, /* again */
};

struct handle {
    enum husk_kind kind; /* HUSK_KIND_NONE: free */
    uint16_t generation;
    bool writable;             /* the mount's right: attributes may be changed */
    bool append;               /* every write goes to the end */
    struct guest_dir dir;      /* fd of every kind; path of what the guest opened */
    const struct mount *mount; /* that holds it, or NULL */
    int writer; /* the same file, opened for truncate(2), or -1: see handles_find_file */
    uint64_t virtual_position; /* of a directory that has no host descriptor */
    struct net_socket *socket; /* of a socket, else NULL */
    bool watched;              /* perhaps, by an epoll instance */
    enum ahead ahead;          /* of a TCP socket */
};

struct handles {
    uint64_t files, sockets;         /* open now, without standard input, output and error */
    uint64_t max_files, max_sockets; /* UINT64_MAX after handles_init: no limit */
    bool locks_records;              /* perhaps: fcntl(2), F_SETLK */
    struct handle table[HANDLES_MAX];
};

/* Handles 0, 1 and 2 for the monitor's own descriptors, with the kinds that were found. */
void handles_init(struct handles *handles, const uint8_t stdio_kind[3]);

/* Take over what was opened. Returns the handle, or -ENFILE or -EMFILE: OPENED is then closed. */
int64_t handles_insert(struct handles *handles, struct opened *opened);

/* The same for a socket and its host descriptor. -ENFILE: both are then closed. */
int64_t handles_insert_socket(struct handles *handles, struct net_socket *socket, int fd);

/* The entry, or NULL (EBADF): never issued, closed, or stale. */
struct handle *handles_get(struct handles *handles, uint64_t number);

/* How many there are of a kind. */
size_t handles_count(const struct handles *handles, enum husk_kind kind);

/* What was opened at or below FROM is at or below TO now. Without memory or room it loses its name:
 * "", from which no relative path leads anywhere. */
void handles_rename(struct handles *handles, const char *from, const char *to);

/*
 * The first regular file that is open and is INODE of DEVICE, as of stat(2), or NULL. Closing any
 * descriptor of a file ends the process's record locks on it, so descriptors that the monitor opens
 * for a moment are closed with such a handle if there is one (its WRITER).
 */
struct handle *handles_find_file(struct handles *handles, dev_t device, ino_t inode);

/* Close it. 0, or -errno: it is closed then too, but for -EBADF. */
int handles_close(struct handles *handles, uint64_t number);

#endif
