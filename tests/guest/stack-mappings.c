/* SPDX-License-Identifier: ISC */
/* Calls that change mappings, on stacks: parts that were touched, and parts that nobody touched,
 * are memory like any other. */
#include "check.h"
#include "memory.h"
#include "stacks.h"

enum { SIZE = 2 * MIB };

static void check_rights(void)
{
    char *stack = new_stack(SIZE), *middle = stack + SIZE / 2;

    memset(middle, 5, MIB);
    check(mprotect(stack, SIZE, PROT_READ) == 0 && holds_only(stack, 0, SIZE / 2) &&
              holds_only(middle, 5, MIB),
          "a stack that can only be read");
    check(!is_writable(stack) && !is_writable(middle) && !is_writable(stack + SIZE - 16),
          "cannot be written");
    check(mprotect(stack, SIZE, READ_WRITE) == 0 && holds_only(middle, 5, MIB) &&
              is_writable(stack) && is_writable(stack + SIZE - 16),
          "until it can again");
    memset(stack, 6, SIZE);
    munmap(stack, SIZE);

    stack = new_stack(SIZE), middle = stack + SIZE / 2;
    memset(middle, 5, MIB);
    check(mprotect(stack, SIZE, PROT_NONE) == 0 && !is_readable(stack) && !is_readable(middle) &&
              !is_readable(stack + SIZE - 1),
          "a stack without rights");
    check(mprotect(stack, SIZE, READ_WRITE) == 0 && holds_only(middle, 5, MIB) &&
              holds_only(stack, 0, SIZE / 2),
          "is there again");
    memset(stack, 6, SIZE);
    check(holds_only(stack, 6, SIZE), "and can be filled");
    check(mprotect(stack, PAGE, PROT_NONE) == 0 && !is_readable(stack) && is_writable(stack + PAGE),
          "its lowest page as a guard");
    munmap(stack, SIZE);

    stack = new_stack(SIZE);
    check(mprotect(stack + MIB, PAGE, PROT_NONE) == 0 && !is_readable(stack + MIB),
          "a guard where nobody was");
    memset(stack + MIB + PAGE, 7, SIZE - MIB - PAGE);
    memset(stack, 7, MIB);
    check(holds_only(stack, 7, MIB) && !is_readable(stack + MIB), "both sides can be filled");
    munmap(stack, SIZE);
}

