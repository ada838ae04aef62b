/* SPDX-License-Identifier: ISC
 *
 * guest-rt's tmpfs against Linux's: the same random operations on both, and the same errors,
 * contents, attributes and listings wanted. SEED in the environment chooses others.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tmpfs_fixture.h"

enum { HANDLES = 10, STEPS = 100000, ROOT = HANDLES };
#define LIMIT (64 * PAGE)

static struct handle {
    int fd;
    struct tmpfs_node *node;
} handles[HANDLES + 1]; /* the last is the root directory */
static bool limited;

static unsigned pick(unsigned choices)
{
    return (unsigned)random() % choices;
}

/* A path of one to three components. ".." only where it cannot lead out of the root directory. */
static void random_path(char *path)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    unsigned depth = 1 + pick(3);

    strcpy(path, names[pick(5)]);
    for (unsigned i = 1; i < depth; i++) {
        bool dots = pick(20) == 0 && !strchr(path, '.');

        strcat(path, "/");
        strcat(path, !dots ? names[pick(5)] : pick(2) ? "." : "..");
    }
}

/* Walk to the last component, as path resolution will. Symbolic links lead to nowhere here. */
static int walk(struct tmpfs_node *dir, const char *path, struct tmpfs_name *last)
{
    for (;;) {
        size_t len = strcspn(path, "/");
        struct tmpfs_node *next;
        int status;

        *last = (struct tmpfs_name){dir, path, len};
        if (!tmpfs_is(dir, S_IFDIR))
            return -ENOTDIR;
        if (!path[len])
            return 0;
        status = tmpfs_lookup(last, &next);
        if (status < 0)
            return status;
        if (tmpfs_is(next, S_IFLNK))
            return -ENOENT;
        dir = next;
        path += len + 1;
    }
}

static int64_t host(int64_t result)
{
    return result < 0 ? -errno : result;
}

/* A random place: its directory handle on both sides, the path, and where the path leads here. */
struct place {
    int fd;
    char path[32];
    struct tmpfs_name name;
    int status;
};

static void random_place(struct place *place)
{
    struct handle *base = &handles[ROOT];

    if (pick(4) == 0)
        base = &handles[pick(HANDLES)];
    if (!base->node)
        base = &handles[ROOT];
    random_path(place->path);
    place->fd = base->fd;
    place->status = walk(base->node, place->path, &place->name);
}

