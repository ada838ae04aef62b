/* SPDX-License-Identifier: ISC
 *
 * The operations on files whose host calls test_faults.c lets fail.
 */
#ifndef FAULT_OPERATIONS_H
#define FAULT_OPERATIONS_H

#include "mounts_fixture.h"

#include <sys/file.h>
#include <sys/mman.h>

#include "faults.h"
#include "hypercall.h"

#define RAM  (16ULL << 20)
#define DATA 0x200000 /* where the guest keeps what it passes */
#define MAPS 0x400000 /* where it maps files */

static const struct run_options options;
static struct run run;
static uint64_t file, second, directory, mapped_file; /* handles */
static uint64_t memory_file;                          /* of HUSK_OP_MEMORY */

/* An operation: makes its arguments and rings. What has to be there was made by prepare(). */
struct operation {
    const char *name;
    int64_t (*ring)(void);
    const char *tolerated; /* host calls whose failure the guest need not see, between blanks */
};

static inline int64_t ring(uint32_t op, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                           uint64_t f)
{
    struct husk_desc *desc = memory_host(&run.memory, HUSK_DESC_PAGE);

    *desc = (struct husk_desc){.op = op, .arg = {a, b, c, d, e, f}};
    assert_int_equal(hypercall_serve(&run, 0), 0);
    return desc->result;
}

/* Put bytes into the guest's memory: their address. */
static inline uint64_t put(const void *bytes, size_t len)
{
    static uint64_t next = DATA;
    uint64_t at = next = next + 2 * len > DATA + 0x100000 ? DATA : next;

    assert_int_equal(memory_write(&run.memory, at, bytes, len), 0);
    next = (at + len + 15) & ~15ULL;
    return at;
}

static inline uint64_t text(const char *string)
{
    return put(string, strlen(string));
}

#define PATH(string) HUSK_DIR_ROOT, text(string), strlen(string)

static inline uint64_t path_at(uint64_t dir, const char *string)
{
    const struct husk_path path = {dir, text(string), strlen(string)};

    return put(&path, sizeof(path));
}

static inline uint64_t vector(void)
{
    const struct husk_iovec iov[2] = {{DATA + 0x180000, 6}, {DATA + 0x190000, 6}};

    return put(iov, sizeof(iov));
}

enum { BUFFER = DATA + 0x180000 };

static inline int64_t open_path(const char *path, int flags)
{
    int64_t result = ring(HUSK_OP_OPEN, PATH(path), (uint64_t)flags, 0644, 0);

    return result < 0 ? result : (int64_t)HUSK_OPEN_HANDLE(result);
}

/* The result without the handle's number. */
static inline int64_t opens(const char *path, int flags)
{
    int64_t handle = open_path(path, flags);

    if (handle < 0)
        return handle;
    faults_disarm();
    return ring(HUSK_OP_CLOSE, (uint64_t)handle, 0, 0, 0, 0, 0);
}

static inline int64_t do_open(void)
{
    return opens("/data/sub/deep/file", O_RDWR);
}

static inline int64_t do_open_directory(void)
{
    return opens("/data/sub/", O_RDONLY | O_DIRECTORY);
}

static inline int64_t do_open_by_links(void)
{
    return opens("/data/link/.././to-file", O_RDONLY | O_APPEND);
}

static inline int64_t do_open_new(void)
{
    return opens("/data/new", O_RDWR | O_CREAT);
}

static inline int64_t do_open_nameless(void)
{
    return opens("/data/sub", O_RDWR | O_TMPFILE);
}

static inline int64_t do_open_path(void)
{
    return opens("/data/sub/to-file", O_PATH | O_NOFOLLOW);
}

static inline int64_t do_open_fifo(void)
{
    return opens("/data/fifo", O_RDWR | O_NONBLOCK);
}

static inline int64_t do_open_mounted_file(void)
{
    return opens("/single", O_RDWR | O_TRUNC);
}

static inline int64_t do_open_mem(void)
{
    return opens("/data/mem", O_RDONLY);
}

static inline int64_t do_close(void)
{
    int64_t handle = (int64_t)second;

    second = 0;
    return ring(HUSK_OP_CLOSE, (uint64_t)handle, 0, 0, 0, 0, 0);
}

