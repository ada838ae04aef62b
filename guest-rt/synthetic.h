/* SPDX-License-Identifier: ISC
 *
 * The files that programs expect below /dev, /proc and /etc, served without the host.
 */
#ifndef HUSK_SYNTHETIC_H
#define HUSK_SYNTHETIC_H

#include "rt.h"

struct statx;
struct text;

enum synthetic_kind {
    SYNTHETIC_DIRECTORY,
    SYNTHETIC_LINK, /* symbolic link; synthetic_target gives its target */
    SYNTHETIC_TEXT,
    SYNTHETIC_NULL,
    SYNTHETIC_ZERO,
    SYNTHETIC_FULL,
    SYNTHETIC_RANDOM,
    SYNTHETIC_TTY,        /* opening it duplicates the first of descriptors 0, 1, 2 that is a tty */
    SYNTHETIC_DESCRIPTOR, /* opening it duplicates a descriptor; stat follows to that file */
    SYNTHETIC_IMAGE,      /* opening it opens the image on the host; stat follows to that */
};

/* One row of the table. */
struct synthetic {
    const char *path;
    enum synthetic_kind kind;
    uint32_t mode;                       /* type and permissions */
    uint8_t major, minor;                /* of a device */
    int descriptor;                      /* of SYNTHETIC_DESCRIPTOR, else -1 */
    void (*generate)(struct text *text); /* the contents of a text, the target of a link, */
    const char *constant;                /* or that */
};

#define SYNTHETIC_DEVICE 1 /* minor number of st_dev */

/* What a path names. Good for as long as the caller likes. */
struct synthetic_file {
    const struct synthetic *entry;
    int descriptor; /* of SYNTHETIC_DESCRIPTOR; 0, 1 and 2 are found closed, too. Else -1 */
};

/* Remember the arguments that the application starts with; before it does. */
void synthetic_init(void);

/* Look up an absolute path without ".", ".." and double slashes. "/" is a directory here too. The
 * process is /proc/self and /proc/<pid>, both directories. False: ENOENT. */
bool synthetic_find(const char *path, size_t len, struct synthetic_file *file);

/* May it be opened with these flags of open(2)? 0 or -errno. SYNTHETIC_LINK: follow it first. */
int synthetic_may_open(const struct synthetic_file *file, uint32_t flags);

/* NOW in nanoseconds since 1970 is what all times become. */
void synthetic_stat(const struct synthetic_file *file, uint64_t now, struct statx *result);

/* Is PATH, from DIRFD on, the name by which the image was started? It need not exist. */
bool synthetic_names_image(uint64_t dirfd, guest_addr_t path);

/* A link's target in BUFFER, without a zero: its length, or -EINVAL if it is none. */
int64_t synthetic_target(const struct synthetic_file *file, char *buffer, size_t size);

/* At OFFSET, which devices ignore (lseek on them succeeds and leaves 0). Texts are made anew by
 * each read. */
int64_t synthetic_read(const struct synthetic_file *file, guest_addr_t to, uint64_t len,
                       uint64_t offset);
int64_t synthetic_write(const struct synthetic_file *file, guest_addr_t from, uint64_t len);

/* getdents64, as tmpfs_getdents. */
int64_t synthetic_getdents(const struct synthetic_file *dir, uint64_t *position, guest_addr_t to,
                           uint64_t size);

/* The same for merging with what mounts provide: the entry of a directory at *POSITION, which is
 * advanced. Its path ends with the name. NULL at the end; "." and ".." and descriptors do not come.
 */
const struct synthetic *synthetic_next(const struct synthetic_file *dir, uint64_t *position);

#endif
