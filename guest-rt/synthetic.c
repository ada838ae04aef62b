/* SPDX-License-Identifier: ISC
 *
 * The table of synthetic files, and what system calls do with them.
 */
#include "synthetic.h"

#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/types.h>

#include "files.h"
#include "synthetic_files.h"
#include "usermem.h"

#define SECOND       1000000000ULL
#define TRANSFER_MAX 0x7ffff000 /* MAX_RW_COUNT of Linux */
#define KNOWN_MAX    64         /* longer than any path here */

#define DIRECTORY(name)                                                                            \
    {                                                                                              \
        .path = name, .kind = SYNTHETIC_DIRECTORY, .mode = S_IFDIR | 0555, .descriptor = -1        \
    }
#define LINK(name, ...)                                                                            \
    {                                                                                              \
        .path = name, .kind = SYNTHETIC_LINK, .mode = S_IFLNK | 0777, .descriptor = -1,            \
        __VA_ARGS__                                                                                \
    }
#define IMAGE(name, target)                                                                        \
    {                                                                                              \
        .path = name, .kind = SYNTHETIC_IMAGE, .mode = S_IFLNK | 0777, .descriptor = -1,           \
        .generate = target                                                                         \
    }
#define TEXT(name, content)                                                                        \
    {                                                                                              \
        .path = name, .kind = SYNTHETIC_TEXT, .mode = S_IFREG | 0444, .descriptor = -1,            \
        .generate = content                                                                        \
    }
#define CONSTANT(name, content)                                                                    \
    {                                                                                              \
        .path = name, .kind = SYNTHETIC_TEXT, .mode = S_IFREG | 0444, .descriptor = -1,            \
        .constant = content                                                                        \
    }
#define DEVICE(name, what, one, other)                                                             \
    {                                                                                              \
        .path = name, .kind = what, .mode = S_IFCHR | 0666, .major = one, .minor = other,          \
        .descriptor = -1                                                                           \
    }
#define DESCRIPTOR(name, fd)                                                                       \
    {                                                                                              \
        .path = name, .kind = SYNTHETIC_DESCRIPTOR, .mode = S_IFLNK | 0777, .descriptor = fd       \
    }

