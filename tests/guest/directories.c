/* SPDX-License-Identifier: ISC */
/* Argument: the tree. Reading directories, large and small, by libc and by the system call. */
#include "check.h"
#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MANY = 300 };

/* Both libcs have struct dirent laid out as getdents64(2) fills it. */
static long call_getdents(int fd, void *buffer, size_t size)
{
    return syscall(SYS_getdents64, fd, buffer, size);
}

static char type_letter(const struct dirent *entry)
{
    return entry->d_type == DT_REG   ? '-'
           : entry->d_type == DT_DIR ? 'd'
           : entry->d_type == DT_LNK ? 'l'
                                     : '?';
}

/* By byte value: alphasort goes by the locale. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void list(const char *name)
{
    struct dirent **entries;
    int count = scandir(in_tree(name), &entries, NULL, compare_entries);

    printf("%s: %d entries\n", name, count);
    for (int i = 0; i < count; i++) {
        printf("%c ", type_letter(entries[i]));
        print_quoted(entries[i]->d_name);
        putchar('\n');
        free(entries[i]);
    }
    free(entries);
}

static uint32_t hash_name(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

/* The sum does not depend on the order, which file systems choose. */
static uint32_t sum_of_names(DIR *directory, int *count)
{
    uint32_t sum = 0;

    *count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL; ++*count)
        sum += hash_name(entry->d_name);
    return sum;
}

static void check_rewinding(void)
{
    DIR *directory = opendir(in_tree("many"));
    int count, again;
    uint32_t sum = sum_of_names(directory, &count);

    printf("many: %d entries, sum %08x\n", count, sum);
    check(readdir(directory) == NULL, "at the end it stays at the end");
    rewinddir(directory);
    check(sum_of_names(directory, &again) == sum && again == count, "the same after rewinddir");
    check(lseek(dirfd(directory), 0, SEEK_SET) == 0, "lseek to the start");
    closedir(directory);
}

static void check_positions(void)
{
    DIR *directory = opendir(in_tree("many"));
    char names[20][256];
    long positions[20];
    bool same = true;

    for (int i = 0; i < 20; i++) {
        positions[i] = telldir(directory);
        snprintf(names[i], sizeof names[i], "%s", readdir(directory)->d_name);
    }
    for (int i = 19; i >= 0; i -= 3) {
        seekdir(directory, positions[i]);
        same &= strcmp(readdir(directory)->d_name, names[i]) == 0;
    }
    check(same, "seekdir goes back to where telldir was");
    closedir(directory);
}

static void check_inodes(void)
{
    DIR *directory = opendir(in_tree("files"));
    bool same = true;

    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct stat status;
        if (entry->d_type == DT_REG)
            same &= fstatat(dirfd(directory), entry->d_name, &status, 0) == 0 &&
                    status.st_ino == entry->d_ino;
    }
    check(same, "entries tell their files' inodes");
    closedir(directory);
}

static void check_small_buffers(void)
{
    static const size_t sizes[] = {280, 300, 1000, 65536};
    static _Alignas(8) char buffer[65536];
    int fd = open(in_tree("many"), O_RDONLY | O_DIRECTORY);

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int count = 0;
        long got;
        lseek(fd, 0, SEEK_SET);
        while ((got = call_getdents(fd, buffer, sizes[i])) > 0)
            for (long at = 0; at < got; at += ((struct dirent *)(buffer + at))->d_reclen)
                count++;
        printf("%d entries by %zu bytes, the last call gives %ld\n", count, sizes[i], got);
    }
    lseek(fd, 0, SEEK_SET);
    check_error(call_getdents(fd, buffer, 10), EINVAL, "getdents64 with too little room");
    close(fd);
}

/* Depth first; shows that directories can be read while their parents are. */
static int count_below(int parent, const char *name, int depth, int *deepest)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    DIR *directory = fdopendir(fd);
    int count = 0;

    if (depth > *deepest)
        *deepest = depth;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        count++;
        if (entry->d_type == DT_DIR)
            count += count_below(dirfd(directory), entry->d_name, depth + 1, deepest);
    }
    closedir(directory);
    return count;
}

static void check_errors(void)
{
    char buffer[512];
    int fd = open(in_tree("files/text"), O_RDONLY);

    check_error(call_getdents(fd, buffer, sizeof buffer), ENOTDIR, "getdents64 of a file");
    check_error(call_getdents(-1, buffer, sizeof buffer), EBADF, "getdents64 of nothing");
    close(fd);
    check(opendir(in_tree("files/text")) == NULL && errno == ENOTDIR, "opendir of a file fails");
    check(opendir(in_tree("missing")) == NULL && errno == ENOENT, "opendir of nothing fails");
}

int main(int argc, char **argv)
{
    int deepest = 0;

    find_tree(argc, argv);
    list(".");
    list("files");
    list("names");
    list("links");
    list("empty-dir");
    list("names/../nested/a/b");
    check_rewinding();
    check_positions();
    check_inodes();
    check_small_buffers();
    int count = count_below(AT_FDCWD, tree_root, 0, &deepest);
    printf("%d entries in all, %d levels deep\n", count, deepest);
    check_errors();
    return exit_status();
}
