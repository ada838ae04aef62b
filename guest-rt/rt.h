/* SPDX-License-Identifier: ISC
 *
 * What the files of guest-rt share. It runs at ring 3, uses no floating point, has no libc, and
 * reaches the host only through hypercalls.
 */
#ifndef HUSK_RT_H
#define HUSK_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asm/errno.h>

#include "husk/abi.h"

#define BOOT ((const volatile struct husk_boot *)HUSK_BOOT_PAGE)

enum { PARENT_PID = 1, PID = 2 }; /* as 1 some programs would think that they are init */

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

void *memcpy(void *restrict dst, const void *restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
size_t strlen(const char *string);

static inline uint64_t page_down(uint64_t value)
{
    return value & ~(uint64_t)(HUSK_PAGE_SIZE - 1);
}

static inline uint64_t page_up(uint64_t value)
{
    return page_down(value + HUSK_PAGE_SIZE - 1);
}

/* Fill descriptor 0, ring the doorbell, return the result. */
int64_t hypercall(enum husk_op op, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                  uint64_t a5);
#define HYPERCALL6(op, a, b, c, d, e, f, ...)                                                      \
    hypercall(op, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e),       \
              (uint64_t)(f))
/* The same with the arguments that the operation has. */
#define HYPERCALL(...) HYPERCALL6(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* The same with the next hypercall, whatever that is: for operations that abi.h lets be deferred.
 * HUSK_OP_SKIP adds to what was to be skipped already. */
void hypercall_defer(enum husk_op op, uint64_t a0, uint64_t a1);

/* What the program can know of what happens outside. The number grows with each hypercall that can
 * have told something; true: nothing was told since it was NEWS. */
extern uint64_t hypercall_news;
bool hypercall_is_latest(uint64_t news);
/* From now on it can know by other means, too: what it sends goes to a socket of its own, perhaps;
 * it shares memory with others. */
enum telling { TELLING_SENDS = 1, TELLING_MEMORY = 2 };
void hypercall_tell(enum telling means);

/* Doorbells that the current thread has rung. */
extern uint64_t hypercall_count;

/* The application's memory may be unmapped or read-only: these return -EFAULT then, else 0. */
int user_copy(void *dst, const void *src, size_t len);
#define user_read(object, addr)  user_copy((object), (const void *)(addr), sizeof(*(object)))
#define user_write(addr, object) user_copy((void *)(addr), (object), sizeof(*(object)))
/* Length of a string, at most MAX, or -EFAULT. */
long user_scan(const char *string, size_t max);

/* A system call: its arguments, and its result or -errno. */
struct call {
    uint64_t arg[6];
    struct husk_regs *regs;
};
typedef int64_t syscall_fn(const struct call *call);

/* End the run; they do not return. */
_Noreturn void rt_exit(uint64_t status, uint64_t signal);
_Noreturn void rt_fault(const struct husk_regs *regs, uint64_t vector, uint64_t error,
                        uint64_t address, uint64_t signal);

/* Set up before the application starts. */
void mm_init(void);
void files_init(void);
void change_init(void);

/* Send the current thread a signal of its own making: SIGPIPE, SIGXFSZ. */
void signal_raise(int signal);

/* In process.c: the current thread's name, cut to 15 bytes. 0 or -EFAULT. */
int64_t thread_set_name(guest_addr_t name);

/* Nanoseconds: for timeouts, and since 1970. */
uint64_t clock_monotonic(void);
uint64_t clock_realtime(void);
/* Time may have passed without CPU time: the estimate of CPU time must be renewed. */
void clock_slept(void);

/* CPU time of the whole program, and any clock of clock_gettime(2): 0 or -EINVAL. */
uint64_t clock_cpu(void);
int64_t clock_of(uint64_t id, uint64_t *nanoseconds);

#define SYSCALL(number, name) syscall_fn sys_##name;
#include "syscalls.def"
#undef SYSCALL

#endif
