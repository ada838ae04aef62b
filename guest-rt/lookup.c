/* SPDX-License-Identifier: ISC
 *
 * The walk along a path through guest-rt's own file systems. The host's part of a path is the
 * monitor's business: it says EREMOTE where the path comes here.
 */
#include "lookup.h"

#include <linux/fcntl.h>
#include <linux/stat.h>

#include "locals.h"

#define SYNTHETIC_PATH_MAX 128 /* longer than any that exists */

/* Results of a step other than -errno. */
enum { WALK_ON, WALK_DONE };

struct walk {
    struct place *place;
    struct local *local;           /* where the walk is */
    struct tmpfs_node *dir;        /* of a tmpfs */
    char path[SYNTHETIC_PATH_MAX]; /* of a synthetic directory */
    size_t length;
};

/* One name of the path. */
struct component {
    const char *name;
    size_t len;
    bool last, slash; /* nothing but slashes follows; at least one does */
};

static const char *text_end(const struct place *place)
{
    return place->text + sizeof(place->text) - 1;
}

static int prepend(struct place *place, const char *text, size_t len)
{
    if ((size_t)(place->rest - place->text) < len)
        return -ENAMETOOLONG;
    place->rest -= len;
    memcpy(place->rest, text, len);
    return 0;
}

static int64_t to_host(struct walk *w, uint64_t dir)
{
    struct place *place = w->place;

    place->system = FS_HOST;
    place->host =
        (struct husk_path){dir, (uint64_t)place->rest, (uint64_t)(text_end(place) - place->rest)};
    return WALK_DONE;
}

static int64_t enter_local(struct walk *w, struct local *local)
{
    w->local = local;
    if (local->kind == HUSK_LOCAL_TMPFS) {
        w->dir = local_root(local);
        return w->dir ? WALK_ON : -ENOMEM;
    }
    memcpy(w->path, local->path, local->length + 1);
    w->length = local->length;
    return WALK_ON;
}

/* The rest of the path is absolute. */
static int64_t from_root(struct walk *w)
{
    size_t used = 0;
    struct local *local = local_in_path(w->place->rest, &used);

    if (!local)
        return to_host(w, HUSK_DIR_ROOT);
    w->place->rest += used;
    return enter_local(w, local);
}

/* ".." of the root of a local directory: a mount point, which stays where it is. */
static int64_t leave(struct walk *w)
{
    const char *path = w->local->path;
    size_t parent = w->local->length;
    int status;

    while (path[parent - 1] != '/')
        parent--;
    status = prepend(w->place, path, parent);
    return status < 0 ? status : from_root(w);
}

static int64_t go_up(struct walk *w)
{
    if (w->local->kind == HUSK_LOCAL_TMPFS) {
        if (w->dir == tmpfs_root(w->local->fs))
            return leave(w);
        w->dir = tmpfs_parent(w->dir);
        return WALK_ON;
    }
    if (w->length == w->local->length)
        return leave(w);
    while (w->path[--w->length] != '/')
        continue;
    w->path[w->length] = 0;
    return WALK_ON;
}

static int64_t follow(struct walk *w, const char *target, size_t len)
{
    int status;

    if (++w->place->rounds > PATH_ROUNDS_MAX)
        return -ELOOP;
    status = prepend(w->place, target, len);
    if (status < 0)
        return status;
    return *target == '/' ? from_root(w) : WALK_ON;
}

static bool follows(const struct walk *w, const struct component *c)
{
    return !c->last || c->slash || w->place->end == HUSK_END_FOLLOW;
}

static bool is_untouched(const struct walk *w, const struct component *c)
{
    return c->last && w->place->end == HUSK_END_PARENT;
}

static int64_t end_tmpfs(struct walk *w, const struct tmpfs_name *at, struct tmpfs_node *node)
{
    w->place->system = FS_TMPFS;
    w->place->at = *at;
    w->place->node = node;
    return WALK_DONE;
}

static int64_t step_tmpfs(struct walk *w, const struct component *c)
{
    const struct tmpfs_name at = {.dir = w->dir, .name = c->name, .len = c->len};
    struct tmpfs_node *node;
    const char *target;
    size_t len;
    int status = tmpfs_lookup(&at, &node);

    if (status == -ENOENT && c->last)
        return end_tmpfs(w, &at, NULL);
    if (status < 0)
        return status;
    if (local_over(node))
        return enter_local(w, local_over(node));
    if (is_untouched(w, c))
        return end_tmpfs(w, &at, node);
    target = tmpfs_target(node, &len);
    if (target && follows(w, c))
        return follow(w, target, len);
    if ((!c->last || c->slash) && (tmpfs_mode(node) & S_IFMT) != S_IFDIR)
        return -ENOTDIR;
    if (c->last)
        return end_tmpfs(w, &at, node);
    w->dir = node;
    return WALK_ON;
}

static int64_t end_synthetic(struct walk *w, const struct synthetic_file *file)
{
    w->place->system = FS_SYNTHETIC;
    w->place->synthetic = *file;
    return WALK_DONE;
}

static int64_t from_file(struct walk *w, struct file *file);

