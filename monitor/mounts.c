/* SPDX-License-Identifier: ISC
 *
 * The table of mounts, and the directories that exist only because a mount point lies below.
 */
#include "mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "resolve.h"

struct mounts *mounts_new(void)
{
    struct mounts *mounts = calloc(1, sizeof(*mounts));

    if (mounts == NULL)
        return NULL;
    mounts->uid = (uid_t)getauxval(AT_EUID);
    mounts->gid = (gid_t)getauxval(AT_EGID);
    mounts->descriptors = -1;
    return mounts;
}

static void mount_close(struct mount *mount)
{
    free(mount->path);
    if (mount->fd >= 0)
        close(mount->fd);
    if (mount->file >= 0)
        close(mount->file);
}

void mounts_free(struct mounts *mounts)
{
    if (mounts == NULL)
        return;
    for (size_t i = 0; i < mounts->count; i++)
        mount_close(&mounts->table[i]);
    cleanup_fd_(&mounts->descriptors);
    free(mounts->table);
    free(mounts);
}

const char *path_below(const char *path, const char *dir)
{
    size_t length = strlen(dir);

    if (length == 1)
        return path + 1;
    if (strncmp(path, dir, length) != 0)
        return NULL;
    if (path[length] == '/')
        return path + length + 1;
    return path[length] == '\0' ? path + length : NULL;
}

const struct mount *mount_at(const struct mounts *mounts, const char *path)
{
    for (size_t i = 0; i < mounts->count; i++) {
        if (strcmp(mounts->table[i].path, path) == 0)
            return &mounts->table[i];
    }
    return NULL;
}

const struct mount *mount_over(const struct mounts *mounts, const char *path)
{
    const struct mount *over = NULL;

    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount *mount = &mounts->table[i];

        if (path_below(path, mount->path) && (!over || strlen(mount->path) > strlen(over->path)))
            over = mount;
    }
    return over;
}

const struct mount *mount_below(const struct mounts *mounts, const char *path)
{
    for (size_t i = 0; i < mounts->count; i++) {
        const char *below = path_below(mounts->table[i].path, path);

        if (below != NULL && *below != '\0')
            return &mounts->table[i];
    }
    return NULL;
}

/* What was asked for, as it begins every message about it. */
struct request {
    const char *host;
    const char *guest;
    unsigned rights; /* enum mount_rights */
    struct husk_error *err;
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct request *r, const char *format,
                                                        ...)
{
    char reason[300];
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    return error_set(r->err, STATUS_HUSK, "-v %.120s:%.120s: %s", r->host, r->guest, reason);
}

/* Write the canonical form of the guest path into PATH. */
static int request_path(const struct request *r, char path[PATH_MAX])
{
    size_t length = 0;

    if (r->guest[0] != '/')
        return refuse(r, "the guest's path must be absolute: /%.120s", r->guest);
    for (const char *name = r->guest; *name != '\0';) {
        size_t size = strcspn(name, "/");

        if (size == 2 && memcmp(name, "..", 2) == 0)
            return refuse(r, "the guest's path has \"..\" in it; write the path that is meant");
        if (size > NAME_MAX || length + 1 + size >= PATH_MAX)
            return refuse(r, "the guest's path is too long: at most %d bytes, %d in a name",
                          PATH_MAX - 1, NAME_MAX);
        if (size > 0 && !(size == 1 && *name == '.')) {
            path[length++] = '/';
            memcpy(path + length, name, size);
            length += size;
        }
        name += size + (name[size] == '/');
    }
    if (length == 0)
        path[length++] = '/';
    path[length] = '\0';
    return 0;
}

static int refuse_host(const struct request *r, int error)
{
    if (error == ENOENT || error == ENOTDIR)
        return refuse(r,
                      "no such directory or file %.120s on the host; create it or correct the path",
                      r->host);
    if (error == EACCES || error == EPERM)
        return refuse(r, "no permission to %s %.120s on the host; change its mode or owner",
                      r->rights & MOUNT_WRITABLE ? "read and write" : "read", r->host);
    return refuse(r, "cannot open %.120s on the host: %s", r->host, strerror(error));
}

/*
 * A mounted file is opened once: a descriptor of O_PATH could be opened again only through /proc,
 * which the jailed monitor lacks. The guest's offsets are not the host's, so opens may share it.
 */
