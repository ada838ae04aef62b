/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. Files and directories without a name that are still open. */
#include "scratch.h"

static void use_unlinked_file(void)
{
    char text[20] = "";
    int fd = must_open("file", O_RDWR | O_CREAT), copy;
    struct stat status;

    check(write(fd, "before", 6) == 6 && unlink("file") == 0, "unlink of an open file");
    check(fstat(fd, &status) == 0 && status.st_nlink == 0, "fstat: no links");
    check(write(fd, " after", 6) == 6, "write");
    check(pread(fd, text, 12, 0) == 12 && strcmp(text, "before after") == 0, "pread");
    check(lseek(fd, 0, SEEK_END) == 12, "lseek");
    check(ftruncate(fd, 6) == 0 && size_of(fd) == 6, "ftruncate");
    check(fchmod(fd, 0600) == 0 && fsync(fd) == 0, "fchmod and fsync");
    copy = dup(fd);
    close(fd);
    show_open("through a copy", copy);
    put("file", "another");
    check(fstat(copy, &status) == 0 && size_of(copy) == 6, "a new file of that name is another");
    show_file("file");
    close(copy);
}

static void use_second_name(void)
{
    int fd = must_open("one", O_RDWR | O_CREAT);
    struct stat status;

    check(link("one", "two") == 0 && unlink("one") == 0, "unlink of one of two names");
    check(fstat(fd, &status) == 0 && status.st_nlink == 1, "one link is left");
    check(write(fd, "seen", 4) == 4, "write");
    show_file("two");
    close(fd);
}

static void use_removed_directory(void)
{
    int dir, fd;
    struct stat status;

    check(mkdir("dir", 0755) == 0, "mkdir");
    dir = must_open("dir", O_RDONLY | O_DIRECTORY);
    check(rmdir("dir") == 0, "rmdir of an open directory");
    check(fstat(dir, &status) == 0 && status.st_nlink == 0, "fstat: no links");
    fd = openat(dir, "new", O_WRONLY | O_CREAT, 0644);
    check_error(fd, ENOENT, "nothing can be created in it");
    check_error(mkdirat(dir, "sub", 0755), ENOENT, "no directory either");
    check_error(faccessat(dir, "x", F_OK, 0), ENOENT, "nothing is found in it");
    close(dir);
}

static void use_temporary_files(void)
{
    char name[] = "temporary-XXXXXX";
    FILE *files[20];
    int fd = mkstemp(name), kept = 0;

    check(fd >= 0 && unlink(name) == 0 && write(fd, "x", 1) == 1, "mkstemp");
    close(fd);
    for (int i = 0; i < 20; i++) {
        char one[30];

        snprintf(one, sizeof one, "stream-%d", i);
        files[i] = fopen(one, "w+");
        if (!files[i] || unlink(one) < 0)
            give_up(one);
        fprintf(files[i], "number %d", i);
    }
    for (int i = 0; i < 20; i++) {
        int number = -1;

        rewind(files[i]);
        kept += fscanf(files[i], "number %d", &number) == 1 && number == i;
        fclose(files[i]);
    }
    check(kept == 20, "20 unlinked streams keep their own contents");
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    use_unlinked_file();
    use_second_name();
    use_removed_directory();
    use_temporary_files();
    return exit_status();
}
