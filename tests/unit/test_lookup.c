/* SPDX-License-Identifier: ISC
 *
 * guest-rt's walk along paths: what is its own, what goes to the monitor, and what links and ".."
 * lead to. The monitor, the descriptors and the synthetic files are played here.
 */
#include "tmpfs_fixture.h"

#include <linux/fcntl.h>

/* The boot page lies where AddressSanitizer keeps its shadow. */
static struct husk_boot boot;
#undef BOOT
#define BOOT (&boot)

/* Names that files of guest-rt use for themselves. */
#define same  locals_same
#define count locals_count
#define now   locals_now
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "../../guest-rt/locals.c"
#pragma GCC diagnostic pop
#undef same
#undef count
#undef now
#include "../../guest-rt/lookup.c"

const struct identity *user_identity(void)
{
    static const struct identity root;

    return &root;
}

const struct identity *group_identity(void)
{
    return user_identity();
}

/* Descriptors: 3 is a directory of the host's, 4 a file there, 5 a directory of a tmpfs. */
enum { HOST_DIR = 3, HOST_FILE, TMPFS_DIR, FILES };
static struct file files[FILES];
static struct file *cwd;

struct file *file_get(uint64_t fd)
{
    return fd >= HOST_DIR && fd < FILES ? &files[fd] : NULL;
}

struct file *working_directory(void)
{
    return cwd;
}

uint64_t clock_realtime(void)
{
    return 1700000000000000000;
}

long user_scan(const char *string, size_t max)
{
    return string == buffer + BIG ? -EFAULT : (long)strnlen(string, max);
}

/* Of the synthetic files there are these. */
static const struct synthetic known[] = {
    {.path = "/proc", .kind = SYNTHETIC_DIRECTORY},
    {.path = "/proc/self", .kind = SYNTHETIC_DIRECTORY},
    {.path = "/proc/self/status", .kind = SYNTHETIC_TEXT},
    {.path = "/proc/self/cwd", .kind = SYNTHETIC_LINK},
    {.path = "/proc/self/exe", .kind = SYNTHETIC_IMAGE},
    {.path = "/proc/self/fd", .kind = SYNTHETIC_DIRECTORY},
    {.path = "/proc/self/fd/3", .kind = SYNTHETIC_DESCRIPTOR},
    {.path = "/proc/self/fd/4", .kind = SYNTHETIC_DESCRIPTOR},
    {.path = "/proc/self/fd/5", .kind = SYNTHETIC_DESCRIPTOR},
};
static const char *cwd_target;

bool synthetic_find(const char *path, size_t len, struct synthetic_file *file)
{
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strlen(known[i].path) == len && memcmp(known[i].path, path, len) == 0) {
            *file = (struct synthetic_file){&known[i], path[len - 1] - '0'};
            return true;
        }
    return false;
}

int64_t synthetic_target(const struct synthetic_file *file, char *target, size_t size)
{
    assert_string_equal(file->entry->path, "/proc/self/cwd");
    assert_true(strlen(cwd_target) < size);
    memcpy(target, cwd_target, strlen(cwd_target));
    return (int64_t)strlen(cwd_target);
}

bool synthetic_names_image(uint64_t dirfd, guest_addr_t path)
{
    return (int)dirfd == AT_FDCWD && strcmp((const char *)path, "/app/image") == 0;
}

/* The monitor: what it resolves a path to, and what it was asked for. */
static const char *resolution;
static int64_t resolution_error;
static unsigned operations;
static bool nothing_there;

int64_t hypercall(enum husk_op op, uint64_t dir, uint64_t path, uint64_t len, uint64_t a3,
                  uint64_t a4, uint64_t a5)
{
    (void)dir, (void)path, (void)len, (void)a3;
    if (op != HUSK_OP_RESOLVE) {
        operations++;
        return resolution || resolution_error ? -EREMOTE : nothing_there ? -ENOENT : 42;
    }
    if (!resolution)
        return resolution_error;
    assert_true(strlen(resolution) <= a5);
    memcpy((void *)a4, resolution, strlen(resolution));
    return (int64_t)strlen(resolution);
}

