/* SPDX-License-Identifier: ISC
 *
 * guest-rt's tmpfs: random operations held against a real tmpfs of the host, and promises one by
 * one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* The units under test. */
#include "../../guest-rt/pages.c"
#include "../../guest-rt/radix.c"
#include "../../guest-rt/slab.c"
#include "../../guest-rt/tmpfs.c"
#include "../../guest-rt/tmpfs_data.c"
#include "../../guest-rt/tmpfs_dir.c"
#include "../../guest-rt/tmpfs_names.c"
#include "../../guest-rt/tmpfs_rename.c"
#include "../../guest-rt/usermem.c"

#define PAGE HUSK_PAGE_SIZE
#define BIG  (4 * PAGE) /* of the buffers */

/* Buffers of the "application": followed by a page that faults. */
static char *buffer, *other;
static uint64_t lent, lent_limit = UINT64_MAX, loans;

static bool faults(const char *addr)
{
    return addr == buffer + BIG || addr == other + BIG;
}

int user_copy(void *dst, const void *src, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (faults((char *)dst + i) || faults((const char *)src + i))
            return -EFAULT;
        ((char *)dst)[i] = ((const char *)src)[i];
    }
    return 0;
}

void *rt_pages_alloc(size_t bytes)
{
    if (bytes > lent_limit - lent)
        return NULL;
    lent += bytes;
    loans++;
    return memset(aligned_alloc(PAGE, bytes), 0, bytes);
}

void rt_pages_free(void *pages, size_t bytes)
{
    memset(pages, 0xdd, bytes);
    free(pages);
    lent -= bytes;
}

static uint64_t now = 1700000000000000000;

static uint64_t test_clock(void)
{
    return now += 1000;
}

