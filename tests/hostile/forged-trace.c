/* SPDX-License-Identifier: ISC */
/* With --trace: lines for calls that were never made, with arguments that lead anywhere. */
#include "hostile.h"

int main(void)
{
    static const char text[] = "\033[2J\r\n\a\b control characters \177\200\377";
    static uint64_t vector[8];
    uint64_t wild[64];
    size_t count = wild_addresses(wild);
    struct husk_trace trace;

    vector[0] = (uint64_t)text;
    vector[1] = vector[3] = vector[5] = UINT64_MAX;
    for (uint64_t number = 0; number < 512; number++)
        for (size_t i = 0; i < 4; i++) {
            trace.number = i == 3 ? number << 55 : number;
            for (size_t j = 0; j < COUNT(trace.arg); j++)
                trace.arg[j] = i == 0   ? (uint64_t)text
                               : i == 1 ? (uint64_t)vector
                                        : wild[(number + j * 7) % count];
            trace.result = i == 0 ? (int64_t)number : -(int64_t)number * 9;
            trace.exits = wild[number % count];
            expect_result(0, HUSK_OP_TRACE, &trace);
        }
    return held();
}
