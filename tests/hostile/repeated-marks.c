/* SPDX-License-Identifier: ISC */
/* Boot phases that come again and again, or do not exist. */
#include "hostile.h"

int main(void)
{
    for (int i = 0; i < 1000; i++)
        for (uint64_t mark = 0; mark < HUSK_MARK_COUNT; mark++)
            expect_result(0, HUSK_OP_MARK, mark);
    expect_result(-EINVAL, HUSK_OP_MARK, HUSK_MARK_COUNT);
    expect_result(-EINVAL, HUSK_OP_MARK, 1ULL << 32);
    expect_result(-EINVAL, HUSK_OP_MARK, UINT64_MAX);
    return held();
}
