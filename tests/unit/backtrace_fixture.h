/* SPDX-License-Identifier: ISC
 *
 * For the tests of backtraces: a program in guest memory, and the means to give it a stack and an
 * unwind table by hand.
 */
#ifndef BACKTRACE_FIXTURE_H
#define BACKTRACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "elf_builder.h"
#include "symbols.h"

/*
 * The program: functions of 0x100 bytes of `nop`, each with a call at CALL, whose return address is
 * RETURN. The stack grows down from STACK_TOP.
 */
enum {
    TEXT_AT = PROGRAM_BASE + PROGRAM_TEXT,
    TEXT_SIZE = 0x800,
    START_FUNCTION = TEXT_AT,
    INNER = TEXT_AT + 0x100,
    MIDDLE = TEXT_AT + 0x200,
    OUTER = TEXT_AT + 0x300,
    THUNK = TEXT_AT + 0x400,
    CALL = 0x20,
    RETURN = CALL + 5,
    UNWIND_AT = PROGRAM_BASE + 0x1a00, /* in the headers' segment */
    STACK_PAGE = 0x800000,
    STACK_TOP = 0x802000,
    RAM = 512 << 20
};

static struct program_image program;
static struct elf_image image;
static struct guest_memory memory;
static struct husk_regs regs;
static guest_addr_t frames[BACKTRACE_MAX];
static size_t count;

/* The unwind table under construction. */
static uint8_t table[0x4000];
static size_t table_len;

static inline int accept_registration(void *context, uint64_t start, uint64_t end, void *host)
{
    (void)context;
    (void)start;
    (void)end;
    (void)host;
    return 0;
}

static inline void write_code(guest_addr_t addr, const void *bytes, size_t len)
{
    guest_addr_t page = addr & ~0xfffULL;

    assert_int_equal(memory_protect(&memory, page, 0x1000, HUSK_PROT_READ | HUSK_PROT_WRITE), 0);
    assert_int_equal(memory_write(&memory, addr, bytes, len), 0);
    assert_int_equal(memory_protect(&memory, page, 0x1000, HUSK_PROT_READ | HUSK_PROT_EXEC), 0);
}

/* An E8 call or E9 jump at FROM. */
static inline void write_branch(uint8_t op, guest_addr_t from, guest_addr_t to)
{
    uint8_t code[5] = {op};
    int32_t distance = (int32_t)(to - (from + 5));

    memcpy(code + 1, &distance, 4);
    write_code(from, code, sizeof(code));
}

static inline void push(uint64_t value)
{
    regs.rsp -= 8;
    assert_int_equal(memory_write(&memory, regs.rsp, &value, sizeof(value)), 0);
}

static inline int setup(void **state)
{
    struct husk_error err;
    uint8_t nops[TEXT_SIZE];

    (void)state;
    memset(nops, 0x90, sizeof(nops));
    image_program(&program);
    program.header.e_entry = START_FUNCTION;
    table_len = 0;
    regs = (struct husk_regs){.rsp = STACK_TOP};
    if (memory_create(&memory, RAM, accept_registration, NULL, &err) < 0 ||
        memory_map(&memory, STACK_PAGE, STACK_TOP - STACK_PAGE, HUSK_PROT_READ | HUSK_PROT_WRITE) ||
        memory_map(&memory, TEXT_AT, 0x1000, HUSK_PROT_READ | HUSK_PROT_EXEC))
        return -1;
    write_code(TEXT_AT, nops, sizeof(nops));
    write_branch(0xe8, START_FUNCTION + CALL, OUTER);
    write_branch(0xe8, OUTER + CALL, MIDDLE);
    write_branch(0xe8, MIDDLE + CALL, INNER);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    memory_destroy(&memory);
    return 0;
}

static inline void put(const void *bytes, size_t len)
{
    memcpy(table + table_len, bytes, len);
    table_len += len;
}

static inline void put_u32(uint32_t value)
{
    put(&value, sizeof(value));
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* An entry: its length, its id, and the rest. */
static inline void put_entry(uint32_t id, const uint8_t *bytes, size_t len)
{
    put_u32((uint32_t)len + 4);
    put_u32(id);
    put(bytes, len);
}

/* What gcc begins each table with: CFA = rsp + 8, return address at CFA - 8; pointers sdata4 pcrel.
 */
static inline void put_cie(void)
{
    put_entry(0, BYTES(1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1, 0, 0));
}

/* The CIE is at the table's start. */
static inline void put_fde(guest_addr_t start, uint32_t size, const uint8_t *code, size_t len)
{
    put_u32((uint32_t)len + 13);
    put_u32((uint32_t)table_len);
    put_u32((uint32_t)(start - (UNWIND_AT + table_len)));
    put_u32(size);
    put(BYTES(0));
    put(code, len);
}

static inline void add_table(void)
{
    const struct image_section section = {".eh_frame", SHT_PROGBITS, 0,        SHF_ALLOC,
                                          UNWIND_AT,   table,        table_len};

    image_sections(&program, &section, 1);
}

static inline void walk_with_bias(uint64_t bias)
{
    struct husk_error err;

    if (elf_parse(&program.file, &image, &err) < 0)
        fail_msg("%s", err.text);
    count = backtrace_walk(&image, bias, &memory, &regs, frames);
    assert_in_range(count, 1, BACKTRACE_MAX);
    assert_int_equal(frames[0], regs.rip);
}

static inline void walk(void)
{
    walk_with_bias(0);
}

static inline void assert_frames(size_t expected, const guest_addr_t *addresses)
{
    for (size_t i = 0; i < expected && i < count; i++)
        if (frames[i] != addresses[i])
            fail_msg("frame %zu is 0x%lx, not 0x%lx", i, frames[i], addresses[i]);
    assert_int_equal(count, expected);
}

#define ASSERT_FRAMES(...)                                                                         \
    assert_frames(sizeof((guest_addr_t[]){__VA_ARGS__}) / sizeof(guest_addr_t),                    \
                  (guest_addr_t[]){__VA_ARGS__})

enum {
    NOP = 0,
    ADVANCE = 0x40,
    SAVED = 0x80,
    RESTORE = 0xc0,
    UNDEFINED = 0x07,
    REGISTER = 0x09,
    REMEMBER = 0x0a,
    RECALL = 0x0b,
    CFA = 0x0c,
    CFA_REGISTER = 0x0d,
    CFA_OFFSET = 0x0e,
    CFA_EXPRESSION = 0x0f,
    SAVED_AT = 0x10,
    EXPRESSION = 0x16,
    RBX = 3,
    RBP = 6,
    RSP = 7,
    RIP = 16
};

/* Two functions that keep CFA = rsp + 8 + a local of 16 bytes, and an outermost one. */
static inline void put_usual_table(void)
{
    put_cie();
    put_fde(INNER, 0x100, BYTES(CFA_OFFSET, 24));
    put_fde(MIDDLE, 0x100, BYTES(CFA_OFFSET, 24));
    put_fde(OUTER, 0x100, BYTES(UNDEFINED, RIP));
    put_u32(0);
}

static inline void push_usual_stack(void)
{
    push(OUTER + RETURN);
    push(0x1111);
    push(0x2222);
    push(MIDDLE + RETURN);
    push(0x3333);
    push(0x4444);
    regs.rip = INNER + 0x50;
}

/* A fresh image, which has no table and no symbols yet; the guest's memory stays. */
static inline void start_over(void)
{
    image_program(&program);
    program.header.e_entry = START_FUNCTION;
    table_len = 0;
    regs.rsp = STACK_TOP;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
