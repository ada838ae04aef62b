/* SPDX-License-Identifier: ISC
 *
 * What memory costs: the first touch of a page, and a mapping that comes and goes.
 */
#include <sys/mman.h>

#include "measure.h"

#define PAGE  4096UL
#define BYTES (64UL << 20)

static char *map(size_t bytes)
{
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        measure_fail("mmap");
    return memory;
}

static void map_and_unmap(unsigned long i)
{
    char *memory = map(16 * PAGE);

    memory[0] = (char)i;
    if (munmap(memory, 16 * PAGE) < 0)
        measure_fail("munmap");
}

int main(void)
{
    volatile char *memory = map(BYTES);
    double began = measure_now();

    for (size_t at = 0; at < BYTES; at += PAGE)
        memory[at] = 1;
    printf("first touch of a page %.1f ns\n",
           (measure_now() - began) * 1e9 / (double)(BYTES / PAGE));
    measure_step("mmap, touch, munmap", map_and_unmap);
    return 0;
}
