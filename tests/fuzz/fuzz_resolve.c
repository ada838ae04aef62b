/* SPDX-License-Identifier: ISC
 *
 * Fuzzes path resolution. Two oracles: nothing but the tree below the mounts may ever be reached,
 * and (where mount namespaces may be created) every result must be the kernel's own for the same
 * path in a root that has the same mounts, asked with RESOLVE_IN_ROOT.
 *
 * Run it as root and as another user: only the latter meets EACCES.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "cleanup.h"
#include "mounts.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);      \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The scratch directory: a, b and file are mounted, outside is not, root is the kernel's view. */
static const struct {
    const char *path;
    const char *target; /* a link's; NULL: a directory if PATH ends in "/", else a file */
} tree[] = {
    {"a/", NULL},
    {"a/d/", NULL},
    {"a/d/e/", NULL},
    {"a/n/", NULL},
    {"a/n/covered", NULL},
    {"a/f", NULL},
    {"a/d/f", NULL},
    {"a/d/e/f", NULL},
    {"a/d/file", NULL},
    {"a/closed/", NULL},
    {"a/closed/f", NULL},
    {"a/secret", NULL},
    {"a/up", ".."},
    {"a/d/up", ".."},
    {"a/d/e/upup", "../.."},
    {"a/dot", "."},
    {"a/root", "/"},
    {"a/l", "d"},
    {"a/ls", "d/"},
    {"a/lf", "d/f"},
    {"a/lfs", "d/f/"},
    {"a/abs", "/m/d"},
    {"a/absn", "/m/n/h/../g"},
    {"a/passwd", "/etc/passwd"},
    {"a/out", "../outside"},
    {"a/outs", "../../../../../../outside/secret"},
    {"a/d/dang", "nowhere"},
    {"a/new", "d/created"},
    {"a/x", "y"},
    {"a/y", "x"},
    {"a/tov", "/v/w"},
    {"a/toc", "../m/n/covered"},
    {"b/", NULL},
    {"b/h/", NULL},
    {"b/g", NULL},
    {"b/back", "../f"},
    {"b/h/loop", "../../n/h"},
    {"file", NULL},
    {"outside/", NULL},
    {"outside/secret", NULL},
    {"root/", NULL},
    {"root/m/", NULL},
    {"root/v/", NULL},
    {"root/v/w/", NULL},
    {"root/v/w/file", NULL},
    {"root/alias/", NULL},
};

static const struct {
    const char *host;
    const char *guest;
} mounted[] = {
    {"a", "/m"}, {"b", "/m/n"}, {"file", "/m/d/file"}, {"file", "/v/w/file"}, {"a/d", "/alias"}};

/* What an input byte from 0x80 on stands for; other bytes stand for themselves. */
static const char *const words[] = {
    "/",       "/",      "/",    "..",      "../",     ".",    "./",  "m",    "n",     "d",
    "e",       "f",      "file", "v",       "w",       "l",    "ls",  "lf",   "lfs",   "abs",
    "absn",    "passwd", "out",  "outs",    "dang",    "new",  "x",   "y",    "tov",   "toc",
    "back",    "h",      "loop", "g",       "up",      "upup", "dot", "root", "alias", "fifo",
    "sock",    "c0",     "c1",   "c30",     "closed",  "long", "/m/", "/v/",  "m/d/",  "secret",
    "covered", "etc",    "tmp",  "nothing", "created",
};

static char scratch[] = "/tmp/husk-fuzz-XXXXXX";
static char long_name[257];
static struct mounts *mounts;
static int root = -1; /* the kernel's view, or -1 */
static bool mount_works;

struct identity {
    uint64_t inode;
    uint32_t major, minor;
};
static struct identity inside[200];
static size_t inside_count;

static char *in_scratch(const char *path)
{
    static char full[2][4096];
    static int next;

    next = !next;
    snprintf(full[next], sizeof(full[next]), "%s/%s", scratch, path);
    return full[next];
}

static struct identity identity_of(const struct statx *stx)
{
    return (struct identity){stx->stx_ino, stx->stx_dev_major, stx->stx_dev_minor};
}

static bool is_same(struct identity a, struct identity b)
{
    return a.inode == b.inode && a.major == b.major && a.minor == b.minor;
}

static bool is_inside(const struct statx *stx)
{
    for (size_t i = 0; i < inside_count; i++) {
        if (is_same(inside[i], identity_of(stx)))
            return true;
    }
    return false;
}

static void remember(const char *path)
{
    struct statx stx;

    CHECK(inside_count < COUNT(inside));
    CHECK(statx(AT_FDCWD, in_scratch(path), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx) == 0);
    inside[inside_count++] = identity_of(&stx);
}

static void create(const char *path, const char *target)
{
    const char *full = in_scratch(path);
    int fd;

    if (target != NULL) {
        CHECK(symlink(target, full) == 0);
    } else if (path[strlen(path) - 1] == '/') {
        CHECK(mkdir(full, 0755) == 0);
    } else {
        fd = open(full, O_CREAT | O_WRONLY, 0644);
        CHECK(fd >= 0);
        close(fd);
    }
    if (strncmp(path, "outside", 7) != 0 && strncmp(path, "root", 4) != 0 &&
        strcmp(path, "a/n/covered") != 0)
        remember(path);
}

