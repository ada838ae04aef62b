/* SPDX-License-Identifier: ISC */
#include "trees.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define PIECE (64 << 10)

/* The first data from AT on, or SIZE. A file system without holes says AT. */
static off_t next_data(int fd, off_t at, off_t size)
{
    off_t data = lseek(fd, at, SEEK_DATA);

    return data < 0 || data > size ? size : data;
}

static void assert_same_contents(const char *path, int one, int other, off_t size)
{
    char bytes[2][PIECE];

    for (off_t at = 0; at < size; at += PIECE) {
        off_t first = next_data(one, at, size), second = next_data(other, at, size);

        at = first < second ? first : second;
        memset(bytes, 0, sizeof(bytes));
        if (pread(one, bytes[0], PIECE, at) != pread(other, bytes[1], PIECE, at) ||
            memcmp(bytes[0], bytes[1], PIECE) != 0)
            fail_msg("%s: other contents natively than in the VM, from byte %lld on", path,
                     (long long)at);
    }
}

static void assert_same_files(const char *native, const char *guest, off_t size)
{
    int one = open(native, O_RDONLY | O_CLOEXEC), other = open(guest, O_RDONLY | O_CLOEXEC);

    if (one < 0 || other < 0)
        fail_msg("%s cannot be opened", one < 0 ? native : guest);
    assert_same_contents(guest, one, other, size);
    close(one);
    close(other);
}

static void assert_same_links(const char *native, const char *guest)
{
    char one[PATH_MAX + 1] = "", other[PATH_MAX + 1] = "";

    assert_true(readlink(native, one, PATH_MAX) > 0);
    assert_true(readlink(guest, other, PATH_MAX) > 0);
    assert_string_equal(one, other);
}

static int count_entries(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;

    if (!dir)
        fail_msg("%s cannot be listed", path);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Every name of the one is in the other, which has no more. */
static void assert_same_directories(const char *native, const char *guest)
{
    DIR *dir = opendir(native);

    if (!dir)
        fail_msg("%s cannot be listed", native);
    if (count_entries(native) != count_entries(guest))
        fail_msg("%s: %d entries natively, %d in the VM", guest, count_entries(native),
                 count_entries(guest));
    for (struct dirent *entry; (entry = readdir(dir));) {
        char *one, *other;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        assert_true(asprintf(&one, "%s/%s", native, entry->d_name) >= 0);
        assert_true(asprintf(&other, "%s/%s", guest, entry->d_name) >= 0);
        assert_same_trees(one, other);
        free(one);
        free(other);
    }
    closedir(dir);
}

/* A time of long ago was set, not taken from the clock. */
static bool is_other_time(struct timespec one, struct timespec other)
{
    const time_t long_ago = time(NULL) - 24 * 3600;

    return (one.tv_sec < long_ago || other.tv_sec < long_ago) &&
           (one.tv_sec != other.tv_sec || one.tv_nsec != other.tv_nsec);
}

void assert_same_trees(const char *native, const char *guest)
{
    struct stat one, other;

    if (lstat(native, &one) < 0)
        fail_msg("%s is missing", native);
    if (lstat(guest, &other) < 0)
        fail_msg("%s is there natively, but not in the VM", guest);
    if (one.st_mode != other.st_mode)
        fail_msg("%s: mode %o natively, %o in the VM", guest, one.st_mode, other.st_mode);
    if (one.st_uid != other.st_uid || one.st_gid != other.st_gid)
        fail_msg("%s: another owner than natively", guest);
    if (is_other_time(one.st_mtim, other.st_mtim))
        fail_msg("%s: modified %lld natively, %lld in the VM", guest, (long long)one.st_mtim.tv_sec,
                 (long long)other.st_mtim.tv_sec);
    if (one.st_nlink != other.st_nlink)
        fail_msg("%s: %lu links natively, %lu in the VM", guest, (unsigned long)one.st_nlink,
                 (unsigned long)other.st_nlink);
    if (S_ISDIR(one.st_mode)) {
        assert_same_directories(native, guest);
        return;
    }
    if (one.st_size != other.st_size)
        fail_msg("%s: %lld bytes natively, %lld in the VM", guest, (long long)one.st_size,
                 (long long)other.st_size);
    if (S_ISLNK(one.st_mode))
        assert_same_links(native, guest);
    else if (S_ISREG(one.st_mode))
        assert_same_files(native, guest, one.st_size);
}
