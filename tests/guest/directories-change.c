/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. Directories that are read while they change; 10,000 entries. */
#include "scratch.h"

enum { MANY = 10000 };

static bool seen[MANY];

static const char *name_of(int i)
{
    static char name[40];

    snprintf(name, sizeof name, "many/entry number %05d", i);
    return name;
}

static int count_entries(const char *name)
{
    DIR *dir = opendir(name);
    int count = 0;

    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

static void create_many(void)
{
    int made = 0;

    check(mkdir("many", 0755) == 0, "mkdir");
    for (int i = 0; i < MANY; i++) {
        int fd = open(name_of(i), O_WRONLY | O_CREAT | O_EXCL, 0644);

        made += fd >= 0 && close(fd) == 0;
    }
    check(made == MANY, "10,000 files");
}

static void list_many(void)
{
    DIR *dir = opendir("many");
    int known = 0, other = 0, again = 0, number;

    for (struct dirent *entry; (entry = readdir(dir));) {
        if (sscanf(entry->d_name, "entry number %d", &number) != 1 || number >= MANY)
            other++;
        else if (seen[number])
            again++;
        else
            seen[number] = true, known++;
    }
    closedir(dir);
    check(known == MANY && other == 2 && again == 0, "each is listed once");
    check_error(rmdir("many"), ENOTEMPTY, "rmdir");
}

static void remove_while_reading(void)
{
    DIR *dir = opendir("many");
    int removed = 0;
    char path[300];

    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "many/%.200s", entry->d_name);
        removed += unlink(path) == 0;
    }
    closedir(dir);
    check(removed == MANY, "all removed as they are listed");
    check(count_entries("many") == 2 && rmdir("many") == 0, "nothing is left");
}

static void create_while_reading(void)
{
    DIR *dir;
    int first = 0, second = 0;

    check(mkdir("few", 0755) == 0, "another directory");
    put("few/a", "");
    put("few/b", "");
    dir = opendir("few");
    while (readdir(dir))
        first++;
    put("few/c", "");
    check(rename("few/a", "few/d") == 0 && unlink("few/b") == 0, "changed while it is open");
    rewinddir(dir);
    while (readdir(dir))
        second++;
    check(first == 4 && second == 4, "rewinddir shows the new state");
    closedir(dir);
}

static void read_removed_directory(void)
{
    DIR *dir;

    check(mkdir("gone", 0755) == 0, "a third");
    dir = opendir("gone");
    check(rmdir("gone") == 0 && readdir(dir) == NULL, "removed, it is empty");
    closedir(dir);
}

/* Types as readdir tells them, in order of names. */
static void show_types(void)
{
    struct dirent **list;
    int count;

    check(mkdir("types", 0755) == 0 && mkdir("types/dir", 0755) == 0, "a fourth");
    put("types/file", "");
    check(symlink("file", "types/link") == 0, "with a link");
    count = scandir("types", &list, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        printf("%s %s\n", list[i]->d_name,
               list[i]->d_type == DT_DIR   ? "directory"
               : list[i]->d_type == DT_REG ? "file"
               : list[i]->d_type == DT_LNK ? "link"
                                           : "other");
        free(list[i]);
    }
    free(list);
}

static void nest(void)
{
    int depth = 0;

    check(mkdir("nest", 0755) == 0 && chdir("nest") == 0, "a deep one");
    while (depth < 50 && mkdir("deeper", 0755) == 0 && chdir("deeper") == 0)
        depth++;
    put("bottom", "");
    printf("%d deep\n", depth);
    while (depth-- >= 0)
        if (chdir("..") < 0)
            give_up("..");
    check(is_there("nest/deeper/deeper/deeper"), "and back by ..");
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    create_many();
    list_many();
    remove_while_reading();
    create_while_reading();
    read_removed_directory();
    show_types();
    nest();
    return exit_status();
}
