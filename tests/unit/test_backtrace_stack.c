/* SPDX-License-Identifier: ISC
 *
 * Walks without an unwind table, by what the stack looks like.
 */
#include "backtrace_fixture.h"

/* Every function has a symbol, as in musl. */
static void add_symbols(void)
{
    static const char strings[] = "\0start\0inner\0middle\0outer\0thunk";
    static const uint32_t names[] = {1, 7, 13, 20, 26};
    Elf64_Sym symbols[5];

    for (int i = 0; i < 5; i++)
        symbols[i] = (Elf64_Sym){.st_name = names[i],
                                 .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                                 .st_shndx = 1,
                                 .st_value = TEXT_AT + (uint64_t)i * 0x100,
                                 .st_size = 0x100};
    const struct image_section sections[] = {
        {".text", SHT_PROGBITS, 0, SHF_ALLOC | SHF_EXECINSTR, TEXT_AT,
         image_at(&program, PROGRAM_TEXT), TEXT_SIZE},
        {".symtab", SHT_SYMTAB, 3, 0, 0, symbols, sizeof(symbols)},
        {".strtab", SHT_STRTAB, 0, 0, 0, strings, sizeof(strings)},
    };
    image_sections(&program, sections, 3);
}

static void test_jump_to_nowhere_is_followed_to_its_call(void **state)
{
    (void)state;
    put_usual_table();
    add_table();
    push(OUTER + RETURN);
    push(0x1111);
    push(0x2222);
    write_code(MIDDLE + 0x40, BYTES(0xff, 0xd0)); /* call rax */
    push(MIDDLE + 0x42);
    regs.rip = 0;
    walk();
    ASSERT_FRAMES(0, MIDDLE + 0x42, OUTER + RETURN);
}

static void test_indirect_calls_of_all_lengths_are_known(void **state)
{
    static const struct {
        uint8_t len, code[7];
    } calls[] = {
        {2, {0xff, 0xd0}},                   /* call rax */
        {3, {0x41, 0xff, 0xd3}},             /* call r11 */
        {2, {0xff, 0x10}},                   /* call [rax] */
        {3, {0xff, 0x14, 0xc8}},             /* call [rax + rcx * 8] */
        {7, {0xff, 0x14, 0xc5, 1, 2, 3, 4}}, /* call [rax * 8 + disp32] */
        {3, {0xff, 0x50, 0x18}},             /* call [rax + disp8] */
        {4, {0xff, 0x54, 0x24, 0x18}},       /* call [rsp + disp8] */
        {6, {0xff, 0x15, 1, 2, 3, 4}},       /* call [rip + disp32] */
        {6, {0xff, 0x90, 1, 2, 3, 4}},       /* call [rax + disp32] */
        {7, {0xff, 0x94, 0x24, 1, 2, 3, 4}}, /* call [rsp + disp32] */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        uint8_t code[0x10];

        memset(code, 0x90, sizeof(code));
        memcpy(code, calls[i].code, calls[i].len);
        write_code(MIDDLE + 0x40, code, sizeof(code));
        regs.rsp = STACK_TOP;
        push(MIDDLE + 0x40 + calls[i].len);
        regs.rip = 0;
        walk();
        ASSERT_FRAMES(0, MIDDLE + 0x40 + calls[i].len);
    }
}

static void test_word_behind_no_call_is_no_return_address(void **state)
{
    (void)state;
    push(MIDDLE + RETURN + 1);
    push(MIDDLE + CALL);
    push(STACK_TOP);
    regs.rip = 0;
    walk();
    ASSERT_FRAMES(0);
}

static void test_word_behind_a_call_outside_code_is_no_return_address(void **state)
{
    (void)state;
    push(0);
    push(0xe8000000); /* in memory: three zeros, then a call to what follows it */
    push(regs.rsp + 8);
    push(0xd0ff000000000000); /* call rax */
    push(regs.rsp + 8);
    regs.rip = 0;
    walk();
    ASSERT_FRAMES(0);
}

