/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cleanup.h"
#include "elf_builder.h"
#include "symbols.h"

enum { TEXT_AT = PROGRAM_BASE + PROGRAM_TEXT, TEXT_SIZE = 0x800 };
enum { SECTION_TEXT = 1, SECTION_DATA, SECTION_SYMBOLS, SECTION_STRINGS };

static struct program_image image;
static struct symbols *symbols;
static uint64_t offset;

/* Offsets in here are the symbols' names. */
static const char strings[] = "\0main\0helper\0__helper\0start\0etext\0object\0inner";
enum { MAIN = 1, HELPER = 6, UU_HELPER = 13, START = 22, ETEXT = 28, OBJECT = 34, INNER = 41 };

static const Elf64_Sym good[] = {
    {0},
    {.st_name = OBJECT,
     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
     .st_shndx = SECTION_DATA,
     .st_value = PROGRAM_BASE + PROGRAM_DATA,
     .st_size = 8},
    {.st_name = ETEXT,
     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
     .st_shndx = SECTION_TEXT,
     .st_value = TEXT_AT + TEXT_SIZE},
    {.st_name = START,
     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
     .st_shndx = SECTION_TEXT,
     .st_value = TEXT_AT + 0x300},
    {.st_name = UU_HELPER,
     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
     .st_shndx = SECTION_TEXT,
     .st_value = TEXT_AT + 0x200,
     .st_size = 0x40},
    {.st_name = HELPER,
     .st_info = ELF64_ST_INFO(STB_WEAK, STT_FUNC),
     .st_shndx = SECTION_TEXT,
     .st_value = TEXT_AT + 0x200,
     .st_size = 0x40},
    {.st_name = MAIN,
     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
     .st_shndx = SECTION_TEXT,
     .st_value = TEXT_AT + 0x100,
     .st_size = 0x80},
    {.st_name = INNER,
     .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
     .st_shndx = SECTION_TEXT,
     .st_value = TEXT_AT + 0x120,
     .st_size = 0x10},
};
enum { GOOD = sizeof(good) / sizeof(*good), GOOD_MAIN = 6 };

static void load(const Elf64_Sym *table, size_t count)
{
    const struct image_section sections[] = {
        {".text", SHT_PROGBITS, 0, SHF_ALLOC | SHF_EXECINSTR, TEXT_AT,
         image_at(&image, PROGRAM_TEXT), TEXT_SIZE},
        {".data", SHT_PROGBITS, 0, SHF_ALLOC | SHF_WRITE, PROGRAM_BASE + PROGRAM_DATA,
         image_at(&image, PROGRAM_DATA), 0x100},
        {".symtab", SHT_SYMTAB, SECTION_STRINGS, 0, 0, table, count * sizeof(*table)},
        {".strtab", SHT_STRTAB, 0, 0, 0, strings, sizeof(strings)},
    };

    image_sections(&image, sections, 4);
}

static Elf64_Shdr *section(int index)
{
    return (Elf64_Shdr *)image_at(&image, image.header.e_shoff) + index;
}

static int setup(void **state)
{
    (void)state;
    image_program(&image);
    load(good, GOOD);
    symbols = NULL;
    return 0;
}

static int setup_loaded(void **state)
{
    setup(state);
    symbols = symbols_load(&image.file);
    return symbols ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    symbols_free(symbols);
    return 0;
}

static void assert_found(uint64_t at, const char *name, uint64_t distance)
{
    const char *found = symbols_find(symbols, TEXT_AT + at, &offset);

    assert_non_null(found);
    assert_string_equal(found, name);
    assert_int_equal(offset, distance);
}

static void assert_nothing_at(uint64_t at)
{
    assert_null(symbols_find(symbols, TEXT_AT + at, &offset));
}

static void test_function_covers_its_bytes(void **state)
{
    (void)state;
    assert_found(0x100, "main", 0);
    assert_found(0x17f, "main", 0x7f);
    assert_nothing_at(0xff);
    assert_nothing_at(0x180);
}

static void test_function_inside_another_wins_where_it_is(void **state)
{
    (void)state;
    assert_found(0x11f, "main", 0x1f);
    assert_found(0x120, "inner", 0);
    assert_found(0x130, "main", 0x30);
}

static void test_plain_name_wins_over_its_aliases(void **state)
{
    (void)state;
    assert_found(0x210, "helper", 0x10);
}

static void test_function_without_type_and_size_ends_with_its_section(void **state)
{
    (void)state;
    assert_found(0x300, "start", 0);
    assert_found(TEXT_SIZE - 1, "start", TEXT_SIZE - 0x301);
    assert_nothing_at(TEXT_SIZE);
}