static int open_file(const struct request *r, int fd)
{
    int flags =
        (r->rights & MOUNT_WRITABLE ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    struct statx seen, opened;
    int file;

    if (stat_beneath(fd, "", STATX_TYPE | STATX_INO, &seen) || !S_ISREG(seen.stx_mode))
        return refuse(r, "%.120s is neither a directory nor a regular file; mount its directory",
                      r->host);
    file = open(r->host, flags);
    if (file < 0)
        return refuse_host(r, errno);
    if (stat_beneath(file, "", STATX_TYPE | STATX_INO, &opened) || !S_ISREG(opened.stx_mode) ||
        opened.stx_ino != seen.stx_ino) {
        close(file);
        return refuse(r, "%.120s was replaced while husk opened it; try again", r->host);
    }
    return file;
}

static int open_host(const struct request *r, struct mount *mount)
{
    cleanup_fd int fd = open(r->host, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        if (syscall(SYS_faccessat2, fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH))
            return refuse_host(r, errno);
    } else {
        if (errno == ENOTDIR)
            fd = open(r->host, O_PATH | O_CLOEXEC);
        if (fd < 0)
            return refuse_host(r, errno);
        mount->file = open_file(r, fd);
        if (mount->file < 0)
            return -1;
    }
    mount->fd = fd_release(&fd);
    return 0;
}

/* A mount hides those below it, as mount(2) does. */
static void cover(struct mounts *mounts, const char *path)
{
    size_t kept = 0;

    for (size_t i = 0; i < mounts->count; i++) {
        if (path_below(mounts->table[i].path, path))
            mount_close(&mounts->table[i]);
        else
            mounts->table[kept++] = mounts->table[i];
    }
    mounts->count = kept;
}

/* Room for one more, made for some at a time: every run has five local mounts. */
static int table_grow(struct mounts *mounts)
{
    const size_t some = 8;
    struct mount *table;

    if (mounts->count % some != 0)
        return 0;
    table = realloc(mounts->table, (mounts->count + some) * sizeof(*table));
    if (table == NULL)
        return -1;
    mounts->table = table;
    return 0;
}

static int insert(struct mounts *mounts, const struct request *r, const char *path)
{
    struct mount mount = {.path = strdup(path),
                          .fd = -1,
                          .file = -1,
                          .writable = r->rights & MOUNT_WRITABLE,
                          .devices = r->rights & MOUNT_DEVICES};

    if (mount.path == NULL || table_grow(mounts) < 0) {
        mount_close(&mount);
        return refuse(r, "out of memory");
    }
    if (open_host(r, &mount)) {
        mount_close(&mount);
        return -1;
    }
    cover(mounts, path);
    mounts->table[mounts->count++] = mount;
    return 0;
}

int mounts_add(struct mounts *mounts, const char *host, const char *guest, unsigned rights,
               struct husk_error *err)
{
    struct request r = {host, guest, rights, err};
    const struct mount *over;
    char path[PATH_MAX];

    if (request_path(&r, path))
        return -1;
    if (mount_at(mounts, path))
        return refuse(&r, "%.120s is mounted already; choose another guest path", path);
    over = mount_over(mounts, path);
    if (over != NULL && over->file >= 0)
        return refuse(&r, "%.120s is a mounted file; nothing can be mounted below it", over->path);
    return insert(mounts, &r, path);
}

static const char *why_not_local(const struct mounts *mounts, const char *guest)
{
    const struct mount *over = mount_over(mounts, guest);

    if (strcmp(guest, "/") == 0)
        return "the guest's root cannot be one; choose a directory below it";
    if (mounts_has(mounts, guest))
        return "something is mounted there already; choose another directory";
    if (mounts_has_below(mounts, guest))
        return "something is mounted below; choose another directory";
    if (over != NULL && over->file >= 0)
        return "lies below a mounted file; choose another directory";
    return NULL;
}

int mounts_add_local(struct mounts *mounts, const char *guest, struct husk_error *err)
{
    struct mount mount = {.fd = -1, .file = -1, .local = true};
    const char *refusal = why_not_local(mounts, guest);

    if (refusal != NULL)
        return error_set(err, STATUS_HUSK, "--tmpfs %.120s: %s", guest, refusal);
    mount.path = strdup(guest);
    if (mount.path == NULL || table_grow(mounts) < 0) {
        mount_close(&mount);
        return error_set(err, STATUS_HUSK, "--tmpfs %.120s: out of memory", guest);
    }
    mounts->table[mounts->count++] = mount;
    return 0;
}

size_t mounts_descriptors(const struct mounts *mounts, int *fds)
{
    for (size_t i = 0; fds && i < mounts->count; i++) {
        fds[2 * i] = mounts->table[i].fd;
        fds[2 * i + 1] = mounts->table[i].file;
    }
    if (fds)
        fds[2 * mounts->count] = mounts->descriptors;
    return 2 * mounts->count + 1;
}

const char *mounts_volume(const struct mounts *mounts, uint64_t number, bool *writable)
{
    for (size_t i = 0; i < mounts->count; i++) {
        if (mounts->table[i].local || number-- > 0)
            continue;
        *writable = mounts->table[i].writable;
        return mounts->table[i].path;
    }
    return NULL;
}

bool mounts_has(const struct mounts *mounts, const char *guest)
{
    return mount_at(mounts, guest) != NULL;
}

bool mounts_has_below(const struct mounts *mounts, const char *guest)
{
    return mount_below(mounts, guest) != NULL;
}

/* FNV-1a: an inode number that stays the same from run to run. */
static uint64_t path_inode(const char *path, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)path[i]) * 0x100000001b3;
    return hash | 1; /* 0 means none */
}