static void test_frame_pointers_are_followed(void **state)
{
    (void)state;
    push(OUTER + RETURN);
    push(0);
    regs.rbp = regs.rsp;
    push(0x1111);
    push(MIDDLE + RETURN);
    push(regs.rbp);
    regs.rbp = regs.rsp;
    push(0x2222);
    regs.rip = INNER + 0x50;
    walk();
    ASSERT_FRAMES(INNER + 0x50, MIDDLE + RETURN, OUTER + RETURN);
}

static void test_frame_pointer_of_a_caller_skips_nobody(void **state)
{
    (void)state;
    add_symbols();
    push(START_FUNCTION + RETURN);
    push(OUTER + RETURN); /* OUTER called MIDDLE, which keeps a frame pointer */
    push(0);
    regs.rbp = regs.rsp;
    push(0x1111);
    push(MIDDLE + RETURN); /* INNER does not */
    push(0x2222);
    regs.rip = INNER + 0x50;
    walk();
    ASSERT_FRAMES(INNER + 0x50, MIDDLE + RETURN, OUTER + RETURN, START_FUNCTION + RETURN);
}

static void test_stale_return_address_is_not_believed(void **state)
{
    (void)state;
    add_symbols();
    push(START_FUNCTION + RETURN);
    push(OUTER + RETURN);
    push(MIDDLE + RETURN);
    push(OUTER + RETURN); /* left behind by a call that has returned: it entered MIDDLE */
    push(0x1111);
    regs.rip = INNER + 0x50;
    walk();
    ASSERT_FRAMES(INNER + 0x50, MIDDLE + RETURN, OUTER + RETURN, START_FUNCTION + RETURN);
}

static void test_function_entered_by_a_tail_call_is_followed(void **state)
{
    (void)state;
    add_symbols();
    write_branch(0xe8, MIDDLE + CALL, THUNK);
    write_branch(0xe9, THUNK + 0xfb, INNER);
    push(MIDDLE + RETURN);
    push(START_FUNCTION + RETURN); /* stale */
    regs.rip = INNER + 0x50;
    walk();
    assert_in_range(count, 2, BACKTRACE_MAX);
    assert_int_equal(frames[1], MIDDLE + RETURN);
}

static void test_jumps_in_a_circle_end(void **state)
{
    (void)state;
    add_symbols();
    write_branch(0xe8, MIDDLE + CALL, THUNK);
    write_branch(0xe9, THUNK + 0xfb, OUTER);
    write_branch(0xe9, OUTER + 0xfb, THUNK);
    push(MIDDLE + RETURN);
    push(0x1111);
    regs.rip = INNER + 0x50;
    walk();
    assert_in_range(count, 2, BACKTRACE_MAX);
}

/* INNER, without a table, saves rbx and rbp; MIDDLE's table needs rbp. */
static void test_registers_that_a_function_pops_are_recovered(void **state)
{
    static const char strings[] = "\0inner";
    Elf64_Sym symbol = {.st_name = 1,
                        .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
                        .st_shndx = 1,
                        .st_value = INNER,
                        .st_size = 0x100};

    (void)state;
    put_cie();
    put_fde(MIDDLE, 0x100, BYTES(CFA, RBP, 16, SAVED | RBP, 2));
    put_fde(OUTER, 0x100, BYTES(UNDEFINED, RIP));
    const struct image_section sections[] = {
        {".text", SHT_PROGBITS, 0, SHF_ALLOC | SHF_EXECINSTR, TEXT_AT,
         image_at(&program, PROGRAM_TEXT), TEXT_SIZE},
        {".symtab", SHT_SYMTAB, 3, 0, 0, &symbol, sizeof(symbol)},
        {".strtab", SHT_STRTAB, 0, 0, 0, strings, sizeof(strings)},
        {".eh_frame", SHT_PROGBITS, 0, SHF_ALLOC, UNWIND_AT, table, table_len},
    };
    image_sections(&program, sections, 4);
    write_code(INNER + 0x80, BYTES(0x48, 0x83, 0xc4, 8, 0x5b, 0x5d, 0x41, 0x5c, 0xc3));
    push(OUTER + RETURN);
    push(0);
    regs.rbp = regs.rsp;
    regs.rsp -= 0x80;
    push(MIDDLE + RETURN);
    push(0x1212);   /* r12 */
    push(regs.rbp); /* rbp */
    push(0x3333);   /* rbx */
    push(0);
    regs.rbp = 0xbad;
    regs.rip = INNER + 0x50;
    walk();
    ASSERT_FRAMES(INNER + 0x50, MIDDLE + RETURN, OUTER + RETURN);
}