static char *buffer_new(void)
{
    char *pages =
        mmap(NULL, BIG + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(mprotect(pages + BIG, PAGE, PROT_NONE), 0);
    return pages;
}

static struct tmpfs *fs;

static void mount_limited(uint64_t size, uint64_t nodes)
{
    const struct tmpfs_options options = {
        .size = size, .nodes = nodes, .device = 7, .mode = 01777, .clock = test_clock};

    fs = tmpfs_create(&options);
    assert_non_null(fs);
}

static int setup(void **state)
{
    (void)state;
    if (!buffer) {
        buffer = buffer_new();
        other = buffer_new();
    }
    lent_limit = UINT64_MAX;
    mount_limited(0, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tmpfs_destroy(fs);
    assert_int_equal(lent, 0);
    assert_int_equal(pages_held(), 0);
    return 0;
}

static struct tmpfs_name in(struct tmpfs_node *dir, const char *name)
{
    return (struct tmpfs_name){.dir = dir, .name = name, .len = strlen(name)};
}

static struct tmpfs_name at(const char *name)
{
    return in(tmpfs_root(fs), name);
}

static struct tmpfs_node *make(struct tmpfs_name name, uint32_t mode)
{
    const struct tmpfs_new new = {.mode = mode, .target = "target", .target_len = 6};
    struct tmpfs_node *node;

    assert_int_equal(tmpfs_make(&name, &new, &node), 0);
    return node;
}

static int make_fails(struct tmpfs_name name, uint32_t mode)
{
    const struct tmpfs_new new = {.mode = mode, .target = "target", .target_len = 6};
    struct tmpfs_node *node;

    return tmpfs_make(&name, &new, &node);
}

static struct tmpfs_node *find_node(struct tmpfs_name name)
{
    struct tmpfs_node *node;

    return tmpfs_lookup(&name, &node) == 0 ? node : NULL;
}

static int unlink_at(const char *name)
{
    struct tmpfs_name place = at(name);

    return tmpfs_unlink(&place);
}

static int rename_at(struct tmpfs_name from, struct tmpfs_name to, uint32_t flags)
{
    return tmpfs_rename(&from, &to, flags);
}

static guest_addr_t addr(const void *pointer)
{
    return (guest_addr_t)pointer;
}

static int64_t write_text(struct tmpfs_node *file, const char *text, uint64_t offset)
{
    return tmpfs_write(file, addr(text), strlen(text), offset);
}

static struct statx stat_of(const struct tmpfs_node *node)
{
    struct statx result;

    tmpfs_stat(node, &result);
    return result;
}

/* The random test. */

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

struct dirent_record {
    uint64_t ino, next;
    uint16_t size;
    uint8_t type;
    char name[];
};

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

/* One by one. */

static void test_names_have_up_to_255_bytes_and_any_but_slash_and_zero(void **state)
{
    char name[257] = {0};

    (void)state;
    memset(name, 'x', 255);
    name[0] = '\n';
    name[1] = (char)0xff;
    make(at(name), S_IFREG | 0600);
    assert_non_null(find_node(at(name)));
    assert_int_equal(make_fails(at(name), S_IFREG | 0600), -EEXIST);
    memset(name, 'x', 256);
    assert_int_equal(make_fails(at(name), S_IFREG | 0600), -ENAMETOOLONG);
    assert_int_equal(unlink_at(name), -ENAMETOOLONG);
}

static void test_file_of_an_unlinked_name_lives_while_it_is_open(void **state)
{
    struct tmpfs_node *file = tmpfs_get(make(at("file"), S_IFREG | 0600));
    struct tmpfs_name again = at("again");
    char text[8] = {0};

    (void)state;
    assert_int_equal(write_text(file, "hello", 0), 5);
    assert_int_equal(unlink_at("file"), 0);
    assert_null(find_node(at("file")));
    assert_int_equal(tmpfs_read(file, addr(text), 8, 0), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(stat_of(file).stx_nlink, 0);
    assert_int_equal(tmpfs_link(&again, file), -ENOENT);
    tmpfs_put(file);
    assert_int_equal(fs->pages, 0);
    assert_int_equal(fs->nodes, 1);
}

static void test_nameless_file_may_get_a_name_unless_exclusive(void **state)
{
    const struct tmpfs_new new = {.mode = S_IFREG | 0600};
    struct tmpfs_name name = at("name");
    struct tmpfs_node *file;

    (void)state;
    assert_int_equal(tmpfs_make_nameless(fs, &new, false, &file), 0);
    assert_int_equal(tmpfs_link(&name, file), 0);
    tmpfs_put(file);
    assert_ptr_equal(find_node(name), file);
    assert_int_equal(stat_of(file).stx_nlink, 1);
    assert_int_equal(tmpfs_make_nameless(fs, &new, true, &file), 0);
    name = at("other");
    assert_int_equal(tmpfs_link(&name, file), -ENOENT);
    tmpfs_put(file);
    assert_int_equal(fs->nodes, 2);
}

static void test_removed_directory_stays_usable_while_open(void **state)
{
    struct tmpfs_node *outer = make(at("outer"), S_IFDIR | 0700);
    struct tmpfs_node *inner = tmpfs_get(make(in(outer, "inner"), S_IFDIR | 0700));
    struct tmpfs_name name = in(outer, "inner");
    uint64_t position = 0;
    char path[64];

    (void)state;
    assert_int_equal(tmpfs_path(inner, path, sizeof(path)), 12);
    assert_memory_equal(path, "/outer/inner", 12);
    assert_int_equal(tmpfs_path(inner, path, 11), -ERANGE);
    assert_int_equal(tmpfs_rmdir(&name), 0);
    name = at("outer");
    assert_int_equal(tmpfs_rmdir(&name), 0);
    assert_int_equal(tmpfs_path(inner, path, sizeof(path)), -ENOENT);
    assert_ptr_equal(find_node(in(inner, "..")), outer);
    assert_int_equal(make_fails(in(inner, "x"), S_IFREG | 0600), -ENOENT);
    assert_int_equal(tmpfs_getdents(inner, &position, addr(buffer), BIG), -ENOENT);
    tmpfs_put(inner);
    assert_int_equal(fs->nodes, 1);
}

static void test_write_stops_at_the_size_limit(void **state)
{
    struct tmpfs_node *file;
    struct statfs status;

    (void)state;
    tmpfs_destroy(fs);
    mount_limited(3 * PAGE - 1, 0);
    file = make(at("file"), S_IFREG | 0600);
    assert_int_equal(tmpfs_write(file, addr(buffer), 4 * PAGE, 100), 3 * PAGE - 100);
    assert_int_equal(tmpfs_write(file, addr(buffer), 1, 3 * PAGE), -ENOSPC);
    assert_int_equal(tmpfs_write(file, addr(buffer), 1, 0), 1);
    assert_int_equal(tmpfs_fallocate(file, 0, 0, 4 * PAGE), -ENOSPC);
    assert_int_equal(tmpfs_size(file), 3 * PAGE);
    assert_int_equal(tmpfs_truncate(file, 1ULL << 40), 0);
    tmpfs_statfs(fs, &status);
    assert_int_equal(status.f_blocks, 3);
    assert_int_equal(status.f_bfree, 0);
    assert_int_equal(unlink_at("file"), 0);
    tmpfs_statfs(fs, &status);
    assert_int_equal(status.f_bfree, 3);
}

static void test_nodes_and_links_are_limited(void **state)
{
    struct tmpfs_node *file;
    struct tmpfs_name link;

    (void)state;
    tmpfs_destroy(fs);
    mount_limited(0, 4);
    file = make(at("one"), S_IFREG | 0600);
    make(at("two"), S_IFDIR | 0600);
    link = at("three");
    assert_int_equal(tmpfs_link(&link, file), 0);
    link = at("four");
    assert_int_equal(tmpfs_link(&link, file), -ENOSPC);
    assert_int_equal(make_fails(at("four"), S_IFLNK | 0777), -ENOSPC);
    assert_int_equal(unlink_at("one"), 0);
    make(at("four"), S_IFLNK | 0777);
}

static void test_running_out_of_memory_is_enospc_and_loses_nothing(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600), *dir;
    uint64_t written = 0, made = 0;
    char name[48], byte;
    int64_t done;

    (void)state;
    lent_limit = 1 << 20;
    memset(buffer, 7, BIG);
    while ((done = tmpfs_write(file, addr(buffer), BIG, written << 8)) > 0)
        written += (uint64_t)done;
    assert_int_equal(done, -ENOSPC);
    assert_int_equal(tmpfs_fallocate(file, 0, 1LL << 50, PAGE * 64), -ENOSPC);
    assert_true(written > (1 << 19));
    for (uint64_t i = 0; i + 1 < written / BIG; i++)
        assert_int_equal(tmpfs_read(file, addr(&byte), 1, i * BIG << 8), 1);
    assert_int_equal(byte, 7);
    tmpfs_truncate(file, 0);
    dir = make(at("dir"), S_IFDIR | 0700);
    do
        sprintf(name, "a rather long name %lu", (unsigned long)made++);
    while (make_fails(in(dir, name), made % 2 ? S_IFREG : S_IFDIR) == 0);
    assert_true(made > 1000);
    while (--made > 0) {
        struct tmpfs_name place;

        sprintf(name, "a rather long name %lu", (unsigned long)made - 1);
        place = in(dir, name);
        assert_int_equal(made % 2 ? tmpfs_unlink(&place) : tmpfs_rmdir(&place), 0);
    }
    assert_int_equal(fs->nodes, 3);
}

static void test_holes_read_as_zeros_and_cost_nothing(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600);
    const uint64_t far = 5ULL << 40;
    char text[4] = "xxxx";

    (void)state;
    assert_int_equal(write_text(file, "end", far), 3);
    assert_int_equal(tmpfs_size(file), far + 3);
    assert_int_equal(stat_of(file).stx_blocks, 8);
    assert_int_equal(tmpfs_read(file, addr(text), 4, 1ULL << 33), 4);
    assert_memory_equal(text, "\0\0\0\0", 4);
    assert_int_equal(tmpfs_seek(file, 0, SEEK_DATA), far);
    assert_int_equal(tmpfs_seek(file, far, SEEK_HOLE), far + 3);
    assert_int_equal(tmpfs_seek(file, far + 3, SEEK_DATA), -ENXIO);
    assert_int_equal(write_text(file, "x", INT64_MAX - 1), 1);
    assert_int_equal(write_text(file, "xy", INT64_MAX), -EFBIG);
    assert_int_equal(tmpfs_read(file, addr(text), 4, INT64_MAX - 1), 1);
    assert_int_equal(tmpfs_truncate(file, (uint64_t)INT64_MAX + 1), -EFBIG);
}

static void test_bytes_behind_the_end_never_come_back(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600);
    char text[8];

    (void)state;
    write_text(file, "secrets!", 0);
    assert_int_equal(tmpfs_truncate(file, 2), 0);
    assert_int_equal(tmpfs_truncate(file, 8), 0);
    assert_int_equal(tmpfs_read(file, addr(text), 8, 0), 8);
    assert_memory_equal(text, "se\0\0\0\0\0\0", 8);
}

