/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "content.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

#define SMALL        (64 << 10) /* bytes of a file that is kept in memory */
#define CACHE_SIZE   256        /* entries */
#define FRESH_FOR_NS 1000000000LL

/* Each path has one place; another one that hashes there takes it over. */
static struct entry {
    char *path;
    struct content *content;
    long long looked_at;
    struct timespec modified;
    ino_t inode;
} cache[CACHE_SIZE];

/* struct open_how of openat2(2), whose header comes with the kernel, not with every libc. */
struct open_how {
    uint64_t flags, mode, resolve;
};
#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_BENEATH       0x08

static int root = -1;

int content_root(const char *directory)
{
    root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? -1 : 0;
}

/* Where the kernel cannot say "beneath": name by name, and through no symbolic link. */
static int open_by_names(int directory, const char *path, int flags)
{
    char name[NAME_MAX + 1];
    int fd = directory, next;

    for (;;) {
        size_t length = strcspn(path, "/");
        const char *rest = path + length + strspn(path + length, "/");
        bool last = *rest == '\0';

        next = -1;
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
        } else {
            memcpy(name, path, length);
            name[length] = '\0';
            next = openat(fd, name, O_NOFOLLOW | O_CLOEXEC | (last ? flags : O_PATH | O_DIRECTORY));
        }
        if (fd != directory)
            close(fd);
        if (next < 0 || last)
            return next;
        fd = next;
        path = rest;
    }
}

/* Never outside the root, whatever the path or a symbolic link says: openat2(2). */
static int open_below(int directory, const char *path, int flags)
{
    const struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC | O_NONBLOCK),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));

    if (fd < 0 && (errno == EINVAL || errno == ENOSYS))
        fd = open_by_names(directory, path, flags | O_NONBLOCK);
    return fd;
}

static const char *type_of(const char *path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".htm", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".json", "application/json"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/plain; charset=utf-8"},
        {".c", "text/plain; charset=utf-8"},
        {".h", "text/plain; charset=utf-8"},
        {".xml", "application/xml"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".wasm", "application/wasm"},
        {".pdf", "application/pdf"},
        {".woff2", "font/woff2"},
        {".mp4", "video/mp4"},
        {".gz", "application/gzip"},
        {".zip", "application/zip"},
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcasecmp(dot, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static int status_of(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
    case EXDEV: /* openat2: it would leave the root */
    case ELOOP:
        return 403;
    case ENAMETOOLONG:
        return 414;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
        return 404;
    default:
        return 500;
    }
}

static struct content *content_new(const char *type)
{
    struct content *content = calloc(1, sizeof(*content));

    if (content) {
        content->references = 1;
        content->type = type;
        content->fd = -1;
    }
    return content;
}

void content_release(struct content *content)
{
    if (!content || --content->references > 0)
        return;
    if (content->fd >= 0)
        close(content->fd);
    free(content->data);
    free(content);
}

static bool read_all(int fd, char *data, size_t size)
{
    size_t done = 0;
    ssize_t got;

    while (done < size && (got = read(fd, data + done, size - done)) > 0)
        done += (size_t)got;
    return done == size;
}

/* A file that is open: FD is taken over. */
static int from_file(int fd, const struct stat *status, const char *path, struct content **content)
{
    struct content *made = content_new(type_of(path));

    if (!made) {
        close(fd);
        return 503;
    }
    made->fd = fd;
    made->size = (uint64_t)status->st_size;
    made->modified = status->st_mtime;
    *content = made;
    if (made->size > SMALL)
        return 0;
    made->data = malloc(made->size + 1);
    /* If it changed meanwhile it is served from the file. */
    if (made->data && !read_all(fd, made->data, made->size)) {
        free(made->data);
        made->data = NULL;
        lseek(fd, 0, SEEK_SET);
    }
    if (made->data) {
        close(fd);
        made->fd = -1;
    }
    return 0;
}

__attribute__((format(printf, 2, 3))) static void put(FILE *out, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
}

static void put_html(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("<>&\"'", *text))
            put(out, "&#%d;", *text);
        else
            fputc(*text, out);
    }
}

