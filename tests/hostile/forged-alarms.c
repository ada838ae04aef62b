/* SPDX-License-Identifier: ISC
 *
 * Alarms at once, never, and as fast as they can be asked for; signals that are none passed on. The
 * guest gets no more than interruptions.
 */
#include "hostile.h"

static void one_alarm(uint64_t ns)
{
    int64_t result = RING(HUSK_OP_ALARM, ns);

    expect(result == 0 || result == -EINVAL, "alarm of %llu ns gave %lld", (unsigned long long)ns,
           (long long)result);
}

int main(void)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        one_alarm(1ULL << bit);
        one_alarm(~(1ULL << bit));
        RING(HUSK_OP_FORWARD, 1ULL << bit);
    }
    for (unsigned i = 0; i < 2000; i++)
        one_alarm(i % 7);
    RING(HUSK_OP_FORWARD, UINT64_MAX);
    one_alarm(UINT64_MAX);
    one_alarm(0);
    return held();
}
