/* SPDX-License-Identifier: ISC
 *
 * Which system calls husk-calls turns: small functions, byte by byte, each with what it must see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../linker/sites.h"
#include "husk/calls.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { BASE = 0x401000, TEXT_SIZE = 0x1000, ROOM = BASE + 0x800, FUNCTIONS_MAX = 16 };

/* What the functions below are put together from. */
#define MOV_EAX_39  0xb8, 39, 0, 0, 0 /* mov eax, 39 */
#define MOV_EAX_RDX 0x89, 0xd0        /* mov eax, edx */
#define MOV_RDI_RBX 0x48, 0x89, 0xdf  /* mov rdi, rbx */
#define MOV_RAX_R8  0x4c, 0x89, 0xc0  /* mov rax, r8 */
#define SYSCALL     0x0f, 0x05
#define RET         0xc3
#define JE(bytes)   0x74, (uint8_t)(bytes)
#define JMP(bytes)  0xeb, (uint8_t)(bytes)
#define JMP_RAX     0xff, 0xe0

struct fixture {
    uint8_t bytes[TEXT_SIZE];
    struct span code;
    struct function functions[FUNCTIONS_MAX];
    uint64_t labels[4];
    struct text text;
    struct sites sites;
    uint64_t end; /* of what was added */
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    fixture->end = BASE;
    fixture->code = (struct span){BASE, ROOM};
    fixture->text = (struct text){
        .bytes = fixture->bytes,
        .span = {BASE, BASE + TEXT_SIZE},
        .code = &fixture->code,
        .code_count = 1,
        .functions = fixture->functions,
        .labels = fixture->labels,
        .room = {ROOM, BASE + TEXT_SIZE},
    };
    memset(fixture->bytes, 0x90, sizeof(fixture->bytes));
    memset(fixture->bytes + (ROOM - BASE), 0, HUSK_CALL_SIZE);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    sites_free(&fixture->sites);
    free(fixture);
    return 0;
}

static uint64_t add_bytes(struct fixture *fixture, const uint8_t *bytes, size_t size)
{
    uint64_t at = fixture->end;

    memcpy(fixture->bytes + (at - BASE), bytes, size);
    fixture->end += size;
    return at;
}

static uint64_t add_function(struct fixture *fixture, const uint8_t *bytes, size_t size)
{
    uint64_t at = add_bytes(fixture, bytes, size);

    fixture->functions[fixture->text.function_count++] = (struct function){.span = {at, at + size}};
    return at;
}
#define BYTES(...)             (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define FUNCTION(fixture, ...) add_function((fixture), BYTES(__VA_ARGS__))

static void add_label(struct fixture *fixture, uint64_t at)
{
    fixture->labels[fixture->text.label_count++] = at;
}

static uint8_t *byte_at(struct fixture *fixture, uint64_t at)
{
    return fixture->bytes + (at - BASE);
}

static void assert_bytes(struct fixture *fixture, uint64_t at, const uint8_t *bytes, size_t size)
{
    assert_memory_equal(byte_at(fixture, at), bytes, size);
}

static void assert_outcome(struct fixture *fixture, uint64_t at, enum outcome wanted)
{
    for (size_t i = 0; i < fixture->sites.count; i++)
        if (fixture->sites.site[i].address == at) {
            assert_string_equal(outcome_text(fixture->sites.site[i].outcome), outcome_text(wanted));
            return;
        }
    fail_msg("no site was seen at 0x%lx", at);
}

static void turn(struct fixture *fixture)
{
    assert_int_equal(sites_turn(&fixture->text, &fixture->sites), 0);
}

/* The only site of the only function is at OFFSET of it; what stays a trap stays as it was. */
static void assert_only(struct fixture *fixture, uint64_t offset, enum outcome wanted)
{
    uint8_t before[ROOM - BASE];

    memcpy(before, fixture->bytes, sizeof(before));
    turn(fixture);
    assert_int_equal(fixture->sites.count, 1);
    assert_outcome(fixture, BASE + offset, wanted);
    if (wanted != SITE_TURNED)
        assert_memory_equal(before, fixture->bytes, sizeof(before));
}

static uint64_t follow(struct fixture *fixture, uint64_t at, size_t displacement, size_t size)
{
    int32_t distance;

    memcpy(&distance, byte_at(fixture, at) + displacement, sizeof(distance));
    return at + size + (uint64_t)(int64_t)distance;
}

