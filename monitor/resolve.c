/* SPDX-License-Identifier: ISC
 *
 * The walk along a guest path, done name by name in user space because only husk knows the guest's
 * mounts and root. The host is never asked to follow a link or "..": links are read and unfolded
 * into the rest of the path, ".." cuts the guest path and opens it again from its mount. Names in
 * between go to openat2(2) as many at a time as possible, with RESOLVE_BENEATH and
 * RESOLVE_NO_SYMLINKS, so each step starts from a directory that was reached inside a mount.
 *
 * A directory that another host process moves out of its mount while the walk holds it is walked on
 * below, as it is with a bind mount or a chroot; it cannot be left upwards.
 */
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as path_resolution(7) */

/* Results of a step other than -errno. */
enum { WALK_ON, WALK_DONE };

/* One name of the path, in struct walk.text. */
struct component {
    char *name;
    char *end;
    bool last; /* nothing but slashes follows */
};

static int open_how(int dir, const char *path, struct open_how how)
{
    long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

    return fd < 0 ? -errno : (int)fd;
}

int open_beneath(int dir, const char *path, int flags, mode_t mode)
{
    return open_how(dir, path,
                    (struct open_how){.flags = (unsigned)(flags | O_CLOEXEC),
                                      .mode = mode,
                                      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                                                 RESOLVE_NO_MAGICLINKS});
}

int stat_beneath(int dir, const char *name, unsigned mask, struct statx *result)
{
    int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;

    return syscall(SYS_statx, dir, name, flags, mask, result) ? -errno : 0;
}

/*
 * procfs's links jump to what their text only describes. Recognized by what the kernel says when it
 * may follow any link but those: its other links ("self", "mounts") stay beneath.
 */
static int refuse_magic_link(int dir, const char *name)
{
    struct statfs fs;
    int fd;

    if (fstatfs(dir, &fs))
        return -errno;
    if (fs.f_type != PROC_SUPER_MAGIC)
        return 0;
    fd = open_how(dir, name,
                  (struct open_how){.flags = O_PATH | O_CLOEXEC,
                                    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS});
    if (fd >= 0)
        close(fd);
    return fd == -ELOOP ? -ELOOP : 0;
}

static struct component component_next(char *path)
{
    struct component c = {.name = path + strspn(path, "/")};

    c.end = c.name + strcspn(c.name, "/");
    c.last = c.end[strspn(c.end, "/")] == '\0';
    return c;
}

static bool component_is(const struct component *c, const char *name)
{
    size_t length = strlen(name);

    return (size_t)(c->end - c->name) == length && memcmp(c->name, name, length) == 0;
}

static int path_append(struct walk *w, const struct component *c)
{
    size_t length = (size_t)(c->end - c->name);
    size_t at = w->length == 1 ? 0 : w->length; /* "/" ends in its slash, other paths do not */

    if (at + 1 + length >= sizeof(w->path))
        return -ENAMETOOLONG;
    w->path[at] = '/';
    memcpy(w->path + at + 1, c->name, length);
    w->length = at + 1 + length;
    w->path[w->length] = '\0';
    return 0;
}

static void path_cut(struct walk *w, size_t length)
{
    w->length = length;
    w->path[length] = '\0';
}

/* Make FD the directory that the walk has reached. */
static void walk_enter(struct walk *w, const struct mount *mount, int fd, bool borrowed)
{
    if (w->dir >= 0 && !w->borrowed)
        close(w->dir);
    w->mount = mount;
    w->dir = fd;
    w->borrowed = borrowed;
}

static void walk_enter_virtual(struct walk *w)
{
    walk_enter(w, NULL, -1, true);
}

void walk_close(struct walk *walk)
{
    walk_enter_virtual(walk);
}

/* No directory is there: then one is made up if a mount point lies below. */
static bool is_no_directory(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -ELOOP;
}