/* Device numbers: Documentation/admin-guide/devices.txt of Linux. */
static const struct synthetic table[] = {
    DIRECTORY("/"),
    DIRECTORY("/dev"),
    DEVICE("/dev/null", SYNTHETIC_NULL, 1, 3),
    DEVICE("/dev/zero", SYNTHETIC_ZERO, 1, 5),
    DEVICE("/dev/full", SYNTHETIC_FULL, 1, 7),
    DEVICE("/dev/random", SYNTHETIC_RANDOM, 1, 8),
    DEVICE("/dev/urandom", SYNTHETIC_RANDOM, 1, 9),
    DEVICE("/dev/tty", SYNTHETIC_TTY, 5, 0),
    DIRECTORY("/dev/fd"),
    DIRECTORY("/dev/shm"),
    DESCRIPTOR("/dev/stdin", 0),
    DESCRIPTOR("/dev/stdout", 1),
    DESCRIPTOR("/dev/stderr", 2),
    DIRECTORY("/proc"),
    TEXT("/proc/cpuinfo", synthetic_cpuinfo),
    CONSTANT("/proc/filesystems", "nodev\thusk\nnodev\tproc\nnodev\ttmpfs\n"),
    TEXT("/proc/loadavg", synthetic_loadavg),
    TEXT("/proc/meminfo", synthetic_meminfo),
    LINK("/proc/mounts", .constant = "/proc/self/mounts"),
    TEXT("/proc/stat", synthetic_stat_text),
    TEXT("/proc/uptime", synthetic_uptime),
    TEXT("/proc/version", synthetic_version),
    DIRECTORY("/proc/self"),
    LINK("/proc/self/cwd", .generate = synthetic_cwd),
    IMAGE("/proc/self/exe", synthetic_exe),
    LINK("/proc/self/root", .constant = "/"),
    DIRECTORY("/proc/self/fd"),
    TEXT("/proc/self/cmdline", synthetic_cmdline),
    TEXT("/proc/self/comm", synthetic_comm),
    TEXT("/proc/self/environ", synthetic_environ),
    CONSTANT("/proc/self/cgroup", "0::/\n"),
    CONSTANT("/proc/self/oom_score_adj", "0\n"),
    TEXT("/proc/self/maps", synthetic_maps),
    TEXT("/proc/self/mounts", synthetic_mounts),
    TEXT("/proc/self/stat", synthetic_process_stat),
    TEXT("/proc/self/statm", synthetic_statm),
    TEXT("/proc/self/status", synthetic_status),
    DIRECTORY("/proc/sys"),
    DIRECTORY("/proc/sys/kernel"),
    TEXT("/proc/sys/kernel/hostname", synthetic_hostname),
    TEXT("/proc/sys/kernel/osrelease", synthetic_osrelease),
    CONSTANT("/proc/sys/kernel/ostype", "Linux\n"),
    CONSTANT("/proc/sys/kernel/pid_max", "32768\n"),
    DIRECTORY("/proc/sys/net"),
    DIRECTORY("/proc/sys/net/core"),
    CONSTANT("/proc/sys/net/core/somaxconn", "4096\n"),
    DIRECTORY("/proc/sys/vm"),
    CONSTANT("/proc/sys/vm/max_map_count", "65530\n"),
    CONSTANT("/proc/sys/vm/overcommit_memory", "0\n"),
    DIRECTORY("/etc"),
    TEXT("/etc/group", synthetic_group),
    TEXT("/etc/hostname", synthetic_hostname),
    TEXT("/etc/hosts", synthetic_hosts),
    LINK("/etc/mtab", .constant = "/proc/self/mounts"),
    CONSTANT("/etc/nsswitch.conf", synthetic_nsswitch_conf),
    CONSTANT("/etc/protocols", synthetic_protocols),
    CONSTANT("/etc/services", synthetic_services),
    TEXT("/etc/passwd", synthetic_passwd),
    CONSTANT("/etc/resolv.conf", synthetic_resolv_conf),
};

/* A row for all of /proc/self/fd. */
static const struct synthetic open_descriptor = {
    .path = "/proc/self/fd/", .kind = SYNTHETIC_DESCRIPTOR, .mode = S_IFLNK | 0700};

/* Other names of what is in the table. */
static const struct {
    const char *name, *means;
} aliases[] = {
    {"/proc/2", "/proc/self"},
    {"/proc/thread-self", "/proc/self"},
    {"/dev/fd", "/proc/self/fd"},
};
_Static_assert(PID == 2, "in aliases");

static bool starts_with(const char *path, size_t len, const char *start)
{
    size_t i = 0;

    while (i < len && start[i] && path[i] == start[i])
        i++;
    return !start[i];
}

static bool equals(const char *path, size_t len, const char *other)
{
    return starts_with(path, len, other) && strlen(other) == len;
}

/* PATH with an alias replaced, in RESULT: its length, or 0 if it is too long for the table. */
static size_t canonical(const char *path, size_t len, char result[KNOWN_MAX])
{
    const char *start = "";
    size_t skip = 0;

    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
        size_t end = strlen(aliases[i].name);

        if (starts_with(path, len, aliases[i].name) && (len == end || path[end] == '/')) {
            start = aliases[i].means;
            skip = end;
        }
    }
    if (strlen(start) + len - skip > KNOWN_MAX)
        return 0;
    memcpy(result, start, strlen(start));
    memcpy(result + strlen(start), path + skip, len - skip);
    return strlen(start) + len - skip;
}

/* The number at the end of a path below the directory of descriptors, or -1. */
static int descriptor_of(const char *path, size_t len)
{
    size_t at = strlen(open_descriptor.path), first = at;
    int fd = 0;

    if (!starts_with(path, len, open_descriptor.path) || at == len)
        return -1;
    for (; at < len; at++) {
        if (path[at] < '0' || path[at] > '9' || fd >= FILES_MAX)
            return -1;
        fd = 10 * fd + path[at] - '0';
    }
    if (path[first] == '0' && len > first + 1)
        return -1;
    return file_get(fd) ? fd : -1;
}