static inline int64_t do_read(void)
{
    return ring(HUSK_OP_READ, file, BUFFER, 6, 0, 0, 0);
}

static inline int64_t do_write(void)
{
    return ring(HUSK_OP_WRITE, file, text("123456"), 6, 2, 0, 0);
}

static inline int64_t do_read_stream(void)
{
    return ring(HUSK_OP_READ, file, BUFFER, 0, HUSK_STREAM, 0, 0);
}

static inline int64_t do_write_stream(void)
{
    return ring(HUSK_OP_WRITE, file, text("123456"), 6, HUSK_STREAM, 0, 0);
}

static inline int64_t do_readv(void)
{
    return ring(HUSK_OP_READV, file, vector(), 2, 0, 0, 0);
}

static inline int64_t do_writev(void)
{
    return ring(HUSK_OP_WRITEV, file, vector(), 2, 0, 0, 0);
}

static inline int64_t do_append(void)
{
    return ring(HUSK_OP_WRITE, second, text("123456"), 6, HUSK_STREAM, 0, 0);
}

static inline int64_t do_seek(void)
{
    return ring(HUSK_OP_SEEK, file, 0, SEEK_DATA, 0, 0, 0);
}

static inline int64_t do_stat(void)
{
    return ring(HUSK_OP_STAT, PATH("/data/sub/to-file"), 0, STATX_BASIC_STATS, BUFFER);
}

static inline int64_t do_stat_open(void)
{
    return ring(HUSK_OP_STAT, file, 0, 0, AT_EMPTY_PATH, STATX_BASIC_STATS, BUFFER);
}

static inline int64_t do_stat_upwards(void)
{
    return ring(HUSK_OP_STAT, directory, text(".."), 2, 0, STATX_BASIC_STATS, BUFFER);
}

static inline int64_t do_access(void)
{
    return ring(HUSK_OP_ACCESS, PATH("/data/file"), R_OK | W_OK, 0, 0);
}

static inline int64_t do_readlink(void)
{
    return ring(HUSK_OP_READLINK, PATH("/data/sub/to-file"), BUFFER, 100, 0);
}

static inline int64_t do_getdents(void)
{
    int64_t len = ring(HUSK_OP_GETDENTS, directory, BUFFER, 4096, 0, 0, 0);

    if (len > 0)
        faults_disarm();
    if (len > 0)
        assert_int_equal(ring(HUSK_OP_SEEK, directory, 0, SEEK_SET, 0, 0, 0), 0);
    return len;
}

static inline int64_t do_map(void)
{
    return ring(HUSK_OP_MAPFILE, MAPS, 0x1000, file, 0, HUSK_PROT_READ | HUSK_PROT_WRITE, 0);
}

static inline int64_t do_map_shared(void)
{
    return ring(HUSK_OP_MAPFILE, MAPS, 0x1000, file, 0, HUSK_PROT_READ | HUSK_PROT_WRITE, 1);
}

static inline int64_t do_msync(void)
{
    return ring(HUSK_OP_MSYNC, MAPS + 0x1000, 0x1000, MS_SYNC, 0, 0, 0);
}

static inline int64_t do_mkdir(void)
{
    return ring(HUSK_OP_MKDIR, PATH("/data/sub/new"), 0755, 0, 0);
}

static inline int64_t do_unlink(void)
{
    return ring(HUSK_OP_UNLINK, PATH("/data/sub/to-file"), 0, 0, 0);
}

static inline int64_t do_rmdir(void)
{
    return ring(HUSK_OP_UNLINK, PATH("/data/sub/empty/"), AT_REMOVEDIR, 0, 0);
}

static inline int64_t do_rename(void)
{
    return ring(HUSK_OP_RENAME, path_at(HUSK_DIR_ROOT, "/data/sub"), path_at(directory, "../moved"),
                0, 0, 0, 0);
}

static inline int64_t do_exchange(void)
{
    return ring(HUSK_OP_RENAME, path_at(directory, "deep"), path_at(HUSK_DIR_ROOT, "/data/file"), 2,
                0, 0, 0);
}

static inline int64_t do_link(void)
{
    return ring(HUSK_OP_LINK, path_at(directory, "to-file"), path_at(HUSK_DIR_ROOT, "/data/linked"),
                AT_SYMLINK_FOLLOW, 0, 0, 0);
}

