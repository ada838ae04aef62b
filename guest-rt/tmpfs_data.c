/* SPDX-License-Identifier: ISC
 *
 * Contents of regular files: a sparse array of pages. A page that fallocate reserved and nobody
 * wrote is marked in its pointer: it has no contents yet, and counts as a hole for SEEK_DATA, as on
 * Linux. What lies in a page behind the end of its file is zero.
 *
 * A file that was mapped with MAP_SHARED has its contents in one piece instead, tmpfs_shared.h, and
 * behind its end what was stored there.
 */
#include <linux/falloc.h>
#include <linux/fs.h>

#include "pages.h"
#include "tmpfs_shared.h"
#include "usermem.h"

#define PAGE_SHIFT   12
#define TRANSFER_MAX 0x7ffff000 /* MAX_RW_COUNT of Linux */
#define UNWRITTEN    1UL        /* in a page's pointer */

static uint64_t number_of(uint64_t offset)
{
    return offset >> PAGE_SHIFT;
}

static uint64_t offset_of(uint64_t number)
{
    return number << PAGE_SHIFT;
}

static bool is_written(const void *item)
{
    return item && !((uintptr_t)item & UNWRITTEN);
}

static char *page_of(void *item)
{
    return (char *)((uintptr_t)item & ~UNWRITTEN);
}

static char *written_page(const struct tmpfs_node *file, uint64_t number)
{
    void *item;

    if (tmpfs_is_shared(file))
        return tmpfs_shared_page(file, number);
    item = radix_get(&file->contents, number);
    return is_written(item) ? item : NULL;
}

static int check_regular(const struct tmpfs_node *file)
{
    if (tmpfs_is(file, S_IFDIR))
        return -EISDIR;
    return tmpfs_is(file, S_IFREG) ? 0 : -EINVAL;
}

static int add_unwritten(struct tmpfs_node *file, uint64_t number)
{
    char *page;

    if (!tmpfs_reserve(file->fs, 1))
        return -ENOSPC;
    page = page_alloc();
    if (!page || radix_set(&file->contents, number, page + UNWRITTEN) < 0) {
        if (page)
            page_free(page);
        file->fs->pages--;
        return -ENOSPC;
    }
    file->pages++;
    return 0;
}

static void mark_written(struct tmpfs_node *file, uint64_t number, char *page)
{
    radix_set(&file->contents, number, page); /* cannot fail: the index is in use */
}

static void drop_page(struct tmpfs_node *file, uint64_t number)
{
    page_free(page_of(radix_remove(&file->contents, number)));
    file->pages--;
    file->fs->pages--;
}

/* Drop the pages FIRST..LAST - 1; of these only those that were not written, if so asked. */
static void drop_pages(struct tmpfs_node *file, uint64_t first, uint64_t last, bool only_unwritten)
{
    if (tmpfs_is_shared(file)) {
        tmpfs_shared_drop(file, first, last);
        return;
    }
    for (uint64_t at = first; at < last; at++) {
        const void *item = radix_next(&file->contents, &at);

        if (!item || at >= last)
            return;
        if (!only_unwritten || !is_written(item))
            drop_page(file, at);
    }
}

void tmpfs_data_free(struct tmpfs_node *file)
{
    if (tmpfs_is_shared(file))
        tmpfs_shared_free(file);
    else
        drop_pages(file, 0, UINT64_MAX, false);
}

/* Zero a part of one page. */
static void clear_part(struct tmpfs_node *file, uint64_t start, uint64_t end)
{
    char *page = start < end ? written_page(file, number_of(start)) : NULL;

    if (page)
        memset(page + start % HUSK_PAGE_SIZE, 0, end - start);
}

static uint64_t piece_at(uint64_t offset, uint64_t left)
{
    uint64_t in_page = HUSK_PAGE_SIZE - offset % HUSK_PAGE_SIZE;

    return left < in_page ? left : in_page;
}

