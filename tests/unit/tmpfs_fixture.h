/* SPDX-License-Identifier: ISC
 *
 * A tmpfs of guest-rt's in a test program, with what it needs of the rest of guest-rt.
 */
#ifndef TMPFS_FIXTURE_H
#define TMPFS_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

/* The units under test. */
#include "../../guest-rt/pages.c"
#include "../../guest-rt/radix.c"
#include "../../guest-rt/slab.c"
#include "../../guest-rt/tmpfs.c"
#include "../../guest-rt/tmpfs_data.c"
#include "../../guest-rt/tmpfs_dir.c"
#include "../../guest-rt/tmpfs_names.c"
#include "../../guest-rt/tmpfs_rename.c"
#include "../../guest-rt/tmpfs_shared.c"
#include "../../guest-rt/usermem.c"

#define PAGE HUSK_PAGE_SIZE
#define BIG  (4 * PAGE) /* of the buffers */

/* Buffers of the "application": followed by a page that faults. */
static char *buffer, *other;
static uint64_t lent, lent_limit = UINT64_MAX, loans;

static bool faults(const char *addr)
{
    return addr == buffer + BIG || addr == other + BIG;
}

int user_copy(void *dst, const void *src, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (faults((char *)dst + i) || faults((const char *)src + i))
            return -EFAULT;
        ((char *)dst)[i] = ((const char *)src)[i];
    }
    return 0;
}

void *rt_pages_alloc(size_t bytes)
{
    if (bytes > lent_limit - lent)
        return NULL;
    lent += bytes;
    loans++;
    return memset(aligned_alloc(PAGE, bytes), 0, bytes);
}

void rt_pages_free(void *pages, size_t bytes)
{
    memset(pages, 0xdd, bytes);
    free(pages);
    lent -= bytes;
}

/* What is shown elsewhere is nobody's business here. */
int shared_pages_grow(struct shared_pages *pages, uint64_t bytes)
{
    uint64_t size = page_up(bytes);
    char *base = size - pages->bytes > lent_limit - lent ? NULL : aligned_alloc(PAGE, size);

    if (!base)
        return -ENOMEM;
    lent += size - pages->bytes;
    memset(base, 0, size);
    if (pages->bytes > 0)
        memcpy(base, pages->base, pages->bytes);
    free(pages->base);
    *pages = (struct shared_pages){.base = base, .bytes = size, .number = HUSK_MEMORY_FILE};
    return 0;
}

void shared_pages_free(struct shared_pages *pages)
{
    free(pages->base);
    lent -= pages->bytes;
    *pages = (struct shared_pages){0};
}

static uint64_t now = 1700000000000000000;

static uint64_t test_clock(void)
{
    return now += 1000;
}

static char *buffer_new(void)
{
    char *pages =
        mmap(NULL, BIG + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(mprotect(pages + BIG, PAGE, PROT_NONE), 0);
    return pages;
}

static struct tmpfs *fs;

static inline void mount_limited(uint64_t size, uint64_t nodes)
{
    const struct tmpfs_options options = {
        .size = size, .nodes = nodes, .device = 7, .mode = 01777, .clock = test_clock};

    fs = tmpfs_create(&options);
    assert_non_null(fs);
}

static inline int setup(void **state)
{
    (void)state;
    if (!buffer) {
        buffer = buffer_new();
        other = buffer_new();
    }
    lent_limit = UINT64_MAX;
    mount_limited(0, 0);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    tmpfs_destroy(fs);
    assert_int_equal(lent, 0);
    assert_int_equal(pages_held(), 0);
    return 0;
}

static inline guest_addr_t addr(const void *pointer)
{
    return (guest_addr_t)pointer;
}

static inline struct statx stat_of(const struct tmpfs_node *node)
{
    struct statx result;

    tmpfs_stat(node, &result);
    return result;
}

struct dirent_record {
    uint64_t ino, next;
    uint16_t size;
    uint8_t type;
    char name[];
};

#endif
