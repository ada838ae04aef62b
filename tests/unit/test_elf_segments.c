/* SPDX-License-Identifier: ISC
 *
 * Segments, the entry point and position-independent images.
 */
#include "elf_fixture.h"

static void test_image_without_segments_is_refused(void **state)
{
    (void)state;
    image.header.e_phnum = 0;
    image_add(&image, PT_GNU_STACK, PF_R, 0, 0, 0);
    assert_refused("has no loadable segment");
}

static void test_empty_segments_do_not_count(void **state)
{
    (void)state;
    for (int i = HEADERS; i <= DATA; i++)
        image.phdrs[i].p_memsz = image.phdrs[i].p_filesz = 0;
    assert_refused("has no loadable segment");
}

static void test_empty_segment_is_skipped_wherever_it_is(void **state)
{
    (void)state;
    image_add(&image, PT_LOAD, PF_R | PF_W | PF_X, UINT64_MAX, UINT64_MAX, 0);
    assert_accepted();
    assert_int_equal(parsed.segment_count, 3);
}

static void test_33_segments_are_refused(void **state)
{
    (void)state;
    for (uint64_t i = 3; i < 33; i++)
        image_add(&image, PT_LOAD, PF_R, 0x500000 + i * 0x1000, 0, 0x1000);
    assert_refused("has more than 32 segments");
}

static void test_32_segments_are_accepted(void **state)
{
    (void)state;
    for (uint64_t i = 3; i < 32; i++)
        image_add(&image, PT_LOAD, PF_R, 0x500000 + i * 0x1000, 0, 0x1000);
    assert_accepted();
    assert_int_equal(parsed.segment_count, 32);
}

static void test_segments_in_any_order_are_sorted(void **state)
{
    Elf64_Phdr first = image.phdrs[HEADERS];

    (void)state;
    image.phdrs[HEADERS] = image.phdrs[DATA];
    image.phdrs[DATA] = first;
    assert_accepted();
    assert_int_equal(parsed.segments[0].vaddr, 0x400000);
    assert_int_equal(parsed.segments[1].vaddr, 0x402000);
    assert_int_equal(parsed.segments[2].vaddr, 0x403000);
    assert_int_equal(parsed.low, 0x400000);
    assert_int_equal(parsed.high, 0x405000);
}

static void test_segment_past_end_of_file_is_refused(void **state)
{
    (void)state;
    image.file.size = 0x3000;
    assert_refused("truncated: segment 2 needs 0x3800 bytes, the file has 0x3000; copy");
}

static void test_segment_offset_that_wraps_is_refused(void **state)
{
    (void)state;
    image.phdrs[DATA].p_offset = UINT64_MAX - 0xfff;
    image.phdrs[DATA].p_filesz = image.phdrs[DATA].p_memsz = 0x2000;
    assert_refused("malformed: segment 2 has 0x2000 bytes at offset 0xfffffffffffff000");
}

static void test_segment_address_that_wraps_is_refused(void **state)
{
    (void)state;
    image.phdrs[DATA].p_vaddr = UINT64_MAX - 0xfff;
    assert_refused("malformed: segment 2 has 0x1800 bytes at address 0xfffffffffffff000");
}

static void test_segment_that_ends_with_the_address_space_is_refused(void **state)
{
    (void)state;
    image.phdrs[DATA].p_vaddr = UINT64_MAX - 0x1fff;
    image.phdrs[DATA].p_memsz = 0x1fff;
    assert_refused("a segment at 0xffffffffffffe000 ends above 0x7f80000000");
}

static void test_segment_larger_in_file_than_in_memory_is_refused(void **state)
{
    (void)state;
    image.phdrs[DATA].p_memsz = 0x7ff;
    assert_refused("malformed: segment 2 has 0x7ff bytes in memory, 0x800 in the file");
}

static void test_segment_of_size_0_in_memory_only_is_refused(void **state)
{
    (void)state;
    image.phdrs[DATA].p_memsz = 0;
    assert_refused("malformed: segment 2 has 0x0 bytes in memory, 0x800 in the file");
}

