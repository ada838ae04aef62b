/* SPDX-License-Identifier: ISC */
/* Uses 6 MiB of stack, by many frames and by a few large ones. */
#include "check.h"

#include <alloca.h>
#include <stdint.h>
#include <string.h>

enum { KIB = 1024, MIB = 1024 * KIB, DEPTH_BYTES = 6 * MIB };

static uintptr_t top;
static size_t deepest;

static void note_depth(const volatile void *here)
{
    size_t depth = top - (uintptr_t)here;

    if (depth > deepest)
        deepest = depth;
}

__attribute__((noinline)) static unsigned small_frames(unsigned level)
{
    volatile unsigned char frame[1000];

    for (size_t i = 0; i < sizeof frame; i += 100)
        frame[i] = (unsigned char)(level + i);
    note_depth(frame);
    if (top - (uintptr_t)frame > DEPTH_BYTES)
        return 0;
    unsigned below = small_frames(level + 1);
    for (size_t i = 0; i < sizeof frame; i += 100)
        if (frame[i] != (unsigned char)(level + i))
            return below + 1000000;
    return below;
}

__attribute__((noinline)) static unsigned large_frames(unsigned level)
{
    volatile unsigned char *frame = alloca(MIB);

    frame[MIB - 1] = (unsigned char)level; /* first the top, as a growing stack is used */
    for (size_t i = MIB; i >= 4 * KIB; i -= 4 * KIB)
        frame[i - 4 * KIB] = (unsigned char)(level + 1);
    note_depth(frame);
    if (level == 0)
        return frame[MIB - 1];
    return large_frames(level - 1) + frame[MIB - 1] + frame[0];
}

int main(void)
{
    char here;

    top = (uintptr_t)&here;
    printf("damaged frames: %u\n", small_frames(0));
    check(deepest > DEPTH_BYTES && deepest < DEPTH_BYTES + 64 * KIB, "small frames, 6 MiB deep");
    deepest = 0;
    printf("six large frames: %u\n", large_frames(5));
    check(deepest > DEPTH_BYTES - 64 * KIB && deepest < DEPTH_BYTES + 64 * KIB,
          "large frames, 6 MiB deep");
    printf("and once more: %u\n", small_frames(7));
    return exit_status();
}