bool synthetic_find(const char *path, size_t len, struct synthetic_file *file)
{
    char known[KNOWN_MAX];
    int fd;

    len = canonical(path, len, known);
    fd = descriptor_of(known, len);
    if (fd >= 0) {
        *file = (struct synthetic_file){&open_descriptor, fd};
        return true;
    }
    for (const struct synthetic *entry = table; entry < table + ARRAY_SIZE(table); entry++)
        if (equals(known, len, entry->path)) {
            *file = (struct synthetic_file){entry, entry->descriptor};
            return true;
        }
    return false;
}

int synthetic_may_open(const struct synthetic_file *file, uint32_t flags)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
    enum synthetic_kind kind = file->entry->kind;

    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if (kind == SYNTHETIC_DIRECTORY)
        return writes || flags & O_CREAT ? -EISDIR : 0;
    if (flags & O_DIRECTORY)
        return -ENOTDIR;
    if (S_ISLNK(file->entry->mode) && flags & O_NOFOLLOW)
        return flags & O_PATH ? 0 : -ELOOP;
    if (kind == SYNTHETIC_IMAGE && writes && !(flags & O_PATH))
        return -ETXTBSY;
    return kind == SYNTHETIC_TEXT && writes && !(flags & O_PATH) ? -EACCES : 0;
}

static int64_t generate(const struct synthetic *entry, guest_addr_t to, uint64_t len,
                        uint64_t offset, uint64_t *whole)
{
    struct text text = {.skip = offset, .left = len, .to = to};

    if (entry->constant)
        text_string(&text, entry->constant);
    else
        entry->generate(&text);
    if (whole)
        *whole = text.len;
    return text_finish(&text);
}

static uint64_t ino_of(const struct synthetic *entry, int descriptor)
{
    return entry == &open_descriptor ? ARRAY_SIZE(table) + 1 + (uint64_t)descriptor
                                     : (uint64_t)(entry - table) + 1;
}

/* As on Linux the files of /proc have no size, and those of /etc theirs. */
static uint64_t size_of(const struct synthetic *entry)
{
    uint64_t size = 0;

    if (entry->kind == SYNTHETIC_TEXT && starts_with(entry->path, 5, "/etc/"))
        generate(entry, 0, 0, 0, &size);
    return size;
}

void synthetic_stat(const struct synthetic_file *file, uint64_t now, struct statx *result)
{
    const struct synthetic *entry = file->entry;
    const struct statx_timestamp time = {.tv_sec = now / SECOND, .tv_nsec = now % SECOND};

    *result = (struct statx){
        .stx_mask = STATX_BASIC_STATS,
        .stx_blksize = HUSK_PAGE_SIZE,
        .stx_nlink = entry->kind == SYNTHETIC_DIRECTORY ? 2 : 1,
        .stx_mode = entry->mode,
        .stx_ino = ino_of(entry, file->descriptor),
        .stx_size = size_of(entry),
        .stx_atime = time,
        .stx_ctime = time,
        .stx_mtime = time,
        .stx_rdev_major = entry->major,
        .stx_rdev_minor = entry->minor,
        .stx_dev_minor = SYNTHETIC_DEVICE,
    };
}

int64_t synthetic_target(const struct synthetic_file *file, char *buffer, size_t size)
{
    if (file->entry->kind != SYNTHETIC_LINK && file->entry->kind != SYNTHETIC_IMAGE)
        return -EINVAL;
    return generate(file->entry, (guest_addr_t)buffer, size, 0, NULL);
}

static int64_t read_zeros(guest_addr_t to, uint64_t len)
{
    uint64_t done = clear_user(to, len);

    return done == 0 && len > 0 ? -EFAULT : (int64_t)done;
}