/* The site of SIZE bytes at AT, whose bytes were MOVED, leads to a trampoline as calls.h has it. */
static void assert_trampoline(struct fixture *fixture, uint64_t at, const uint8_t *moved,
                              size_t size)
{
    uint64_t trampoline = follow(fixture, at, 1, 5), tail = trampoline + size;

    assert_int_equal(*byte_at(fixture, at), 0xe9);
    for (size_t i = 5; i < size; i++)
        assert_int_equal(*byte_at(fixture, at + i), 0xcc);
    assert_bytes(fixture, at + size, BYTES(SYSCALL));
    assert_true(trampoline >= ROOM + HUSK_CALL_SIZE);
    assert_int_equal((tail + HUSK_CALL_TAIL) % HUSK_CALL_SIZE, 0);
    assert_bytes(fixture, trampoline, moved, size);
    assert_bytes(fixture, tail, BYTES(0x48, 0x8d, 0x0d));
    assert_int_equal(follow(fixture, tail, 3, 7), at + size + 2);
    assert_bytes(fixture, tail + 7, BYTES(0xff, 0x25));
    assert_int_equal(follow(fixture, tail + 7, 2, 6), ROOM);
}

static void test_a_number_before_the_call_is_moved(void **state)
{
    struct fixture *fixture = *state;
    uint64_t at = FUNCTION(fixture, MOV_EAX_39, SYSCALL, RET);

    assert_only(fixture, 5, SITE_TURNED);
    assert_trampoline(fixture, at, BYTES(MOV_EAX_39));
}

static void test_the_least_instructions_that_make_room_are_moved(void **state)
{
    struct fixture *fixture = *state;
    uint64_t at = FUNCTION(fixture, MOV_EAX_39, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);

    assert_only(fixture, 11, SITE_TURNED);
    assert_trampoline(fixture, at + 5, BYTES(MOV_RDI_RBX, MOV_RAX_R8));
}

static void test_loads_and_stores_are_moved(void **state)
{
    struct fixture *fixture = *state;

    /* mov rsi, [rdx + 16]; mov [rsp + 8], r11: musl's own */
    FUNCTION(fixture, 0x48, 0x8b, 0x72, 0x10, 0x4c, 0x89, 0x5c, 0x24, 0x08, SYSCALL, RET);
    assert_only(fixture, 9, SITE_TURNED);
}

static void test_every_site_gets_a_trampoline_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    uint64_t at = FUNCTION(fixture, MOV_EAX_39, SYSCALL, MOV_EAX_39, SYSCALL, RET);
    const struct husk_calls *calls = (const void *)byte_at(fixture, ROOM);

    turn(fixture);
    assert_int_equal(fixture->sites.turned, 2);
    assert_trampoline(fixture, at, BYTES(MOV_EAX_39));
    assert_trampoline(fixture, at + 7, BYTES(MOV_EAX_39));
    assert_int_not_equal(follow(fixture, at, 1, 5), follow(fixture, at + 7, 1, 5));
    assert_int_equal(calls->turned, 2);
    assert_int_equal(calls->sites, 2);
}

static void test_jumps_to_the_first_byte_and_to_the_call_do_no_harm(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, JE(2), JE(6), MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    assert_only(fixture, 10, SITE_TURNED);
}

static void test_a_jump_between_the_moved_instructions_is_seen(void **state)
{
    FUNCTION(*state, JE(3), MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    assert_only(*state, 8, SITE_BETWEEN);
}

static void test_a_jump_from_behind_is_seen(void **state)
{
    FUNCTION(*state, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, JE(-7), RET);
    assert_only(*state, 6, SITE_BETWEEN);
}

/* As from the cold part of a function, which has a name of its own. */
static void test_a_jump_from_another_function_is_seen(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    FUNCTION(fixture, 0xe9, (uint8_t)-11, 0xff, 0xff, 0xff); /* jmp to the second instruction */
    assert_only(fixture, 6, SITE_BETWEEN);
}

static void test_a_jump_from_assembly_without_a_size_is_seen(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    add_bytes(fixture, BYTES(RET, 0x0f, 0x84, (uint8_t)-13, 0xff, 0xff, 0xff)); /* je */
    assert_only(fixture, 6, SITE_BETWEEN);
}

/* je -13, behind something that is no instruction */
static void test_a_short_jump_among_data_is_seen(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    add_bytes(fixture, BYTES(0x06, 0x0f, 0x0b, JE(-11)));
    assert_only(fixture, 6, SITE_BETWEEN);
}

static void test_what_is_a_jump_in_the_middle_of_an_instruction_only_is_none(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    add_bytes(fixture, BYTES(0xb8, 0x74, (uint8_t)-9, 0, 0)); /* mov eax, 0xf774 */
    assert_only(fixture, 6, SITE_TURNED);
}

static void test_a_name_between_the_moved_instructions_is_seen(void **state)
{
    struct fixture *fixture = *state;

    add_label(fixture, FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET) + 3);
    assert_only(fixture, 6, SITE_BETWEEN);
}

