/* SPDX-License-Identifier: ISC
 *
 * Descriptors and open file descriptions.
 */
#ifndef HUSK_FILES_H
#define HUSK_FILES_H

#include "rt.h"

#define FILES_MAX 1024 /* RLIMIT_NOFILE */

/* An open file description: shared by descriptors that dup made. */
struct file {
    uint32_t references; /* descriptors and mappings; 0: unused */
    uint32_t handle;
    uint32_t flags;  /* status flags and access mode of open(2) */
    uint8_t kind;    /* enum husk_kind */
    uint64_t offset; /* of HUSK_KIND_FILE; OFFSET_ON_HOST after it was appended to */
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

/* A mapping comes or goes: the description lives as long as it has references. */
void file_hold(struct file *file);
int64_t file_release(struct file *file);

/* The calls' paths. Returns 0 or -errno; an empty one only if that is allowed. */
int64_t get_path(uint64_t dirfd, uint64_t addr, bool may_be_empty, struct husk_path *path);

/* A directory was renamed: getcwd may have another answer. */
void paths_moved(void);

/* The mode that a new file gets: MODE without the umask. */
uint32_t file_mode(uint32_t mode);

#endif
