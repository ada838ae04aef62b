/* SPDX-License-Identifier: ISC
 *
 * Waits for more than there is, for what is not there, with any events, for all of time's lengths.
 */
#include "hostile.h"

static struct husk_wait waits[HUSK_WAIT_MAX + 1];

int main(void)
{
    uint64_t wild[64];
    size_t count = wild_addresses(wild);

    for (size_t i = 0; i < count; i++) {
        int64_t result = RING(HUSK_OP_WAIT, wild[i], 1, 0);

        expect(result == -EFAULT || wild[i] == HUSK_DESC_PAGE || wild[i] == HUSK_BOOT_PAGE ||
                   wild[i] == HUSK_CLOCK_PAGE || wild[i] == HUSK_RING0_VIEW,
               "wait at %llx gave %lld", (unsigned long long)wild[i], (long long)result);
    }
    expect_result(-EINVAL, HUSK_OP_WAIT, waits, HUSK_WAIT_MAX + 1, 0);
    expect_result(-EINVAL, HUSK_OP_WAIT, waits, 1ULL << 32, 0);
    expect_result(-EINVAL, HUSK_OP_WAIT, waits, UINT64_MAX, 0);
    for (size_t i = 0; i < COUNT(waits); i++)
        waits[i] =
            (struct husk_wait){.handle = (uint32_t)(i * 77777777), .events = (int16_t)0xffff};
    expect(RING(HUSK_OP_WAIT, waits, HUSK_WAIT_MAX, UINT64_MAX) > 0, "what is not there is ready");
    /* One and the same, as often as there is room. */
    for (size_t i = 0; i < COUNT(waits); i++)
        waits[i] = (struct husk_wait){.handle = 1, .events = 0};
    expect_result(0, HUSK_OP_WAIT, waits, HUSK_WAIT_MAX, 1);
    for (unsigned shift = 0; shift < 20; shift++)
        expect_result(0, HUSK_OP_WAIT, 0, 0, 1ULL << shift);
    return held();
}