static void test_offset_not_congruent_to_address_is_refused(void **state)
{
    (void)state;
    image.phdrs[DATA].p_vaddr += 0x10;
    assert_refused("segment 2 is at offset 0x3000 for address 0x403010");
}

static void test_offset_of_a_segment_without_bytes_does_not_matter(void **state)
{
    (void)state;
    image_add(&image, PT_LOAD, PF_R | PF_W, 0x500000, 0x123, 0)->p_memsz = 0x1000;
    assert_accepted();
    assert_int_equal(parsed.segment_count, 4);
}

static void test_writable_executable_segment_is_refused(void **state)
{
    (void)state;
    image.phdrs[TEXT].p_flags |= PF_W;
    assert_refused("segment 1 at 0x402000 is writable and executable");
}

static void test_write_and_execute_imply_read(void **state)
{
    (void)state;
    image.phdrs[HEADERS].p_flags = 0;
    image.phdrs[TEXT].p_flags = PF_X;
    image.phdrs[DATA].p_flags = PF_W;
    assert_accepted();
    assert_int_equal(parsed.segments[0].prot, HUSK_PROT_NONE);
    assert_int_equal(parsed.segments[1].prot, HUSK_PROT_READ | HUSK_PROT_EXEC);
    assert_int_equal(parsed.segments[2].prot, HUSK_PROT_READ | HUSK_PROT_WRITE);
}

static void test_overlapping_segments_are_refused(void **state)
{
    (void)state;
    image.phdrs[TEXT].p_vaddr = PROGRAM_BASE + 0x1000;
    assert_refused("the segment at 0x401000 overlaps the one below it");
}

static void test_equal_segments_are_refused(void **state)
{
    (void)state;
    image_add(&image, PT_LOAD, PF_R, PROGRAM_BASE, 0, PROGRAM_TEXT);
    assert_refused("the segment at 0x400000 overlaps the one below it");
}

static void test_segments_that_share_a_page_are_refused(void **state)
{
    (void)state;
    image.phdrs[DATA].p_vaddr = PROGRAM_BASE + PROGRAM_TEXT + 0x800;
    image.phdrs[DATA].p_offset = PROGRAM_TEXT + 0x800;
    assert_refused("the segment at 0x402800 overlaps the one below it or shares a page");
}

static void test_segment_below_the_null_guard_is_refused(void **state)
{
    (void)state;
    image.phdrs[HEADERS].p_vaddr = 0xf000;
    assert_refused("a segment at 0xf000 lies below 0x10000");
}

static void test_segment_at_the_null_guards_end_is_accepted(void **state)
{
    (void)state;
    image.phdrs[HEADERS].p_vaddr = HUSK_NULL_GUARD;
    assert_accepted();
}

static void test_program_that_ends_with_ram_is_accepted(void **state)
{
    (void)state;
    image_add(&image, PT_LOAD, PF_R, HUSK_RAM_MAX - 0x1000, 0, 0x1000);
    assert_accepted();
    assert_int_equal(parsed.high, HUSK_RAM_MAX);
}

static void test_program_past_the_end_of_ram_is_refused(void **state)
{
    (void)state;
    image_add(&image, PT_LOAD, PF_R, HUSK_RAM_MAX - 0x1000, 0, 0x1001);
    assert_refused("a segment at 0x7f7ffff000 ends above 0x7f80000000");
}

static void test_program_in_husks_window_is_refused(void **state)
{
    (void)state;
    image_add(&image, PT_LOAD, PF_R | PF_X, HUSK_RT_BASE, 0, 0x1000);
    assert_refused("a segment at 0x7fc0010000 ends above 0x7f80000000");
}

/* The entry point. */

static void test_entry_in_data_is_refused(void **state)
{
    (void)state;
    image.header.e_entry = PROGRAM_BASE + PROGRAM_DATA;
    assert_refused("its entry point 0x403000 is in no executable segment");
}