/* Go to the directory that PATH names, from the root of its mount. */
static int walk_reopen(struct walk *w)
{
    const struct mount *mount = mount_over(w->mounts, w->path);
    const char *below;
    int fd;

    if (mount == NULL) {
        walk_enter_virtual(w);
        return WALK_ON;
    }
    below = path_below(w->path, mount->path);
    if (*below == '\0') {
        walk_enter(w, mount, mount->fd, true);
        return WALK_ON;
    }
    fd = open_beneath(mount->fd, below, O_PATH | O_DIRECTORY, 0);
    if (fd >= 0) {
        walk_enter(w, mount, fd, false);
    } else if (is_no_directory(fd) && mount_below(w->mounts, w->path)) {
        walk_enter_virtual(w);
    } else {
        return fd == -EXDEV ? -ENOENT : fd; /* EXDEV: moved away under openat2's feet */
    }
    return WALK_ON;
}

static int walk_to_root(struct walk *w)
{
    strcpy(w->path, "/");
    w->length = 1;
    return walk_reopen(w);
}

/* "." and ".." too need the right to search the directory. */
static int may_search(const struct walk *w)
{
    if (w->dir < 0)
        return 0;
    return syscall(SYS_faccessat2, w->dir, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) ? -errno : 0;
}

static int walk_up(struct walk *w)
{
    size_t parent = (size_t)(strrchr(w->path, '/') - w->path);
    int error = may_search(w);

    if (error)
        return error;
    path_cut(w, parent ? parent : 1);
    return walk_reopen(w);
}

/* The path ends at the directory, or mounted file, that the walk has reached. */
static int end_here(struct walk *w)
{
    int error;

    if (w->end == WALK_PARENT)
        return WALK_DONE;
    error = w->dir < 0 ? mounts_stat_virtual(w->mounts, &(struct guest_dir){-1, w->path}, &w->stx)
                       : stat_beneath(w->dir, "", w->mask, &w->stx);
    w->found = error == 0;
    return error ? error : WALK_DONE;
}

static int end_at(struct walk *w, const struct component *c)
{
    *c->end = '\0';
    w->name = c->name;
    return WALK_DONE;
}

/* Unfold the symbolic link C in front of the rest of the path. */
static int follow(struct walk *w, const struct component *c)
{
    size_t room = (size_t)(c->name - w->text);
    char kept = *c->end;
    ssize_t length;
    int refusal;

    if (++w->links > LINKS_MAX)
        return -ELOOP;
    if (room == 0)
        return -ENAMETOOLONG;
    w->careful = false;

    *c->end = '\0';
    refusal = refuse_magic_link(w->dir, c->name);
    if (refusal)
        return refusal;
    length = readlinkat(w->dir, c->name, w->text, room);
    *c->end = kept;

    if (length < 0)
        return errno == EINVAL ? WALK_ON : -errno; /* no link any more: look again */
    if (length == 0)
        return -ENOENT;
    if ((size_t)length == room)
        return -ENAMETOOLONG;
    w->rest = memmove(c->end - length, w->text, (size_t)length);
    return *w->rest == '/' ? walk_to_root(w) : WALK_ON;
}

/* How far one openat2 can go from C: up to "..", the last name or PATH_MAX. Appends to PATH. */
static char *run_end(struct walk *w, const struct component *c)
{
    char *end = c->end;

    for (;;) {
        struct component next = component_next(end);

        if (next.last || component_is(&next, "..") || next.end - c->name >= PATH_MAX)
            return end;
        if (!component_is(&next, ".") && path_append(w, &next))
            return end;
        end = next.end;
    }
}

/* Enter the directory C, which is no mount point, and those that follow it if that is possible. */
static int step_into(struct walk *w, const struct component *c, size_t parent)
{
    bool shadowed = mount_below(w->mounts, w->path) != NULL;
    char *end = shadowed || w->careful ? c->end : run_end(w, c);
    char kept = *end;
    int fd;

    *end = '\0';
    fd = open_beneath(w->dir, c->name, O_PATH | O_DIRECTORY, 0);
    *end = kept;

    if (fd >= 0) {
        walk_enter(w, w->mount, fd, false);
        w->rest = end;
        return WALK_ON;
    }
    if (shadowed && is_no_directory(fd)) {
        walk_enter_virtual(w);
        w->rest = end;
        return WALK_ON;
    }
    path_cut(w, parent);
    if (fd != -ELOOP && fd != -EXDEV)
        return fd;
    if (end == c->end)
        return follow(w, c);
    w->careful = true;
    return WALK_ON;
}