static void check_fixed(void)
{
    char *stack = new_stack(SIZE), *inside = stack + MIB / 2;

    memset(stack + MIB, 5, SIZE - MIB);
    check(map_as_stack(inside, MIB, READ_WRITE, MAP_FIXED) == inside, "a stack inside a stack");
    check(holds_only(stack, 0, MIB + MIB / 2), "is new");
    check(holds_only(inside + MIB, 5, SIZE - MIB - MIB / 2), "and leaves the rest");
    memset(stack, 6, SIZE);
    check(holds_only(stack, 6, SIZE), "all can be filled");
    munmap(stack, SIZE);

    stack = new_stack(SIZE), inside = stack + MIB / 2;
    check(map_as_stack(inside, MIB, READ_WRITE, MAP_FIXED) == inside, "where nobody was");
    memset(stack, 6, SIZE);
    check(holds_only(stack, 6, SIZE), "all can be filled");
    munmap(stack, SIZE);

    stack = new_stack(SIZE), inside = stack + MIB / 2;
    check(mmap(inside, MIB, READ_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == inside,
          "other memory inside a stack");
    memset(inside, 7, MIB);
    check(holds_only(stack, 0, MIB / 2) && holds_only(inside + MIB, 0, SIZE - MIB - MIB / 2),
          "what is around stays empty");
    memset(stack, 6, SIZE);
    check(holds_only(stack, 6, SIZE), "all can be filled");
    munmap(stack, SIZE);
}

/* As for the fibres of an interpreter. */
static void check_pool(bool guards_first)
{
    enum { STACKS = 300, EACH = MIB };
    char *pool = new_stack((size_t)STACKS * EACH);
    int kept = 0;

    for (int i = 0; i < STACKS; i++) {
        char *stack = pool + (size_t)i * EACH;

        if (guards_first && mprotect(stack, PAGE, PROT_NONE) < 0)
            break;
        stack[EACH - 1] = (char)i;
        if (!guards_first && mprotect(stack, PAGE, PROT_NONE) < 0)
            break;
    }
    for (int i = 0; i < STACKS; i++) {
        char *stack = pool + (size_t)i * EACH;

        kept += stack[EACH - 1] == (char)i && !is_readable(stack) && is_readable(stack + PAGE);
    }
    check(kept == STACKS, "a pool of %d stacks, from the lowest, guards %s", STACKS,
          guards_first ? "first" : "last");
    munmap(pool, (size_t)STACKS * EACH);
}

/* Of SIZE bytes, with marks; what moves can do with it. */
static char *marked_stack(void)
{
    char *stack = new_stack(SIZE);

    stack[SIZE - 1] = 7;
    stack[SIZE - PIECE - 1] = 8;
    return stack;
}

static bool has_marks(const char *stack)
{
    return stack[SIZE - 1] == 7 && stack[SIZE - PIECE - 1] == 8 &&
           holds_only(stack, 0, SIZE - PIECE - 1);
}

static void check_moves(void)
{
    char *stack = marked_stack(), *room, *moved = mremap(stack, SIZE, 2 * SIZE, MREMAP_MAYMOVE);

    check(moved != MAP_FAILED && has_marks(moved) && holds_only(moved + SIZE, 0, SIZE),
          "a stack grows");
    memset(moved, 1, 2 * SIZE);
    check(holds_only(moved, 1, 2 * SIZE), "and can be filled");
    munmap(moved, 2 * SIZE);

    stack = marked_stack();
    check(mremap(stack, SIZE, SIZE - PIECE, 0) == stack && stack[SIZE - PIECE - 1] == 8 &&
              !is_readable(stack + SIZE - PIECE),
          "one shrinks");
    memset(stack, 1, SIZE - PIECE);
    check(mremap(stack, SIZE - PIECE, PAGE, 0) == stack && !is_readable(stack + PAGE) &&
              holds_only(stack, 1, PAGE),
          "to a page");
    munmap(stack, PAGE);

    stack = marked_stack();
    room = map_pages(SIZE / PAGE, PROT_NONE);
    moved = mremap(stack, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, room);
    check(moved == room && has_marks(moved) && !is_readable(stack), "one goes where it should");
    memset(moved, 1, SIZE);
    munmap(moved, SIZE);

    stack = new_stack(SIZE);
    room = new_stack(SIZE);
    moved = mremap(stack, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, room);
    check(moved == room && holds_only(moved, 0, SIZE), "over a stack that nobody touched");
    memset(moved, 1, SIZE);
    munmap(moved, SIZE);
}

/* A place with free addresses behind it. */
static char *free_place(size_t size)
{
    char *place = map_as_stack(NULL, size, PROT_NONE, 0);

    munmap(place, size);
    return place;
}

static void check_resizing_in_place(void)
{
    char *place = free_place(8 * MIB), *stack = map_as_stack(place, MIB, READ_WRITE, MAP_FIXED);

    check(mremap(stack, MIB, SIZE, 0) == stack, "a stack grows where it is");
    memset(stack, 1, SIZE);
    stack = mremap(stack, SIZE, 3 * MIB, MREMAP_MAYMOVE);
    check(stack != MAP_FAILED && holds_only(stack, 1, SIZE), "and again");
    munmap(stack, 3 * MIB);

    stack = map_as_stack(free_place(8 * MIB), MIB, READ_WRITE, MAP_FIXED);
    check(mmap(stack + MIB, MIB, READ_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
              stack + MIB,
          "memory behind a stack");
    check(mremap(stack, SIZE, MIB, 0) == stack && !is_readable(stack + MIB), "is cut off");
    munmap(stack, MIB);

    stack = map_as_stack(NULL, 300 * MIB, READ_WRITE, 0);
    check(mremap(stack, 300 * MIB, 200 * MIB, 0) == stack && !is_readable(stack + 200 * MIB),
          "a large one is cut");
    munmap(stack, 200 * MIB);
}

static void check_discard(void)
{
    char *stack = new_stack(SIZE);

    check(madvise(stack, SIZE, MADV_DONTNEED) == 0 && holds_only(stack, 0, SIZE),
          "contents of a new stack are given up");
    memset(stack, 7, SIZE);
    check(madvise(stack, SIZE, MADV_DONTNEED) == 0 && holds_only(stack, 0, SIZE),
          "contents of all of it");
    munmap(stack, SIZE);
    stack = new_stack(SIZE);
    memset(stack, 7, MIB / 2);
    memset(stack + MIB, 7, MIB / 2);
    check(madvise(stack + MIB / 4, MIB, MADV_DONTNEED) == 0 && holds_only(stack, 7, MIB / 4) &&
              holds_only(stack + MIB / 4, 0, MIB) && holds_only(stack + MIB + MIB / 4, 7, MIB / 4),
          "of a part with parts that nobody touched");
    munmap(stack, SIZE);
}

static void check_unmapping(void)
{
    char *stack = new_stack(SIZE);

    check(munmap(stack + PIECE, PIECE) == 0 && munmap(stack + SIZE - PAGE, PAGE) == 0,
          "parts that nobody touched are unmapped");
    memset(stack, 1, PIECE);
    memset(stack + 2 * PIECE, 1, SIZE - 2 * PIECE - PAGE);
    check(!is_readable(stack + PIECE) && !is_readable(stack + 2 * PIECE - 1) &&
              !is_readable(stack + SIZE - PAGE),
          "they are gone, the rest can be filled");
    check(munmap(stack + MIB, PIECE) == 0 && !is_readable(stack + MIB) &&
              holds_only(stack + MIB + PIECE, 1, MIB - PIECE - PAGE) && holds_only(stack, 1, PIECE),
          "and unmapped in part");
    munmap(stack, SIZE);
    stack = new_stack(SIZE);
    stack[MIB] = 1;
    check(munmap(stack, SIZE) == 0 && !is_readable(stack) && !is_readable(stack + MIB) &&
              !is_readable(stack + SIZE - 1),
          "nothing is left of a whole one");
}

int main(void)
{
    check_rights();
    check_fixed();
    check_pool(false);
    check_pool(true);
    check_moves();
    check_resizing_in_place();
    check_discard();
    check_unmapping();
    return exit_status();
}