static void create_tree(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup_fd int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    char name[300], target[20];

    CHECK(mkdtemp(scratch));
    for (size_t i = 0; i < COUNT(tree); i++)
        create(tree[i].path, tree[i].target);
    for (int i = 0; i < 42; i++) { /* c0 takes 42 links to a file, c2 as many as are allowed */
        snprintf(name, sizeof(name), "a/c%d", i);
        snprintf(target, sizeof(target), i < 41 ? "c%d" : "f", i + 1);
        create(name, target);
    }
    memset(long_name, 'n', 255);
    snprintf(name, sizeof(name), "a/%s", long_name);
    create(name, NULL);

    CHECK(mkfifo(in_scratch("a/fifo"), 0644) == 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/a/d/sock", scratch);
    CHECK(bind(sock, (struct sockaddr *)&address, sizeof(address)) == 0);
    remember("a/fifo");
    remember("a/d/sock");
    CHECK(chmod(in_scratch("a/closed"), 0644) == 0 && chmod(in_scratch("a/secret"), 0) == 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void clean_up(void)
{
    close(root);
    if (mount_works)
        umount2(in_scratch("root"), MNT_DETACH);
    chmod(in_scratch("a/closed"), 0755);
    nftw(scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void bind_read_only(const char *from, const char *to)
{
    CHECK(mount(from, to, NULL, MS_BIND, NULL) == 0);
    CHECK(mount(NULL, to, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
}

/* Give the kernel the same mounts that husk has. */
static void create_root(void)
{
    char to[64];

    if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
        fprintf(stderr, "no mount namespace: results are not compared with the kernel's\n");
        return;
    }
    mount_works = true;
    bind_read_only(in_scratch("root"), in_scratch("root"));
    for (size_t i = 0; i < COUNT(mounted); i++) {
        snprintf(to, sizeof(to), "root%s", mounted[i].guest);
        bind_read_only(in_scratch(mounted[i].host), in_scratch(to));
    }
    root = open(in_scratch("root"), O_PATH | O_CLOEXEC);
    CHECK(root >= 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct husk_error err;

    (void)argc, (void)argv;
    create_tree();
    atexit(clean_up);
    mounts = mounts_new();
    CHECK(mounts);
    create_root();
    for (size_t i = 0; i < COUNT(mounted); i++)
        CHECK(mounts_add(mounts, in_scratch(mounted[i].host), mounted[i].guest, MOUNT_READ_ONLY,
                         &err) == 0);
    return 0;
}

static int kernel_open(const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
                           .mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? 0644 : 0,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    long fd;

    if (!(flags & O_PATH))
        how.flags |= O_NONBLOCK | O_NOCTTY;
    /*
     * EAGAIN: something was renamed somewhere while it looked at "..". ELOOP may be its own: when
     * the kernel starts over (rcu-walk, ref-walk) it goes on counting links.
     */
    for (int loops = 0; loops < 20; loops += errno == ELOOP) {
        fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != ELOOP))
            break;
    }
    return fd < 0 ? -errno : (int)fd;
}

/* statx of an object of the kernel's view; -errno. */
static int kernel_stat(const char *path, int flags, struct statx *stx)
{
    cleanup_fd int fd = kernel_open(path, O_PATH | flags);

    if (fd < 0)
        return fd;
    CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, stx) == 0);
    return 0;
}

static bool is_special(const struct statx *stx)
{
    return !S_ISREG(stx->stx_mode) && !S_ISDIR(stx->stx_mode) && !S_ISLNK(stx->stx_mode);
}

/* HUSK's answer to a path is what the kernel says in the same place. */
static void compare(const char *path, int husk, int kernel)
{
    if (root < 0 || husk == kernel)
        return;
    fprintf(stderr, "path \"%s\": husk %d, kernel %d\n", path, husk, kernel);
    abort();
}

static void try_open(const struct guest_dir *base, const char *path, const char *full, int flags)
{
    struct opened opened = {.fd = -1};
    int result = mounts_open(mounts, base, path, flags, 0644, &opened);
    struct statx stx, kernel_stx;
    int kernel;

    if (result == 0) {
        if (opened.fd >= 0) {
            CHECK(statx(opened.fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) == 0);
            CHECK(is_inside(&stx));
            CHECK(flags & O_PATH || !is_special(&stx));
            CHECK((opened.kind == HUSK_KIND_DIR) == !!S_ISDIR(stx.stx_mode));
        }
        CHECK(opened.path != NULL);
        CHECK(opened.fd >= 0 || opened.kind == HUSK_KIND_DIR);
    }
    if (root >= 0) {
        cleanup_fd int fd = kernel_open(full, flags);

        kernel = fd < 0 ? fd : 0;
        if (kernel == -EISDIR && flags & O_CREAT && path[strlen(path) - 1] == '/' && result < 0)
            kernel = result; /* it does not look at a last link then, husk does */
        if ((kernel == 0 || kernel == -ENXIO) && !(flags & O_PATH) &&
            kernel_stat(full, 0, &kernel_stx) == 0 && is_special(&kernel_stx))
            kernel = -EACCES;
        compare(full, result, kernel);
        if (result == 0 && opened.fd >= 0) {
            CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &kernel_stx) == 0);
            CHECK(is_same(identity_of(&stx), identity_of(&kernel_stx)));
        }
        if (result == 0 && opened.path != NULL) { /* leads there too, without any link */
            CHECK(kernel_stat(opened.path, O_NOFOLLOW, &stx) == 0);
            CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &kernel_stx) == 0);
            CHECK(is_same(identity_of(&stx), identity_of(&kernel_stx)));
        }
    }
    if (opened.fd >= 0)
        close(opened.fd);
    free(opened.path);
}

