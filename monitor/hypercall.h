/* SPDX-License-Identifier: ISC
 *
 * Serving the guest's hypercalls.
 */
#ifndef HUSK_HYPERCALL_H
#define HUSK_HYPERCALL_H

#include "run.h"

/*
 * One operation. DESC is the monitor's own copy; every argument is the guest's and untrusted.
 * Returns the result for the guest, or -errno. May block; returns -EINTR when interrupt_pending()
 * says why.
 */
typedef int64_t hypercall_fn(struct run *run, const struct husk_desc *desc);

/* Serve descriptor INDEX of the doorbell. An index out of range is -1: the caller reports it. */
int hypercall_serve(struct run *run, uint32_t index);

/* The server's thread: serve HUSK_SERVED_DESC. False: it is not for the server. */
bool hypercall_serve_posted(struct run *run);

/* The run has ended: do what the guest deferred. A socket that closes with data that the
 * application has read would tell its peer that they were lost. */
void hypercall_finish(struct run *run);

/* "read" and so on; NULL if there is no such operation. */
const char *hypercall_name(uint32_t op);

/* "dir, path, length" of an operation, copied and checked. */
struct path_argument {
    const struct guest_dir *dir; /* NULL: the root */
    char text[HUSK_PATH_MAX];
};
int hypercall_get_path(struct run *run, uint64_t dir, guest_addr_t addr, uint64_t len,
                       struct path_argument *path);

/*
 * COUNT elements of the guest's vector at ADDR as host pointers, for ACCESS (enum husk_prot). It
 * ends early at memory that is not accessible, as a transfer on Linux does; nothing accessible is
 * -EFAULT. Returns the number of elements in HOST, or -errno; *SIZE is what all were to hold.
 */
int64_t hypercall_get_vector(struct run *run, guest_addr_t addr, uint64_t count, int access,
                             struct iovec host[HUSK_IOV_MAX], uint64_t *size);

/* hypercall_process.c */
hypercall_fn serve_exit, serve_fault, serve_trace, serve_mark, serve_clock, serve_random,
    serve_fsbase, serve_tty;
/* hypercall_wait.c */
hypercall_fn serve_wait, serve_alarm, serve_forward, serve_join;
/* hypercall_epoll.c */
hypercall_fn serve_epoll, serve_watch, serve_events;
/* hypercall_memory.c */
hypercall_fn serve_map, serve_protect, serve_unmap, serve_discard, serve_mapfile, serve_msync,
    serve_memory;
/* hypercall_io.c */
hypercall_fn serve_read, serve_write, serve_readv, serve_writev, serve_seek, serve_close,
    serve_allocate, serve_sync, serve_lock, serve_flock, serve_append, serve_resolve;
/* hypercall_path.c */
hypercall_fn serve_image, serve_volume, serve_open, serve_stat, serve_access, serve_readlink,
    serve_getdents, serve_path;
/* hypercall_change.c */
hypercall_fn serve_mkdir, serve_unlink, serve_rename, serve_link, serve_symlink, serve_chmod,
    serve_chown, serve_utimes, serve_truncate, serve_statfs;
/* hypercall_net.c */
hypercall_fn serve_socket, serve_bind, serve_listen, serve_accept, serve_connect, serve_shutdown,
    serve_name, serve_send, serve_receive, serve_getoption, serve_setoption, serve_queued,
    serve_skip, serve_hosts, serve_sendfile;

/* READ, WRITE and their vectors on a socket. */
int64_t hypercall_socket_transfer(struct run *run, struct handle *handle, bool to_guest,
                                  const struct iovec *iov, int count);

/* If handle NUMBER is a TCP socket that can be read from, as EVENTS say, what waits there for the
 * guest to have ahead (struct husk_ahead at ADDR). False: nothing was given. */
bool hypercall_receive_ahead(struct run *run, uint64_t number, uint32_t events, guest_addr_t addr);

#endif