/* A name in a directory of the name space. */
struct entry {
    uint64_t inode;
    unsigned char type;
    const char *name;
    size_t length;
};

/* The entry that MOUNT makes in DIR, or false if it makes none or an earlier one made it. */
static bool entry_of(const struct mounts *mounts, size_t index, const char *dir,
                     struct entry *entry)
{
    const struct mount *mount = &mounts->table[index];
    const char *name = path_below(mount->path, dir);

    if (name == NULL || *name == '\0')
        return false;
    entry->name = name;
    entry->length = strcspn(name, "/");
    entry->type = mount->file >= 0 && name[entry->length] == '\0' ? DT_REG : DT_DIR;
    entry->inode = path_inode(mount->path, (size_t)(name - mount->path) + entry->length);
    for (size_t i = 0; i < index; i++) {
        const char *other = path_below(mounts->table[i].path, dir);

        if (other != NULL && strcspn(other, "/") == entry->length &&
            memcmp(other, name, entry->length) == 0)
            return false;
    }
    return true;
}

/* Entry POSITION of DIR: ".", "..", then what the mounts make. */
static bool entry_at(const struct mounts *mounts, const char *dir, uint64_t position,
                     struct entry *entry)
{
    if (position < 2) {
        size_t parent = (size_t)(strrchr(dir, '/') - dir);
        size_t length = position == 0 ? strlen(dir) : parent > 0 ? parent : 1;

        *entry = (struct entry){path_inode(dir, length), DT_DIR, "..", position + 1};
        return true;
    }
    for (size_t i = 0; i < mounts->count; i++) {
        if (entry_of(mounts, i, dir, entry) && position-- == 2)
            return true;
    }
    return false;
}

/* getdents64(2): what libcs call struct dirent64, without its room for the name. */
struct dirent_head {
    uint64_t inode;
    int64_t next;
    uint16_t size;
    unsigned char type;
} __attribute__((packed));

int mounts_getdents_virtual(const struct mounts *mounts, const struct guest_dir *dir,
                            uint64_t *position, void *buffer, size_t size)
{
    char *out = buffer;
    struct entry entry;

    while (entry_at(mounts, dir->path, *position, &entry)) {
        size_t need = (sizeof(struct dirent_head) + entry.length + 1 + 7) & ~(size_t)7;
        struct dirent_head head = {entry.inode, (int64_t)*position + 1, (uint16_t)need, entry.type};

        if (need > size)
            return out == buffer ? -EINVAL : (int)(out - (char *)buffer);
        memset(out, 0, need);
        memcpy(out, &head, sizeof(head));
        memcpy(out + sizeof(head), entry.name, entry.length);
        out += need;
        size -= need;
        ++*position;
    }
    return (int)(out - (char *)buffer);
}

int mounts_stat_virtual(const struct mounts *mounts, const struct guest_dir *dir,
                        struct statx *result)
{
    struct entry entry;
    unsigned links = 2;

    for (size_t i = 0; i < mounts->count; i++)
        links += entry_of(mounts, i, dir->path, &entry) && entry.type == DT_DIR;
    *result = (struct statx){
        .stx_mask = STATX_BASIC_STATS,
        .stx_blksize = HUSK_PAGE_SIZE,
        .stx_nlink = links,
        .stx_uid = mounts->uid,
        .stx_gid = mounts->gid,
        .stx_mode = S_IFDIR | 0755,
        .stx_ino = path_inode(dir->path, strlen(dir->path)),
        .stx_dev_minor = 0xfffff, /* the last of the anonymous devices: no host mount has it */
    };
    return 0;
}
