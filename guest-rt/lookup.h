/* SPDX-License-Identifier: ISC
 *
 * From a call's path to what it names: something of the host's, which the monitor resolves, or
 * something in a file system of guest-rt's own.
 */
#ifndef HUSK_LOOKUP_H
#define HUSK_LOOKUP_H

#include "files.h"

#define PATH_ROUNDS_MAX 40 /* symbolic links followed here, and times that the host was asked */

struct place {
    enum file_system system;
    struct husk_path host;           /* FS_HOST */
    struct tmpfs_name at;            /* FS_TMPFS; len 0: NODE itself, "/tmp" or a descriptor */
    struct tmpfs_node *node;         /* FS_TMPFS; NULL: there is none at AT */
    struct synthetic_file synthetic; /* FS_SYNTHETIC; entry NULL: there is none */
    struct object *object;           /* FS_OBJECT: what a descriptor names */
    bool slash;                      /* a slash follows the last name, in guest-rt's own systems */
    enum husk_end end;
    unsigned rounds;
    char *rest; /* of the path, in TEXT, whose end it fills; links are unfolded in front of it */
    char text[2 * HUSK_PATH_MAX];
};

/* What HOW may say besides enum husk_end. */
#define PATH_MAY_BE_EMPTY 4

/* HOW for a call that takes AT_ flags. */
unsigned path_how(uint64_t flags);

/* Find what ADDR names from DIRFD on. 0 or -errno. A place of the host's may turn out to be none.
 */
int64_t path_find(uint64_t dirfd, uint64_t addr, unsigned how, struct place *place);
/* The same for what a descriptor names. */
void place_of_file(struct file *file, struct place *place);

/* /proc/self/fd/3 that is to be followed, to a file of the host's: PLACE becomes what the
 * descriptor names. */
bool place_follow_descriptor(struct place *place);

/* The monitor said EREMOTE about a place of the host's: go on where the path leads. 1: the place is
 * another now; 0: the path stays on the host; -errno. */
int64_t place_resolve(struct place *place);

/*
 * An operation of abi.h on "dir, path, length" and three arguments: by the monitor, or by one of
 * guest-rt's file systems, which take the same arguments.
 */
int64_t path_call(enum husk_op op, uint64_t dirfd, uint64_t addr, unsigned how, uint64_t arg0,
                  uint64_t arg1, uint64_t arg2);
int64_t file_path_call(enum husk_op op, struct file *file, uint64_t arg0, uint64_t arg1,
                       uint64_t arg2);

/* In cwd.c: the working directory; NULL for the host's root. */
struct file *working_directory(void);

/* The absolute path of an open file or directory, without a zero: its length. -ENOENT when it was
 * removed, but for what is the host's; -ENOTDIR when it never had one. */
int64_t file_path(const struct file *file, char *to, size_t size);

/* What a file system does for an operation. */
typedef int64_t place_fn(const struct place *place, const uint64_t arg[3]);
typedef int64_t file_fn(struct file *file, const uint64_t arg[4]);

struct file_system_ops {
    place_fn *on_place[HUSK_OP_COUNT]; /* NULL: EROFS */
    file_fn *on_file[HUSK_OP_COUNT];   /* NULL: EINVAL */
};
extern const struct file_system_ops tmpfs_ops, synthetic_ops, object_ops;

/* RENAME and LINK in a tmpfs. */
int64_t tmpfs_two_names(enum husk_op op, const struct place *from, const struct place *to,
                        uint32_t flags);

/* open(2)'s flags that remain in a description. */
uint32_t status_flags(uint32_t flags);

#endif
