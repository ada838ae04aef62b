/* SPDX-License-Identifier: ISC
 *
 * Uses far RAM, which is more addresses than there is memory, to hold more than it may: whatever it
 * maps, protects, discards and unmaps there, and in whatever order, all of it together is limited.
 * Argument: a directory with a file, for mappings of that. test_limits.c looks at what it took.
 */
#include "hostile.h"

enum { PIECE = 4 << 20, REGION = 2 << 20, R = HUSK_PROT_READ, RW = R | HUSK_PROT_WRITE };

static uint64_t far_start, far_end, memory;

/* All pages count, but emulated machines need long to touch them. */
static void touch(uint64_t at, uint64_t size)
{
    const uint64_t step = memory > 64 << 20 ? 64 * HUSK_PAGE_SIZE : HUSK_PAGE_SIZE;

    for (uint64_t page = at; page < at + size; page += step)
        *(char *)page = 1;
}

/* Map and fill pieces from FROM on, until there is no more: where that was. */
static uint64_t fill(uint64_t from, uint64_t end, uint64_t size, uint64_t step)
{
    for (uint64_t at = from; at + step <= end; at += step) {
        int64_t result = RING(HUSK_OP_MAP, at, size, RW);

        if (result < 0) {
            expect(result == -ENOMEM, "no more memory is %lld", (long long)result);
            return at;
        }
        touch(at, size);
    }
    return end;
}

static void take_all(void)
{
    const uint64_t near = (BOOT->image_end + 3 * PIECE) & -(uint64_t)PIECE;
    const uint64_t end = fill(far_start, far_end, PIECE, PIECE),
                   last = fill(end, far_end, 4096, 4096);

    expect(end - far_start <= memory, "more than there is");
    expect_result(-ENOMEM, HUSK_OP_MAP, last, HUSK_PAGE_SIZE, R);
    expect_result(-ENOMEM, HUSK_OP_MAP, near, HUSK_PAGE_SIZE, HUSK_PROT_NONE);
    expect_result(-ENOMEM, HUSK_OP_MAP, far_start, memory + HUSK_PAGE_SIZE, RW);
    expect_result(0, HUSK_OP_PROTECT, far_start, end - far_start, HUSK_PROT_NONE);
    expect_result(-ENOMEM, HUSK_OP_MAP, near, HUSK_PAGE_SIZE, RW);
    expect_result(0, HUSK_OP_DISCARD, far_start, end - far_start);
    expect_result(-ENOMEM, HUSK_OP_MAP, near, HUSK_PAGE_SIZE, RW);
    expect_result(0, HUSK_OP_MAP, far_start, end - far_start, R);
    expect_result(-ENOMEM, HUSK_OP_MAP, near, HUSK_PAGE_SIZE, RW);
    expect_result(-ENOMEM, HUSK_OP_PROTECT, last, HUSK_PAGE_SIZE, RW);
    for (unsigned i = 0; i < 3; i++) {
        expect_result(0, HUSK_OP_UNMAP, far_start, PIECE);
        expect_result(0, HUSK_OP_MAP, near, PIECE, RW);
        expect_result(-ENOMEM, HUSK_OP_MAP, far_start, PIECE, RW);
        touch(near, PIECE);
        expect_result(0, HUSK_OP_UNMAP, near, PIECE);
        expect_result(0, HUSK_OP_MAP, far_start, PIECE, RW);
    }
    expect_result(0, HUSK_OP_UNMAP, far_start, far_end - far_start);
}

/* A page here and there: a host with huge pages would give two megabytes for each. */
static void scatter(void)
{
    const uint64_t near = (BOOT->image_end + 3 * PIECE) & -(uint64_t)PIECE;

    for (uint64_t at = near; at < BOOT->stack_low - PIECE; at += REGION) {
        expect_result(0, HUSK_OP_MAP, at, HUSK_PAGE_SIZE, RW);
        *(char *)at = 1;
    }
    fill(far_start, far_end, HUSK_PAGE_SIZE, REGION);
    fill(far_start + REGION / 2, far_end, REGION / 4, REGION);
    expect_result(0, HUSK_OP_UNMAP, far_start, far_end - far_start);
    expect_result(0, HUSK_OP_UNMAP, near, (BOOT->stack_low - PIECE - near) & -(uint64_t)PIECE);
}

/* Files cost nothing while they are the host's pages, and count when the guest may have copies. */
static void map_files(uint64_t file)
{
    const uint64_t much = memory + 64 * (uint64_t)PIECE, at = far_start;

    expect_result(0, HUSK_OP_MAPFILE, at, much, file, 0, R, 1);
    expect_result(-EACCES, HUSK_OP_PROTECT, at, much, RW);
    expect_result(0, HUSK_OP_MAPFILE, at, much, file, 0, R, 0);
    expect_result(-ENOMEM, HUSK_OP_PROTECT, at, much, RW);
    expect_result(-ENOMEM, HUSK_OP_MAPFILE, at, much, file, 0, RW, 0);
    expect_result(0, HUSK_OP_PROTECT, at, PIECE, RW);
    expect_result(0, HUSK_OP_PROTECT, at, PIECE, R);
    for (unsigned i = 1; i < 32; i++)
        RING(HUSK_OP_PROTECT, at + i * PIECE, PIECE, RW);
    expect_result(0, HUSK_OP_UNMAP, at, much);
    expect_result(0, HUSK_OP_MAP, at, memory / 2, RW);
    expect_result(0, HUSK_OP_UNMAP, at, memory / 2);
}

int main(int argc, char **argv)
{
    char path[256];
    int64_t file;

    far_start = BOOT->far_start;
    far_end = BOOT->far_end;
    memory = BOOT->ram_size;
    snprintf(path, sizeof(path), "%s/file", argc == 2 ? argv[1] : "");
    file = open_handle(path, O_RDONLY);
    if (file >= 0)
        map_files((uint64_t)file);
    take_all();
    scatter();
    expect_result(0, HUSK_OP_MAP, far_start, memory / 2, RW);
    return held();
}