static void test_transfers_end_where_the_buffer_does(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600);
    guest_addr_t tail = addr(buffer + BIG - 10), bad = addr(buffer + BIG);

    (void)state;
    assert_int_equal(tmpfs_write(file, bad, 1, 0), -EFAULT);
    assert_int_equal(stat_of(file).stx_blocks, 0);
    assert_int_equal(tmpfs_write(file, tail, 20, 4090), 10);
    assert_int_equal(tmpfs_size(file), 4100);
    assert_int_equal(tmpfs_read(file, tail, 20, 0), 10);
    assert_int_equal(tmpfs_read(file, bad, 20, 0), -EFAULT);
    assert_int_equal(tmpfs_read(file, bad, 20, 4100), 0);
}

static void test_files_are_no_directories_and_directories_no_files(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600);
    struct tmpfs_node *dir = make(at("dir"), S_IFDIR | 0700);
    struct tmpfs_node *link = make(at("link"), S_IFLNK | 0777), *node;
    struct tmpfs_name below = in(file, "x");
    uint64_t position = 0;
    char text[8];

    (void)state;
    assert_int_equal(tmpfs_lookup(&below, &node), -ENOTDIR);
    assert_int_equal(make_fails(below, S_IFREG), -ENOTDIR);
    assert_int_equal(tmpfs_getdents(file, &position, addr(buffer), BIG), -ENOTDIR);
    assert_int_equal(tmpfs_read(dir, addr(text), 1, 0), -EISDIR);
    assert_int_equal(tmpfs_write(dir, addr(text), 1, 0), -EISDIR);
    assert_int_equal(tmpfs_truncate(dir, 0), -EISDIR);
    assert_int_equal(tmpfs_readlink(file, addr(text), 8), -EINVAL);
    assert_int_equal(tmpfs_readlink(link, addr(text), 3), 3);
    assert_memory_equal(text, "tar", 3);
    assert_int_equal(tmpfs_readlink(link, addr(text), 8), 6);
    assert_int_equal(make_fails(at("fifo"), 0010600), -EPERM);
}