static inline int64_t do_link_open(void)
{
    return ring(HUSK_OP_LINK, path_at(file, ""), path_at(HUSK_DIR_ROOT, "/data/linked"),
                AT_EMPTY_PATH, 0, 0, 0);
}

static inline int64_t do_symlink(void)
{
    return ring(HUSK_OP_SYMLINK, PATH("/data/sub/symlink"), text("target"), 6, 0);
}

static inline int64_t do_chmod(void)
{
    return ring(HUSK_OP_CHMOD, PATH("/data/file"), 0600, 0, 0);
}

static inline int64_t do_chmod_open(void)
{
    return ring(HUSK_OP_CHMOD, file, 0, 0, 0600, AT_EMPTY_PATH, 0);
}

static inline int64_t do_chown(void)
{
    return ring(HUSK_OP_CHOWN, PATH("/data/link"), geteuid() | (uint64_t)getegid() << 32,
                AT_SYMLINK_NOFOLLOW, 0);
}

static inline int64_t do_chown_open(void)
{
    return ring(HUSK_OP_CHOWN, file, 0, 0, geteuid() | (uint64_t)getegid() << 32, AT_EMPTY_PATH, 0);
}

static inline int64_t do_utimes(void)
{
    return ring(HUSK_OP_UTIMES, PATH("/data/sub/to-file"), 0, 0, 0);
}

static inline int64_t do_utimes_open(void)
{
    return ring(HUSK_OP_UTIMES, file, 0, 0, 0, AT_EMPTY_PATH, 0);
}

static inline int64_t do_truncate(void)
{
    return ring(HUSK_OP_TRUNCATE, PATH("/data/file"), 100, 0, 0);
}

/* With record locks. */
static inline int64_t do_truncate_locked(void)
{
    run.handles.locks_records = true;
    return ring(HUSK_OP_TRUNCATE, PATH("/data/file"), 100, 0, 0);
}

static inline int64_t do_truncate_open(void)
{
    return ring(HUSK_OP_TRUNCATE, file, 0, 0, 100, AT_EMPTY_PATH, 0);
}

static inline int64_t do_statfs(void)
{
    return ring(HUSK_OP_STATFS, PATH("/data/sub"), BUFFER, 0, 0);
}

static inline int64_t do_statfs_open(void)
{
    return ring(HUSK_OP_STATFS, file, 0, 0, BUFFER, AT_EMPTY_PATH, 0);
}

static inline int64_t do_allocate(void)
{
    return ring(HUSK_OP_ALLOCATE, file, 0, 0, 8192, 0, 0);
}

static inline int64_t do_fsync(void)
{
    return ring(HUSK_OP_SYNC, file, 0, 0, 0, 0, 0);
}

static inline int64_t do_fdatasync(void)
{
    return ring(HUSK_OP_SYNC, file, 1, 0, 0, 0, 0);
}

static inline int64_t do_lock(void)
{
    const struct flock lock = {.l_type = F_WRLCK, .l_len = 10};

    return ring(HUSK_OP_LOCK, file, F_OFD_SETLK, put(&lock, sizeof(lock)), 0, 0, 0);
}

static inline int64_t do_get_lock(void)
{
    const struct flock lock = {.l_type = F_WRLCK, .l_len = 10};

    return ring(HUSK_OP_LOCK, file, F_GETLK, put(&lock, sizeof(lock)), 0, 0, 0);
}

static inline int64_t do_flock(void)
{
    return ring(HUSK_OP_FLOCK, file, LOCK_EX | LOCK_NB, 0, 0, 0, 0);
}

static inline int64_t do_resolve(void)
{
    return ring(HUSK_OP_RESOLVE, PATH("/data/sub/to-file"), HUSK_END_FOLLOW, BUFFER, 100);
}

static inline int64_t do_protect(void)
{
    return ring(HUSK_OP_PROTECT, MAPS + 0x1000, 0x1000, HUSK_PROT_READ, 0, 0, 0);
}

static inline int64_t do_unmap(void)
{
    return ring(HUSK_OP_UNMAP, MAPS + 0x1000, 0x1000, 0, 0, 0, 0);
}

static inline int64_t do_discard(void)
{
    return ring(HUSK_OP_DISCARD, MAPS + 0x1000, 0x1000, 0, 0, 0, 0);
}

