/* SPDX-License-Identifier: ISC */
#include "slab.h"

#include "pages.h"

#define UNIT 16 /* sizes are multiples of it */

/* The head of a page of objects. */
struct slab {
    struct slab *next, *previous; /* slabs of this size that have room */
    void *free;    /* objects that were given back, linked through their first word */
    uint16_t size; /* of an object */
    uint16_t used; /* objects in use */
    uint32_t cut;  /* offset up to which the page was cut into objects */
};
_Static_assert((HUSK_PAGE_SIZE - sizeof(struct slab)) / SLAB_MAX == 2, "the largest size");
_Static_assert(sizeof(struct slab) % UNIT == 0, "objects are aligned");

static struct slab *with_room[SLAB_MAX / UNIT + 1];

static bool is_full(const struct slab *slab)
{
    return !slab->free && slab->cut + slab->size > HUSK_PAGE_SIZE;
}

static void list_add(struct slab *slab)
{
    struct slab **head = &with_room[slab->size / UNIT];

    slab->previous = NULL;
    slab->next = *head;
    if (*head)
        (*head)->previous = slab;
    *head = slab;
}

static void list_remove(struct slab *slab)
{
    if (slab->next)
        slab->next->previous = slab->previous;
    if (slab->previous)
        slab->previous->next = slab->next;
    else
        with_room[slab->size / UNIT] = slab->next;
}

static struct slab *slab_new(size_t size)
{
    struct slab *slab = page_alloc();

    if (!slab)
        return NULL;
    *slab = (struct slab){.size = size, .cut = sizeof(*slab)};
    list_add(slab);
    return slab;
}

void *slab_alloc(size_t size)
{
    size_t rounded = (size + UNIT - 1) / UNIT * UNIT;
    struct slab *slab = with_room[rounded / UNIT];
    void *object;

    if (!slab)
        slab = slab_new(rounded);
    if (!slab)
        return NULL;
    object = slab->free;
    if (object) {
        slab->free = *(void **)object;
    } else {
        object = (char *)slab + slab->cut;
        slab->cut += slab->size;
    }
    slab->used++;
    if (is_full(slab))
        list_remove(slab);
    return object;
}

void *slab_alloc_zeroed(size_t size)
{
    void *object = slab_alloc(size);

    return object ? memset(object, 0, size) : NULL;
}

void slab_free(void *object)
{
    struct slab *slab = (struct slab *)page_down((uint64_t)object);

    if (is_full(slab))
        list_add(slab);
    *(void **)object = slab->free;
    slab->free = object;
    if (--slab->used > 0)
        return;
    list_remove(slab);
    page_free(slab);
}