int64_t tmpfs_read(struct tmpfs_node *file, guest_addr_t to, uint64_t len, uint64_t offset)
{
    int64_t status = check_regular(file);
    uint64_t done = 0;

    if (status < 0)
        return status;
    tmpfs_accessed(file);
    if (offset >= file->size)
        return 0;
    if (len > file->size - offset)
        len = file->size - offset;
    if (len > TRANSFER_MAX)
        len = TRANSFER_MAX;
    while (done < len) {
        uint64_t at = offset + done, piece = piece_at(at, len - done);
        const char *page = written_page(file, number_of(at));
        size_t moved = page ? copy_to_user(to + done, page + at % HUSK_PAGE_SIZE, piece)
                            : clear_user(to + done, piece);

        done += moved;
        if (moved < piece)
            return done > 0 ? (int64_t)done : -EFAULT;
    }
    return done;
}

/* write_piece for shared contents. */
static size_t write_shared(struct tmpfs_node *file, guest_addr_t from, size_t len, uint64_t offset,
                           int64_t *status)
{
    uint64_t number = number_of(offset), before = file->pages;
    size_t moved = 0;

    *status = tmpfs_shared_reach(file, number + 1);
    if (*status == 0)
        moved = copy_from_user(written_page(file, number) + offset % HUSK_PAGE_SIZE, from, len);
    if (*status == 0 && moved < len)
        *status = -EFAULT;
    if (moved == 0)
        tmpfs_shared_drop(file, before, UINT64_MAX);
    return moved;
}

/* Write within one page. Returns the bytes that were written; *STATUS is why they are not LEN. */
static size_t write_piece(struct tmpfs_node *file, guest_addr_t from, size_t len, uint64_t offset,
                          int64_t *status)
{
    uint64_t number = number_of(offset), start = offset % HUSK_PAGE_SIZE;
    void *item;
    bool added;
    size_t moved;
    char *page;

    if (tmpfs_is_shared(file))
        return write_shared(file, from, len, offset, status);
    item = radix_get(&file->contents, number);
    added = !item;
    if (added) {
        *status = add_unwritten(file, number);
        if (*status < 0)
            return 0;
        item = radix_get(&file->contents, number);
    }
    page = page_of(item);
    moved = copy_from_user(page + start, from, len);
    if (moved < len)
        *status = -EFAULT;
    if (moved == 0 && added)
        drop_page(file, number);
    if (moved == 0 || is_written(item))
        return moved;
    memset(page, 0, start);
    memset(page + start + moved, 0, HUSK_PAGE_SIZE - start - moved);
    mark_written(file, number, page);
    return moved;
}

int64_t tmpfs_write(struct tmpfs_node *file, guest_addr_t from, uint64_t len, uint64_t offset)
{
    int64_t status = check_regular(file);
    uint64_t done = 0;

    if (status < 0 || len == 0)
        return status;
    if (offset >= TMPFS_SIZE_MAX)
        return -EFBIG;
    if (len > TMPFS_SIZE_MAX - offset)
        len = TMPFS_SIZE_MAX - offset;
    if (len > TRANSFER_MAX)
        len = TRANSFER_MAX;
    while (done < len && status == 0) {
        uint64_t at = offset + done;

        done += write_piece(file, from + done, piece_at(at, len - done), at, &status);
    }
    if (done == 0)
        return status;
    if (offset + done > file->size)
        file->size = offset + done;
    tmpfs_touch(file, TMPFS_CHANGED);
    return done;
}

int tmpfs_truncate(struct tmpfs_node *file, uint64_t size)
{
    int status = check_regular(file);

    if (status < 0)
        return status;
    if (size > TMPFS_SIZE_MAX)
        return -EFBIG;
    if (size <= file->size) {
        uint64_t end = page_up(size);

        drop_pages(file, number_of(end), UINT64_MAX, false);
        clear_part(file, size, end);
    } else if (tmpfs_is_shared(file)) {
        status = tmpfs_shared_reach(file, number_of(page_up(size)));
        if (status < 0)
            return status;
    }
    file->size = size;
    tmpfs_touch(file, TMPFS_CHANGED);
    return 0;
}

static void punch(struct tmpfs_node *file, uint64_t start, uint64_t end)
{
    uint64_t first = page_up(start), last = page_down(end);

    if (first > last) { /* inside one page */
        clear_part(file, start, end);
        return;
    }
    clear_part(file, start, first);
    drop_pages(file, number_of(first), number_of(last), false);
    clear_part(file, last, end);
}

/* A page that was reserved before gets contents, so that taking back what a failed call reserved
 * leaves it: as on Linux. */