/* lea rax, [rip - 15]: somebody may jump there, as to the receiver of a nonlocal goto */
static void test_an_address_between_the_moved_instructions_is_seen(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    FUNCTION(fixture, MOV_EAX_RDX, 0x48, 0x8d, 0x05, (uint8_t)-15, 0xff, 0xff, 0xff, RET);
    assert_only(fixture, 6, SITE_BETWEEN);
}

/* The same behind something that is no instruction. */
static void test_an_address_among_data_is_seen(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    add_bytes(fixture, BYTES(0x06, 0x0f, 0x48, 0x8d, 0x05, (uint8_t)-15, 0xff, 0xff, 0xff));
    assert_only(fixture, 6, SITE_BETWEEN);
}

/* mov qword [rax], BASE + 3 */
static void test_a_number_that_is_such_an_address_is_seen(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    FUNCTION(fixture, 0x48, 0xc7, 0x00, 0x03, 0x10, 0x40, 0, RET);
    assert_only(fixture, 6, SITE_BETWEEN);
}

static void test_in_a_part_of_a_function_two_instructions_stay(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    fixture->functions[0].split = true;
    assert_only(fixture, 6, SITE_UNKNOWN);
}

static void test_in_a_part_of_a_function_one_instruction_is_moved(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, MOV_EAX_39, SYSCALL, RET);
    fixture->functions[0].split = true;
    assert_only(fixture, 5, SITE_TURNED);
}

static void test_unknown_jumps_of_a_part_lead_anywhere(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    FUNCTION(fixture, JMP_RAX);
    fixture->functions[1].split = true;
    assert_only(fixture, 6, SITE_UNKNOWN);
}

static void test_names_of_the_site_itself_do_no_harm(void **state)
{
    struct fixture *fixture = *state;
    uint64_t at = FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);

    add_label(fixture, at);
    add_label(fixture, at + 6);
    add_label(fixture, at + 8);
    assert_only(fixture, 6, SITE_TURNED);
}

