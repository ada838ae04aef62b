/* SPDX-License-Identifier: ISC */
/* 200,000 operations on blocks of 1 byte to 8 MiB, chosen by a fixed generator; contents checked.
 */
#include "check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 512, OPERATIONS = 200000, KIB = 1024, MIB = 1024 * KIB };

struct block {
    unsigned char *bytes;
    size_t size;
    unsigned char seed;
};

static struct block blocks[BLOCKS];
static uint64_t checksum = 14695981039346656037u;

/* Marsaglia's xorshift64* */
static uint64_t next_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1d >> 11;
}

static size_t random_size(void)
{
    unsigned kind = next_random() % 2000;
    size_t greatest = kind < 1800   ? KIB
                      : kind < 1980 ? 64 * KIB
                      : kind < 1999 ? 512 * KIB
                                    : 8 * MIB;

    return 1 + next_random() % greatest;
}

/* Great blocks are filled here and there, so that the time goes into malloc. */
static size_t stride(size_t size)
{
    return size <= 4 * KIB ? 1 : 509;
}

static unsigned char byte_at(unsigned char seed, size_t offset)
{
    return (unsigned char)(seed + offset * 7);
}

static void fill(struct block *block)
{
    block->seed = (unsigned char)next_random();
    for (size_t i = 0; i < block->size; i += stride(block->size))
        block->bytes[i] = byte_at(block->seed, i);
    block->bytes[block->size - 1] = byte_at(block->seed, block->size - 1);
}

static void fail(const char *what, size_t size)
{
    printf("%s, block of %zu bytes\n", what, size);
    exit(1);
}

/* Checks the first size bytes of a block that was filled when it had old_size. */
static void verify(const struct block *block, size_t old_size, size_t size)
{
    for (size_t i = 0; i < size; i += stride(old_size)) {
        if (block->bytes[i] != byte_at(block->seed, i))
            fail("contents changed", old_size);
        checksum = (checksum ^ block->bytes[i]) * 1099511628211u;
    }
}

static unsigned char *allocate_aligned(size_t size)
{
    size_t alignment = (size_t)16 << next_random() % 9;
    void *bytes = NULL;

    if (posix_memalign(&bytes, alignment, size) != 0 || (uintptr_t)bytes % alignment != 0)
        fail("not aligned", size);
    return bytes;
}

static unsigned char *allocate_zeroed(size_t size)
{
    unsigned char *bytes = calloc(1, size);

    for (size_t i = 0; bytes != NULL && i < size; i++)
        if (bytes[i] != 0)
            fail("calloc gave bytes that are not zero", size);
    return bytes;
}

static void allocate(struct block *block)
{
    unsigned how = next_random() % 8;

    block->size = random_size();
    block->bytes = how == 0   ? allocate_zeroed(block->size)
                   : how == 1 ? allocate_aligned(block->size)
                              : malloc(block->size);
    if (block->bytes == NULL)
        fail("out of memory", block->size);
    if ((uintptr_t)block->bytes % 16 != 0)
        fail("not aligned", block->size);
    fill(block);
}

static void resize(struct block *block)
{
    size_t old_size = block->size;
    unsigned char *bytes;

    block->size = random_size();
    bytes = realloc(block->bytes, block->size);
    if (bytes == NULL)
        fail("out of memory", block->size);
    block->bytes = bytes;
    verify(block, old_size, old_size < block->size ? old_size : block->size);
    fill(block);
}

static void release(struct block *block)
{
    verify(block, block->size, block->size);
    free(block->bytes);
    *block = (struct block){0};
}

int main(void)
{
    for (int i = 1; i <= OPERATIONS; i++) {
        struct block *block = &blocks[next_random() % BLOCKS];
        if (block->bytes == NULL)
            allocate(block);
        else if (next_random() % 3 == 0)
            resize(block);
        else
            release(block);
        if (i % (OPERATIONS / 10) == 0)
            printf("%d operations, checksum %016llx\n", i, (unsigned long long)checksum);
    }
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i].bytes != NULL)
            release(&blocks[i]);
    printf("all released, checksum %016llx\n", (unsigned long long)checksum);

    /* Volatile, as a compiler may take for granted that an unused malloc succeeds. */
    volatile size_t too_much = SIZE_MAX / 2;
    void *volatile refused = malloc(too_much);
    check(refused == NULL && errno == ENOMEM, "half of the address space is refused");
    refused = calloc(too_much, 4);
    check(refused == NULL, "calloc sees an overflow");
    return exit_status();
}
