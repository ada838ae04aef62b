/* SPDX-License-Identifier: ISC */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NAMES_MAX 64

static struct {
    bool counting, happened;
    const char *name; /* the call that fails, or NULL: any */
    unsigned nth, seen;
    int error;
    size_t most; /* bytes of a transfer, or 0 */
    unsigned calls;
    const char *names[NAMES_MAX];
} plan;

void faults_arm_call(const char *name, unsigned nth, int error)
{
    size_t most = plan.most;

    memset(&plan, 0, sizeof(plan));
    plan.counting = true;
    plan.name = name;
    plan.nth = nth;
    plan.error = error;
    plan.most = most;
}

void faults_arm(unsigned nth, int error)
{
    faults_arm_call(NULL, nth, error);
}

void faults_shorten(size_t most)
{
    plan.most = most;
}

unsigned faults_disarm(void)
{
    plan.counting = false;
    plan.most = 0;
    return plan.calls;
}

const char *faults_name(unsigned nth)
{
    return nth >= 1 && nth <= NAMES_MAX ? plan.names[nth - 1] : "?";
}

bool faults_happened(void)
{
    return plan.happened;
}

/* Is this the call that fails? Sets errno. */
static bool fails(const char *name)
{
    if (!plan.counting)
        return false;
    if (plan.calls < NAMES_MAX)
        plan.names[plan.calls] = name;
    plan.calls++;
    if (plan.happened || (plan.name && strcmp(plan.name, name) != 0) || ++plan.seen != plan.nth)
        return false;
    plan.happened = true;
    errno = plan.error;
    return true;
}

#define CALL(name, parameters, arguments)                                                          \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        return fails(#name) ? -1 : __real_##name arguments;                                        \
    }
#include "host_calls.def"
#undef CALL

/* As Linux does it: the descriptor is gone, whatever is said. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    bool failed = fails("close");
    int error = errno;

    if (__real_close(fd) < 0)
        return -1;
    errno = error;
    return failed ? -1 : 0;
}

off_t __real_lseek(int fd, off_t offset, int whence);
off_t __wrap_lseek(int fd, off_t offset, int whence);
off_t __wrap_lseek(int fd, off_t offset, int whence)
{
    return fails("lseek") ? -1 : __real_lseek(fd, offset, whence);
}

ssize_t __real_readlinkat(int dir, const char *path, char *buffer, size_t size);
ssize_t __wrap_readlinkat(int dir, const char *path, char *buffer, size_t size);
ssize_t __wrap_readlinkat(int dir, const char *path, char *buffer, size_t size)
{
    return fails("readlinkat") ? -1 : __real_readlinkat(dir, path, buffer, size);
}

void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    return fails("mmap") ? MAP_FAILED : __real_mmap(addr, len, prot, flags, fd, offset);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
    va_list args;
    void *argument;

    va_start(args, command);
    argument = va_arg(args, void *);
    va_end(args);
    return fails("fcntl") ? -1 : __real_fcntl(fd, command, argument);
}

/* The first elements of IOV, cut. */
static int shorten(const struct iovec **iov, int count, struct iovec *cut)
{
    if (!plan.most || count == 0)
        return count;
    *cut = **iov;
    if (cut->iov_len > plan.most)
        cut->iov_len = plan.most;
    *iov = cut;
    return 1;
}

#define TRANSFER(name, parameters, arguments)                                                      \
    ssize_t __real_##name parameters;                                                              \
    ssize_t __wrap_##name parameters;                                                              \
    ssize_t __wrap_##name parameters                                                               \
    {                                                                                              \
        struct iovec cut;                                                                          \
                                                                                                   \
        if (fails(#name))                                                                          \
            return -1;                                                                             \
        count = shorten(&iov, count, &cut);                                                        \
        return __real_##name arguments;                                                            \
    }
TRANSFER(readv, (int fd, const struct iovec *iov, int count), (fd, iov, count))
TRANSFER(writev, (int fd, const struct iovec *iov, int count), (fd, iov, count))
TRANSFER(preadv, (int fd, const struct iovec *iov, int count, off_t at), (fd, iov, count, at))
TRANSFER(pwritev, (int fd, const struct iovec *iov, int count, off_t at), (fd, iov, count, at))

static const char *syscall_name(long number)
{
    static const struct {
        long number;
        const char *name;
    } names[] = {
        {SYS_openat2, "openat2"},       {SYS_statx, "statx"},       {SYS_faccessat2, "faccessat2"},
        {SYS_renameat2, "renameat2"},   {452, "fchmodat2"},         {SYS_utimensat, "utimensat"},
        {SYS_getdents64, "getdents64"}, {SYS_pwritev2, "pwritev2"}, {SYS_fcntl, "fcntl"},
        {SYS_fchmod, "fchmod"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == number)
            return names[i].name;
    return "syscall";
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
/* It reads arguments that its caller may not have passed: whatever they are goes on as it is. */
__attribute__((no_sanitize("address"))) long __wrap_syscall(long number, ...)
{
    struct iovec cut;
    long a[6];
    va_list args;

    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (fails(syscall_name(number)))
        return -1;
    if (number == SYS_pwritev2) {
        const struct iovec *iov = (const struct iovec *)a[1];

        a[2] = shorten(&iov, (int)a[2], &cut);
        a[1] = (long)iov;
    }
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    if (!fails("strdup"))
        return __real_strdup(text);
    errno = ENOMEM;
    return NULL;
}

int __wrap_asprintf(char **text, const char *format, ...);
int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list args;
    int len;

    if (fails("asprintf")) {
        errno = ENOMEM;
        return -1;
    }
    va_start(args, format);
    len = vasprintf(text, format, args);
    va_end(args);
    return len;
}
