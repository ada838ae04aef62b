/* SPDX-License-Identifier: ISC
 *
 * The husk note: found among others, and each of its fields.
 */
#include "elf_fixture.h"

#include <stdio.h>

static const char *other_abi(void)
{
    static char text[80];

    snprintf(text, sizeof(text), "built for husk ABI %d, and this husk has ABI %d; rebuild it",
             HUSK_ABI_VERSION + 1, HUSK_ABI_VERSION);
    return text;
}

static void test_note_of_another_abi_names_both_versions(void **state)
{
    (void)state;
    image_note(&image)->abi = HUSK_ABI_VERSION + 1;
    assert_refused(other_abi());
}

static void test_note_of_another_abi_may_have_another_size(void **state)
{
    (void)state;
    image_note(&image)->abi = HUSK_ABI_VERSION + 1;
    image_note_header(&image)->n_descsz = 8;
    assert_refused(other_abi());
}

static void test_short_note_is_refused(void **state)
{
    (void)state;
    image_note_header(&image)->n_descsz = 60;
    assert_refused("malformed: its husk note has 60 bytes, not 72");
}

static void test_empty_note_is_refused(void **state)
{
    (void)state;
    image_note_header(&image)->n_descsz = 0;
    assert_refused("malformed: its husk note has 0 bytes");
}

/* A cut note is none, and without one nothing may be in the window. */
static void test_note_cut_by_its_segment_is_no_note(void **state)
{
    (void)state;
    image.phdrs[NOTE].p_filesz--;
    assert_refused("a segment at 0x7fc0010000 ends above");
}

static void test_note_with_sizes_that_overflow_is_no_note(void **state)
{
    (void)state;
    image_note_header(&image)->n_namesz = UINT32_MAX;
    image_note_header(&image)->n_descsz = UINT32_MAX;
    assert_refused("a segment at 0x7fc0010000 ends above");
}

static void test_note_segment_past_end_of_file_is_refused(void **state)
{
    (void)state;
    image.phdrs[NOTE].p_filesz = PROGRAM_SIZE;
    assert_refused("truncated: note segment 5 needs 0x7804 bytes");
}

static void test_note_segment_offset_that_wraps_is_refused(void **state)
{
    (void)state;
    image.phdrs[NOTE].p_offset = UINT64_MAX;
    assert_refused("malformed: note segment 5 has 0x5c bytes at offset 0xffffffffffffffff");
}

static void test_note_of_another_owner_is_ignored(void **state)
{
    (void)state;
    memcpy(image_note_owner(&image), "hulk", 4);
    assert_refused("a segment at 0x7fc0010000 ends above");
}

static void test_note_of_another_type_is_ignored(void **state)
{
    (void)state;
    image_note_header(&image)->n_type = 2;
    assert_refused("a segment at 0x7fc0010000 ends above");
}

static void put_note(size_t offset, const char *owner, uint32_t type, const void *desc, size_t size,
                     size_t unit)
{
    Elf64_Nhdr header = {(uint32_t)strlen(owner) + 1, (uint32_t)size, type};
    size_t desc_at = (sizeof(header) + header.n_namesz + unit - 1) / unit * unit;

    memset(image_at(&image, offset), 0, desc_at);
    memcpy(image_at(&image, offset), &header, sizeof(header));
    memcpy(image_at(&image, offset + sizeof(header)), owner, header.n_namesz);
    memcpy(image_at(&image, offset + desc_at), desc, size);
}

static void test_note_behind_other_notes_is_found(void **state)
{
    struct husk_note note = *image_note(&image);

    (void)state;
    /* 12 + 4 + 20 and 12 + 6 (+ 2) + 3 (+ 1) bytes */
    put_note(PROGRAM_NOTE, "GNU", 3, &(char[20]){0}, 20, 4);
    put_note(PROGRAM_NOTE + 36, "other", 1, &(char[3]){0}, 3, 4);
    put_note(PROGRAM_NOTE + 60, HUSK_NOTE_OWNER, HUSK_NOTE_TYPE, &note, sizeof(note), 4);
    image.phdrs[NOTE].p_filesz = 60 + 20 + sizeof(note);
    assert_accepted();
    assert_true(parsed.husk);
}

static void test_note_with_8_byte_alignment_is_found(void **state)
{
    struct husk_note note = *image_note(&image);

    (void)state;
    put_note(PROGRAM_NOTE, "GNU", 5, &(char[20]){0}, 20, 8); /* 12 + 4 + 20 (+ 4) bytes */
    put_note(PROGRAM_NOTE + 40, HUSK_NOTE_OWNER, HUSK_NOTE_TYPE, &note, sizeof(note), 8);
    image.phdrs[NOTE].p_align = 8;
    image.phdrs[NOTE].p_filesz = 40 + 24 + sizeof(note);
    assert_accepted();
    assert_true(parsed.husk);
}

static void test_note_past_the_first_4_kib_is_found(void **state)
{
    struct husk_note note = *image_note(&image);

    (void)state;
    put_note(PROGRAM_DATA, HUSK_NOTE_OWNER, HUSK_NOTE_TYPE, &note, sizeof(note), 4);
    memset(image_at(&image, PROGRAM_NOTE), 0, 20 + sizeof(note));
    image.phdrs[NOTE].p_offset = PROGRAM_DATA;
    assert_accepted();
    assert_true(parsed.husk);
}

