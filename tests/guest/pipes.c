/* SPDX-License-Identifier: ISC */
/* pipe, pipe2: ends, sizes, atomic writes, blocking, SIGPIPE, descriptors, stat. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char buffer[200000];
static int ends[2];

static void new_pipe(int flags)
{
    if (pipe2(ends, flags) < 0)
        check(false, "pipe2");
}

static void close_pipe(void)
{
    close(ends[0]);
    close(ends[1]);
}

static int queued(int fd)
{
    int bytes = -1;

    ioctl(fd, FIONREAD, &bytes);
    return bytes;
}

static void bytes_go_through(void)
{
    const struct iovec out[] = {{"one ", 4}, {"", 0}, {"two ", 4}, {"three", 5}};
    char a[3], b[100] = "";
    const struct iovec in[] = {{a, sizeof a}, {b, sizeof b}};

    check(pipe(ends) == 0, "pipe");
    check(write(ends[1], "hello", 5) == 5 && queued(ends[0]) == 5, "5 bytes wait");
    check(read(ends[0], buffer, 3) == 3 && memcmp(buffer, "hel", 3) == 0, "3 of them");
    check(read(ends[0], buffer, 100) == 2 && memcmp(buffer, "lo", 2) == 0, "then 2");
    check(writev(ends[1], out, 4) == 13, "writev");
    check(readv(ends[0], in, 2) == 13 && memcmp(a, "one", 3) == 0 &&
              memcmp(b, " two three", 10) == 0,
          "readv");
    check(write(ends[1], "", 0) == 0 && read(ends[0], buffer, 0) == 0, "nothing");
    check_error(read(ends[1], buffer, 1), EBADF, "read from the writing end");
    check_error(write(ends[0], buffer, 1), EBADF, "write to the reading end");
    check_error(lseek(ends[0], 0, SEEK_CUR), ESPIPE, "lseek");
    check_error(pread(ends[0], buffer, 1, 0), ESPIPE, "pread");
    check_error(pwrite(ends[1], buffer, 1, 0), ESPIPE, "pwrite");
    check_error(ftruncate(ends[1], 0), EINVAL, "ftruncate");
    check_error(fsync(ends[1]), EINVAL, "fsync");
    check_error(write(ends[1], nowhere, 5), EFAULT, "write from nowhere");
    check(write(ends[1], "x", 1) == 1, "a byte");
    check_error(read(ends[0], nowhere, 5), EFAULT, "read to nowhere");
    check(queued(ends[0]) >= 0, "it may be gone");
    check(write(ends[1], "last", 4) == 4, "the writer's last words");
    close(ends[1]);
    check(read(ends[0], buffer, 100) >= 4, "can be read when it has gone");
    check(read(ends[0], buffer, 100) == 0, "and then the end");
    close(ends[0]);
}

static void flags_and_descriptors(void)
{
    struct stat a, b;
    int copy;
    char byte;

    new_pipe(O_CLOEXEC | O_NONBLOCK);
    check(fcntl(ends[0], F_GETFD) == FD_CLOEXEC && fcntl(ends[1], F_GETFD) == FD_CLOEXEC,
          "O_CLOEXEC");
    check(fcntl(ends[0], F_GETFL) == (O_RDONLY | O_NONBLOCK), "flags of the reader");
    check(fcntl(ends[1], F_GETFL) == (O_WRONLY | O_NONBLOCK), "flags of the writer");
    check_error(read(ends[0], buffer, 1), EAGAIN, "an empty one");
    check(fstat(ends[0], &a) == 0 && fstat(ends[1], &b) == 0, "fstat");
    check(S_ISFIFO(a.st_mode) && (a.st_mode & 0777) == 0600 && a.st_size == 0, "a FIFO");
    check(a.st_ino == b.st_ino && a.st_dev == b.st_dev, "both ends are one file");
    copy = dup(ends[1]);
    close(ends[1]);
    check_error(read(ends[0], buffer, 1), EAGAIN, "a copy of the writer is left");
    check(write(copy, "y", 1) == 1 && read(ends[0], &byte, 1) == 1 && byte == 'y', "it works");
    close(copy);
    check(read(ends[0], buffer, 1) == 0, "none is left");
    close(ends[0]);
    check_error(pipe2(ends, 0x40000000), EINVAL, "an unknown flag");
    check_error(pipe(nowhere), EFAULT, "pipe to nowhere");
}

static void on_signal(int signal)
{
    printf("signal %s\n", signal == SIGPIPE ? "SIGPIPE" : "another");
}

static void nobody_reads(void)
{
    signal(SIGPIPE, on_signal);
    new_pipe(0);
    close(ends[0]);
    check_error(write(ends[1], "x", 1), EPIPE, "write without a reader");
    signal(SIGPIPE, SIG_IGN);
    check_error(write(ends[1], "x", 1), EPIPE, "with SIGPIPE ignored");
    check(write(ends[1], "x", 0) == 0, "nothing can be written");
    close(ends[1]);
}

static void fill_it(void)
{
    long total = 0, done;

    new_pipe(O_NONBLOCK);
    check(fcntl(ends[0], F_GETPIPE_SZ) == 65536, "64 KiB");
    check(write(ends[1], buffer, sizeof buffer) == 65536, "as much as fits");
    check_error(write(ends[1], buffer, 1), EAGAIN, "no more");
    check(read(ends[0], buffer, 4096) == 4096, "a page is read");
    check(write(ends[1], buffer, 4096) == 4096, "a page is written");
    check(read(ends[0], buffer, 4095) == 4095, "not quite a page is read");
    check_error(write(ends[1], buffer, 4096), EAGAIN, "a page is not written in parts");
    while ((done = read(ends[0], buffer, 10000)) > 0)
        total += done;
    check(total == 65536 - 4095, "the rest");
    check(fcntl(ends[1], F_SETPIPE_SZ, 5000) == 8192, "F_SETPIPE_SZ rounds up");
    check(write(ends[1], buffer, sizeof buffer) == 8192, "as much as fits then");
    check_error(fcntl(ends[1], F_SETPIPE_SZ, 4096), EBUSY, "smaller than what is in it");
    check(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) == 1 << 20, "1 MiB");
    check(write(ends[1], buffer, sizeof buffer) == sizeof buffer, "holds more");
    check_error(fcntl(0, F_GETPIPE_SZ), EBADF, "no pipe");
    close_pipe();
}

enum { STREAM = 3000000 };

static void *send_stream(void *data)
{
    static char piece[70000];
    long sent = 0;

    (void)data;
    while (sent < STREAM) {
        long size = 1 + sent % 69991;

        if (size > STREAM - sent)
            size = STREAM - sent;
        for (long i = 0; i < size; i++)
            piece[i] = (char)((sent + i) * 7 >> 3);
        if (write(ends[1], piece, (size_t)size) != size)
            break;
        sent += size;
    }
    close(ends[1]);
    return NULL;
}

static void a_thread_writes(void)
{
    pthread_t thread;
    long total = 0, got, wrong = 0;

    new_pipe(0);
    pthread_create(&thread, NULL, send_stream, NULL);
    while ((got = read(ends[0], buffer, (size_t)(1 + total % 33333))) > 0) {
        for (long i = 0; i < got; i++)
            wrong += buffer[i] != (char)((total + i) * 7 >> 3);
        total += got;
    }
    pthread_join(thread, NULL);
    check(total == STREAM && wrong == 0, "3 MB through a pipe");
    close(ends[0]);
}

/* Each writes records of its own letter, which must stay together. */
static void *send_records(void *letter)
{
    char record[1000];

    memset(record, *(char *)letter, sizeof record);
    for (int i = 0; i < 300; i++)
        if (write(ends[1], record, sizeof record) != sizeof record)
            return NULL;
    return NULL;
}

