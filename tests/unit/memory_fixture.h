/* SPDX-License-Identifier: ISC
 *
 * A guest memory without a VM, and page tables as the CPU would walk them. Include cmocka.h first.
 */
#ifndef MEMORY_FIXTURE_H
#define MEMORY_FIXTURE_H

#include <stdlib.h>

#include "memory.h"

#define MIB      (1ULL << 20)
#define RAM      (64 * MIB)
#define PAGE     HUSK_PAGE_SIZE
#define RW       (HUSK_PROT_READ | HUSK_PROT_WRITE)
#define RX       (HUSK_PROT_READ | HUSK_PROT_EXEC)
#define ADDRESS  0x400000ULL
#define BITS     0xfff0000000000fffULL
#define PRESENT  1ULL
#define WRITABLE 2ULL
#define USER     4ULL
#define NX       (1ULL << 63)

/* What was registered with "KVM". */
struct registrations {
    unsigned count;
    uint64_t bytes;
    int fail; /* errno of the next one */
    bool overlap;
    struct memory_range all[64];
};

static inline int count_registration(void *context, uint64_t start, uint64_t end, void *host)
{
    struct registrations *seen = context;

    if (seen->fail)
        return -seen->fail;
    assert_non_null(host);
    assert_true(start < end && start % PAGE == 0 && end % PAGE == 0);
    for (unsigned i = 0; i < seen->count; i++)
        if (start < seen->all[i].end && seen->all[i].start < end)
            seen->overlap = true;
    seen->all[seen->count++] = (struct memory_range){start, end};
    seen->bytes += end - start;
    return 0;
}

struct fixture {
    struct guest_memory memory;
    struct registrations seen;
};

static inline int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct husk_error err;

    *state = fixture;
    return memory_create(&fixture->memory, RAM, count_registration, &fixture->seen, &err);
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;

    memory_destroy(&fixture->memory);
    free(fixture);
    return 0;
}

/* SDM 3A 4.5.4: the entry that maps ADDRESS, rights combined over the levels, or 0. */
static inline uint64_t walk(const struct guest_memory *memory, uint64_t address)
{
    uint64_t table = memory_root(memory), entry = 0, rights = WRITABLE | USER;

    for (int shift = 39; shift >= 12; shift -= 9) {
        assert_true(table + PAGE <= memory->size);
        entry = *(const uint64_t *)(memory->host + table + (address >> shift & 511) * 8);
        if (!(entry & PRESENT))
            return 0;
        rights &= entry;
        table = entry & ~BITS;
    }
    return (entry & ~(WRITABLE | USER)) | rights;
}

static inline bool mapped_as(const struct guest_memory *memory, uint64_t address, uint64_t gpa,
                             uint64_t rights)
{
    uint64_t entry = walk(memory, address);

    return (entry & ~BITS) == gpa && (entry & (PRESENT | WRITABLE | USER | NX)) == rights;
}

#endif