#define AGREE(ours, theirs)                                                                        \
    do {                                                                                           \
        int64_t ours_ = (ours), theirs_ = host(theirs);                                            \
        if (ours_ != theirs_)                                                                      \
            fail_msg("step %d: %s: %ld, but Linux: %ld", step, #ours, (long)ours_, (long)theirs_); \
    } while (0)
#define AT(place, call) ((place).status < 0 ? (place).status : (call))

static int step;

static void step_make(void)
{
    struct place place;
    struct tmpfs_new new = {.mode = S_IFREG | 0644};
    struct tmpfs_node *node;
    int fd;

    random_place(&place);
    switch (pick(3)) {
    case 0:
        /* open(2) tells a directory's name from a file's before it looks */
        if (strchr(place.path, '.'))
            return;
        fd = openat(place.fd, place.path, O_CREAT | O_EXCL | O_RDWR, 0644);
        AGREE(AT(place, tmpfs_make(&place.name, &new, &node)), fd < 0 ? -1 : 0);
        if (fd >= 0)
            close(fd);
        return;
    case 1:
        new.mode = S_IFDIR | 0755;
        AGREE(AT(place, tmpfs_make(&place.name, &new, &node)), mkdirat(place.fd, place.path, 0755));
        return;
    case 2:
        new = (struct tmpfs_new){.mode = S_IFLNK | 0777, .target = "/nowhere/x", .target_len = 10};
        AGREE(AT(place, tmpfs_make(&place.name, &new, &node)),
              symlinkat("/nowhere/x", place.fd, place.path));
        return;
    }
}

static void step_remove(void)
{
    struct place place;

    random_place(&place);
    if (pick(2))
        AGREE(AT(place, tmpfs_unlink(&place.name)), unlinkat(place.fd, place.path, 0));
    else
        AGREE(AT(place, tmpfs_rmdir(&place.name)), unlinkat(place.fd, place.path, AT_REMOVEDIR));
}

static void step_rename(void)
{
    struct place from, to;
    unsigned flags = pick(8) < 4 ? 0 : pick(4);
    int status;

    random_place(&from);
    random_place(&to);
    status = from.status < 0 ? from.status : to.status;
    if (status == 0 || flags != (RENAME_NOREPLACE | RENAME_EXCHANGE))
        AGREE(status < 0 ? status : tmpfs_rename(&from.name, &to.name, flags),
              syscall(SYS_renameat2, from.fd, from.path, to.fd, to.path, flags));
}

static void step_link(void)
{
    struct place from, to;
    struct tmpfs_node *node;
    int status;

    random_place(&from);
    random_place(&to);
    status = AT(from, tmpfs_lookup(&from.name, &node));
    if (status == 0)
        status = AT(to, tmpfs_link(&to.name, node));
    AGREE(status, linkat(from.fd, from.path, to.fd, to.path, 0));
}

static void step_open(void)
{
    struct handle *handle = &handles[pick(HANDLES)];
    struct place place;
    struct tmpfs_node *node;
    int fd, status;

    random_place(&place);
    fd = openat(place.fd, place.path, O_RDWR | O_NOFOLLOW);
    status = AT(place, tmpfs_lookup(&place.name, &node));
    if (fd < 0 && errno == EISDIR)
        fd = openat(place.fd, place.path, O_RDONLY | O_DIRECTORY);
    if (status == 0 && tmpfs_is(node, S_IFLNK))
        status = -ELOOP;
    AGREE(status, fd < 0 ? -1 : 0);
    if (status < 0)
        return;
    if (handle->node) {
        close(handle->fd);
        tmpfs_put(handle->node);
    }
    *handle = (struct handle){fd, tmpfs_get(node)};
}

static struct handle *random_handle(uint32_t type)
{
    for (unsigned i = 0, first = pick(HANDLES); i < HANDLES; i++) {
        struct handle *handle = &handles[(first + i) % HANDLES];

        if (handle->node && tmpfs_is(handle->node, type))
            return handle;
    }
    return NULL;
}

/* Mostly small, sometimes far behind 4 GiB. */
static uint64_t random_offset(void)
{
    return pick(4) ? pick(80 * PAGE) : (1ULL << (30 + pick(12))) + pick(PAGE);
}

static void step_write(void)
{
    struct handle *handle = random_handle(S_IFREG);
    uint64_t offset = random_offset(), len = pick(BIG), start = pick(BIG);

    if (!handle)
        return;
    if (len > BIG - start && pick(2))
        len = BIG - start;
    /* Since 6.16 Linux leaves a page behind the file's end if a page's first byte faults. */
    if ((offset - start) % PAGE == 0)
        offset++;
    for (size_t i = 0; i < BIG; i += 1 + pick(64))
        buffer[i] = 1 + pick(255);
    AGREE(tmpfs_write(handle->node, addr(buffer + start), len, offset),
          pwrite(handle->fd, buffer + start, len, offset));
}

static void step_read(void)
{
    struct handle *handle = random_handle(S_IFREG);
    uint64_t offset = random_offset(), len = pick(BIG), start = pick(BIG / 2);

    if (!handle)
        return;
    memset(buffer, 0x55, BIG);
    memset(other, 0x55, BIG);
    AGREE(tmpfs_read(handle->node, addr(buffer + start), len, offset),
          pread(handle->fd, other + start, len, offset));
    assert_memory_equal(buffer, other, BIG);
}

static void step_truncate(void)
{
    struct handle *handle = random_handle(S_IFREG);
    uint64_t size = random_offset();

    if (handle)
        AGREE(tmpfs_truncate(handle->node, size), ftruncate(handle->fd, size));
}

static void step_allocate(void)
{
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE,
                                FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE};
    struct handle *handle = random_handle(S_IFREG);
    int mode = modes[pick(4)];
    int64_t offset = random_offset(), len = pick(10 * PAGE);

    if (handle)
        AGREE(tmpfs_fallocate(handle->node, mode, offset, len),
              fallocate(handle->fd, mode, offset, len));
}

static void step_seek(void)
{
    struct handle *handle = random_handle(S_IFREG);
    uint64_t offset = random_offset();
    int whence = pick(2) ? SEEK_DATA : SEEK_HOLE;

    if (handle)
        AGREE(tmpfs_seek(handle->node, offset, whence), lseek(handle->fd, offset, whence));
}

static void step_attributes(void)
{
    struct handle *handle = random_handle(pick(2) ? S_IFREG : S_IFDIR);
    uint32_t mode = pick(010000), id = pick(3);

    if (!handle)
        return;
    if (geteuid() != 0) /* who is bound by permissions must keep them, and writing drops S_ISUID */
        mode = (mode & 0777) | 0700;
    if (pick(2)) {
        tmpfs_chmod(handle->node, mode);
        assert_int_equal(fchmod(handle->fd, mode), 0);
    } else if (geteuid() == 0) {
        tmpfs_chown(handle->node, id, (uint32_t)-1);
        assert_int_equal(fchown(handle->fd, id, (gid_t)-1), 0);
    }
}

