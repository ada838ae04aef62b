/* SPDX-License-Identifier: ISC
 *
 * Descriptors and open file descriptions.
 */
#ifndef HUSK_FILES_H
#define HUSK_FILES_H

#include "synthetic.h"
#include "tmpfs.h"

struct ahead_buffer;
struct epoll_item;
struct object;

#define FILES_MAX 1024 /* RLIMIT_NOFILE */

/* Who serves a file: the monitor, or guest-rt itself. */
enum file_system { FS_HOST, FS_TMPFS, FS_SYNTHETIC, FS_OBJECT };

/* An open file description: shared by descriptors that dup made. */
struct file {
    uint32_t references; /* descriptors, mappings, the working directory; 0: unused */
    uint32_t handle;     /* FS_HOST */
    uint32_t flags;      /* status flags and access mode of open(2) */
    uint8_t kind;        /* enum husk_kind: FILE or DIR unless FS_HOST; STREAM for FS_OBJECT */
    uint8_t system;      /* enum file_system */
    uint64_t offset; /* of HUSK_KIND_FILE; OFFSET_ON_HOST after it was appended to; in a directory
                        unless FS_HOST */
    struct tmpfs_node *node;                /* FS_TMPFS */
    struct synthetic_file synthetic;        /* FS_SYNTHETIC */
    struct object *object;                  /* FS_OBJECT */
    uint8_t socket_type;                    /* of HUSK_KIND_SOCKET: SOCK_STREAM or SOCK_DGRAM */
    bool little;                            /* of a TCP socket: the last receive got little */
    uint64_t receive_timeout, send_timeout; /* likewise; nanoseconds, 0: none */
    struct ahead_buffer *ahead;             /* of a TCP socket: data received ahead, or NULL */
    struct epoll_item *watching;            /* those of epoll instances, in a list */
    uint32_t removals;                      /* files_removed calls before it was opened */
};

#define OFFSET_ON_HOST UINT64_MAX

/* The description behind a descriptor, or NULL (EBADF). */
struct file *file_get(uint64_t fd);

/* The lowest free descriptor from LOWEST on, or -EMFILE. */
int64_t fd_find(uint64_t lowest);
/* Let FD, which is free, stand for FILE and take over the reference. */
void fd_install(uint64_t fd, struct file *file, bool close_on_exec);
bool fd_close_on_exec(uint64_t fd);
void fd_set_close_on_exec(uint64_t fd, bool on);
int64_t fd_close(uint64_t fd);

/* A new description with one reference, or NULL (ENFILE). */
struct file *file_new(uint32_t handle, enum husk_kind kind, uint32_t flags);

/* A mapping, or a call that waits, comes or goes: the description lives as long as it has
 * references. */
void file_hold(struct file *file);
int64_t file_release(struct file *file);

/* The same for files of guest-rt's own. */
struct file *file_new_tmpfs(struct tmpfs_node *node, uint32_t flags);
struct file *file_new_synthetic(const struct synthetic_file *synthetic, uint32_t flags);

/* open(2): a description with one reference. */
int64_t file_open(uint64_t dirfd, uint64_t addr, uint32_t flags, uint32_t mode, struct file **file);

/*
 * An operation of abi.h on "handle" and up to four arguments: by the monitor, or by one of
 * guest-rt's file systems, which take the same arguments.
 */
int64_t file_call(enum husk_op op, struct file *file, uint64_t arg0, uint64_t arg1, uint64_t arg2,
                  uint64_t arg3);
#define FILE_CALL5(op, file, a, b, c, d, ...)                                                      \
    file_call(op, file, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d))
#define FILE_CALL(...) FILE_CALL5(__VA_ARGS__, 0, 0, 0, 0, 0)

/* A name on the host is gone, perhaps that of a file that is open. */
void files_removed(void);

/* A directory was renamed: getcwd may have another answer. */
void paths_moved(void);

/* The mode that a new file gets: MODE without the umask. */
uint32_t file_mode(uint32_t mode);

#endif