static void test_start_of_the_program_is_outermost(void **state)
{
    (void)state;
    add_symbols();
    write_branch(0xe8, START_FUNCTION + 0x10, OUTER);
    push(MIDDLE + RETURN); /* what is above main's arguments is no frame */
    push(START_FUNCTION + 0x15);
    regs.rip = OUTER + 0x50;
    walk();
    ASSERT_FRAMES(OUTER + 0x50, START_FUNCTION + 0x15);
}

static void test_stack_overflow_is_walked_from_above_the_guard(void **state)
{
    (void)state;
    regs.rsp = STACK_PAGE + 0x20;
    push(OUTER + RETURN);
    push(MIDDLE + RETURN);
    regs.rsp = STACK_PAGE - 0x800;
    regs.rip = INNER + 0x50;
    walk();
    assert_in_range(count, 3, BACKTRACE_MAX);
    assert_int_equal(frames[1], MIDDLE + RETURN);
    assert_int_equal(frames[2], OUTER + RETURN);
}

static void test_wild_stack_pointers_give_one_frame(void **state)
{
    static const uint64_t pointers[] = {
        0,
        1,
        8,
        RAM - 8,
        RAM - 1,
        RAM,
        HUSK_WINDOW,
        UINT64_MAX,
        INT64_MAX,
        HUSK_RING0_STACK,
        0x900003,
        1ULL << 63,
        UINT64_MAX - 0x1000,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pointers) / sizeof(*pointers); i++) {
        start_over();
        put_usual_table();
        add_table();
        regs.rsp = pointers[i];
        for (size_t j = 0; j < sizeof(pointers) / sizeof(*pointers); j++) {
            regs.rbp = pointers[j];
            regs.rip = INNER + 0x50;
            walk();
            ASSERT_FRAMES(INNER + 0x50);
            regs.rip = pointers[j];
            walk();
            ASSERT_FRAMES(pointers[j]);
        }
    }
}

static void test_frame_pointer_to_itself_ends(void **state)
{
    (void)state;
    push(MIDDLE + RETURN);
    push(regs.rsp - 8);
    regs.rbp = regs.rsp;
    regs.rip = INNER + 0x50;
    walk();
    assert_in_range(count, 2, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_jump_to_nowhere_is_followed_to_its_call),
        TEST(test_indirect_calls_of_all_lengths_are_known),
        TEST(test_word_behind_no_call_is_no_return_address),
        TEST(test_word_behind_a_call_outside_code_is_no_return_address),
        TEST(test_frame_pointers_are_followed),
        TEST(test_frame_pointer_of_a_caller_skips_nobody),
        TEST(test_stale_return_address_is_not_believed),
        TEST(test_function_entered_by_a_tail_call_is_followed),
        TEST(test_jumps_in_a_circle_end),
        TEST(test_registers_that_a_function_pops_are_recovered),
        TEST(test_start_of_the_program_is_outermost),
        TEST(test_stack_overflow_is_walked_from_above_the_guard),
        TEST(test_wild_stack_pointers_give_one_frame),
        TEST(test_frame_pointer_to_itself_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