/* /dev/fd/3, as a directory or as itself. */
static int64_t step_descriptor(struct walk *w, const struct component *c,
                               const struct synthetic_file *link)
{
    struct file *file = file_get(link->descriptor);

    if (!file)
        return -ENOENT;
    if (!c->last || c->slash)
        return file->kind == HUSK_KIND_DIR ? from_file(w, file) : -ENOTDIR;
    if (file->system == FS_HOST || file->system == FS_OBJECT)
        return end_synthetic(w, link);
    place_of_file(file, w->place);
    return WALK_DONE;
}

static int64_t follow_synthetic(struct walk *w, const struct synthetic_file *link)
{
    char target[HUSK_PATH_MAX];
    int64_t len = synthetic_target(link, target, sizeof(target));

    go_up(w);
    if (len == 0)
        return -ENOENT;
    return len < 0 ? len : follow(w, target, len);
}

static int64_t step_synthetic(struct walk *w, const struct component *c)
{
    struct synthetic_file file = {.descriptor = -1};

    if (c->len >= sizeof(w->path) - 1 - w->length)
        return c->len > TMPFS_NAME_MAX ? -ENAMETOOLONG : -ENOENT;
    w->path[w->length++] = '/';
    memcpy(w->path + w->length, c->name, c->len);
    w->length += c->len;
    w->path[w->length] = 0;
    if (local_at(w->path))
        return enter_local(w, local_at(w->path));
    if (!synthetic_find(w->path, w->length, &file)) {
        file.entry = NULL;
        return c->last ? end_synthetic(w, &file) : -ENOENT;
    }
    if (is_untouched(w, c))
        return end_synthetic(w, &file);
    if (file.entry->kind == SYNTHETIC_DESCRIPTOR && follows(w, c))
        return step_descriptor(w, c, &file);
    if (file.entry->kind == SYNTHETIC_LINK && follows(w, c))
        return follow_synthetic(w, &file);
    if ((!c->last || c->slash) && file.entry->kind != SYNTHETIC_DIRECTORY)
        return -ENOTDIR;
    return c->last ? end_synthetic(w, &file) : WALK_ON;
}

/* The path ends at the directory that the walk has reached. */
static int64_t end_here(struct walk *w)
{
    const struct tmpfs_name itself = {.dir = w->dir};
    struct synthetic_file file = {.descriptor = -1};

    if (w->local->kind == HUSK_LOCAL_TMPFS)
        return end_tmpfs(w, &itself, w->dir);
    return synthetic_find(w->path, w->length, &file) ? end_synthetic(w, &file) : -ENOENT;
}

static struct component component_next(const char *at)
{
    struct component c;

    while (*at == '/')
        at++;
    for (c = (struct component){.name = at}; *at && *at != '/'; at++)
        c.len++;
    c.slash = *at == '/';
    while (*at == '/')
        at++;
    c.last = !*at;
    c.slash = c.slash && c.last;
    return c;
}

static int64_t step(struct walk *w)
{
    struct component c = component_next(w->place->rest);
    bool dot = c.len == 1 && c.name[0] == '.';
    bool dot_dot = c.len == 2 && c.name[0] == '.' && c.name[1] == '.';

    w->place->slash = c.slash;
    if (c.len == 0)
        return end_here(w);
    w->place->rest = (char *)c.name + c.len;
    if (dot && !is_untouched(w, &c))
        return WALK_ON;
    if (dot_dot && !is_untouched(w, &c))
        return go_up(w);
    return w->local->kind == HUSK_LOCAL_TMPFS ? step_tmpfs(w, &c) : step_synthetic(w, &c);
}

static int64_t walk_on(struct walk *w, int64_t result)
{
    while (result == WALK_ON)
        result = step(w);
    return result == WALK_DONE ? 0 : result;
}

/* The rest of the path starts from there, also if it begins with the slash behind a name. */
static int64_t below_host(struct walk *w, uint64_t dir)
{
    struct place *place = w->place;
    int status = 0;

    while (*place->rest == '/')
        place->rest++;
    if (!*place->rest)
        status = prepend(place, ".", 1);
    return status < 0 ? status : to_host(w, dir);
}

/* The rest of the path starts from an open directory. */
static int64_t from_file(struct walk *w, struct file *file)
{
    if (file->system == FS_HOST)
        return below_host(w, file->handle);
    if (file->system == FS_TMPFS) {
        w->local = local_of(tmpfs_of(file->node));
        w->dir = file->node;
        return WALK_ON;
    }
    w->length = strlen(file->synthetic.entry->path);
    memcpy(w->path, file->synthetic.entry->path, w->length + 1);
    w->local = local_in_path(w->path, &(size_t){0});
    return WALK_ON;
}

void place_of_file(struct file *file, struct place *place)
{
    place->system = file->system;
    place->host = (struct husk_path){file->handle, 0, 0};
    place->at = (struct tmpfs_name){.dir = file->node};
    place->node = file->node;
    place->synthetic = file->synthetic;
    place->object = file->object;
    place->slash = false;
    place->end = HUSK_END_FOLLOW;
}

