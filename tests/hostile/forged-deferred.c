/* SPDX-License-Identifier: ISC
 *
 * Deferred operations: what must not be deferred, too many of them, and handles that are closed
 * under the operation that comes next. Argument: a directory with a file.
 */
#include "hostile.h"

static char path[4096], byte;

static volatile struct husk_doorbell *doorbell(void)
{
    return (volatile struct husk_doorbell *)HUSK_DESC_PAGE;
}

static void defer(uint32_t count, uint32_t op, uint64_t arg)
{
    for (unsigned i = 0; i < HUSK_DEFERRED_MAX; i++)
        *descriptor(HUSK_DEFERRED_DESC + i) = (struct husk_desc){.op = op, .arg = {arg, arg, arg}};
    doorbell()->deferred = count;
}

/* Ask for anything: what was deferred is done. */
static void ask(void)
{
    expect_result(-EBADF, HUSK_OP_SEEK, 1000, 0, 0);
    expect(doorbell()->deferred == 0, "%u are left", doorbell()->deferred);
}

static void only_two_are_done(void)
{
    for (uint32_t op = 0; op < HUSK_OP_COUNT + 2; op++) {
        if (op == HUSK_OP_CLOSE)
            continue;
        defer(3, op, 5);
        descriptor(HUSK_DEFERRED_DESC)->result = 0x5a5a5a5a;
        ask();
        expect(descriptor(HUSK_DEFERRED_DESC)->result == 0x5a5a5a5a, "operation %u has a result",
               op);
    }
    defer(UINT32_MAX, UINT32_MAX, 0);
    ask();
}

static void any_number(void)
{
    static const uint32_t counts[] = {HUSK_DEFERRED_MAX, HUSK_DEFERRED_MAX + 1,
                                      HUSK_DESC_COUNT,   0x7fffffff,
                                      0x80000000,        UINT32_MAX};
    static const uint64_t handles[] = {1000, HUSK_DIR_ROOT, 1ULL << 32, UINT64_MAX - 1};

    for (size_t i = 0; i < COUNT(counts); i++)
        for (size_t j = 0; j < COUNT(handles); j++) {
            defer(counts[i], HUSK_OP_CLOSE, handles[j]);
            ask();
            defer(counts[i], HUSK_OP_SKIP, handles[j]);
            ask();
        }
}

/* Closed many times, used by what comes with it, and what took its place. */
static void closed_in_between(void)
{
    uint64_t file = (uint64_t)open_handle(path, O_RDONLY), again;

    defer(HUSK_DEFERRED_MAX, HUSK_OP_CLOSE, file);
    expect_result(-EBADF, HUSK_OP_READ, file, &byte, 1, 0);
    again = (uint64_t)open_handle(path, O_RDONLY);
    defer(HUSK_DEFERRED_MAX, HUSK_OP_CLOSE, file);
    expect_result(1, HUSK_OP_READ, again, &byte, 1, 0);
    defer(1, HUSK_OP_CLOSE, again);
    descriptor(HUSK_DEFERRED_DESC)->flags = 1;
    expect_result(1, HUSK_OP_READ, again, &byte, 1, 0);
    defer(1, HUSK_OP_CLOSE, again);
    expect_result(-EBADF, HUSK_OP_CLOSE, again);
}

/* What is deferred comes first, also where handles are few. */
static void at_the_limit(void)
{
    static uint64_t all[2048];
    size_t count = 0;
    int64_t handle;

    while ((handle = open_handle(path, O_RDONLY)) >= 0 && count < COUNT(all))
        all[count++] = (uint64_t)handle;
    expect(handle < 0, "files without end");
    for (size_t i = 0; i < count; i++) {
        defer(1, HUSK_OP_CLOSE, all[i]);
        handle = open_handle(path, O_RDONLY);
        expect(handle >= 0, "no room for a file that a deferred close made room for");
        all[i] = (uint64_t)handle;
    }
    for (size_t i = 0; i < count; i++)
        expect_result(0, HUSK_OP_CLOSE, all[i]);
}

int main(int argc, char **argv)
{
    snprintf(path, sizeof(path), "%s/file", argc == 2 ? argv[1] : "/");
    only_two_are_done();
    any_number();
    closed_in_between();
    at_the_limit();
    return held();
}