static void test_long_link_targets(void **state)
{
    static char target[4097];
    struct tmpfs_new new = {.mode = S_IFLNK | 0777, .target = target, .target_len = 4095};
    struct tmpfs_name name = at("link");
    struct tmpfs_node *link;

    (void)state;
    memset(target, 'x', sizeof(target));
    assert_int_equal(tmpfs_make(&name, &new, &link), 0);
    assert_int_equal(tmpfs_readlink(link, addr(buffer), BIG), 4095);
    assert_memory_equal(buffer, target, 4095);
    assert_int_equal(stat_of(link).stx_size, 4095);
    name = at("longer");
    new.target_len = 4096;
    assert_int_equal(tmpfs_make(&name, &new, &link), -ENAMETOOLONG);
    new.target_len = 0;
    assert_int_equal(tmpfs_make(&name, &new, &link), -ENOENT);
}

/* Every kind of source and target, for plain, NOREPLACE and EXCHANGE: 0 or the errno. */
static void test_rename_matrix(void **state)
{
    enum { NONE, FILE_, DIR_, FULL, KINDS };
    static const int expected[3][KINDS][KINDS] = {
        /* target:  none file dir full */
        {{-ENOENT, -ENOENT, -ENOENT, -ENOENT},
         {0, 0, -EISDIR, -EISDIR},
         {0, -ENOTDIR, 0, -ENOTEMPTY},
         {0, -ENOTDIR, 0, -ENOTEMPTY}},
        {{-ENOENT, -ENOENT, -ENOENT, -ENOENT},
         {0, -EEXIST, -EEXIST, -EEXIST},
         {0, -EEXIST, -EEXIST, -EEXIST},
         {0, -EEXIST, -EEXIST, -EEXIST}},
        {{-ENOENT, -ENOENT, -ENOENT, -ENOENT},
         {-ENOENT, 0, 0, 0},
         {-ENOENT, 0, 0, 0},
         {-ENOENT, 0, 0, 0}},
    };
    static const uint32_t types[KINDS] = {0, S_IFREG, S_IFDIR, S_IFDIR};

    (void)state;
    for (uint32_t flags = 0; flags < 3; flags++)
        for (int from = NONE; from < KINDS; from++)
            for (int to = NONE; to < KINDS; to++) {
                struct tmpfs_node *dir;
                int status;

                tmpfs_destroy(fs);
                mount_limited(0, 0);
                dir = make(at("dir"), S_IFDIR | 0700);
                if (from)
                    make(at("from"), types[from] | 0700);
                if (from == FULL)
                    make(in(find_node(at("from")), "x"), S_IFREG | 0600);
                if (to)
                    make(in(dir, "to"), types[to] | 0700);
                if (to == FULL)
                    make(in(find_node(in(dir, "to")), "x"), S_IFREG | 0600);
                status = rename_at(at("from"), in(dir, "to"), flags);
                assert_int_equal(status, expected[flags][from][to]);
                if (status < 0)
                    continue;
                assert_int_equal(tmpfs_mode(find_node(in(dir, "to"))) & S_IFMT, types[from]);
                assert_true(!!find_node(at("from")) == (flags == RENAME_EXCHANGE));
                if (from >= DIR_)
                    assert_ptr_equal(tmpfs_parent(find_node(in(dir, "to"))), dir);
            }
}