static void test_data_is_no_function(void **state)
{
    (void)state;
    assert_nothing_at(PROGRAM_DATA - PROGRAM_TEXT);
    assert_int_equal(symbols_address(symbols, "object"), 0);
}

static void test_addresses_outside_are_not_found(void **state)
{
    (void)state;
    assert_null(symbols_find(symbols, 0, &offset));
    assert_null(symbols_find(symbols, UINT64_MAX, &offset));
}

static void test_name_gives_its_address(void **state)
{
    (void)state;
    assert_int_equal(symbols_address(symbols, "main"), TEXT_AT + 0x100);
    assert_int_equal(symbols_address(symbols, "__helper"), TEXT_AT + 0x200);
    assert_int_equal(symbols_address(symbols, "mai"), 0);
    assert_int_equal(symbols_address(symbols, ""), 0);
}

static void test_bounds_of_a_function_are_known(void **state)
{
    uint64_t start, end;

    (void)state;
    assert_true(symbols_bounds(symbols, TEXT_AT + 0x150, &start, &end));
    assert_int_equal(start, TEXT_AT + 0x100);
    assert_int_equal(end, TEXT_AT + 0x180);
    assert_true(symbols_bounds(symbols, TEXT_AT + 0x301, &start, &end));
    assert_int_equal(start, TEXT_AT + 0x300);
    assert_int_equal(end, TEXT_AT + TEXT_SIZE);
    assert_false(symbols_bounds(symbols, TEXT_AT, &start, &end));
}

static void test_function_without_size_ends_where_the_next_begins(void **state)
{
    Elf64_Sym table[] = {good[3], good[3], good[GOOD_MAIN]};
    uint64_t start, end;

    (void)state;
    image_program(&image);
    table[0].st_value = TEXT_AT + 0x10;
    load(table, 3);
    symbols = symbols_load(&image.file);
    assert_non_null(symbols);
    assert_found(0xff, "start", 0xef);
    assert_nothing_at(0x180);
    assert_true(symbols_bounds(symbols, TEXT_AT + 0x10, &start, &end));
    assert_int_equal(end, TEXT_AT + 0x100);
}

static void test_nothing_is_found_without_symbols(void **state)
{
    uint64_t start, end;

    (void)state;
    assert_null(symbols_find(NULL, TEXT_AT, &offset));
    assert_int_equal(symbols_address(NULL, "main"), 0);
    assert_false(symbols_bounds(NULL, TEXT_AT, &start, &end));
}