static void test_note_fields_are_checked(void **state)
{
    static const struct {
        const char *name;
        size_t offset;
        uint64_t bad[6];
    } fields[] = {
        {"entry", offsetof(struct husk_note, entry), {0x403000, 0x402800, HUSK_RT_BASE + 0x10}},
        {"rt_start",
         offsetof(struct husk_note, rt_start),
         {0x402010, HUSK_RT_BASE + 0x11, HUSK_RT_BASE + 0x1000, HUSK_RT_BASE - 1}},
        {"syscall_direct",
         offsetof(struct husk_note, syscall_direct),
         {0x402010, HUSK_RT_BASE + 0x1000, HUSK_RT_BASE + 0x2000, HUSK_RING0_TEXT}},
        {"syscall_stubbed",
         offsetof(struct husk_note, syscall_stubbed),
         {0x402010, HUSK_RT_BASE + 0x1000, HUSK_RT_BASE + 0x2000, HUSK_RING0_TEXT}},
        {"exception",
         offsetof(struct husk_note, exception),
         {0x402010, HUSK_RT_BASE + 0x1000, HUSK_RT_BASE + 0x2000, UINT64_MAX}},
        {"exception_stack",
         offsetof(struct husk_note, exception_stack),
         {0x404000, HUSK_RT_BASE + 0x1000, HUSK_RT_BASE + 0x2010, HUSK_RT_BASE + 0x1ff8,
          HUSK_RING0_STACK + 0x10}},
        {"interrupt",
         offsetof(struct husk_note, interrupt),
         {0x402010, HUSK_RT_BASE + 0x1000, HUSK_RT_BASE + 0x2000, HUSK_RING0_TEXT}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        for (size_t j = 0; j < 6; j++) {
            char text[100];

            if (strcmp(fields[i].name, "entry") == 0 && fields[i].bad[j] == 0)
                continue; /* 0 has a test of its own */
            image_husk(&image);
            memcpy((char *)image_note(&image) + fields[i].offset, &fields[i].bad[j],
                   sizeof(uint64_t));
            snprintf(text, sizeof(text), "malformed: %s is 0x%lx in its husk note; rebuild it",
                     fields[i].name, fields[i].bad[j]);
            assert_refused(text);
        }
    }
}

static void test_note_with_unknown_flags_is_refused(void **state)
{
    (void)state;
    image_note(&image)->flags = 1;
    assert_refused("malformed: flags is 0x1 in its husk note");
}

static void test_entry_point_other_than_rt_start_is_refused(void **state)
{
    (void)state;
    image.header.e_entry = image_note(&image)->entry;
    assert_refused("malformed: rt_start is 0x7fc0010010 in its husk note");
}

static void test_only_memory_images_may_leave_the_entry_open(void **state)
{
    struct husk_error err = {0};

    (void)state;
    image_note(&image)->entry = 0;
    assert_int_equal(elf_parse(&image.file, &parsed, &err), 0);
    assert_int_equal(parse_as_file(&err), -1);
    assert_non_null(strstr(err.text, "malformed: entry is 0x0 in its husk note"));
}

static void test_runtime_alone_has_no_bounds_below_the_window(void **state)
{
    struct husk_error err = {0};

    (void)state;
    image_note(&image)->entry = 0;
    for (int i = HEADERS; i <= DATA; i++)
        image.phdrs[i].p_type = PT_NULL;
    assert_int_equal(elf_parse(&image.file, &parsed, &err), 0);
    assert_int_equal(parsed.low, 0);
    assert_int_equal(parsed.high, 0);
    assert_int_equal(parsed.segment_count, 2);
}

static void test_husk_segment_between_ram_and_runtime_is_refused(void **state)
{
    (void)state;
    image.phdrs[DATA].p_vaddr = HUSK_RT_BASE - 0x2000;
    assert_refused("a segment at 0x7fc000e000 lies outside husk's window");
}

static void test_husk_segment_past_the_window_is_refused(void **state)
{
    (void)state;
    image.phdrs[RT_DATA].p_memsz = HUSK_WINDOW_SIZE - 0x11000 + 1;
    assert_refused("a segment at 0x7fc0011000 lies outside husk's window");
}

static void test_husk_segment_that_ends_with_the_window_is_accepted(void **state)
{
    (void)state;
    image.phdrs[RT_DATA].p_memsz = HUSK_WINDOW_SIZE - 0x11000;
    assert_accepted();
    assert_int_equal(parsed.high, 0x405000);
}

static void test_position_independent_husk_image_is_refused(void **state)
{
    (void)state;
    image.header.e_type = ET_DYN;
    assert_refused("a husk image that is position-independent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUSK(test_note_of_another_abi_names_both_versions),
        HUSK(test_note_of_another_abi_may_have_another_size),
        HUSK(test_short_note_is_refused),
        HUSK(test_empty_note_is_refused),
        HUSK(test_note_cut_by_its_segment_is_no_note),
        HUSK(test_note_with_sizes_that_overflow_is_no_note),
        HUSK(test_note_segment_past_end_of_file_is_refused),
        HUSK(test_note_segment_offset_that_wraps_is_refused),
        HUSK(test_note_of_another_owner_is_ignored),
        HUSK(test_note_of_another_type_is_ignored),
        HUSK(test_note_behind_other_notes_is_found),
        HUSK(test_note_with_8_byte_alignment_is_found),
        HUSK(test_note_past_the_first_4_kib_is_found),
        HUSK(test_note_fields_are_checked),
        HUSK(test_note_with_unknown_flags_is_refused),
        HUSK(test_entry_point_other_than_rt_start_is_refused),
        HUSK(test_only_memory_images_may_leave_the_entry_open),
        HUSK(test_runtime_alone_has_no_bounds_below_the_window),
        HUSK(test_husk_segment_between_ram_and_runtime_is_refused),
        HUSK(test_husk_segment_past_the_window_is_refused),
        HUSK(test_husk_segment_that_ends_with_the_window_is_accepted),
        HUSK(test_position_independent_husk_image_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