int64_t synthetic_read(const struct synthetic_file *file, guest_addr_t to, uint64_t len,
                       uint64_t offset)
{
    if (len > TRANSFER_MAX)
        len = TRANSFER_MAX;
    switch (file->entry->kind) {
    case SYNTHETIC_DIRECTORY:
        return -EISDIR;
    case SYNTHETIC_TEXT:
        return generate(file->entry, to, len, offset, NULL);
    case SYNTHETIC_NULL:
        return 0;
    case SYNTHETIC_ZERO:
    case SYNTHETIC_FULL:
        return read_zeros(to, len);
    case SYNTHETIC_RANDOM:
        return sys_getrandom(&(struct call){.arg = {to, len}});
    default:
        return -EINVAL;
    }
}

int64_t synthetic_write(const struct synthetic_file *file, guest_addr_t from, uint64_t len)
{
    (void)from;
    switch (file->entry->kind) {
    case SYNTHETIC_FULL:
        return -ENOSPC;
    case SYNTHETIC_NULL:
    case SYNTHETIC_ZERO:
    case SYNTHETIC_RANDOM:
        return len < TRANSFER_MAX ? len : TRANSFER_MAX;
    default:
        return -EBADF;
    }
}

/* The name of ENTRY if it lies right in DIR, else NULL. */
static const char *name_in(const struct synthetic *dir, const struct synthetic *entry)
{
    size_t start = dir == table ? 0 : strlen(dir->path), len = strlen(entry->path);

    if (entry == table || len <= start + 1 || !starts_with(entry->path, len, dir->path) ||
        entry->path[start] != '/')
        return NULL;
    for (size_t i = start + 1; i < len; i++)
        if (entry->path[i] == '/')
            return NULL;
    return entry->path + start + 1;
}

const struct synthetic *synthetic_next(const struct synthetic_file *dir, uint64_t *position)
{
    while (*position < ARRAY_SIZE(table)) {
        const struct synthetic *entry = &table[(*position)++];

        if (name_in(dir->entry, entry))
            return entry;
    }
    return NULL;
}

static uint64_t parent_ino(const struct synthetic *dir)
{
    for (const struct synthetic *entry = table; entry < table + ARRAY_SIZE(table); entry++)
        if (entry->kind == SYNTHETIC_DIRECTORY && name_in(entry, dir))
            return ino_of(entry, -1);
    return ino_of(table, -1);
}

static size_t digits_of(int fd, char digits[10])
{
    size_t len = 1;

    for (int rest = fd; rest >= 10; rest /= 10)
        len++;
    for (size_t i = len; i-- > 0; fd /= 10)
        digits[i] = '0' + fd % 10;
    return len;
}

/* Positions behind the two for "." and ".." are descriptors here, and rows of the table else. */
static int list_descriptors(struct dirents *dirents, uint64_t *position)
{
    char name[10];

    for (; *position < FILES_MAX + 2; ++*position) {
        int fd = (int)*position - 2, status;

        if (!file_get(fd))
            continue;
        status = dirents_add(dirents, name, digits_of(fd, name), ino_of(&open_descriptor, fd),
                             dirent_type(S_IFLNK), *position + 1);
        if (status < 0)
            return status;
    }
    return 0;
}

static int list_table(const struct synthetic_file *dir, struct dirents *dirents, uint64_t *position)
{
    const struct synthetic *entry;
    uint64_t row = *position - 2;

    while ((entry = synthetic_next(dir, &row))) {
        const char *name = name_in(dir->entry, entry);
        int status = dirents_add(dirents, name, strlen(name), ino_of(entry, -1),
                                 dirent_type(entry->mode), row + 2);

        if (status < 0)
            return status;
        *position = row + 2;
    }
    return 0;
}

int64_t synthetic_getdents(const struct synthetic_file *dir, uint64_t *position, guest_addr_t to,
                           uint64_t size)
{
    struct dirents dirents = {.addr = to, .size = size};
    const struct synthetic *entry = dir->entry;
    int status;

    if (entry->kind != SYNTHETIC_DIRECTORY)
        return -ENOTDIR;
    status = dirents_add_dots(&dirents, position, ino_of(entry, -1), parent_ino(entry));
    if (status == 0)
        status = equals("/proc/self/fd", 13, entry->path) ? list_descriptors(&dirents, position)
                                                          : list_table(dir, &dirents, position);
    return dirents_result(&dirents, status);
}