static const struct place *called_with;

static int64_t on_place(const struct place *place, const uint64_t arg[3])
{
    called_with = place;
    return (int64_t)(arg[0] + arg[1] + arg[2]);
}

const struct file_system_ops tmpfs_ops = {.on_place = {[HUSK_OP_CHMOD] = on_place}};
const struct file_system_ops object_ops;
const struct file_system_ops synthetic_ops = {
    .on_place = {[HUSK_OP_CHMOD] = on_place, [HUSK_OP_STAT] = on_place}};

static void add_local(const char *path, enum husk_local_kind kind)
{
    struct husk_local *local = &boot.locals[boot.local_count++];

    local->kind = kind;
    local->size = 1 << 20;
    local->length = (uint8_t)strlen(path);
    strcpy(local->path, path);
}

static struct tmpfs_node *make_in(struct tmpfs_node *dir, const char *name, uint32_t mode,
                                  const char *target)
{
    const struct tmpfs_name at = {.dir = dir, .name = name, .len = strlen(name)};
    const struct tmpfs_new new = {
        .mode = mode, .target = target, .target_len = target ? strlen(target) : 0};
    struct tmpfs_node *node;

    assert_int_equal(tmpfs_make(&at, &new, &node), 0);
    return node;
}

/* /tmp holds dir, dir/file and links; /tmp/inner is another; /proc is synthetic. */
static int set_up(void **state)
{
    static struct tmpfs_node *dir;
    static bool done;
    struct tmpfs_node *tmp;

    (void)state;
    resolution = NULL;
    resolution_error = 0;
    operations = 0;
    nothing_there = false;
    cwd = &files[HOST_DIR];
    cwd_target = "/host/dir";
    if (!done) {
        buffer = buffer_new();
        other = buffer_new();
        add_local("/proc", HUSK_LOCAL_SYNTHETIC);
        add_local("/tmp", HUSK_LOCAL_TMPFS);
        add_local("/tmp/inner", HUSK_LOCAL_TMPFS);
        tmp = local_root(local_at("/tmp"));
        dir = make_in(tmp, "dir", S_IFDIR | 0755, NULL);
        make_in(dir, "file", S_IFREG | 0644, NULL);
        make_in(tmp, "relative", S_IFLNK | 0777, "dir/file");
        make_in(tmp, "absolute", S_IFLNK | 0777, "/tmp/dir");
        make_in(tmp, "out", S_IFLNK | 0777, "/host/data");
        make_in(tmp, "upwards", S_IFLNK | 0777, "../host");
        make_in(tmp, "loop", S_IFLNK | 0777, "loop");
        done = true;
    }
    files[HOST_DIR] = (struct file){.system = FS_HOST, .kind = HUSK_KIND_DIR, .handle = 77};
    files[HOST_FILE] = (struct file){.system = FS_HOST, .kind = HUSK_KIND_FILE, .handle = 78};
    files[TMPFS_DIR] = (struct file){.system = FS_TMPFS, .kind = HUSK_KIND_DIR, .node = dir};
    return 0;
}

static struct place place;

static int64_t find_from(uint64_t dirfd, const char *path, unsigned how)
{
    return path_find(dirfd, (uint64_t)path, how, &place);
}

static int64_t find_path(const char *path)
{
    return find_from(AT_FDCWD, path, HUSK_END_FOLLOW);
}

static void assert_host(const char *path, uint64_t dir, const char *rest)
{
    assert_int_equal(find_path(path), 0);
    assert_int_equal(place.system, FS_HOST);
    assert_int_equal(place.host.dir, dir);
    assert_int_equal(place.host.len, strlen(rest));
    assert_memory_equal((const char *)place.host.addr, rest, strlen(rest) + 1);
}

static void assert_tmpfs(const char *path, const char *canonical)
{
    char found[HUSK_PATH_MAX] = "";

    assert_int_equal(find_path(path), 0);
    assert_int_equal(place.system, FS_TMPFS);
    assert_non_null(place.node);
    assert_true(tmpfs_path(place.node, found, sizeof(found)) >= 0);
    assert_string_equal(found, canonical);
}