static void test_with_unknown_jumps_two_instructions_stay(void **state)
{
    FUNCTION(*state, JMP_RAX, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    assert_only(*state, 8, SITE_UNKNOWN);
}

static void test_with_unknown_jumps_a_number_is_moved(void **state)
{
    FUNCTION(*state, JMP_RAX, MOV_EAX_39, SYSCALL, RET);
    assert_only(*state, 7, SITE_TURNED);
}

/* lea rsi, [rsp + 8]: it could be data, where nobody sees what leads to it */
static void test_with_unknown_jumps_other_instructions_stay(void **state)
{
    FUNCTION(*state, JMP_RAX, 0x48, 0x8d, 0x74, 0x24, 0x08, SYSCALL, RET);
    assert_only(*state, 7, SITE_UNKNOWN);
}

/* jmp [rax * 8 + table] */
static void test_a_jump_table_is_unknown(void **state)
{
    FUNCTION(*state, 0xff, 0x24, 0xc5, 0, 0x20, 0x40, 0, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    assert_only(*state, 13, SITE_UNKNOWN);
}

/* call 1f; 2: pause; jmp 2b; 1: mov [rsp], rax; ret */
static void test_a_retpoline_within_a_function_is_an_unknown_jump(void **state)
{
    FUNCTION(*state, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, 0xe8, 4, 0, 0, 0, 0xf3, 0x90, JMP(-4), 0x48,
             0x89, 0x04, 0x24, RET);
    assert_only(*state, 6, SITE_UNKNOWN);
}

static void test_with_hidden_jumps_two_instructions_stay(void **state)
{
    struct fixture *fixture = *state;

    fixture->text.hidden_jumps = true;
    FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL, RET);
    assert_only(fixture, 6, SITE_UNKNOWN);
}

static void test_with_hidden_jumps_one_instruction_is_moved(void **state)
{
    struct fixture *fixture = *state;

    fixture->text.hidden_jumps = true;
    FUNCTION(fixture, 0x48, 0x8d, 0x74, 0x24, 0x08, SYSCALL, RET); /* lea rsi, [rsp + 8] */
    assert_only(fixture, 5, SITE_TURNED);
}

static void test_who_compares_rip_loses_one_instruction_at_most(void **state)
{
    struct fixture *fixture = *state;

    FUNCTION(fixture, MOV_RDI_RBX, MOV_RAX_R8, SYSCALL);
    fixture->functions[0].compares = true;
    assert_only(fixture, 6, SITE_UNKNOWN);
}

static void test_too_few_bytes_before_it(void **state)
{
    FUNCTION(*state, MOV_EAX_RDX, SYSCALL, RET);
    assert_only(*state, 2, SITE_FIXED);
}

static void test_an_operand_relative_to_rip_stays(void **state)
{
    /* lea rdi, [rip + 0x100]; mov rsi, [rip + 0x100] */
    FUNCTION(*state, MOV_EAX_39, 0x48, 0x8d, 0x3d, 0, 1, 0, 0, SYSCALL, RET);
    assert_only(*state, 12, SITE_FIXED);
}

static void test_a_load_relative_to_rip_stays(void **state)
{
    FUNCTION(*state, MOV_EAX_39, 0x48, 0x8b, 0x35, 0, 1, 0, 0, SYSCALL, RET);
    assert_only(*state, 12, SITE_FIXED);
}

/* Each of these stands before a `mov edi, ebx` of two bytes, too small alone. */
static void test_what_depends_on_its_place_or_the_stack_stays(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t size;
    } fixed[] = {
        {{0xe8, 0, 1, 0, 0}, 5},       /* call */
        {{0xff, 0xd3, 0x90}, 2},       /* call rbx */
        {{0x48, 0x83, 0xec, 0x10}, 4}, /* sub rsp, 16 */
        {{0x50}, 1},                   /* push rax */
        {{0x5f}, 1},                   /* pop rdi */
        {{0xcd, 0x80}, 2},             /* int 0x80 */
        {{0xf3, 0xa4}, 2},             /* rep movsb */
        {{0x0f, 0xa2}, 2},             /* cpuid */
        {{0x0f, 0x31}, 2},             /* rdtsc */
        {{0x0f, 0x05}, 2},             /* syscall */
        {{0xcc}, 1},                   /* int3 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(fixed); i++) {
        struct fixture *fixture;
        uint8_t bytes[16] = {0x90, 0x90, 0x90, 0x90};
        size_t size = 4 + fixed[i].size;

        assert_int_equal(set_up((void **)&fixture), 0);
        memcpy(bytes + 4, fixed[i].bytes, fixed[i].size);
        memcpy(bytes + size, BYTES(0x89, 0xdf, SYSCALL, RET));
        add_function(fixture, bytes, size + 5);
        turn(fixture);
        assert_outcome(fixture, BASE + size + 2, SITE_FIXED);
        tear_down((void **)&fixture);
    }
}

static void test_a_call_that_only_jumps_lead_to_stays(void **state)
{
    /* je to the call; ret; a nop of 5 bytes for alignment; the call */
    FUNCTION(*state, JE(6), RET, 0x0f, 0x1f, 0x44, 0, 0, SYSCALL, RET);
    assert_only(*state, 8, SITE_JUMPED);
}

static void test_what_follows_a_jump_is_not_reached(void **state)
{
    FUNCTION(*state, JMP(5), 0x0f, 0x1f, 0x44, 0, 0, SYSCALL, RET);
    assert_only(*state, 7, SITE_JUMPED);
}

static void test_the_return_from_a_handler_stays(void **state)
{
    FUNCTION(*state, 0x48, 0xc7, 0xc0, 15, 0, 0, 0, SYSCALL); /* mov rax, 15 */
    assert_only(*state, 7, SITE_UNWINDER);
}

static void test_a_function_without_a_size_stays(void **state)
{
    struct fixture *fixture = *state;

    add_bytes(fixture, BYTES(MOV_EAX_39, SYSCALL, RET));
    assert_only(fixture, 5, SITE_OUTSIDE);
}

static void test_a_function_that_cannot_be_decoded_stays(void **state)
{
    FUNCTION(*state, MOV_EAX_39, SYSCALL, RET, 0x06); /* push es is gone since AMD64 */
    assert_only(*state, 5, SITE_UNREAD);
}

static void test_a_function_that_jumps_into_its_instructions_stays(void **state)
{
    FUNCTION(*state, JE(1), MOV_EAX_39, SYSCALL, RET);
    assert_only(*state, 7, SITE_UNREAD);
}

static void test_an_instruction_cut_off_by_the_end_of_its_function_is_none(void **state)
{
    FUNCTION(*state, MOV_EAX_39, SYSCALL, 0xb8, 0);
    assert_only(*state, 5, SITE_UNREAD);
}

static void test_what_does_not_fit_stays(void **state)
{
    struct fixture *fixture = *state;

    fixture->text.room.end = ROOM + 2 * HUSK_CALL_SIZE;
    FUNCTION(fixture, MOV_EAX_39, SYSCALL, MOV_EAX_39, SYSCALL, RET);
    turn(fixture);
    assert_outcome(fixture, BASE + 5, SITE_TURNED);
    assert_outcome(fixture, BASE + 12, SITE_FULL);
    assert_bytes(fixture, BASE + 7, BYTES(MOV_EAX_39, SYSCALL));
    assert_int_equal(fixture->bytes[ROOM - BASE + 2 * HUSK_CALL_SIZE], 0x90);
}

static void test_without_room_nothing_is_turned(void **state)
{
    struct fixture *fixture = *state;

    fixture->text.room.end = ROOM + HUSK_CALL_SIZE;
    FUNCTION(fixture, MOV_EAX_39, SYSCALL, RET);
    assert_only(fixture, 5, SITE_FULL);
}

static void test_random_bytes_do_no_harm(void **state)
{
    unsigned seed = 1;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        struct fixture *fixture;
        uint8_t bytes[256];

        assert_int_equal(set_up((void **)&fixture), 0);
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
        for (size_t i = 16; i < sizeof(bytes) - 2; i += 32)
            memcpy(bytes + i, BYTES(SYSCALL));
        add_bytes(fixture, bytes, 16);
        add_function(fixture, bytes, sizeof(bytes) - round % 7);
        turn(fixture);
        tear_down((void **)&fixture);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_number_before_the_call_is_moved),
        TEST(test_the_least_instructions_that_make_room_are_moved),
        TEST(test_loads_and_stores_are_moved),
        TEST(test_every_site_gets_a_trampoline_of_its_own),
        TEST(test_jumps_to_the_first_byte_and_to_the_call_do_no_harm),
        TEST(test_a_jump_between_the_moved_instructions_is_seen),
        TEST(test_a_jump_from_behind_is_seen),
        TEST(test_a_jump_from_another_function_is_seen),
        TEST(test_a_jump_from_assembly_without_a_size_is_seen),
        TEST(test_a_short_jump_among_data_is_seen),
        TEST(test_what_is_a_jump_in_the_middle_of_an_instruction_only_is_none),
        TEST(test_a_name_between_the_moved_instructions_is_seen),
        TEST(test_an_address_between_the_moved_instructions_is_seen),
        TEST(test_an_address_among_data_is_seen),
        TEST(test_a_number_that_is_such_an_address_is_seen),
        TEST(test_in_a_part_of_a_function_two_instructions_stay),
        TEST(test_in_a_part_of_a_function_one_instruction_is_moved),
        TEST(test_unknown_jumps_of_a_part_lead_anywhere),
        TEST(test_names_of_the_site_itself_do_no_harm),
        TEST(test_with_unknown_jumps_two_instructions_stay),
        TEST(test_with_unknown_jumps_a_number_is_moved),
        TEST(test_with_unknown_jumps_other_instructions_stay),
        TEST(test_a_jump_table_is_unknown),
        TEST(test_a_retpoline_within_a_function_is_an_unknown_jump),
        TEST(test_with_hidden_jumps_two_instructions_stay),
        TEST(test_with_hidden_jumps_one_instruction_is_moved),
        TEST(test_who_compares_rip_loses_one_instruction_at_most),
        TEST(test_too_few_bytes_before_it),
        TEST(test_an_operand_relative_to_rip_stays),
        TEST(test_a_load_relative_to_rip_stays),
        TEST(test_what_depends_on_its_place_or_the_stack_stays),
        TEST(test_a_call_that_only_jumps_lead_to_stays),
        TEST(test_what_follows_a_jump_is_not_reached),
        TEST(test_the_return_from_a_handler_stays),
        TEST(test_a_function_without_a_size_stays),
        TEST(test_a_function_that_cannot_be_decoded_stays),
        TEST(test_a_function_that_jumps_into_its_instructions_stays),
        TEST(test_an_instruction_cut_off_by_the_end_of_its_function_is_none),
        TEST(test_what_does_not_fit_stays),
        TEST(test_without_room_nothing_is_turned),
        TEST(test_random_bytes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