bool place_follow_descriptor(struct place *place)
{
    const struct synthetic *entry = place->system == FS_SYNTHETIC ? place->synthetic.entry : NULL;
    struct file *file;

    if (!entry || entry->kind != SYNTHETIC_DESCRIPTOR || place->end != HUSK_END_FOLLOW)
        return false;
    file = file_get(place->synthetic.descriptor);
    if (!file)
        return false;
    place_of_file(file, place);
    return true;
}

/* A relative path. */
static int64_t from_base(struct walk *w, uint64_t dirfd)
{
    bool from_cwd = (int)dirfd == AT_FDCWD;
    struct file *base = from_cwd ? working_directory() : file_get((uint32_t)dirfd);

    if (!base)
        return from_cwd ? to_host(w, HUSK_DIR_ROOT) : -EBADF;
    if (!*w->place->rest) {
        place_of_file(base, w->place);
        return WALK_DONE;
    }
    return base->kind == HUSK_KIND_DIR ? from_file(w, base) : -ENOTDIR;
}

unsigned path_how(uint64_t flags)
{
    return (flags & AT_SYMLINK_NOFOLLOW ? HUSK_END_STAY : HUSK_END_FOLLOW) |
           (flags & AT_EMPTY_PATH ? PATH_MAY_BE_EMPTY : 0);
}

/* Linux's order of errors: the path's memory, its length, then the descriptor. */
int64_t path_find(uint64_t dirfd, uint64_t addr, unsigned how, struct place *place)
{
    long len = user_scan((const char *)addr, HUSK_PATH_MAX);
    struct walk w = {.place = place};

    if (len < 0)
        return -EFAULT;
    if (len == HUSK_PATH_MAX)
        return -ENAMETOOLONG;
    if (len == 0 && !(how & PATH_MAY_BE_EMPTY))
        return -ENOENT;
    place->rest = place->text + sizeof(place->text) - 1 - len;
    if (user_copy(place->rest, (const char *)addr, len + 1) < 0)
        return -EFAULT;
    place->rest[len] = 0;
    place->end = how & ~(unsigned)PATH_MAY_BE_EMPTY;
    place->rounds = 0;
    place->slash = false;
    return walk_on(&w, *place->rest == '/' ? from_root(&w) : from_base(&w, dirfd));
}

int64_t place_resolve(struct place *place)
{
    struct walk w = {.place = place};
    int64_t len;

    if (++place->rounds > PATH_ROUNDS_MAX)
        return -ELOOP;
    len = HYPERCALL(HUSK_OP_RESOLVE, place->host.dir, place->host.addr, place->host.len, place->end,
                    place->text, HUSK_PATH_MAX);
    if (len <= 0)
        return len;
    place->rest = (char *)text_end(place) - len;
    memmove(place->rest, place->text, len);
    len = walk_on(&w, from_root(&w));
    return len < 0 ? len : 1;
}

static int64_t place_call(enum husk_op op, struct place *place, const uint64_t arg[3])
{
    const struct file_system_ops *const systems[] = {
        [FS_TMPFS] = &tmpfs_ops, [FS_SYNTHETIC] = &synthetic_ops, [FS_OBJECT] = &object_ops};

    while (place->system == FS_HOST) {
        int64_t moved, result = HYPERCALL(op, place->host.dir, place->host.addr, place->host.len,
                                          arg[0], arg[1], arg[2]);

        if (result != -EREMOTE)
            return result;
        moved = place_resolve(place);
        if (moved <= 0)
            return moved < 0 ? moved : result;
    }
    if (!systems[place->system]->on_place[op])
        return -EROFS;
    return systems[place->system]->on_place[op](place, arg);
}

/* The image is seen by its name where that leads nowhere else: programs open what they think is
 * their own file. */
static int64_t call_on_image(enum husk_op op, uint64_t dirfd, uint64_t addr, const uint64_t arg[3])
{
    static const char name[] = "/proc/self/exe";
    bool looks = op == HUSK_OP_OPEN || op == HUSK_OP_STAT || op == HUSK_OP_ACCESS;
    struct place place;

    if (!looks || !synthetic_names_image(dirfd, addr) ||
        path_find(AT_FDCWD, (uint64_t)name, HUSK_END_FOLLOW, &place) < 0)
        return -ENOENT;
    return place_call(op, &place, arg);
}

int64_t path_call(enum husk_op op, uint64_t dirfd, uint64_t addr, unsigned how, uint64_t arg0,
                  uint64_t arg1, uint64_t arg2)
{
    const uint64_t arg[3] = {arg0, arg1, arg2};
    struct place place;
    int64_t ret = path_find(dirfd, addr, how, &place);

    if (ret == 0)
        ret = place_call(op, &place, arg);
    return ret == -ENOENT ? call_on_image(op, dirfd, addr, arg) : ret;
}

int64_t file_path_call(enum husk_op op, struct file *file, uint64_t arg0, uint64_t arg1,
                       uint64_t arg2)
{
    struct place place;

    place_of_file(file, &place);
    return place_call(op, &place, (const uint64_t[]){arg0, arg1, arg2});
}