static void test_locals_are_known_by_whole_names(void **state)
{
    size_t used = 0;

    (void)state;
    assert_string_equal(local_in_path("/tmp/x", &used)->path, "/tmp");
    assert_int_equal(used, 4);
    assert_string_equal(local_in_path("//./tmp/.//x", &used)->path, "/tmp");
    assert_int_equal(used, 7);
    assert_string_equal(local_in_path("/tmp/./inner", &used)->path, "/tmp/inner");
    assert_null(local_in_path("/tmpx", &used));
    assert_null(local_in_path("/", &used));
    assert_null(local_in_path("/host/tmp", &used));
    assert_null(local_in_path("/host/../tmp", &used)); /* the monitor's to find out */
    assert_null(local_at("/tmp/dir"));
    assert_string_equal(local_at("/tmp/inner")->path, "/tmp/inner");
}

static void test_directory_with_a_local_in_it_is_known(void **state)
{
    struct tmpfs_node *root = local_root(local_at("/tmp")), *inner;
    const struct tmpfs_name at = {.dir = root, .name = "inner", .len = 5};

    (void)state;
    assert_int_equal(tmpfs_lookup(&at, &inner), 0);
    assert_ptr_equal(local_over(inner), local_at("/tmp/inner"));
    assert_true(local_is_below(root));
    assert_true(local_is_below(inner));
    assert_false(local_is_below(files[TMPFS_DIR].node));
    assert_ptr_equal(local_of(tmpfs_of(root)), local_at("/tmp"));
}

static void test_paths_elsewhere_go_to_the_monitor_as_they_are(void **state)
{
    (void)state;
    assert_host("/host//x/../y/", HUSK_DIR_ROOT, "/host//x/../y/");
    assert_host("/", HUSK_DIR_ROOT, "/");
    assert_host("/tmpx", HUSK_DIR_ROOT, "/tmpx");
    assert_host("relative/tmp", 77, "relative/tmp");
    cwd = NULL;
    assert_host("relative", HUSK_DIR_ROOT, "relative");
    assert_int_equal(find_from(HOST_DIR, "x", HUSK_END_FOLLOW), 0);
    assert_int_equal(place.host.dir, 77);
    assert_int_equal(find_from(HOST_FILE, "x", HUSK_END_FOLLOW), -ENOTDIR);
    assert_int_equal(find_from(99, "x", HUSK_END_FOLLOW), -EBADF);
}

static void test_own_paths_are_walked_here(void **state)
{
    (void)state;
    assert_tmpfs("/tmp", "");
    assert_tmpfs("//tmp/./dir/../dir//file", "/dir/file");
    assert_tmpfs("/tmp/dir/", "/dir");
    cwd = &files[TMPFS_DIR];
    assert_tmpfs("file", "/dir/file");
    assert_tmpfs("../dir/.", "/dir");
    assert_int_equal(find_path("/tmp/dir/file/"), -ENOTDIR);
    assert_int_equal(find_path("/tmp/dir/file/x"), -ENOTDIR);
    assert_int_equal(find_path("/tmp/none/x"), -ENOENT);
    assert_int_equal(find_path("/tmp/dir/none"), 0);
    assert_null(place.node);
    assert_int_equal(place.at.len, 4);
    assert_int_equal(operations, 0);
}

static void test_dotdot_leaves_and_enters(void **state)
{
    (void)state;
    assert_host("/tmp/../host/x", HUSK_DIR_ROOT, "//host/x");
    assert_host("/tmp/dir/../../host", HUSK_DIR_ROOT, "//host");
    assert_tmpfs("/tmp/inner/../dir/file", "/dir/file");
    assert_tmpfs("/tmp/../tmp/inner", "");
    assert_ptr_equal(tmpfs_of(place.node), local_at("/tmp/inner")->fs);
    assert_host("/proc/self/../../host", HUSK_DIR_ROOT, "//host");
}