static void test_directory_does_not_move_below_itself(void **state)
{
    struct tmpfs_node *a = make(at("a"), S_IFDIR | 0700), *b = make(in(a, "b"), S_IFDIR | 0700);

    (void)state;
    make(in(b, "c"), S_IFDIR | 0700);
    assert_int_equal(rename_at(at("a"), in(a, "x"), 0), -EINVAL);
    assert_int_equal(rename_at(at("a"), in(b, "x"), 0), -EINVAL);
    assert_int_equal(rename_at(at("a"), in(b, "c"), RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(rename_at(in(b, "c"), at("a"), RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(rename_at(in(b, "c"), at("a"), 0), -ENOTEMPTY);
    assert_int_equal(rename_at(in(b, "c"), in(b, "."), 0), -EBUSY);
    assert_int_equal(rename_at(in(b, "c"), in(b, "."), RENAME_NOREPLACE), -EEXIST);
    assert_int_equal(rename_at(in(b, ".."), at("x"), 0), -EBUSY);
    assert_int_equal(rename_at(at("a"), at("b"), 4), -EINVAL);
    assert_int_equal(rename_at(in(a, "b"), at("b"), 0), 0);
    assert_int_equal(stat_of(a).stx_nlink, 2);
    assert_int_equal(stat_of(tmpfs_root(fs)).stx_nlink, 4);
}

/* Read all of a directory in small pieces, and count the names that end with a number. */
static size_t read_names(struct tmpfs_node *dir, uint64_t *position, uint64_t bytes, uint8_t *seen)
{
    int64_t len = tmpfs_getdents(dir, position, addr(buffer), bytes);
    size_t names = 0;

    assert_true(len >= 0);
    for (int64_t i = 0; i < len; names++) {
        const struct dirent_record *record = (const struct dirent_record *)(buffer + i);

        if (record->name[0] != '.')
            seen[atoi(record->name)]++;
        i += record->size;
    }
    return names;
}

static void test_entries_that_stay_are_listed_once_while_others_come_and_go(void **state)
{
    enum { NAMES = 10000 };
    struct tmpfs_node *dir = make(at("dir"), S_IFDIR | 0700);
    static uint8_t seen[4 * NAMES];
    uint64_t position = 0;
    char name[16], to[16];
    int change = 0;

    (void)state;
    for (int i = 0; i < NAMES; i++) {
        sprintf(name, "%d", i);
        make(in(dir, name), S_IFREG | 0600);
    }
    srandom(1);
    /* Odd names stay. Of the even, some go, some are renamed; new ones come all the time. */
    while (read_names(dir, &position, 200, seen) > 0) {
        struct tmpfs_name place;

        sprintf(name, "%d", (int)pick(NAMES / 2) * 2);
        sprintf(to, "%d", 2 * NAMES + change++);
        place = in(dir, name);
        if (pick(2))
            tmpfs_unlink(&place);
        else
            rename_at(place, in(dir, to), 0);
        sprintf(to, "%d", 3 * NAMES + change);
        make(in(dir, to), S_IFREG | 0600);
        assert_true(change < NAMES);
    }
    for (int i = 1; i < NAMES; i += 2)
        assert_int_equal(seen[i], 1);
    for (int i = 0; i < 4 * NAMES; i++)
        assert_true(seen[i] <= 1);
}

static void test_reading_ends_though_each_entry_read_is_renamed(void **state)
{
    struct tmpfs_node *dir = make(at("dir"), S_IFDIR | 0700);
    uint64_t position = 0;
    size_t names = 0;
    int64_t len;
    char name[16];

    (void)state;
    for (int i = 0; i < 100; i++) {
        sprintf(name, "%d", i);
        make(in(dir, name), S_IFREG | 0600);
    }
    while ((len = tmpfs_getdents(dir, &position, addr(buffer), 32)) > 0) {
        const struct dirent_record *record = (const struct dirent_record *)buffer;

        assert_int_equal(len, record->size);
        if (record->name[0] == '.')
            continue;
        names++;
        sprintf(name, "x%zu", names);
        assert_int_equal(rename_at(in(dir, record->name), in(dir, name), 0), 0);
    }
    assert_int_equal(names, 100);
}

static void test_listing_goes_on_from_any_position(void **state)
{
    uint64_t position = 0, again;
    const struct dirent_record *record = (const struct dirent_record *)buffer;

    (void)state;
    make(at("one"), S_IFREG | 0600);
    make(at("two"), S_IFREG | 0600);
    assert_int_equal(tmpfs_getdents(tmpfs_root(fs), &position, addr(buffer), 23), -EINVAL);
    assert_int_equal(tmpfs_getdents(tmpfs_root(fs), &position, addr(buffer + BIG), 99), -EFAULT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tmpfs_getdents(tmpfs_root(fs), &position, addr(buffer), 24), 24);
    assert_string_equal(record->name, "two");
    assert_int_equal(record->next, position);
    unlink_at("two");
    again = position;
    assert_int_equal(tmpfs_getdents(tmpfs_root(fs), &again, addr(buffer), BIG), 24);
    assert_string_equal(record->name, "one");
    again = UINT64_MAX;
    assert_int_equal(tmpfs_getdents(tmpfs_root(fs), &again, addr(buffer), BIG), 24);
}

static int64_t ns(struct statx_timestamp time)
{
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static void test_times_follow_what_happens(void **state)
{
    struct tmpfs_node *dir = make(at("dir"), S_IFDIR | 0700);
    struct tmpfs_node *file = make(in(dir, "file"), S_IFREG | 0600);
    struct statx before = stat_of(file), after;
    const struct statx_timestamp early = {.tv_sec = -5, .tv_nsec = 7};
    char byte;

    (void)state;
    assert_int_equal(ns(stat_of(dir).stx_mtime) > ns(before.stx_btime), 1);
    write_text(file, "x", 0);
    after = stat_of(file);
    assert_true(ns(after.stx_mtime) > ns(before.stx_mtime));
    assert_int_equal(ns(after.stx_ctime), ns(after.stx_mtime));
    assert_int_equal(ns(after.stx_atime), ns(before.stx_atime));
    assert_int_equal(ns(after.stx_btime), ns(before.stx_btime));
    tmpfs_read(file, addr(&byte), 1, 0);
    before = stat_of(file);
    assert_true(ns(before.stx_atime) > ns(before.stx_mtime));
    tmpfs_read(file, addr(&byte), 1, 0);
    assert_int_equal(ns(stat_of(file).stx_atime), ns(before.stx_atime));
    tmpfs_set_times(file, NULL, &early);
    after = stat_of(file);
    assert_int_equal(after.stx_mtime.tv_sec, -5);
    assert_int_equal(after.stx_mtime.tv_nsec, 7);
    assert_int_equal(ns(after.stx_atime), ns(before.stx_atime));
    assert_true(ns(after.stx_ctime) > ns(before.stx_ctime));
}

static void test_owner_and_mode_are_what_was_asked_for(void **state)
{
    const struct tmpfs_new new = {.mode = S_IFREG | 04755, .uid = 10, .gid = 20};
    struct tmpfs_node *dir = make(at("dir"), S_IFDIR | 02770), *file;
    struct tmpfs_name name = at("file");

    (void)state;
    assert_int_equal(tmpfs_make(&name, &new, &file), 0);
    assert_int_equal(stat_of(file).stx_uid, 10);
    assert_int_equal(stat_of(file).stx_gid, 20);
    tmpfs_chown(file, (uint32_t)-1, 30);
    assert_int_equal(stat_of(file).stx_uid, 10);
    assert_int_equal(stat_of(file).stx_gid, 30);
    assert_int_equal(tmpfs_mode(file), S_IFREG | 0755);
    tmpfs_chown(dir, 1, 77);
    name = in(dir, "below");
    assert_int_equal(tmpfs_make(&name, &new, &file), 0);
    assert_int_equal(stat_of(file).stx_gid, 77);
    assert_int_equal(tmpfs_mode(make(in(dir, "sub"), S_IFDIR | 0700)), S_IFDIR | 02700);
}

static void test_file_systems_are_apart(void **state)
{
    struct tmpfs *first = fs, *second;
    struct tmpfs_node *file;

    (void)state;
    mount_limited(PAGE, 0);
    second = fs;
    file = make(at("file"), S_IFREG | 0600);
    assert_ptr_equal(tmpfs_of(file), second);
    assert_int_equal(tmpfs_write(file, addr(buffer), 2 * PAGE, 0), PAGE);
    fs = first;
    assert_null(find_node(at("file")));
    assert_int_equal(tmpfs_write(make(at("file"), S_IFREG), addr(buffer), BIG, 0), BIG);
    tmpfs_destroy(second);
}

static void test_memory_goes_back_when_everything_is_removed(void **state)
{
    struct tmpfs_node *file;
    char name[16];

    (void)state;
    for (int round = 0; round < 3; round++) {
        loans = 0;
        file = make(at("file"), S_IFREG | 0600);
        for (uint64_t i = 0; i < 64 << 20; i += BIG)
            assert_int_equal(tmpfs_write(file, addr(buffer), BIG, i), BIG);
        for (int i = 0; i < 5000; i++) {
            sprintf(name, "%d", i);
            make(at(name), S_IFREG | 0600);
        }
        assert_in_range(lent, 64 << 20, 68 << 20);
        assert_in_range(loans, 1, 80);
        assert_int_equal(unlink_at("file"), 0);
        for (int i = 0; i < 5000; i++) {
            sprintf(name, "%d", i);
            assert_int_equal(unlink_at(name), 0);
        }
        assert_in_range(lent, 1, 3 << 20);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_random_operations_agree_with_linux),
        TEST(test_names_have_up_to_255_bytes_and_any_but_slash_and_zero),
        TEST(test_file_of_an_unlinked_name_lives_while_it_is_open),
        TEST(test_nameless_file_may_get_a_name_unless_exclusive),
        TEST(test_removed_directory_stays_usable_while_open),
        TEST(test_write_stops_at_the_size_limit),
        TEST(test_nodes_and_links_are_limited),
        TEST(test_running_out_of_memory_is_enospc_and_loses_nothing),
        TEST(test_holes_read_as_zeros_and_cost_nothing),
        TEST(test_bytes_behind_the_end_never_come_back),
        TEST(test_transfers_end_where_the_buffer_does),
        TEST(test_files_are_no_directories_and_directories_no_files),
        TEST(test_long_link_targets),
        TEST(test_rename_matrix),
        TEST(test_directory_does_not_move_below_itself),
        TEST(test_entries_that_stay_are_listed_once_while_others_come_and_go),
        TEST(test_reading_ends_though_each_entry_read_is_renamed),
        TEST(test_listing_goes_on_from_any_position),
        TEST(test_times_follow_what_happens),
        TEST(test_owner_and_mode_are_what_was_asked_for),
        TEST(test_file_systems_are_apart),
        TEST(test_memory_goes_back_when_everything_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