static void try_stat(const struct guest_dir *base, const char *path, const char *full, bool follow)
{
    struct statx stx, kernel_stx;
    int result =
        mounts_stat(mounts, base, path, follow ? 0 : AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx);
    bool made_up = result == 0 && stx.stx_dev_minor == 0xfffff;

    CHECK(result < 0 || made_up || is_inside(&stx));
    if (root < 0)
        return;
    compare(full, result, kernel_stat(full, follow ? 0 : O_NOFOLLOW, &kernel_stx));
    if (result == 0 && !made_up)
        CHECK(is_same(identity_of(&stx), identity_of(&kernel_stx)));
}

static void try_access(const struct guest_dir *base, const char *path, const char *full, int mode)
{
    int result = mounts_access(mounts, base, path, mode, 0);
    int kernel;

    if (root < 0)
        return;
    cleanup_fd int fd = kernel_open(full, O_PATH);
    kernel = fd;
    if (fd >= 0)
        kernel = syscall(SYS_faccessat2, fd, "", mode, AT_EACCESS | AT_EMPTY_PATH) ? -errno : 0;
    compare(full, result, kernel);
}

static void try_readlink(const struct guest_dir *base, const char *path, const char *full)
{
    char buffer[100], kernel_buffer[100];
    int result = mounts_readlink(mounts, base, path, buffer, sizeof(buffer));
    int kernel;

    if (root < 0)
        return;
    cleanup_fd int fd = kernel_open(full, O_PATH | O_NOFOLLOW);
    kernel = fd;
    if (fd >= 0) {
        kernel = (int)readlinkat(fd, "", kernel_buffer, sizeof(kernel_buffer));
        if (kernel < 0)
            kernel = -EINVAL; /* the kernel says ENOENT to an empty path to no link */
    }
    compare(full, result, kernel);
    CHECK(result < 0 || memcmp(buffer, kernel_buffer, (size_t)result) == 0);
}

/* The flags of an open from two bytes, access modes and O_TRUNC less often than none. */
static int flags_from(const uint8_t *data)
{
    static const int some[] = {O_PATH, O_NOFOLLOW, O_DIRECTORY, O_CREAT,
                               O_EXCL, O_TRUNC,    O_APPEND,    O_TMPFILE};
    int flags = data[0] >> 6 == 3 ? O_RDWR : data[0] >> 6 == 2 ? O_WRONLY : O_RDONLY;

    for (size_t i = 0; i < COUNT(some); i++) {
        if (data[1] >> i & 1)
            flags |= some[i];
    }
    if (flags & O_PATH)
        flags &= O_PATH | O_NOFOLLOW | O_DIRECTORY; /* openat2, unlike openat, minds the others */
    return flags;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct guest_dir bases[] = {
        {-1, "/"}, {-1, "/m"}, {-1, "/m/d"}, {-1, "/v"}, {-1, "/m/n/h"}};
    char path[3000] = "", full[3100];
    size_t length = 0;
    struct guest_dir *base;
    struct opened opened;

    if (size < 3 || size > 200)
        return 0;
    for (size_t i = 2; i < size; i++) {
        const char *word = words[data[i] % COUNT(words)];

        if (data[i] < 0x80)
            length += (size_t)snprintf(path + length, sizeof(path) - length, "%c", data[i]);
        else
            length += (size_t)snprintf(path + length, sizeof(path) - length, "%s",
                                       strcmp(word, "long") ? word : long_name);
        if (length > sizeof(path) - 300)
            break;
    }
    if (*path == '\0')
        return 0;
    base = &bases[(data[0] >> 3) % COUNT(bases)];
    snprintf(full, sizeof(full), "%s/%s", *path == '/' ? "" : base->path, path);

    CHECK(mounts_open(mounts, NULL, base->path, O_PATH, 0, &opened) == 0);
    free(opened.path);
    base->fd = opened.fd;
    switch (data[0] & 7) {
    case 0:
        try_stat(base, path, full, true);
        break;
    case 1:
        try_stat(base, path, full, false);
        break;
    case 2:
        try_access(base, path, full, data[1] & 7);
        break;
    case 3:
        try_readlink(base, path, full);
        break;
    default:
        try_open(base, path, full, flags_from(data));
    }
    if (base->fd >= 0)
        close(base->fd);
    return 0;
}
