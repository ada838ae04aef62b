/* SPDX-License-Identifier: ISC
 *
 * The host's socket has the data still, and whatever comes is appended there: a copy stays what a
 * receive would begin with. What is read of it is dropped on the host before anything else is asked
 * (HUSK_OP_SKIP, deferred), so that events, FIONREAD, MSG_PEEK, the peer's window and a reset at
 * close are the host's own affair, as if there were no copy.
 *
 * A receive that asks for more than the copy has would get what came since, too. It is answered
 * from the copy only if the program cannot know that anything came: nothing that could tell was
 * asked of the host since, nothing was sent to a socket of its own, and it shares
 * no memory. A stream's data are on their way until they are there.
 */
#include "ahead.h"

#include "pages.h"

struct ahead_buffer {
    char *data;        /* a page */
    struct file *file; /* whose data are in it, or NULL */
    uint32_t at, left; /* those that were not read yet */
    bool full;         /* more may have waited */
    uint64_t news;     /* of the hypercall that brought them */
};

/* Most programs need few, which cost no exit. */
static char few[4][HUSK_AHEAD_ROOM] __attribute__((aligned(HUSK_PAGE_SIZE)));
static struct ahead_buffer buffers[HUSK_AHEAD_MAX];
static unsigned count;                    /* of those that have a page */
static unsigned wanted = ARRAY_SIZE(few); /* so many should have one */

/* The last offer, and the buffers that were in it. */
static struct husk_ahead offer[HUSK_AHEAD_MAX];
static struct ahead_buffer *offered[HUSK_AHEAD_MAX];

_Static_assert(HUSK_AHEAD_ROOM == HUSK_PAGE_SIZE, "a buffer is a page");

static void grow(void)
{
    void *page;

    for (; count < wanted; count++) {
        page = count < ARRAY_SIZE(few) ? few[count] : page_alloc();
        if (!page)
            return;
        buffers[count].data = page;
    }
}

static uint64_t list_free(uint64_t most)
{
    uint64_t listed = 0;

    for (unsigned i = 0; i < count && listed < most; i++) {
        if (buffers[i].file)
            continue;
        offer[listed] =
            (struct husk_ahead){.base = (guest_addr_t)buffers[i].data, .room = HUSK_AHEAD_ROOM};
        offered[listed++] = &buffers[i];
    }
    return listed;
}

struct husk_ahead *ahead_offer(uint64_t most, uint64_t *elements)
{
    grow();
    *elements = list_free(most);
    /* Sockets that nobody reads do not keep the others from having theirs. */
    if (*elements == 0) {
        for (unsigned i = 0; i < count; i++)
            ahead_forget(buffers[i].file);
        *elements = list_free(most);
    }
    return offer;
}

void ahead_accept(uint64_t index, struct file *file)
{
    struct ahead_buffer *buffer = offered[index];

    ahead_forget(file);
    file->ahead = buffer;
    *buffer = (struct ahead_buffer){
        .data = buffer->data,
        .file = file,
        .left = offer[index].length,
        .full = offer[index].length == HUSK_AHEAD_ROOM,
        .news = hypercall_news,
    };
    /* The last one was needed: there will be more. */
    if (buffer == &buffers[count - 1] && count == wanted && count < HUSK_AHEAD_MAX)
        wanted = 2 * count;
}

void ahead_forget(struct file *file)
{
    if (!file->ahead)
        return;
    file->ahead->file = NULL;
    file->ahead = NULL;
}

int64_t ahead_take(struct file *file, struct span *to)
{
    struct ahead_buffer *buffer = file->ahead;
    size_t moved;

    if (!buffer || to->left == 0)
        return 0;
    if (to->left > buffer->left && (buffer->full || !hypercall_is_latest(buffer->news)))
        return 0;
    moved = span_put(to, buffer->data + buffer->at, buffer->left);
    if (moved == 0)
        return -EFAULT;
    hypercall_defer(HUSK_OP_SKIP, file->handle, moved);
    buffer->at += moved;
    buffer->left -= moved;
    if (buffer->left == 0)
        ahead_forget(file);
    return (int64_t)moved;
}