/* C, which is no mount point, is the last name and in a directory of the host. */
static int step_last(struct walk *w, const struct component *c, size_t parent)
{
    bool shadowed = mount_below(w->mounts, w->path) != NULL;
    char kept = *c->end;
    int error;

    if (w->end == WALK_PARENT && !shadowed)
        return end_at(w, c);

    *c->end = '\0';
    error = stat_beneath(w->dir, c->name, w->mask, &w->stx);
    *c->end = kept;

    if (error && error != -ENOENT)
        return error;
    if (shadowed && (error || !S_ISDIR(w->stx.stx_mode))) {
        walk_enter_virtual(w);
        w->rest = c->end;
        return WALK_ON;
    }
    if (shadowed && w->end == WALK_PARENT)
        return step_into(w, c, parent);
    if (!error && S_ISLNK(w->stx.stx_mode) && (w->end == WALK_FOLLOW || w->slash)) {
        path_cut(w, parent);
        return follow(w, c);
    }
    w->found = error == 0;
    return end_at(w, c);
}

static int step_name(struct walk *w, const struct component *c)
{
    size_t parent = w->length;
    const struct mount *mount;
    int error = path_append(w, c);

    if (error)
        return error;
    mount = mount_at(w->mounts, w->path);
    if (mount != NULL) {
        w->rest = c->end;
        if (mount->local)
            return -EREMOTE;
        if (mount->file >= 0 && *c->end != '\0')
            return -ENOTDIR;
        walk_enter(w, mount, mount->fd, true);
        return WALK_ON;
    }
    if (w->dir >= 0)
        return c->last ? step_last(w, c, parent) : step_into(w, c, parent);
    if (mount_below(w->mounts, w->path)) {
        w->rest = c->end;
        return WALK_ON;
    }
    if (c->end - c->name > NAME_MAX)
        return -ENAMETOOLONG;
    return c->last ? end_at(w, c) : -ENOENT;
}

static int step(struct walk *w)
{
    struct component c = component_next(w->rest);

    if (c.name == c.end)
        return end_here(w);
    if (component_is(&c, ".")) {
        w->rest = c.end;
        return c.last ? may_search(w) : WALK_ON;
    }
    if (component_is(&c, "..")) {
        w->rest = c.end;
        return walk_up(w);
    }
    w->slash = c.last && *c.end != '\0';
    return step_name(w, &c);
}

static int walk_begin(struct walk *w, const struct guest_dir *base, const char *path)
{
    size_t length = strnlen(path, PATH_MAX);

    if (length == 0)
        return -ENOENT;
    if (length == PATH_MAX)
        return -ENAMETOOLONG;
    w->rest = w->text + sizeof(w->text) - length - 1;
    memcpy(w->rest, path, length + 1);
    if (base == NULL || *path == '/')
        return walk_to_root(w);

    w->length = strlen(base->path);
    if (w->length == 0)
        return -ENOENT; /* handles_rename took its name */
    if (w->length >= sizeof(w->path))
        return -ENAMETOOLONG;
    memcpy(w->path, base->path, w->length + 1);
    if (base->fd >= 0)
        walk_enter(w, mount_over(w->mounts, w->path), base->fd, true);
    return WALK_ON;
}

int walk_path(struct walk *walk, const struct mounts *mounts, const struct guest_dir *base,
              const char *path, enum walk_end end, unsigned mask)
{
    int result;

    walk->mounts = mounts;
    walk->end = end;
    walk->mask = mask | STATX_TYPE;
    walk->mount = NULL;
    walk->dir = -1;
    walk->borrowed = true;
    walk->careful = false;
    walk->links = 0;
    walk->name = "";
    walk->slash = false;
    walk->found = false;

    result = walk_begin(walk, base, path);
    while (result == WALK_ON)
        result = step(walk);
    return result == WALK_DONE ? 0 : result;
}