static void put_url(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || strchr("-._~", c))
            fputc(c, out);
        else
            put(out, "%%%02X", c);
    }
}

static void put_entry(FILE *out, int directory, bool is_root, const struct dirent *entry)
{
    struct stat status;
    const char *slash = "";

    if (strcmp(entry->d_name, ".") == 0 || (is_root && strcmp(entry->d_name, "..") == 0) ||
        fstatat(directory, entry->d_name, &status, 0) < 0)
        return;
    if (S_ISDIR(status.st_mode))
        slash = "/";
    put(out, "<li><a href=\"./");
    put_url(out, entry->d_name);
    put(out, "%s\">", slash);
    put_html(out, entry->d_name);
    put(out, "%s</a></li>\n", slash);
}

/* The directory's list as a page. FD is taken over. */
static int from_directory(int fd, const char *path, struct content **content)
{
    struct content *made = content_new("text/html; charset=utf-8");
    DIR *directory = made ? fdopendir(fd) : NULL;
    size_t size = 0;
    FILE *out = directory ? open_memstream(&made->data, &size) : NULL;

    if (!out) {
        if (directory)
            closedir(directory);
        else
            close(fd);
        content_release(made);
        return 503;
    }
    put(out, "<!doctype html>\n<title>");
    put_html(out, path);
    put(out, "</title>\n<h1>");
    put_html(out, path);
    put(out, "</h1>\n<ul>\n");
    for (const struct dirent *entry; (entry = readdir(directory));)
        put_entry(out, fd, strcmp(path, "/") == 0, entry);
    put(out, "</ul>\n");
    closedir(directory);
    if (fclose(out) != 0) {
        content_release(made);
        return 503;
    }
    made->size = size;
    *content = made;
    return 0;
}

/* What FD is, which is taken over. PATH is relative to the root, and names it. */
static int from_descriptor(int fd, const char *path, const char *shown, struct content **content,
                           struct stat *status)
{
    size_t length = strlen(path);
    int index;

    if (fstat(fd, status) < 0) {
        close(fd);
        return 500;
    }
    if (S_ISREG(status->st_mode)) {
        /* "file/" names nothing. */
        if (path[length - 1] != '/')
            return from_file(fd, status, path, content);
        close(fd);
        return 404;
    }
    if (!S_ISDIR(status->st_mode)) {
        close(fd);
        return 403;
    }
    if (shown[strlen(shown) - 1] != '/') {
        close(fd);
        *content = content_new("text/html; charset=utf-8");
        if (!*content)
            return 503;
        (*content)->is_redirection = true;
        return 0;
    }
    index = open_below(fd, "index.html", O_RDONLY);
    if (index < 0)
        return from_directory(fd, shown, content);
    close(fd);
    if (fstat(index, status) < 0 || !S_ISREG(status->st_mode)) {
        close(index);
        return 403;
    }
    return from_file(index, status, "index.html", content);
}

static struct entry *place_of(const char *path)
{
    unsigned hash = 2166136261u; /* FNV-1a */

    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * 16777619u;
    return &cache[(hash ^ hash >> 16) % CACHE_SIZE];
}

static void remember(struct entry *place, const char *path, struct content *content)
{
    char *copy = strdup(path);

    if (!copy)
        return;
    free(place->path);
    content_release(place->content);
    content->references++;
    *place = (struct entry){.path = copy, .content = content, .looked_at = clock_ns};
}

int content_open(const char *path, struct content **content)
{
    const char *relative = path + strspn(path, "/");
    struct entry *place = place_of(path);
    struct stat status;
    int fd, ret;

    if (place->path && strcmp(place->path, path) == 0 &&
        clock_ns - place->looked_at < FRESH_FOR_NS) {
        place->content->references++;
        *content = place->content;
        return 0;
    }
    if (*relative == '\0')
        relative = ".";
    fd = open_below(root, relative, O_RDONLY);
    if (fd < 0)
        return status_of(errno);
    ret = from_descriptor(fd, relative, path, content, &status);
    if (ret == 0 && (*content)->data)
        remember(place, path, *content);
    return ret;
}
