/* SPDX-License-Identifier: ISC
 *
 * For the tests of mounts.h: a scratch directory on the host, fresh for each test, and a name
 * space.
 */
#ifndef MOUNTS_FIXTURE_H
#define MOUNTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"

static char scratch[256];
static struct mounts *mounts;
static struct husk_error error;
static int first_fd;

static inline const char *on_host(const char *path)
{
    static char full[4][PATH_MAX];
    static unsigned next;

    next = (next + 1) % 4;
    snprintf(full[next], sizeof(full[next]), "%s/%s", scratch, path);
    return full[next];
}

static inline void make_dir(const char *path)
{
    assert_return_code(mkdir(on_host(path), 0755), errno);
}

static inline void make_file(const char *path, const char *text)
{
    cleanup_fd int fd = open(on_host(path), O_CREAT | O_EXCL | O_WRONLY, 0644);

    assert_return_code(fd, errno);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static inline void make_link(const char *path, const char *target)
{
    assert_return_code(symlink(target, on_host(path)), errno);
}

static inline int add(const char *host, const char *guest, unsigned rights)
{
    return mounts_add(mounts, on_host(host), guest, rights, &error);
}

static inline void mount_ro(const char *host, const char *guest)
{
    if (add(host, guest, MOUNT_READ_ONLY))
        fail_msg("%s", error.text);
}

static inline void mount_rw(const char *host, const char *guest)
{
    if (add(host, guest, MOUNT_WRITABLE))
        fail_msg("%s", error.text);
}

static inline void opened_close(struct opened *opened)
{
    if (opened->fd >= 0)
        close(opened->fd);
    free(opened->path);
}

/* 0 or -errno; what was opened is closed again. */
static inline int try_open(const char *path, int flags)
{
    struct opened opened;
    int result = mounts_open(mounts, NULL, path, flags, 0644, &opened);

    if (result == 0)
        opened_close(&opened);
    return result;
}

static inline int try_stat(const char *path, int flags, struct statx *stx)
{
    return mounts_stat(mounts, NULL, path, flags, STATX_BASIC_STATS, stx);
}

/* PATH opens, from BASE, as a file that holds TEXT. */
static inline void assert_reads_from(const struct guest_dir *base, const char *path,
                                     const char *text)
{
    struct opened opened;
    char buffer[100] = "";
    int result = mounts_open(mounts, base, path, O_RDONLY, 0, &opened);

    if (result)
        fail_msg("%s: %s", path, strerror(-result));
    assert_int_equal(opened.kind, HUSK_KIND_FILE);
    assert_non_null(opened.path);
    assert_int_equal(pread(opened.fd, buffer, sizeof(buffer) - 1, 0), strlen(text));
    assert_string_equal(buffer, text);
    opened_close(&opened);
}

static inline void assert_reads(const char *path, const char *text)
{
    assert_reads_from(NULL, path, text);
}

/* PATH opens, from BASE, as the directory with the guest path CANONICAL. Returns it. */
static inline struct guest_dir open_dir(const struct guest_dir *base, const char *path,
                                        const char *canonical)
{
    struct opened opened;
    int result = mounts_open(mounts, base, path, O_RDONLY | O_DIRECTORY, 0, &opened);

    if (result)
        fail_msg("%s: %s", path, strerror(-result));
    assert_int_equal(opened.kind, HUSK_KIND_DIR);
    assert_string_equal(opened.path, canonical);
    return (struct guest_dir){opened.fd, opened.path};
}

static inline void close_dir(struct guest_dir *dir)
{
    if (dir->fd >= 0)
        close(dir->fd);
    free(dir->path);
}

static inline void assert_dir(const char *path, const char *canonical)
{
    struct guest_dir dir = open_dir(NULL, path, canonical);

    close_dir(&dir);
}

/* The next descriptor to be used: the same before and after a test that closes all of its own. */
static inline int next_fd(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

/* Root may do anything: continue as somebody for whom permissions count. */
static inline void drop_root(void)
{
    if (geteuid() == 0)
        assert_int_equal(chown(scratch, 65534, 65534) | seteuid(65534), 0);
}

static inline int setup(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(scratch, sizeof(scratch), "%s/husk-test-XXXXXX", tmp ? tmp : "/tmp");
    first_fd = next_fd();
    mounts = mounts_new();
    return mounts == NULL || mkdtemp(scratch) == NULL;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline int teardown(void **state)
{
    (void)state;
    mounts_free(mounts);
    if (getuid() == 0 && seteuid(0))
        return 1;
    if (next_fd() != first_fd) {
        print_error("a descriptor was not closed\n");
        return 1;
    }
    return nftw(scratch, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
}

/* data/ is mounted at /data; outside/ lies beside it on the host and holds what nobody may read. */
static inline int setup_data(void **state)
{
    if (setup(state))
        return 1;
    make_dir("data");
    make_dir("data/sub");
    make_dir("data/sub/deep");
    make_file("data/file", "file");
    make_file("data/sub/file", "sub");
    make_file("data/sub/deep/file", "deep");
    make_dir("outside");
    make_file("outside/secret", "secret");
    mount_ro("data", "/data");
    return 0;
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_DATA(name) cmocka_unit_test_setup_teardown(name, setup_data, teardown)

#endif
