/* SPDX-License-Identifier: ISC
 *
 * guest-rt's synthetic files in a test program, with what they need of the rest of guest-rt.
 */
#ifndef SYNTHETIC_FIXTURE_H
#define SYNTHETIC_FIXTURE_H

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../../guest-rt/rt.h"

/* The boot page lies where AddressSanitizer keeps its shadow. */
static struct husk_boot boot;
#undef BOOT
#define BOOT (&boot)

/* The units under test. */
#include "../../guest-rt/synthetic.c"
#include "../../guest-rt/synthetic_etc.c"
#include "../../guest-rt/synthetic_mounts.c"
#include "../../guest-rt/synthetic_process.c"
#include "../../guest-rt/synthetic_system.c"
#include "../../guest-rt/synthetic_text.c"
#include "../../guest-rt/usermem.c"

/* What they need of the rest of guest-rt. */

static const char *bad; /* the address that faults */

int user_copy(void *dst, const void *src, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bad && ((char *)dst + i == bad || (const char *)src + i == bad))
            return -EFAULT;
        ((char *)dst)[i] = ((const char *)src)[i];
    }
    return 0;
}

static const char named[] = "192.0.2.1\tdb.example\n"; /* by --connect */

int64_t hypercall(enum husk_op op, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                  uint64_t a5)
{
    static const char *const volumes[] = {"/data", "/a b\\c"};

    (void)a3, (void)a4, (void)a5;
    if (op == HUSK_OP_VOLUME && a0 < ARRAY_SIZE(volumes)) {
        assert_true(a2 >= strlen(volumes[a0]));
        memcpy((void *)a1, volumes[a0], strlen(volumes[a0]));
        return (int64_t)(strlen(volumes[a0]) | a0 << 32);
    }
    if (op == HUSK_OP_VOLUME)
        return -ENOENT;
    assert_int_equal(op, HUSK_OP_HOSTS);
    assert_true(a1 >= sizeof(named) - 1);
    memcpy((void *)a0, named, sizeof(named) - 1);
    return sizeof(named) - 1;
}

long user_scan(const char *string, size_t max)
{
    return (long)strnlen(string, max);
}

uint64_t clock_monotonic(void)
{
    return 12345678900000;
}

int64_t sys_times(const struct call *call)
{
    ((struct tms *)call->arg[0])->tms_utime = 250;
    return 0;
}

int64_t sys_time(const struct call *call)
{
    (void)call;
    return 1700000000;
}

int64_t sys_uname(const struct call *call)
{
    *(struct new_utsname *)call->arg[0] = (struct new_utsname){
        .sysname = "Linux", .nodename = "here", .release = "6.1.0-test", .version = "#1"};
    return 0;
}

int64_t sys_getcwd(const struct call *call)
{
    strcpy((char *)call->arg[0], "/work");
    return 6;
}

static char process_name[16] = "?";

int64_t thread_set_name(guest_addr_t name)
{
    snprintf(process_name, sizeof(process_name), "%s", (const char *)name);
    return 0;
}

int64_t sys_prctl(const struct call *call)
{
    assert_int_equal(call->arg[0], PR_GET_NAME);
    strcpy((char *)call->arg[1], process_name);
    return 0;
}

int64_t sys_getrandom(const struct call *call)
{
    memset((void *)call->arg[0], 0x42, call->arg[1]);
    return (int64_t)call->arg[1];
}

uint32_t file_mode(uint32_t mode)
{
    return mode & ~027U;
}

static bool fd_is_open[FILES_MAX];

struct file *file_get(uint64_t fd)
{
    static struct file file;

    return fd < FILES_MAX && fd_is_open[fd] ? &file : NULL;
}

static struct file mapped_file;
static struct vma vmas[] = {
    {.start = 0x400000, .end = 0x409000, .prot = PROT_READ | PROT_WRITE},
    {.start = 0x20000000,
     .end = 0x20002000,
     .prot = PROT_READ,
     .shared = true,
     .file = &mapped_file,
     .offset = 0x3000},
    {.start = 0x7f000000, .end = 0x7f001000, .prot = PROT_NONE},
    {.start = 0x7fff0000, .end = 0x80000000, .prot = PROT_READ | PROT_WRITE},
};

struct vma *vma_after(uint64_t addr)
{
    for (size_t i = 0; i < ARRAY_SIZE(vmas); i++)
        if (vmas[i].end > addr)
            return &vmas[i];
    return NULL;
}

uint64_t vma_total(void)
{
    return 0x1c000;
}

uint64_t vma_held(void)
{
    return 0x1c000;
}

/* An image of code, constants and data at 0x400000..0x405000, and the stack that it starts with. */
static inline int setup(void **state)
{
    static const struct elf64_phdr headers[] = {
        {.p_type = PT_NOTE, .p_vaddr = 0x999999},
        {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x10, .p_memsz = 0x1f00},
        {.p_type = PT_LOAD,
         .p_flags = PF_R,
         .p_vaddr = 0x2000,
         .p_memsz = 0x800,
         .p_offset = 0x2000},
        {.p_type = PT_LOAD,
         .p_flags = PF_R | PF_W,
         .p_vaddr = 0x3010,
         .p_memsz = 0x1900,
         .p_offset = 0x2810},
    };
    static uint64_t stack[] = {
        2,
        (uint64_t) "bin/program",
        (uint64_t) "an argument",
        0,
        (uint64_t) "HOME=/",
        (uint64_t) "A=b",
        0,
        AT_PHDR,
        (uint64_t)headers,
        AT_PHNUM,
        4,
        AT_EXECFN,
        (uint64_t) "bin/program",
        AT_NULL,
        0,
    };

    (void)state;
    boot = (struct husk_boot){.ram_size = 256 << 20,
                              .image_start = 0x400000,
                              .image_end = 0x405000,
                              .stack_low = 0x7fff0000,
                              .stack_top = 0x80000000,
                              .stack_pointer = (uint64_t)stack,
                              .uid = 1000,
                              .euid = 1000,
                              .gid = 100,
                              .egid = 100,
                              .cwd_length = 5,
                              .cwd = "/work"};
    memset(fd_is_open, 0, sizeof(fd_is_open));
    fd_is_open[0] = fd_is_open[1] = fd_is_open[17] = true;
    bad = NULL;
    synthetic_init();
    return 0;
}

static inline bool find(const char *path, struct synthetic_file *file)
{
    return synthetic_find(path, strlen(path), file);
}

static inline struct synthetic_file found(const char *path)
{
    struct synthetic_file file;

    if (!find(path, &file))
        fail_msg("%s is not found", path);
    return file;
}

static inline const char *content(const char *path)
{
    static char text[1 << 16];
    struct synthetic_file file = found(path);
    int64_t len = synthetic_read(&file, (guest_addr_t)text, sizeof(text) - 1, 0);

    assert_in_range(len, 0, sizeof(text) - 1);
    text[len] = 0;
    return text;
}

static inline const char *target(const char *path)
{
    static char text[256];
    struct synthetic_file file = found(path);
    int64_t len = synthetic_target(&file, text, sizeof(text) - 1);

    assert_in_range(len, 0, sizeof(text) - 1);
    text[len] = 0;
    return text;
}

static inline void contains(const char *path, const char *part)
{
    if (!strstr(content(path), part))
        fail_msg("%s lacks `%s`:\n%s", path, part, content(path));
}

static inline struct statx stat_of(const char *path)
{
    struct synthetic_file file = found(path);
    struct statx result;

    synthetic_stat(&file, 1700000000123456789, &result);
    return result;
}

#endif
