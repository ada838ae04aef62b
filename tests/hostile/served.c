/* SPDX-License-Identifier: ISC */
/*
 * Argument: a directory of the host's. The server of abi.h: everything is posted to it, also what
 * it must leave alone; descriptor and word are changed while it works, and the doorbell is rung at
 * the same time. On one processor there is no server, and the doorbell has to do.
 */
#include "hostile.h"

enum { ROUNDS = 20000, LOOKS = 20000 };

static char memory[256 << 10];
static const char *directory;
static uint64_t random_state = 88172645463325252;

static uint64_t next_random(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

static volatile uint32_t *word(void)
{
    return &((volatile struct husk_doorbell *)HUSK_DESC_PAGE)->server;
}

static int64_t ring_for_status(void)
{
    return RING(HUSK_OP_STAT, HUSK_DIR_ROOT, directory, strlen(directory), 0, STATX_ALL, memory);
}

static bool change(uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(word(), &from, to, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

/* Make the server watch. */
static bool wake(void)
{
    for (int i = 0; i < 1000 && *word() != HUSK_SERVER_FREE; i++)
        ring_for_status();
    return *word() == HUSK_SERVER_FREE;
}

/* Post what the descriptor holds; what became of it, FREE if nobody took it. */
static uint32_t post(void)
{
    uint32_t end;

    if (!change(HUSK_SERVER_FREE, HUSK_SERVER_POSTED))
        return HUSK_SERVER_FREE;
    for (int i = 0; i < LOOKS && *word() == HUSK_SERVER_POSTED; i++)
        __builtin_ia32_pause();
    if (change(HUSK_SERVER_POSTED, HUSK_SERVER_FREE))
        return HUSK_SERVER_FREE;
    while (*word() == HUSK_SERVER_TAKEN)
        RING(HUSK_OP_JOIN);
    end = *word();
    *word() = HUSK_SERVER_FREE;
    return end;
}

/* These end the run, wait, change page tables, or are none: never for the server. */
static void post_what_is_not_for_it(void)
{
    static const uint32_t operations[] = {
        HUSK_OP_EXIT,    HUSK_OP_FAULT,   HUSK_OP_MAP,    HUSK_OP_PROTECT,   HUSK_OP_UNMAP,
        HUSK_OP_DISCARD, HUSK_OP_MAPFILE, HUSK_OP_FSBASE, HUSK_OP_LOCK,      HUSK_OP_FLOCK,
        HUSK_OP_JOIN,    HUSK_OP_MEMORY,  HUSK_OP_COUNT,  HUSK_OP_COUNT + 1, UINT32_MAX};
    volatile struct husk_desc *desc = descriptor(HUSK_SERVED_DESC);

    for (size_t i = 0; i < COUNT(operations); i++) {
        uint32_t end;

        if (!wake())
            return;
        *desc = (struct husk_desc){.op = operations[i]};
        end = post();
        expect(end != HUSK_SERVER_DONE, "operation %u was served", operations[i]);
    }
    /* Standard input may block for ever. */
    if (wake()) {
        *desc =
            (struct husk_desc){.op = HUSK_OP_READ, .arg = {0, (uint64_t)memory, 1, HUSK_STREAM}};
        expect(post() != HUSK_SERVER_DONE, "a read of a stream was served");
    }
}

static void fill(volatile struct husk_desc *desc)
{
    static const uint32_t operations[] = {HUSK_OP_STAT,     HUSK_OP_OPEN,   HUSK_OP_CLOSE,
                                          HUSK_OP_READ,     HUSK_OP_READV,  HUSK_OP_GETDENTS,
                                          HUSK_OP_READLINK, HUSK_OP_ACCESS, HUSK_OP_SEEK};

    desc->op = operations[next_random(COUNT(operations))];
    desc->flags = 0;
    for (int i = 0; i < 6; i++)
        desc->arg[i] =
            next_random(2) ? next_random(64) : (uint64_t)memory + next_random(sizeof(memory));
    if (desc->op == HUSK_OP_CLOSE)
        desc->arg[0] = 3 + next_random(61); /* its own voice stays */
    if (desc->op == HUSK_OP_STAT || desc->op == HUSK_OP_OPEN) {
        desc->arg[0] = HUSK_DIR_ROOT;
        desc->arg[1] = (uint64_t)directory;
        desc->arg[2] = strlen(directory) - next_random(2);
    }
}

/* Both doorbells at once, and no regard for whose turn it is. */
static void confuse(void)
{
    volatile struct husk_desc *desc = descriptor(HUSK_SERVED_DESC);

    for (int i = 0; i < ROUNDS; i++) {
        fill(desc);
        *word() = next_random(4) ? HUSK_SERVER_POSTED : (uint32_t)next_random(8);
        if (next_random(8) == 0) {
            fill(descriptor(MINE));
            ring_filled(MINE);
        }
        desc->arg[next_random(6)] = random_state;
        for (uint64_t looks = next_random(200); looks > 0; looks--)
            __builtin_ia32_pause();
    }
    RING(HUSK_OP_JOIN);
    *word() = HUSK_SERVER_ASLEEP;
}

int main(int argc, char **argv)
{
    directory = argc == 2 ? argv[1] : "/";
    post_what_is_not_for_it();
    wake();
    confuse();
    expect(ring_for_status() == 0, "the monitor serves no longer");
    return held();
}
