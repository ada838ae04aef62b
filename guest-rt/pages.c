/* SPDX-License-Identifier: ISC */
#include "pages.h"

#define CHUNK_MIN   (64 << 10)
#define CHUNK_MAX   (1 << 20)
#define CHUNK_PAGES (CHUNK_MAX / HUSK_PAGE_SIZE)
#define WORD_BITS   64

struct chunk {
    char *base;
    uint32_t pages, used;
    uint64_t taken[CHUNK_PAGES / WORD_BITS]; /* a bit for each page */
};

/* Sorted by falling address: mappings are made top down, so that a new chunk goes to the end. */
static struct chunk few[64];
static struct chunk *chunks = few;
static size_t count, capacity = ARRAY_SIZE(few);
static size_t first_with_room; /* all chunks before are full */
static size_t empty;           /* chunks without a page in use */
static uint64_t held;          /* bytes of all chunks, without this table */

static size_t table_bytes(void)
{
    return chunks == few ? 0 : page_up(capacity * sizeof(*chunks));
}

uint64_t pages_held(void)
{
    return held + table_bytes();
}

/* The first chunk that starts at or below ADDR. */
static size_t chunk_find(const char *addr)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (chunks[middle].base <= addr)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void table_free(void)
{
    if (chunks != few)
        rt_pages_free(chunks, table_bytes());
    chunks = few;
    capacity = ARRAY_SIZE(few);
}

static bool table_grow(void)
{
    size_t bytes = page_up(2 * capacity * sizeof(*chunks)), used = count * sizeof(*chunks);
    struct chunk *larger = rt_pages_alloc(bytes);

    if (!larger)
        return false;
    memcpy(larger, chunks, used);
    table_free();
    chunks = larger;
    capacity = bytes / sizeof(*chunks);
    return true;
}

/* As much again as there is, so that few chunks hold a little or a lot. */
static size_t chunk_size(void)
{
    uint64_t size = held;

    if (size < CHUNK_MIN)
        return CHUNK_MIN;
    return size > CHUNK_MAX ? CHUNK_MAX : page_up(size);
}

static bool chunk_add(void)
{
    size_t bytes = chunk_size(), at;
    char *base;

    if (count == capacity && !table_grow())
        return false;
    base = rt_pages_alloc(bytes);
    if (!base && bytes > CHUNK_MIN) {
        bytes = CHUNK_MIN;
        base = rt_pages_alloc(bytes);
    }
    if (!base)
        return false;
    at = chunk_find(base);
    memmove(&chunks[at + 1], &chunks[at], (count - at) * sizeof(*chunks));
    chunks[at] = (struct chunk){.base = base, .pages = bytes / HUSK_PAGE_SIZE};
    count++;
    empty++;
    held += bytes;
    if (first_with_room > at)
        first_with_room = at;
    return true;
}

static void chunk_drop(size_t at)
{
    size_t bytes = (size_t)chunks[at].pages * HUSK_PAGE_SIZE;

    rt_pages_free(chunks[at].base, bytes);
    memmove(&chunks[at], &chunks[at + 1], (count - at - 1) * sizeof(*chunks));
    count--;
    empty--;
    held -= bytes;
    if (first_with_room > at)
        first_with_room--;
    if (count == 0)
        table_free();
}

static void *chunk_take(struct chunk *chunk)
{
    for (size_t word = 0; word < ARRAY_SIZE(chunk->taken); word++) {
        uint64_t room = ~chunk->taken[word];
        size_t bit;

        if (!room)
            continue;
        bit = (size_t)__builtin_ctzll(room);
        chunk->taken[word] |= 1ULL << bit;
        chunk->used++;
        return chunk->base + (word * WORD_BITS + bit) * HUSK_PAGE_SIZE;
    }
    return NULL;
}

void *page_alloc(void)
{
    struct chunk *chunk;

    while (first_with_room < count && chunks[first_with_room].used == chunks[first_with_room].pages)
        first_with_room++;
    if (first_with_room == count && !chunk_add())
        return NULL;
    chunk = &chunks[first_with_room];
    if (chunk->used == 0)
        empty--;
    return chunk_take(chunk);
}

/* One empty chunk stays for the next page, but not for nothing. */
static void trim(size_t emptied)
{
    if (++empty > 1)
        chunk_drop(emptied);
    if (count == 1 && empty == 1)
        chunk_drop(0);
}

void page_free(void *page)
{
    size_t at = chunk_find(page);
    struct chunk *chunk = &chunks[at];
    size_t index = ((char *)page - chunk->base) / HUSK_PAGE_SIZE;

    chunk->taken[index / WORD_BITS] &= ~(1ULL << index % WORD_BITS);
    if (first_with_room > at)
        first_with_room = at;
    if (--chunk->used == 0)
        trim(at);
}
