/* SPDX-License-Identifier: ISC */
/* Shared memory without a file of a disk: memfd_create, shm_open, sem_open, MAP_SHARED on a tmpfs.
 */
#include "check.h"
#include "mapped.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_zero(const char *memory, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (memory[i])
            return false;
    return true;
}

/* The compiler does not know that what is stored at one address may be read at another. */
static void settle(void)
{
    __asm__ volatile("" : : : "memory");
}

/* The trick of ring buffers that never wrap. */
static void mirror(void)
{
    int fd = memfd_create("ring", MFD_CLOEXEC);
    char *ring = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct stat status;

    check(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0, "memfd of two pages");
    check(fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 2 * PAGE &&
              status.st_nlink == 0,
          "a nameless regular file");
    check(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR, "flags");
    check(mmap(ring, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == ring &&
              mmap(ring + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                   0) == ring + 2 * PAGE,
          "mapped twice, one behind the other");
    strcpy(ring + 2 * PAGE - 4, "wraps");
    settle();
    check(memcmp(ring, "s", 2) == 0 && memcmp(ring + 4 * PAGE - 4, "wrap", 4) == 0,
          "what runs over the end is at the start");
    check(byte_at(fd, 0) == 's', "and in the file");
    check(close(fd) == 0 && ring[0] == 's', "close leaves the mappings");
    ring[1] = 'x';
    settle();
    check(ring[2 * PAGE + 1] == 'x', "which are still one");
    check(munmap(ring, 4 * PAGE) == 0, "munmap");
    fd = memfd_create("", 0);
    check(fd >= 0 && fcntl(fd, F_GETFD) == 0 && close(fd) == 0, "an empty name");
    check_error(memfd_create(nowhere, 0), EFAULT, "a name that is nowhere");
    check_error(memfd_create("x", 0x100), EINVAL, "unknown flags");
}

/* Write where it cannot be executed, execute where it cannot be written. */
static void generate_code(void)
{
    static const uint8_t code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
    int fd = memfd_create("code", 0);
    char *writable, *executable;
    int (*function)(void);

    check(write(fd, code, sizeof code) == sizeof code, "code in a memfd");
    writable = map(fd, PAGE, PROT_READ | PROT_WRITE, 0);
    executable = map(fd, PAGE, PROT_READ | PROT_EXEC, 0);
    check(writable != MAP_FAILED && executable != MAP_FAILED, "two views of it");
    memcpy(&function, &executable, sizeof function);
    check(function() == 42, "runs");
    writable[1] = 43;
    settle();
    check(function() == 43, "what is stored in one runs in the other");
    munmap(writable, PAGE);
    munmap(executable, PAGE);
    close(fd);
}

/* As a database does that maps much more than its file has. */
static void grow(void)
{
    int fd = memfd_create("grows", 0);
    char *view = map(fd, 600 * PAGE, PROT_READ | PROT_WRITE, 0);
    bool all = true;

    check(view != MAP_FAILED, "600 pages of an empty file");
    for (int page = 0; page < 600; page++) {
        char byte = (char)('a' + page % 26);

        all &= pwrite(fd, &byte, 1, (off_t)page * PAGE + 7) == 1 && view[page * PAGE + 7] == byte;
        view[page * PAGE + 8] = byte;
    }
    check(all, "each is seen when it is written");
    for (int page = 0; page < 600; page++)
        all &= byte_at(fd, (off_t)page * PAGE + 8) == 'a' + page % 26 ||
               page == 599; /* the last ends before */
    check(all, "and what was stored is in the file");
    check(ftruncate(fd, 100 * PAGE + 50) == 0 && ftruncate(fd, 300 * PAGE) == 0, "cut and grown");
    check(view[100 * PAGE + 7] == 'a' + 100 % 26 &&
              is_zero(view + 100 * PAGE + 50, 200 * PAGE - 50),
          "what was cut off is zero");
    check(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10 * PAGE, 20 * PAGE) == 0 &&
              is_zero(view + 10 * PAGE, 20 * PAGE) && view[9 * PAGE + 7] == 'a' + 9,
          "a hole");
    check(fallocate(fd, 0, 0, 700 * PAGE) == 0 && lseek(fd, 0, SEEK_END) == 700 * PAGE,
          "fallocate makes it longer");
    check(pwrite(fd, "end", 3, 900 * PAGE) == 3 && byte_at(fd, 800 * PAGE) == 0, "a gap is zero");
    munmap(view, 600 * PAGE);
    view = map(fd, PAGE, PROT_READ, 900 * PAGE);
    check(view != MAP_FAILED && memcmp(view, "end", 4) == 0, "a view of the end");
    check(lseek(fd, 0, SEEK_HOLE) > 0 && lseek(fd, 900 * PAGE, SEEK_DATA) == 900 * PAGE, "seek");
    munmap(view, PAGE);
    close(fd);
}

/* In place and elsewhere, again and again. */
static void grow_the_mapping(void)
{
    int fd = memfd_create("moves", 0);
    char *view;

    check(ftruncate(fd, 64 * PAGE) == 0, "64 pages");
    view = map(fd, PAGE, PROT_READ | PROT_WRITE, 0);
    for (int pages = 1; pages < 64 && view != MAP_FAILED; pages *= 2) {
        view[(pages - 1) * PAGE] = (char)pages;
        view = mremap(view, pages * PAGE, 2 * pages * PAGE, MREMAP_MAYMOVE);
    }
    check(view != MAP_FAILED && view[0] == 1 && view[31 * PAGE] == 32 && byte_at(fd, 3 * PAGE) == 4,
          "a mapping that grows six times");
    check(madvise(view + 31 * PAGE, PAGE, MADV_REMOVE) == 0 && view[31 * PAGE] == 0 &&
              byte_at(fd, 31 * PAGE) == 0 && view[15 * PAGE] == 16,
          "MADV_REMOVE makes a hole");
    munmap(view, 64 * PAGE);
    close(fd);
    view = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check_error(madvise(view, PAGE, MADV_REMOVE), EINVAL, "not in what is no file");
    munmap(view, PAGE);
}

