/* SPDX-License-Identifier: ISC */
#include "bytes.h"

#include "pages.h"
#include "slab.h"

struct byte_page {
    struct byte_page *next;
    char *data;
    uint32_t start, end; /* what it holds */
};

static struct byte_page *add_page(struct bytes *bytes)
{
    struct byte_page *page = slab_alloc(sizeof(*page));

    if (!page)
        return NULL;
    *page = (struct byte_page){.data = page_alloc()};
    if (!page->data) {
        slab_free(page);
        return NULL;
    }
    if (bytes->first)
        bytes->last->next = page;
    else
        bytes->first = page;
    bytes->last = page;
    return page;
}

static void drop_first(struct bytes *bytes)
{
    struct byte_page *page = bytes->first;

    bytes->first = page->next;
    page_free(page->data);
    slab_free(page);
}

int64_t bytes_put(struct bytes *bytes, struct span *from, uint64_t len)
{
    uint64_t done = 0;

    while (done < len) {
        struct byte_page *page = bytes->last;
        uint64_t want = len - done, got;

        if (!bytes->first || page->end == HUSK_PAGE_SIZE)
            page = add_page(bytes);
        if (!page)
            return done > 0 ? (int64_t)done : -ENOMEM;
        if (want > HUSK_PAGE_SIZE - page->end)
            want = HUSK_PAGE_SIZE - page->end;
        got = span_get(from, page->data + page->end, want);
        page->end += got;
        bytes->used += got;
        done += got;
        if (got < want)
            return done > 0 ? (int64_t)done : -EFAULT;
    }
    return done;
}

/* The last page stays for what comes next. */
static void page_emptied(struct bytes *bytes)
{
    if (bytes->first == bytes->last)
        bytes->first->start = bytes->first->end = 0;
    else
        drop_first(bytes);
}

int64_t bytes_take(struct bytes *bytes, struct span *to, uint64_t len)
{
    uint64_t done = 0;

    if (len > bytes->used)
        len = bytes->used;
    while (done < len) {
        struct byte_page *page = bytes->first;
        uint64_t want = page->end - page->start, moved;

        if (want > len - done)
            want = len - done;
        moved = span_put(to, page->data + page->start, want);
        page->start += moved;
        bytes->used -= moved;
        done += moved;
        if (page->start == page->end)
            page_emptied(bytes);
        if (moved < want)
            return done > 0 ? (int64_t)done : -EFAULT;
    }
    return done;
}

int64_t bytes_peek(const struct bytes *bytes, uint64_t skip, struct span *to, uint64_t len)
{
    uint64_t done = 0;

    for (const struct byte_page *page = bytes->first; page && done < len; page = page->next) {
        uint64_t held = page->end - page->start, want, moved;

        if (skip >= held) {
            skip -= held;
            continue;
        }
        want = held - skip < len - done ? held - skip : len - done;
        moved = span_put(to, page->data + page->start + skip, want);
        skip = 0;
        done += moved;
        if (moved < want)
            return done > 0 ? (int64_t)done : -EFAULT;
    }
    return done;
}

void bytes_free(struct bytes *bytes)
{
    while (bytes->first)
        drop_first(bytes);
    *bytes = (struct bytes){0};
}