static void test_links_lead_on(void **state)
{
    (void)state;
    assert_tmpfs("/tmp/relative", "/dir/file");
    assert_tmpfs("/tmp/absolute/file", "/dir/file");
    assert_host("/tmp/out/x/", HUSK_DIR_ROOT, "/host/data/x/");
    assert_host("/tmp/upwards/../x", HUSK_DIR_ROOT, "//host/../x");
    assert_int_equal(find_path("/tmp/loop"), -ELOOP);
    assert_int_equal(find_path("/tmp/loop/x"), -ELOOP);
    assert_int_equal(find_from(AT_FDCWD, "/tmp/loop", HUSK_END_STAY), 0);
    assert_int_equal(tmpfs_mode(place.node) & S_IFMT, S_IFLNK);
    assert_int_equal(find_from(AT_FDCWD, "/tmp/out/", HUSK_END_STAY), 0);
    assert_int_equal(place.system, FS_HOST); /* a slash follows it all the same */
}

static void test_last_name_is_left_alone_where_it_is_to_be_changed(void **state)
{
    (void)state;
    assert_int_equal(find_from(AT_FDCWD, "/tmp/relative", HUSK_END_PARENT), 0);
    assert_int_equal(tmpfs_mode(place.node) & S_IFMT, S_IFLNK);
    assert_int_equal(find_from(AT_FDCWD, "/tmp/dir/.", HUSK_END_PARENT), 0);
    assert_memory_equal(place.at.name, ".", 1);
    assert_int_equal(find_from(AT_FDCWD, "/tmp/dir/new/", HUSK_END_PARENT), 0);
    assert_true(place.slash);
    assert_null(place.node);
}

static void test_descriptors_are_places_too(void **state)
{
    (void)state;
    assert_host("/proc/self/fd/3//a/b", 77, "a/b");
    assert_host("/proc/self/fd/3/", 77, ".");
    assert_tmpfs("/proc/self/fd/5/file", "/dir/file");
    assert_int_equal(find_path("/proc/self/fd/4/"), -ENOTDIR);
    assert_int_equal(find_path("/proc/self/fd/9"), 0);
    assert_null(place.synthetic.entry);
    assert_int_equal(find_path("/proc/self/fd/4"), 0);
    assert_int_equal(place.system, FS_SYNTHETIC);
    assert_true(place_follow_descriptor(&place));
    assert_int_equal(place.host.dir, 78);
    assert_int_equal(find_from(AT_FDCWD, "/proc/self/fd/4", HUSK_END_STAY), 0);
    assert_false(place_follow_descriptor(&place));
}

static void test_cwd_of_any_length_is_followed(void **state)
{
    static char path[3000] = "/host/", whole[3100];

    (void)state;
    memset(path + 6, 'd', sizeof(path) - 7);
    cwd_target = path;
    snprintf(whole, sizeof(whole), "%s/x", path);
    assert_host("/proc/self/cwd/x", HUSK_DIR_ROOT, whole);
    cwd_target = "/tmp/dir";
    assert_tmpfs("/proc/self/cwd/file", "/dir/file");
    cwd_target = "";
    assert_int_equal(find_path("/proc/self/cwd/x"), -ENOENT);
}

static void test_bad_paths_are_refused_in_linuxs_order(void **state)
{
    static char path[HUSK_PATH_MAX + 1], name[300] = "/tmp/";

    (void)state;
    memset(path, '/', HUSK_PATH_MAX);
    assert_int_equal(find_from(99, path, HUSK_END_FOLLOW), -ENAMETOOLONG);
    assert_int_equal(find_from(99, buffer + BIG, HUSK_END_FOLLOW), -EFAULT);
    assert_int_equal(find_path(""), -ENOENT);
    assert_int_equal(find_from(99, "", PATH_MAY_BE_EMPTY), -EBADF);
    assert_int_equal(find_from(TMPFS_DIR, "", PATH_MAY_BE_EMPTY), 0);
    assert_ptr_equal(place.node, files[TMPFS_DIR].node);
    memset(name + 5, 'n', 256);
    assert_int_equal(find_path(name), -ENAMETOOLONG);
    memcpy(name, "/proc/n", 7);
    name[5 + 256] = 'n';
    assert_int_equal(find_path(name), -ENAMETOOLONG);
}

