/* SPDX-License-Identifier: ISC */
/* Arguments: SEED COUNT DIRECTORY. Random operations with arguments that tend to be interesting. */
#include "hostile.h"

static uint64_t state;

static uint64_t draw(uint64_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % limit;
}

/* These end the run, or this program, or take as long as they are told. */
static bool is_left_out(uint32_t op)
{
    switch (op) {
    case HUSK_OP_EXIT:
    case HUSK_OP_FAULT:
    case HUSK_OP_WAIT:
    case HUSK_OP_EVENTS:
    case HUSK_OP_FSBASE:
    case HUSK_OP_MAP:
    case HUSK_OP_PROTECT:
    case HUSK_OP_UNMAP:
    case HUSK_OP_DISCARD:
    case HUSK_OP_MAPFILE:
    case HUSK_OP_LOCK:
    case HUSK_OP_FLOCK:
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static char
        area[4 << 20]; /* more than one operation may fill from any place in its first half */
    static const char *const names[] = {"", ".", "..", "file", "link", "sub", "/"};
    unsigned long count = argc == 4 ? strtoul(argv[2], NULL, 0) : 0;
    uint64_t wild[64], argument;
    size_t wild_count = wild_addresses(wild);

    state = argc == 4 ? strtoull(argv[1], NULL, 0) * 2 + 1 : 1;
    /* Nothing that is written by chance shall look like an answer. */
    RING(HUSK_OP_CLOSE, 1);
    RING(HUSK_OP_CLOSE, 2);
    for (unsigned long i = 0; i < count; i++) {
        volatile struct husk_desc *desc = descriptor(MINE);

        do
            desc->op = (uint32_t)draw(HUSK_OP_COUNT + 1);
        while (is_left_out(desc->op));
        desc->flags = draw(50) == 0;
        for (size_t j = 0; j < COUNT(desc->arg); j++) {
            switch (draw(8)) {
            case 0:
                argument = wild[draw(wild_count)];
                break;
            case 1:
                argument = (uint64_t)area + draw(sizeof(area) / 2);
                break;
            case 2:
                argument = (uint64_t)names[draw(COUNT(names))];
                break;
            case 3:
                argument = draw(8);
                break;
            case 4:
                argument = 0 - draw(200);
                break;
            case 5:
                argument = 1ULL << draw(64);
                break;
            case 6:
                argument = draw(5000);
                break;
            default:
                argument = HUSK_DIR_ROOT;
            }
            desc->arg[j] = argument;
        }
        ring_filled(MINE);
        if (i % 64 == 0)
            open_handle(argv[3], draw(2) ? O_DIRECTORY : 0);
    }
    RING(HUSK_OP_EXIT, 42);
    return 1;
}