/* Made, and gone again. */
static inline int64_t do_memory_file(void)
{
    int64_t number = ring(HUSK_OP_MEMORY, HUSK_MEMORY_NEW, 0x1000, 0, 0, 0, 0);

    if (number < 0)
        return number;
    faults_disarm();
    return ring(HUSK_OP_MEMORY, (uint64_t)number, 0, 0, 0, 0, 0);
}

static inline int64_t do_memory_grow(void)
{
    return ring(HUSK_OP_MEMORY, memory_file, 0x3000, 0, 0, 0, 0);
}

static inline int64_t do_memory_end(void)
{
    return ring(HUSK_OP_MEMORY, memory_file, 0, 0, 0, 0, 0);
}

static inline int64_t do_map_memory(void)
{
    return ring(HUSK_OP_MAPFILE, MAPS, 0x1000, memory_file, 0, HUSK_PROT_READ, 1);
}

static inline int64_t do_image(void)
{
    int64_t handle = ring(HUSK_OP_IMAGE, 0, 0, 0, 0, 0, 0);

    if (handle < 0)
        return handle;
    faults_disarm();
    return ring(HUSK_OP_CLOSE, (uint64_t)handle, 0, 0, 0, 0, 0);
}

/* Descriptors that are only closed have nothing to tell. */
#define OPERATION(name) #name, do_##name

static const struct operation operations[] = {
    {OPERATION(open), " close "},
    {OPERATION(open_directory), " close "},
    {OPERATION(open_by_links), " close "},
    {OPERATION(open_new), " close "},
    {OPERATION(open_nameless), " close "},
    {OPERATION(open_path), " close "},
    {OPERATION(open_fifo), " close "},
    {OPERATION(open_mounted_file), " close "},
    {OPERATION(open_mem), " close "},
    {OPERATION(close), ""},
    {OPERATION(read), ""},
    {OPERATION(write), ""},
    {OPERATION(read_stream), ""},
    {OPERATION(write_stream), ""},
    {OPERATION(readv), ""},
    {OPERATION(writev), ""},
    {OPERATION(append), ""},
    {OPERATION(seek), ""},
    {OPERATION(stat), " close "},
    {OPERATION(stat_open), ""},
    {OPERATION(stat_upwards), " close "},
    {OPERATION(access), " close "},
    {OPERATION(readlink), " close "},
    {OPERATION(getdents), ""},
    {OPERATION(map), ""},
    {OPERATION(map_shared), ""},
    {OPERATION(msync), ""},
    {OPERATION(mkdir), " close "},
    {OPERATION(unlink), " close "},
    {OPERATION(rmdir), " close "},
    /* Without memory an open directory keeps its old name. */
    {OPERATION(rename), " close asprintf "},
    {OPERATION(exchange), " close asprintf "},
    {OPERATION(link), " close "},
    {OPERATION(link_open), " close "},
    {OPERATION(symlink), " close "},
    {OPERATION(chmod), " close "},
    {OPERATION(chmod_open), ""},
    {OPERATION(chown), " close "},
    {OPERATION(chown_open), ""},
    {OPERATION(utimes), " close "},
    {OPERATION(utimes_open), ""},
    {OPERATION(truncate), " close "},
    /* Not to know whether a file is locked is no reason not to truncate it. */
    {OPERATION(truncate_locked), " close statx openat2 "},
    {OPERATION(truncate_open), ""},
    {OPERATION(statfs), " close "},
    {OPERATION(statfs_open), ""},
    {OPERATION(allocate), ""},
    {OPERATION(fsync), ""},
    {OPERATION(fdatasync), ""},
    {OPERATION(lock), ""},
    {OPERATION(get_lock), ""},
    {OPERATION(flock), ""},
    {OPERATION(resolve), " close "},
    {OPERATION(protect), ""},
    {OPERATION(unmap), " madvise "}, /* advice that may not be taken */
    {OPERATION(discard), ""},
    {OPERATION(memory_file), ""},
    {OPERATION(memory_grow), ""},
    {OPERATION(memory_end), " ftruncate close "}, /* pages that may be there still count */
    {OPERATION(map_memory), ""},
    {OPERATION(image), ""},
};

#endif