/* Where it had memory before it may have it again: nothing of a file's is there meanwhile. */
static void map_where_memory_was(void)
{
    enum { REST = 150, PAGES = REST + 50 };
    char path[] = "/dev/shm/husk-test-XXXXXX", page[PAGE];
    int fd = mkstemp(path), shared = memfd_create("there", 0);
    char *area =
        mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *view;
    bool good = true;

    munmap(area, PAGES * PAGE);
    memset(page, 5, PAGE);
    for (int i = 0; i < 90; i++)
        good &= write(fd, page, PAGE) == PAGE;
    check(good && ftruncate(shared, 50 * PAGE) == 0, "files where memory was");
    view = map(shared, 50 * PAGE, PROT_READ | PROT_WRITE, 0);
    memset(view, 6, 50 * PAGE);
    /* All but where the view may be. */
    good = mmap(area, REST * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                -1, 0) == area;
    memset(area, 9, REST * PAGE);
    for (int i = 0; i < 90; i++)
        good &= byte_at(fd, (off_t)i * PAGE) == 5;
    for (int i = 0; i < 50; i++)
        good &= byte_at(shared, (off_t)i * PAGE) == 6;
    check(good, "memory there again changes neither");
    unlink(path);
    close(fd);
    close(shared);
}

static void share_by_name(void)
{
    int one = shm_open("/husk-test-shared", O_RDWR | O_CREAT | O_EXCL, 0600), other;
    char *first, *second;

    check(one >= 0 && ftruncate(one, 3 * PAGE) == 0, "shm_open");
    other = shm_open("/husk-test-shared", O_RDONLY, 0);
    first = map(one, 3 * PAGE, PROT_READ | PROT_WRITE, 0);
    second = map(other, PAGE, PROT_READ, 2 * PAGE);
    check(first != MAP_FAILED && second != MAP_FAILED, "mapped by both names");
    strcpy(first + 2 * PAGE, "seen");
    settle();
    check(strcmp(second, "seen") == 0, "the reader sees what is stored");
    check_error(mprotect(second, PAGE, PROT_READ | PROT_WRITE), EACCES, "and cannot store");
    check(shm_unlink("/husk-test-shared") == 0, "shm_unlink");
    check_error(shm_open("/husk-test-shared", O_RDWR, 0), ENOENT, "shm_open then");
    close(one);
    close(other);
    check(strcmp(second, "seen") == 0, "the pages stay");
    munmap(first, 3 * PAGE);
    munmap(second, PAGE);
}

static void name_semaphores(void)
{
    sem_t *semaphore = sem_open("/husk-test-semaphore", O_CREAT | O_EXCL, 0600, 2), *again;

    check(semaphore != SEM_FAILED, "sem_open");
    again = sem_open("/husk-test-semaphore", 0);
    check(again == semaphore, "again: the same");
    check(sem_wait(semaphore) == 0 && sem_trywait(again) == 0, "two waits");
    check_error(sem_trywait(semaphore), EAGAIN, "a third");
    check(sem_post(again) == 0 && sem_wait(semaphore) == 0, "post and wait");
    check(sem_close(again) == 0 && sem_close(semaphore) == 0, "sem_close");
    check(sem_unlink("/husk-test-semaphore") == 0, "sem_unlink");
}

/* A file that has contents already, holes among them. */
static void map_what_is_there(void)
{
    char path[] = "/dev/shm/husk-test-XXXXXX", *view, *private;
    int fd = mkstemp(path);

    check(fd >= 0 && pwrite(fd, "start", 5, 0) == 5 && pwrite(fd, "end", 3, 20 * PAGE) == 3,
          "a file with a hole");
    private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    view = map(fd, 21 * PAGE, PROT_READ | PROT_WRITE, 0);
    check(memcmp(view, "start", 6) == 0 && memcmp(view + 20 * PAGE, "end", 4) == 0 &&
              is_zero(view + PAGE, 19 * PAGE),
          "its mapping");
    view[5 * PAGE] = '5';
    check(byte_at(fd, 5 * PAGE) == '5', "a page of the hole");
    private[0] = 'S';
    check(view[0] == 's' && byte_at(fd, 0) == 's', "a private mapping keeps to itself");
    check(mprotect(view, PAGE, PROT_READ) == 0 && pwrite(fd, "x", 1, 1) == 1 && view[1] == 'x',
          "a write where the mapping is read-only");
    check(pread(fd, view, 1, 0) == -1 && errno == EFAULT, "a read to there");
    check(msync(view, 21 * PAGE, MS_SYNC) == 0, "msync");
    unlink(path);
    close(fd);
    check(view[5 * PAGE] == '5' && munmap(view, 21 * PAGE) == 0,
          "without a name it is there still");
    munmap(private, PAGE);
}

int main(void)
{
    mirror();
    generate_code();
    grow();
    grow_the_mapping();
    map_where_memory_was();
    share_by_name();
    name_semaphores();
    map_what_is_there();
    return exit_status();
}
