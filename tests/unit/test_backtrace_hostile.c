/* SPDX-License-Identifier: ISC
 *
 * Hostile unwind tables: each walk ends soon, without a wrong access, and goes on by the stack.
 */
#include "backtrace_fixture.h"

#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static void test_hostile_entries_are_survived(void **state)
{
    static const struct {
        size_t len;
        uint8_t bytes[64];
    } entries[] = {
        {0, {0}},
        {3, {1, 0, 0}},
        {4, {0, 0, 0, 0}},
        {4, {0xff, 0xff, 0xff, 0xff}},
        {12, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
        {8, {0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0}},
        {5, {1, 0, 0, 0, 0}},
        {8, {4, 0, 0, 0, 4, 0, 0, 0}},                           /* its own CIE */
        {8, {4, 0, 0, 0, 5, 0, 0, 0}},                           /* a CIE before the table */
        {8, {4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}},               /* likewise */
        {16, {4, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 12, 0, 0, 0}}, /* an empty CIE */
        /* an FDE whose CIE is an FDE */
        {24, {4, 0, 0, 0, 4, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}},
        /* augmentation without an end */
        {20, {16, 0, 0, 0, 0, 0, 0, 0, 1, 'z', 'z', 'z', 'z', 'z', 'z', 'z', 'z', 'z', 'z', 'z'}},
        /* alignment without an end */
        {20, {16,   0,    0,    0,    0,    0,    0,    0,    1,    0,
              0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
        start_over();
        put(entries[i].bytes, entries[i].len);
        add_table();
        push_usual_stack();
        walk();
        assert_in_range(count, 3, BACKTRACE_MAX);
        assert_int_equal(frames[1], MIDDLE + RETURN);
        assert_int_equal(frames[2], OUTER + RETURN);
    }
}

static void test_hostile_programs_are_survived(void **state)
{
    static const struct {
        size_t len;
        uint8_t bytes[48];
    } programs[] = {
        {1, {RECALL}},
        {9,
         {REMEMBER, REMEMBER, REMEMBER, REMEMBER, REMEMBER, REMEMBER, REMEMBER, REMEMBER,
          REMEMBER}},
        {1, {0x3f}},       /* no such instruction */
        {1, {CFA}},        /* no operands */
        {3, {CFA, 17, 8}}, /* no such register */
        {12, {CFA, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 8}},
        {3, {REGISTER, RIP, 17}},
        {3, {REGISTER, RIP, RIP}}, /* returns to itself */
        {2, {RESTORE | 0x3f, RESTORE | RIP}},
        {2, {0x08, RIP}},              /* return address unchanged */
        {3, {CFA_OFFSET, 0x80, 0x80}}, /* number without an end */
        {12, {CFA_OFFSET, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0}},
        {12, {CFA_OFFSET, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0}},
        {12, {0x11, RIP, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f}},
        {2, {CFA_EXPRESSION, 0}},
        {3, {CFA_EXPRESSION, 200, 1}}, /* longer than the entry */
        {12, {CFA_EXPRESSION, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0}},
        {3, {CFA_EXPRESSION, 1, 0x22}},       /* too few operands */
        {4, {CFA_EXPRESSION, 2, 0x30, 0x06}}, /* reads address 0 */
        {4, {CFA_EXPRESSION, 2, 0x77, 0x80}},
        {4, {CFA_EXPRESSION, 2, 0x8f, 0}},          /* register 31 */
        {5, {CFA_EXPRESSION, 3, 0x2f, 0xfd, 0xff}}, /* a jump back */
        {22, {CFA_EXPRESSION, 20,   0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31,
              0x31,           0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31}},
        {6, {CFA_EXPRESSION, 4, 0x31, 0x3f, 0x24, 0x06}}, /* shifts, reads */
        {8, {CFA_EXPRESSION, 6, 0x31, 0x4f, 0x4f, 0x22, 0x22, 0x24}},
        {9, {0x04, 0xff, 0xff, 0xff, 0xff, 0x04, 0xff, 0xff, 0xff}},
        {5, {0x01, 0, 0, 0, 0}}, /* set_loc */
        {3, {0x2f, RIP, 1}},     /* saved above the CFA */
        {2, {UNDEFINED, 60}},
        {3, {CFA, RBX, 8}}, /* rbx is 0 */
        {3, {CFA, RIP, 8}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
        start_over();
        put_cie();
        put_fde(INNER, 0x100, programs[i].bytes, programs[i].len);
        add_table();
        push_usual_stack();
        walk();
        assert_in_range(count, 2, BACKTRACE_MAX);
    }
}

static void test_every_truncation_of_a_table_is_survived(void **state)
{
    (void)state;
    put_usual_table();
    for (size_t len = 0, whole = table_len; len < whole; len++) {
        start_over();
        table_len = len;
        add_table();
        push_usual_stack();
        walk();
        assert_in_range(count, 3, BACKTRACE_MAX);
    }
}

static void test_every_changed_byte_of_a_table_is_survived(void **state)
{
    static const uint8_t values[] = {0, 1, 0x3f, 0x7f, 0x80, 0xfe, 0xff};
    size_t sections_at;

    (void)state;
    put_usual_table();
    sections_at = program.file.size;
    add_table();
    push_usual_stack();
    for (size_t i = 0; i < table_len; i++) {
        uint8_t *byte = image_at(&program, sections_at + i), old = *byte;

        for (size_t j = 0; j < sizeof(values); j++) {
            *byte = values[j];
            walk();
        }
        *byte = old;
    }
}

static void test_large_table_of_tiny_entries_is_searched_in_time(void **state)
{
    enum { SIZE = 16 << 20 };
    uint8_t entry[20] = {16, 0, 0, 0};
    struct elf_file file;
    struct husk_error err;
    uint8_t *bytes = calloc(1, sizeof(program) + SIZE);
    clock_t before;
    size_t start;

    (void)state;
    put_cie();
    start = program.file.size;
    add_table();
    ((Elf64_Shdr *)image_at(&program, program.header.e_shoff))[1].sh_offset = program.file.size;
    ((Elf64_Shdr *)image_at(&program, program.header.e_shoff))[1].sh_size = SIZE;
    assert_non_null(bytes);
    memcpy(bytes, &program, program.file.size);
    memcpy(bytes + program.file.size, image_at(&program, start), table_len);
    for (size_t i = table_len; i + sizeof(entry) <= SIZE; i += sizeof(entry)) {
        uint32_t back = (uint32_t)i + 4;

        memcpy(entry + 4, &back, sizeof(back));
        memcpy(bytes + program.file.size + i, entry, sizeof(entry));
    }
    file = (struct elf_file){"./prog", -1, bytes, program.file.size + SIZE};
    assert_int_equal(elf_parse(&file, &image, &err), 0);
    for (int i = 0; i < 500; i++)
        push(MIDDLE + RETURN);
    regs.rip = MIDDLE;
    before = clock();
    count = backtrace_walk(&image, 0, &memory, &regs, frames);
    assert_int_equal(count, BACKTRACE_MAX);
    /* Seconds of CPU time, with room for ASan on a slow machine. */
    assert_in_range((clock() - before) / CLOCKS_PER_SEC, 0, 10);
    free(bytes);
}

/* The program's code is a mapped file that another process has emptied. */
static void test_code_of_a_truncated_file_is_survived(void **state)
{
    const struct sigaction on_bus_error = {.sa_handler = memory_on_bus_error,
                                           .sa_flags = SA_NODEFER};
    struct sigaction before;
    int fd = memfd_create("code", MFD_CLOEXEC);

    (void)state;
    push_usual_stack();
    walk();
    assert_in_range(count, 3, BACKTRACE_MAX);
    assert_int_equal(ftruncate(fd, 0x1000), 0);
    assert_int_equal(memory_place_file(&memory, TEXT_AT, 0x1000, fd, 0), 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(sigaction(SIGBUS, &on_bus_error, &before), 0);
    walk();
    assert_int_equal(count, 1);
    sigaction(SIGBUS, &before, NULL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_hostile_entries_are_survived),
        TEST(test_hostile_programs_are_survived),
        TEST(test_every_truncation_of_a_table_is_survived),
        TEST(test_every_changed_byte_of_a_table_is_survived),
        TEST(test_code_of_a_truncated_file_is_survived),
        TEST(test_large_table_of_tiny_entries_is_searched_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
