/* SPDX-License-Identifier: ISC */
#include "usermem.h"

/* After a fault: page by page of the application's side, so that all that exists is moved. */
static size_t copy_pages(char *to, const char *from, size_t len, guest_addr_t user)
{
    size_t done = 0;

    while (done < len) {
        size_t piece = HUSK_PAGE_SIZE - (user + done) % HUSK_PAGE_SIZE;

        if (piece > len - done)
            piece = len - done;
        if (user_copy(to + done, from + done, piece) < 0)
            break;
        done += piece;
    }
    return done;
}

size_t copy_to_user(guest_addr_t to, const void *from, size_t len)
{
    if (user_copy((void *)to, from, len) == 0)
        return len;
    return copy_pages((char *)to, from, len, to);
}

size_t copy_from_user(void *to, guest_addr_t from, size_t len)
{
    if (user_copy(to, (const void *)from, len) == 0)
        return len;
    return copy_pages(to, (const char *)from, len, from);
}

size_t clear_user(guest_addr_t to, size_t len)
{
    static const char zeros[HUSK_PAGE_SIZE];
    size_t done = 0;

    while (done < len) {
        size_t piece = len - done < sizeof(zeros) ? len - done : sizeof(zeros);
        size_t moved = copy_to_user(to + done, zeros, piece);

        done += moved;
        if (moved < piece)
            break;
    }
    return done;
}

int dirents_add(struct dirents *dirents, const char *name, size_t len, uint64_t ino, uint8_t type,
                uint64_t next)
{
    struct { /* struct linux_dirent64, getdents64(2) */
        uint64_t ino, next;
        uint16_t size;
        uint8_t type;
        char name[256 + 5]; /* with padding to 8 */
    } entry = {.ino = ino, .next = next, .type = type};

    entry.size = (offsetof(typeof(entry), name) + len + 1 + 7) & ~7ULL;
    if (entry.size > dirents->size - dirents->used)
        return -EINVAL;
    memcpy(entry.name, name, len);
    if (user_copy((void *)(dirents->addr + dirents->used), &entry, entry.size) < 0)
        return -EFAULT;
    dirents->used += entry.size;
    return 0;
}

int dirents_add_dots(struct dirents *dirents, uint64_t *position, uint64_t ino, uint64_t parent_ino)
{
    const uint64_t inos[] = {ino, parent_ino};
    const uint8_t directory = 4; /* DT_DIR */

    while (*position < ARRAY_SIZE(inos)) {
        int status =
            dirents_add(dirents, "..", *position + 1, inos[*position], directory, *position + 1);

        if (status < 0)
            return status;
        ++*position;
    }
    return 0;
}
