/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. MAP_SHARED of files. */
#include "mapped.h"
#include "scratch.h"

static int make_pages(const char *name, int pages)
{
    int fd = must_open(name, O_RDWR | O_CREAT);
    char page[PAGE];

    for (int i = 0; i < pages; i++) {
        memset(page, 'A' + i, PAGE);
        if (write(fd, page, PAGE) != PAGE)
            give_up(name);
    }
    return fd;
}

static void see_writes(void)
{
    int fd = make_pages("seen", 3);
    char *view = map(fd, 3 * PAGE, PROT_READ | PROT_WRITE, 0);

    check(view != MAP_FAILED, "mapped");
    check(view[0] == 'A' && view[PAGE] == 'B' && view[3 * PAGE - 1] == 'C', "shows the file");
    view[10] = '1';
    check(byte_at(fd, 10) == '1', "what is stored is read from the file");
    check(pwrite(fd, "2", 1, PAGE + 10) == 1 && view[PAGE + 10] == '2',
          "what is written to the file is seen");
    check(read(fd, view, 0) == 0 && pread(fd, view + 2 * PAGE, PAGE, 0) == PAGE, "read into it");
    check(view[2 * PAGE + 10] == '1' && byte_at(fd, 2 * PAGE + 10) == '1', "copies the file");
    check(pwrite(fd, view, 20, PAGE) == 20 && view[PAGE] == 'A', "write from it");
    check(msync(view, 3 * PAGE, MS_SYNC) == 0, "msync");
    check(msync(view + PAGE, PAGE, MS_ASYNC) == 0, "msync of a part");
    check_error(msync(view + 1, PAGE, MS_SYNC), EINVAL, "msync of no page");
    check_error(msync(view, PAGE, MS_SYNC | MS_ASYNC), EINVAL, "msync both ways");
    view[20] = '3';
    check(munmap(view, 3 * PAGE) == 0 && byte_at(fd, 20) == '3', "the file keeps it after munmap");
    close(fd);
}

static void map_twice(void)
{
    int fd = must_open("seen", O_RDWR), other = must_open("seen", O_RDWR);
    char *one = map(fd, 2 * PAGE, PROT_READ | PROT_WRITE, 0);
    char *two = map(other, 2 * PAGE, PROT_READ | PROT_WRITE, PAGE);
    char *late;

    check(one != MAP_FAILED && two != MAP_FAILED, "two mappings of one file");
    one[PAGE + 5] = 'x';
    check(two[5] == 'x', "the second shows what the first stored");
    two[6] = 'y';
    check(one[PAGE + 6] == 'y', "and the other way");
    close(fd);
    close(other);
    one[PAGE + 7] = 'z';
    check(two[7] == 'z', "they outlive their descriptors");
    fd = must_open("seen", O_RDONLY);
    late = map(fd, 3 * PAGE, PROT_READ, 0);
    check(late != MAP_FAILED && late[PAGE + 7] == 'z', "a third, only to read");
    check(unlink("seen") == 0, "unlink of the mapped file");
    one[0] = 'u';
    check(late[0] == 'u' && byte_at(fd, 0) == 'u', "it is still one file");
    check(munmap(one, PAGE) == 0 && two[7] == 'z' && one[PAGE + 7] == 'z', "half an munmap");
    close(fd);
    check(munmap(one + PAGE, PAGE) == 0 && munmap(two, 2 * PAGE) == 0 &&
              munmap(late, 3 * PAGE) == 0,
          "munmap of all");
}

static void grow(void)
{
    int fd = make_pages("grown", 2);
    char *view = map(fd, 2 * PAGE, PROT_READ | PROT_WRITE, 0), *moved;

    view[1] = 'g';
    check(ftruncate(fd, 100 * PAGE) == 0, "the file grows");
    moved = mremap(view, 2 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
    check(moved != MAP_FAILED, "mremap to 100 pages");
    check(moved[1] == 'g' && moved[PAGE] == 'B' && moved[50 * PAGE] == 0, "shows all of it");
    moved[99 * PAGE] = 'e';
    moved[2] = 'h';
    check(byte_at(fd, 99 * PAGE) == 'e' && byte_at(fd, 2) == 'h', "and is still shared");
    moved = mremap(moved, 100 * PAGE, PAGE, 0);
    check(moved != MAP_FAILED && moved[2] == 'h', "mremap to one page");
    check(munmap(moved, PAGE) == 0 && ftruncate(fd, 3 * PAGE) == 0, "munmap");
    close(fd);
}

static void change_rights(void)
{
    int fd = must_open("grown", O_RDWR), reader = must_open("grown", O_RDONLY);
    char *view = map(fd, 2 * PAGE, PROT_READ, 0), *seen;

    check(mprotect(view, PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect to write");
    view[3] = 'p';
    check(byte_at(fd, 3) == 'p', "writes to the file");
    check(mprotect(view, PAGE, PROT_READ) == 0 && view[3] == 'p', "mprotect back");
    check(pread(fd, view, 1, 0) == -1 && errno == EFAULT, "then read cannot store there");
    seen = map(reader, PAGE, PROT_READ, 0);
    check(seen != MAP_FAILED && seen[3] == 'p', "a reader's mapping");
    check_error(mprotect(seen, PAGE, PROT_READ | PROT_WRITE), EACCES, "mprotect of it to write");
    check_error((long)map(reader, PAGE, PROT_READ | PROT_WRITE, 0), EACCES,
                "a writable mapping of a reader");
    munmap(view, 2 * PAGE);
    munmap(seen, PAGE);
    close(reader);
    close(fd);
}

static void refuse(void)
{
    int fd = must_open("grown", O_WRONLY);

    check_error((long)map(fd, PAGE, PROT_WRITE, 0), EACCES, "of what is open for writing alone");
    close(fd);
    check_error((long)map(fd, PAGE, PROT_READ, 0), EBADF, "of what is closed");
    fd = must_open("grown", O_RDWR);
    check_error((long)map(fd, PAGE, PROT_READ, 100), EINVAL, "from the middle of a page");
    check_error((long)map(fd, 0, PROT_READ, 0), EINVAL, "of no length");
    close(fd);
    fd = must_open(".", O_RDONLY);
    check_error((long)map(fd, PAGE, PROT_READ, 0), ENODEV, "of a directory");
    close(fd);
}

/* Only exit brings it into the file. */
static void leave_mapped(void)
{
    int fd = must_open("left", O_RDWR | O_CREAT);
    char *view;

    if (ftruncate(fd, PAGE + 100) < 0)
        give_up("left");
    view = map(fd, PAGE + 100, PROT_READ | PROT_WRITE, 0);
    close(fd);
    strcpy(view + PAGE, "stored, never unmapped");
    view[PAGE + 200] = 'x';
    check(view[PAGE + 200] == 'x', "behind the end, in the last page");
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    see_writes();
    map_twice();
    grow();
    change_rights();
    refuse();
    leave_mapped();
    return exit_status();
}