static void writes_are_atomic(void)
{
    pthread_t threads[4];
    char letters[] = "abcd", record[1000];
    int torn = 0, count = 0;

    new_pipe(0);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, send_records, &letters[i]);
    while (count < 1200) {
        for (size_t have = 0; have < sizeof record;)
            have += (size_t)read(ends[0], record + have, sizeof record - have);
        for (size_t i = 1; i < sizeof record; i++)
            torn += record[i] != record[0];
        count++;
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    check(torn == 0, "records of four writers stay together");
    close_pipe();
}

static void *read_all(void *total)
{
    static char here[10000];
    long got;

    while ((got = read(ends[0], here, sizeof here)) > 0)
        *(long *)total += got;
    return NULL;
}

static void many_pipes(void)
{
    static int all[400][2];
    int count = 0;

    while (count < 400 && pipe(all[count]) == 0 && write(all[count][1], buffer, 60000) == 60000)
        count++;
    check(count == 400, "400 pipes with 60,000 bytes each");
    for (int i = 0; i < count; i++) {
        close(all[i][0]);
        close(all[i][1]);
    }
}

static void until_none_is_left(void)
{
    static int all[2000];
    const struct rlimit limit = {1024, 1024};
    int count = 0, pair[2];

    setrlimit(RLIMIT_NOFILE, &limit);
    while (count < 2000 && (all[count] = dup(0)) >= 0)
        count++;
    close(all[--count]);
    check_error(pipe(pair), EMFILE, "pipe with one descriptor left");
    all[count] = dup(0);
    check(all[count] >= 0, "which is still there");
    for (int i = 0; i <= count; i++)
        close(all[i]);
}

static void sends_files(void)
{
    char name[] = "/tmp/pipes-XXXXXX";
    int fd = mkstemp(name);
    pthread_t thread;
    long total = 0;
    off_t offset = 0;

    unlink(name);
    check(write(fd, buffer, sizeof buffer) == sizeof buffer, "a file");
    new_pipe(0);
    pthread_create(&thread, NULL, read_all, &total);
    for (long sent = 0, done; sent < (long)sizeof buffer; sent += done) {
        done = sendfile(ends[1], fd, &offset, sizeof buffer - (size_t)sent);
        if (done <= 0)
            break;
    }
    close(ends[1]);
    pthread_join(thread, NULL);
    check(total == sizeof buffer, "sendfile into a pipe");
    close(ends[0]);
    close(fd);
}

static void names(void)
{
    char path[64], target[64] = "";
    struct stat status;
    unsigned long ino = 0;

    new_pipe(0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    check(readlink(path, target, sizeof target - 1) > 0 && sscanf(target, "pipe:[%lu]", &ino) == 1,
          "a name in /proc/self/fd");
    check(fstat(ends[0], &status) == 0 && status.st_ino == ino, "with its number");
    check(stat(path, &status) == 0 && S_ISFIFO(status.st_mode), "stat follows it");
    close_pipe();
}

int main(void)
{
    int more_flags = 0;

    bytes_go_through();
    flags_and_descriptors();
    nobody_reads();
    fill_it();
    a_thread_writes();
    writes_are_atomic();
    many_pipes();
    until_none_is_left();
    sends_files();
    names();
    new_pipe(0);
    check(ioctl(ends[0], FIONBIO, &(int){1}) == 0, "FIONBIO");
    check_error(read(ends[0], &more_flags, 1), EAGAIN, "makes it non-blocking");
    check(ioctl(ends[0], FIOCLEX) == 0 && fcntl(ends[0], F_GETFD) == FD_CLOEXEC, "FIOCLEX");
    close_pipe();
    return exit_status();
}