static void test_entry_outside_every_segment_is_refused(void **state)
{
    (void)state;
    image.header.e_entry = PROGRAM_BASE + PROGRAM_TEXT + 0x800;
    assert_refused("its entry point 0x402800 is in no executable segment");
}

static void test_entry_0_is_refused(void **state)
{
    (void)state;
    image.header.e_entry = 0;
    assert_refused("its entry point 0x0 is in no executable segment");
}

/* Position-independent images. */

static void test_shared_library_is_refused(void **state)
{
    Elf64_Dyn *dynamic = (Elf64_Dyn *)image_at(&image, PROGRAM_DYNAMIC);

    (void)state;
    dynamic[1].d_un.d_val = 1;
    assert_refused("a shared library; link the program with -static-pie");
}

static void test_pie_flag_behind_the_end_of_the_dynamic_section_does_not_count(void **state)
{
    Elf64_Dyn *dynamic = (Elf64_Dyn *)image_at(&image, PROGRAM_DYNAMIC);

    (void)state;
    dynamic[0].d_tag = DT_NULL;
    assert_refused("a shared library");
}

static void test_library_without_an_entry_is_refused(void **state)
{
    (void)state;
    image.header.e_entry = 0;
    assert_refused("a shared library");
}

static void test_dynamic_section_past_end_of_file_is_refused(void **state)
{
    (void)state;
    image.phdrs[DATA + 1].p_offset = PROGRAM_SIZE - 0x10;
    assert_refused("truncated: dynamic segment 3 needs 0x6020 bytes");
}

static void test_huge_dynamic_section_is_bounded(void **state)
{
    (void)state;
    image.phdrs[DATA + 1].p_filesz = PROGRAM_SIZE - PROGRAM_DYNAMIC;
    assert_accepted();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM(test_image_without_segments_is_refused),
        PROGRAM(test_empty_segments_do_not_count),
        PROGRAM(test_empty_segment_is_skipped_wherever_it_is),
        PROGRAM(test_33_segments_are_refused),
        PROGRAM(test_32_segments_are_accepted),
        PROGRAM(test_segments_in_any_order_are_sorted),
        PROGRAM(test_segment_past_end_of_file_is_refused),
        PROGRAM(test_segment_offset_that_wraps_is_refused),
        PROGRAM(test_segment_address_that_wraps_is_refused),
        PROGRAM(test_segment_that_ends_with_the_address_space_is_refused),
        PROGRAM(test_segment_larger_in_file_than_in_memory_is_refused),
        PROGRAM(test_segment_of_size_0_in_memory_only_is_refused),
        PROGRAM(test_offset_not_congruent_to_address_is_refused),
        PROGRAM(test_offset_of_a_segment_without_bytes_does_not_matter),
        PROGRAM(test_writable_executable_segment_is_refused),
        PROGRAM(test_write_and_execute_imply_read),
        PROGRAM(test_overlapping_segments_are_refused),
        PROGRAM(test_equal_segments_are_refused),
        PROGRAM(test_segments_that_share_a_page_are_refused),
        PROGRAM(test_segment_below_the_null_guard_is_refused),
        PROGRAM(test_segment_at_the_null_guards_end_is_accepted),
        PROGRAM(test_program_that_ends_with_ram_is_accepted),
        PROGRAM(test_program_past_the_end_of_ram_is_refused),
        PROGRAM(test_program_in_husks_window_is_refused),
        PROGRAM(test_entry_in_data_is_refused),
        PROGRAM(test_entry_outside_every_segment_is_refused),
        PROGRAM(test_entry_0_is_refused),
        PIE(test_shared_library_is_refused),
        PIE(test_pie_flag_behind_the_end_of_the_dynamic_section_does_not_count),
        PIE(test_library_without_an_entry_is_refused),
        PIE(test_dynamic_section_past_end_of_file_is_refused),
        PIE(test_huge_dynamic_section_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