/* A link in a mount leads here: the monitor says so, and the operation goes on in the guest. */
static void test_monitor_hands_over_what_is_not_its_own(void **state)
{
    (void)state;
    assert_int_equal(path_call(HUSK_OP_CHMOD, AT_FDCWD, (uint64_t) "/host/x", 0, 1, 2, 3), 42);
    resolution = "/tmp/dir/file";
    assert_int_equal(path_call(HUSK_OP_CHMOD, AT_FDCWD, (uint64_t) "/host/link", 0, 1, 2, 3), 6);
    assert_non_null(called_with);
    assert_int_equal(path_call(HUSK_OP_MKDIR, AT_FDCWD, (uint64_t) "/host/link", 0, 1, 2, 3),
                     -EROFS);
    resolution = NULL;
    resolution_error = -EACCES;
    assert_int_equal(path_call(HUSK_OP_CHMOD, AT_FDCWD, (uint64_t) "/host/x", 0, 1, 2, 3), -EACCES);
}

/* A mount and a tmpfs whose links lead to each other. */
static void test_endless_handing_over_ends(void **state)
{
    (void)state;
    resolution = "/tmp/out/link";
    operations = 0;
    assert_int_equal(path_call(HUSK_OP_CHMOD, AT_FDCWD, (uint64_t) "/host/link", 0, 1, 2, 3),
                     -ELOOP);
    assert_in_range(operations, 10, PATH_ROUNDS_MAX);
}

static void test_image_is_where_its_name_leads_nowhere(void **state)
{
    static const char name[] = "/app/image", other_name[] = "/app/other";

    (void)state;
    assert_int_equal(path_call(HUSK_OP_STAT, AT_FDCWD, addr(name), HUSK_END_FOLLOW, 1, 2, 3), 42);
    nothing_there = true;
    called_with = NULL;
    assert_int_equal(path_call(HUSK_OP_STAT, AT_FDCWD, addr(name), HUSK_END_STAY, 1, 2, 3), 6);
    assert_non_null(called_with);
    assert_int_equal(path_call(HUSK_OP_STAT, HOST_DIR, addr(name), HUSK_END_STAY, 1, 2, 3),
                     -ENOENT);
    assert_int_equal(path_call(HUSK_OP_STAT, AT_FDCWD, addr(other_name), HUSK_END_FOLLOW, 1, 2, 3),
                     -ENOENT);
    /* It can be looked at, and not be changed. */
    assert_int_equal(path_call(HUSK_OP_CHMOD, AT_FDCWD, addr(name), HUSK_END_FOLLOW, 1, 2, 3),
                     -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_locals_are_known_by_whole_names, set_up),
        cmocka_unit_test_setup(test_directory_with_a_local_in_it_is_known, set_up),
        cmocka_unit_test_setup(test_paths_elsewhere_go_to_the_monitor_as_they_are, set_up),
        cmocka_unit_test_setup(test_own_paths_are_walked_here, set_up),
        cmocka_unit_test_setup(test_dotdot_leaves_and_enters, set_up),
        cmocka_unit_test_setup(test_links_lead_on, set_up),
        cmocka_unit_test_setup(test_last_name_is_left_alone_where_it_is_to_be_changed, set_up),
        cmocka_unit_test_setup(test_descriptors_are_places_too, set_up),
        cmocka_unit_test_setup(test_cwd_of_any_length_is_followed, set_up),
        cmocka_unit_test_setup(test_bad_paths_are_refused_in_linuxs_order, set_up),
        cmocka_unit_test_setup(test_monitor_hands_over_what_is_not_its_own, set_up),
        cmocka_unit_test_setup(test_endless_handing_over_ends, set_up),
        cmocka_unit_test_setup(test_image_is_where_its_name_leads_nowhere, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