static int reserve_page(struct tmpfs_node *file, uint64_t number)
{
    void *item = radix_get(&file->contents, number);

    if (!item)
        return add_unwritten(file, number);
    if (!is_written(item))
        mark_written(file, number, memset(page_of(item), 0, HUSK_PAGE_SIZE));
    return 0;
}

static int preallocate(struct tmpfs_node *file, uint64_t first, uint64_t last)
{
    if (file->fs->page_limit && last - first > file->fs->page_limit)
        return -ENOSPC;
    if (tmpfs_is_shared(file))
        return tmpfs_shared_reach(file, last);
    for (uint64_t at = first; at < last; at++) {
        if (reserve_page(file, at) == 0)
            continue;
        drop_pages(file, first, at, true);
        return -ENOSPC;
    }
    return 0;
}

int tmpfs_fallocate(struct tmpfs_node *file, uint32_t mode, int64_t offset, int64_t len)
{
    uint64_t end = (uint64_t)offset + (uint64_t)len;
    int status;

    if (offset < 0 || len <= 0)
        return -EINVAL;
    if (mode & ~(uint32_t)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE) ||
        mode == FALLOC_FL_PUNCH_HOLE)
        return -EOPNOTSUPP;
    if (!tmpfs_is(file, S_IFREG))
        return tmpfs_is(file, S_IFDIR) ? -EISDIR : -ENODEV;
    if (end > TMPFS_SIZE_MAX)
        return -EFBIG;
    if (mode & FALLOC_FL_PUNCH_HOLE) {
        punch(file, offset, end);
    } else {
        status = preallocate(file, number_of(offset), number_of(page_up(end)));
        if (status < 0)
            return status;
        if (!(mode & FALLOC_FL_KEEP_SIZE) && end > file->size)
            file->size = end;
    }
    tmpfs_touch(file, TMPFS_CHANGED);
    return 0;
}

/* Copy what was written to PAGES, which are zero. */
static void copy_written(struct tmpfs_node *file, const struct shared_pages *pages)
{
    uint64_t at = 0;

    for (void *item = radix_next(&file->contents, &at); item;
         item = radix_next(&file->contents, &at)) {
        if (is_written(item))
            memcpy(pages->base + offset_of(at), item, HUSK_PAGE_SIZE);
        at++;
    }
}

int64_t tmpfs_share(struct tmpfs_node *file)
{
    uint64_t had, pages = number_of(page_up(file->size));
    struct shared_pages shared = {0};

    if (!tmpfs_is(file, S_IFREG))
        return -ENODEV;
    if (tmpfs_is_shared(file))
        return (int64_t)file->shared.number;
    drop_pages(file, pages, UINT64_MAX, false); /* what fallocate reserved behind the end */
    had = file->pages;
    if (!tmpfs_reserve(file->fs, pages - had))
        return -ENOMEM;
    if (shared_pages_grow(&shared, pages > 0 ? offset_of(pages) : 1) < 0) {
        file->fs->pages -= pages - had;
        return -ENOMEM;
    }
    copy_written(file, &shared);
    drop_pages(file, 0, UINT64_MAX, false);
    file->fs->pages += had;
    file->pages = pages;
    file->shared = shared;
    return (int64_t)shared.number;
}

static uint64_t next_data(const struct tmpfs_node *file, uint64_t number)
{
    const void *item;

    if (tmpfs_is_shared(file))
        return number;
    item = radix_next(&file->contents, &number);
    while (item && !is_written(item)) {
        number++;
        item = radix_next(&file->contents, &number);
    }
    return item ? number : number_of(TMPFS_SIZE_MAX);
}

static uint64_t next_hole(const struct tmpfs_node *file, uint64_t number)
{
    while (written_page(file, number))
        number++;
    return number;
}

int64_t tmpfs_seek(const struct tmpfs_node *file, int64_t offset, uint32_t whence)
{
    uint64_t start = offset, found;

    if (!tmpfs_is(file, S_IFREG) || (whence != SEEK_DATA && whence != SEEK_HOLE))
        return -EINVAL;
    if (offset < 0 || start >= file->size)
        return -ENXIO;
    found =
        whence == SEEK_DATA ? next_data(file, number_of(start)) : next_hole(file, number_of(start));
    found = offset_of(found) > start ? offset_of(found) : start;
    if (found < file->size)
        return found;
    return whence == SEEK_DATA ? -ENXIO : (int64_t)file->size;
}