static void test_bad_symbols_are_skipped(void **state)
{
    Elf64_Sym table[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        table[i] = good[GOOD_MAIN];
    table[0].st_name = sizeof(strings);
    table[1].st_name = UINT32_MAX;
    table[2].st_name = 0;
    table[3].st_shndx = SHN_UNDEF;
    table[4].st_shndx = SHN_ABS;
    table[5].st_shndx = 200;
    table[6].st_value = UINT64_MAX;
    table[7].st_info = ELF64_ST_INFO(STB_LOCAL, STT_FILE);
    image_program(&image);
    load(table, 8);
    symbols = symbols_load(&image.file);
    assert_non_null(symbols);
    assert_nothing_at(0x100);
    assert_null(symbols_find(symbols, UINT64_MAX, &offset));
}

static void test_function_ends_with_its_section_at_the_latest(void **state)
{
    Elf64_Sym huge = good[GOOD_MAIN];
    uint64_t start, end;

    (void)state;
    huge.st_size = UINT64_MAX;
    image_program(&image);
    load(&huge, 1);
    symbols = symbols_load(&image.file);
    assert_found(0x200, "main", 0x100);
    assert_nothing_at(0);
    assert_nothing_at(TEXT_SIZE);
    assert_true(symbols_bounds(symbols, TEXT_AT + 0x200, &start, &end));
    assert_int_equal(end, TEXT_AT + TEXT_SIZE);
}

static void test_name_without_its_zero_is_terminated(void **state)
{
    (void)state;
    section(SECTION_STRINGS)->sh_size = INNER + 3;
    symbols = symbols_load(&image.file);
    assert_found(0x120, "inn", 0);
}

static void assert_no_symbols(void)
{
    assert_null(symbols_load(&image.file));
}

static void test_image_without_sections_has_none(void **state)
{
    (void)state;
    image.header.e_shnum = 0;
    assert_no_symbols();
}

static void test_stripped_image_has_none(void **state)
{
    (void)state;
    section(SECTION_SYMBOLS)->sh_type = SHT_PROGBITS;
    assert_no_symbols();
}

static void test_section_headers_past_end_of_file_have_none(void **state)
{
    (void)state;
    image.header.e_shoff = image.file.size - 1;
    assert_no_symbols();
}

static void test_section_header_offset_that_wraps_has_none(void **state)
{
    (void)state;
    image.header.e_shoff = UINT64_MAX - 64;
    assert_no_symbols();
}

static void test_wrong_section_header_size_has_none(void **state)
{
    (void)state;
    image.header.e_shentsize = 40;
    assert_no_symbols();
}

static void test_wrong_index_of_names_has_none(void **state)
{
    (void)state;
    image.header.e_shstrndx = 1000;
    assert_no_symbols();
}

static void test_section_name_past_the_names_has_none(void **state)
{
    (void)state;
    section(SECTION_SYMBOLS)->sh_name = UINT32_MAX;
    assert_no_symbols();
}

static void test_symbol_table_past_end_of_file_has_none(void **state)
{
    (void)state;
    section(SECTION_SYMBOLS)->sh_offset = image.file.size - 8;
    assert_no_symbols();
}

static void test_symbol_table_offset_that_wraps_has_none(void **state)
{
    (void)state;
    section(SECTION_SYMBOLS)->sh_offset = UINT64_MAX;
    assert_no_symbols();
}

static void test_symbol_table_with_no_strings_has_none(void **state)
{
    (void)state;
    section(SECTION_SYMBOLS)->sh_link = SECTION_TEXT;
    assert_no_symbols();
    section(SECTION_SYMBOLS)->sh_link = UINT32_MAX;
    assert_no_symbols();
}

static void test_strings_past_end_of_file_have_none(void **state)
{
    (void)state;
    section(SECTION_STRINGS)->sh_size = image.file.size;
    assert_no_symbols();
}

/* A sparse file can be as large as its header claims. */
static void assert_no_symbols_with_size(int index, uint64_t size)
{
    cleanup_fd int fd = memfd_create("image", 0);
    struct elf_file file = {"./prog", fd, NULL, image.file.size + size};

    section(index)->sh_size = size;
    assert_int_equal(write(fd, image.file.data, image.file.size), image.file.size);
    assert_int_equal(ftruncate(fd, (off_t)file.size), 0);
    assert_null(symbols_load(&file));
}

static void test_more_than_a_mebi_of_symbols_have_none(void **state)
{
    (void)state;
    assert_no_symbols_with_size(SECTION_SYMBOLS, ((1 << 20) + 1) * sizeof(Elf64_Sym));
}

static void test_more_than_64_mib_of_strings_have_none(void **state)
{
    (void)state;
    assert_no_symbols_with_size(SECTION_STRINGS, (64 << 20) + 1);
}

static void test_this_tests_own_functions_are_found(void **state)
{
    cleanup_fd int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat st;
    uint64_t address;

    (void)state;
    assert_int_equal(fstat(fd, &st), 0);
    struct elf_file file = {"test_symbols", fd, NULL, (uint64_t)st.st_size};
    symbols = symbols_load(&file);
    assert_non_null(symbols);
    address = symbols_address(symbols, "test_this_tests_own_functions_are_found");
    assert_int_not_equal(address, 0);
    assert_string_equal(symbols_find(symbols, address + 1, &offset),
                        "test_this_tests_own_functions_are_found");
    assert_int_equal(offset, 1);
}

#define LOADED(test) cmocka_unit_test_setup_teardown(test, setup_loaded, teardown)
#define TEST(test)   cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOADED(test_function_covers_its_bytes),
        LOADED(test_function_inside_another_wins_where_it_is),
        LOADED(test_plain_name_wins_over_its_aliases),
        LOADED(test_function_without_type_and_size_ends_with_its_section),
        LOADED(test_data_is_no_function),
        LOADED(test_addresses_outside_are_not_found),
        LOADED(test_name_gives_its_address),
        LOADED(test_bounds_of_a_function_are_known),
        TEST(test_function_without_size_ends_where_the_next_begins),
        TEST(test_nothing_is_found_without_symbols),
        TEST(test_bad_symbols_are_skipped),
        TEST(test_function_ends_with_its_section_at_the_latest),
        TEST(test_name_without_its_zero_is_terminated),
        TEST(test_image_without_sections_has_none),
        TEST(test_stripped_image_has_none),
        TEST(test_section_headers_past_end_of_file_have_none),
        TEST(test_section_header_offset_that_wraps_has_none),
        TEST(test_wrong_section_header_size_has_none),
        TEST(test_wrong_index_of_names_has_none),
        TEST(test_section_name_past_the_names_has_none),
        TEST(test_symbol_table_past_end_of_file_has_none),
        TEST(test_symbol_table_offset_that_wraps_has_none),
        TEST(test_symbol_table_with_no_strings_has_none),
        TEST(test_strings_past_end_of_file_have_none),
        TEST(test_more_than_a_mebi_of_symbols_have_none),
        TEST(test_more_than_64_mib_of_strings_have_none),
        TEST(test_this_tests_own_functions_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