static void compare_stat(const struct handle *handle)
{
    struct statx ours = stat_of(handle->node);
    struct stat theirs;

    assert_int_equal(fstat(handle->fd, &theirs), 0);
    assert_int_equal(ours.stx_mode, theirs.st_mode);
    assert_int_equal(ours.stx_nlink, theirs.st_nlink);
    assert_int_equal(ours.stx_size, theirs.st_size);
    assert_int_equal(ours.stx_blocks, theirs.st_blocks);
    if (geteuid() == 0)
        assert_int_equal(ours.stx_uid, theirs.st_uid);
}

static void step_stat(void)
{
    struct handle *handle = &handles[pick(HANDLES + 1)];

    if (handle->node)
        compare_stat(handle);
}

/* The names of a listing as one sorted text. */
static void listing_text(const char *entries, int64_t len, char *text)
{
    const char *names[64];
    size_t names_count = 0;

    for (int64_t i = 0; i < len; i += ((const struct dirent_record *)(entries + i))->size)
        names[names_count++] = ((const struct dirent_record *)(entries + i))->name - 1;
    for (size_t i = 0; i < names_count; i++)
        for (size_t j = i + 1; j < names_count; j++)
            if (strcmp(names[i] + 1, names[j] + 1) > 0) {
                const char *swap = names[i];

                names[i] = names[j];
                names[j] = swap;
            }
    text[0] = 0;
    for (size_t i = 0; i < names_count; i++)
        sprintf(text + strlen(text), "%s %d, ", names[i] + 1, names[i][0]);
}

static void step_list(void)
{
    struct handle *handle = pick(2) ? random_handle(S_IFDIR) : &handles[ROOT];
    char ours_text[4096], theirs_text[4096];
    uint64_t position = 0;
    int64_t ours, theirs;

    if (!handle)
        return;
    lseek(handle->fd, 0, SEEK_SET);
    ours = tmpfs_getdents(handle->node, &position, addr(buffer), BIG);
    theirs = host(syscall(SYS_getdents64, handle->fd, other, BIG));
    assert_int_equal(ours < 0 ? ours : 0, theirs < 0 ? theirs : 0);
    listing_text(buffer, ours, ours_text);
    listing_text(other, theirs, theirs_text);
    assert_string_equal(ours_text, theirs_text);
    if (ours > 0)
        assert_int_equal(tmpfs_getdents(handle->node, &position, addr(buffer), BIG), 0);
}

/* A tmpfs of the host's with the same limit if this process may mount one, else without. (Not of
 * nodes: Linux keeps a removed directory while a file that was in it is open.) */
static int host_directory(char *path)
{
    strcpy(path, "/dev/shm/husk-test-XXXXXX");
    assert_non_null(mkdtemp(path));
    limited = unshare(CLONE_NEWNS) == 0 &&
              syscall(SYS_mount, "none", "/", NULL, 1UL << 18 | 1 << 14 /* private */, NULL) == 0 &&
              syscall(SYS_mount, "none", path, "tmpfs", 0, "size=256k,nr_inodes=0") == 0;
    return open(path, O_RDONLY | O_DIRECTORY);
}

static void remove_tree(int fd)
{
    DIR *dir = fdopendir(dup(fd));
    struct dirent *entry;

    rewinddir(dir);
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_type == DT_DIR) {
            int sub = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY);

            remove_tree(sub);
            close(sub);
        }
        unlinkat(fd, entry->d_name, entry->d_type == DT_DIR ? AT_REMOVEDIR : 0);
    }
    closedir(dir);
}

static void test_random_operations_agree_with_linux(void **state)
{
    static void (*const steps[])(void) = {
        step_make,   step_make,       step_make, step_remove,   step_rename,
        step_rename, step_link,       step_open, step_open,     step_write,
        step_write,  step_read,       step_read, step_truncate, step_allocate,
        step_seek,   step_attributes, step_stat, step_list,
    };
    char path[64];

    (void)state;
    umask(0);
    srandom(getenv("SEED") ? atoi(getenv("SEED")) : 1);
    handles[ROOT].fd = host_directory(path);
    assert_true(handles[ROOT].fd >= 0);
    tmpfs_destroy(fs);
    mount_limited(limited ? LIMIT : 0, 0);
    handles[ROOT].node = tmpfs_root(fs);
    tmpfs_chmod(handles[ROOT].node, limited ? 01777 : 0700);
    for (step = 0; step < STEPS; step++)
        steps[pick(ARRAY_SIZE(steps))]();
    for (int i = 0; i < HANDLES; i++) {
        if (!handles[i].node)
            continue;
        compare_stat(&handles[i]);
        close(handles[i].fd);
        tmpfs_put(handles[i].node);
    }
    remove_tree(handles[ROOT].fd);
    close(handles[ROOT].fd);
    if (limited)
        syscall(SYS_umount2, path, 2 /* MNT_DETACH */);
    rmdir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_operations_agree_with_linux, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
