/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cleanup.h"
#include "elf_builder.h"

static struct program_image image;
static struct elf_image parsed;

static int program(void **state)
{
    (void)state;
    image_program(&image);
    return 0;
}

static int husk(void **state)
{
    (void)state;
    image_husk(&image);
    return 0;
}

static int pie(void **state)
{
    (void)state;
    image_pie(&image);
    return 0;
}

static int parse_as_file(struct husk_error *err)
{
    cleanup_fd int fd = memfd_create("image", 0);
    struct elf_file file = {image.file.name, fd, NULL, image.file.size};

    assert_int_equal(write(fd, image.file.data, image.file.size), image.file.size);
    return elf_parse(&file, &parsed, err);
}

/* From a file and from memory alike, in one line that begins with the name and says what to do. */
static void assert_refused(const char *fault)
{
    struct husk_error err = {0}, file_err = {0};

    assert_int_equal(elf_parse(&image.file, &parsed, &err), -1);
    assert_int_equal(err.status, STATUS_IMAGE);
    assert_memory_equal(err.text, "./prog: ", 8);
    if (!strstr(err.text, fault))
        fail_msg("\"%s\" does not say \"%s\"", err.text, fault);
    assert_non_null(strstr(err.text, "; "));
    assert_null(strchr(err.text, '\n'));
    assert_int_equal(parse_as_file(&file_err), -1);
    assert_string_equal(file_err.text, err.text);
}

static void assert_accepted(void)
{
    struct husk_error err = {0};

    if (parse_as_file(&err) < 0 || elf_parse(&image.file, &parsed, &err) < 0)
        fail_msg("%s", err.text);
}

static void test_program_is_described(void **state)
{
    (void)state;
    assert_accepted();
    assert_false(parsed.pie);
    assert_false(parsed.husk);
    assert_int_equal(parsed.entry, 0x402010);
    assert_int_equal(parsed.phdr_vaddr, 0x400040);
    assert_int_equal(parsed.phdr_count, 3);
    assert_int_equal(parsed.segment_count, 3);
    assert_int_equal(parsed.low, 0x400000);
    assert_int_equal(parsed.high, 0x405000);
    assert_int_equal(parsed.eh_frame_hdr, 0);
    assert_int_equal(parsed.segments[1].prot, HUSK_PROT_READ | HUSK_PROT_EXEC);
    assert_int_equal(parsed.segments[2].vaddr, 0x403000);
    assert_int_equal(parsed.segments[2].mem_size, 0x1800);
    assert_int_equal(parsed.segments[2].file_offset, 0x3000);
    assert_int_equal(parsed.segments[2].file_size, 0x800);
    assert_int_equal(parsed.segments[2].prot, HUSK_PROT_READ | HUSK_PROT_WRITE);
}

static void test_static_pie_is_described(void **state)
{
    (void)state;
    assert_accepted();
    assert_true(parsed.pie);
    assert_int_equal(parsed.low, 0);
    assert_int_equal(parsed.high, 0x5000);
    assert_int_equal(parsed.phdr_vaddr, 0x40);
}

static void test_husk_image_is_described(void **state)
{
    (void)state;
    assert_accepted();
    assert_true(parsed.husk);
    assert_int_equal(parsed.note.entry, 0x402010);
    assert_int_equal(parsed.segment_count, 5);
    assert_int_equal(parsed.high, 0x405000);
}

static void test_busybox_is_accepted(void **state)
{
    cleanup_fd int fd = open("/bin/busybox", O_RDONLY | O_CLOEXEC);
    struct husk_error err = {0};
    struct stat st;

    (void)state;
    if (fd < 0 || fstat(fd, &st) < 0)
        skip();
    struct elf_file file = {"/bin/busybox", fd, NULL, (uint64_t)st.st_size};
    if (elf_parse(&file, &parsed, &err) < 0)
        fail_msg("%s", err.text);
    assert_false(parsed.husk);
    assert_int_equal(parsed.segment_count, 4);
}

static void test_this_test_is_refused_as_dynamically_linked(void **state)
{
    cleanup_fd int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct husk_error err = {0};
    struct stat st;

    (void)state;
    assert_int_equal(fstat(fd, &st), 0);
    struct elf_file file = {"./a.out", fd, NULL, (uint64_t)st.st_size};
    assert_int_equal(elf_parse(&file, &parsed, &err), -1);
    assert_string_equal(err.text,
                        "./a.out: dynamically linked; relink with -static, or use husk-cc");
}

static void test_directory_cannot_be_read(void **state)
{
    cleanup_fd int fd = open("/", O_RDONLY | O_CLOEXEC);
    struct elf_file file = {"/", fd, NULL, 4096};
    struct husk_error err = {0};

    (void)state;
    assert_int_equal(elf_parse(&file, &parsed, &err), -1);
    assert_non_null(strstr(err.text, "cannot be read: Is a directory"));
}

static void test_file_that_shrank_cannot_be_read(void **state)
{
    cleanup_fd int fd = memfd_create("image", 0);
    struct elf_file file = {"./prog", fd, NULL, PROGRAM_SIZE};
    struct husk_error err = {0};

    (void)state;
    assert_int_equal(write(fd, image.file.data, 100), 100);
    assert_int_equal(elf_parse(&file, &parsed, &err), -1);
    assert_non_null(strstr(err.text, "cannot be read"));
}

static void test_long_name_leaves_the_fault_in_the_message(void **state)
{
    char name[5000];
    struct husk_error err = {0};

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    image.file.name = name;
    image.header.e_type = ET_REL;
    assert_int_equal(elf_parse(&image.file, &parsed, &err), -1);
    assert_non_null(strstr(err.text, "an object file; link it with husk-cc"));
}

static void test_reads_outside_the_file_fail(void **state)
{
    static const struct {
        uint64_t offset;
        size_t len;
        int expected;
    } reads[] = {
        {0, 0, 0},
        {0, PROGRAM_SIZE, 0},
        {PROGRAM_SIZE, 0, 0},
        {PROGRAM_SIZE - 1, 1, 0},
        {PROGRAM_SIZE, 1, -1},
        {PROGRAM_SIZE + 1, 0, -1},
        {1, PROGRAM_SIZE, -1},
        {UINT64_MAX, 1, -1},
        {UINT64_MAX, SIZE_MAX, -1},
        {1, SIZE_MAX, -1},
    };
    static uint8_t buffer[PROGRAM_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(reads) / sizeof(*reads); i++)
        assert_int_equal(elf_read(&image.file, reads[i].offset, buffer, reads[i].len),
                         reads[i].expected);
}

/* The ELF header. */

static void test_empty_file_is_refused(void **state)
{
    (void)state;
    image.file.size = 0;
    assert_refused("an empty file");
}

static void test_script_is_refused_as_a_script(void **state)
{
    (void)state;
    memcpy(&image, "#!/bin/sh\n", 10);
    assert_refused("a script, not a program");
}

static void test_text_is_not_elf(void **state)
{
    (void)state;
    memcpy(&image, "hello\n", 6);
    assert_refused("not an ELF file");
}

static void test_three_bytes_are_not_elf(void **state)
{
    (void)state;
    image.file.size = 3;
    assert_refused("not an ELF file");
}

static void test_half_a_header_is_truncated(void **state)
{
    (void)state;
    image.file.size = 0x3f;
    assert_refused("truncated: the ELF header needs 0x40 bytes, the file has 0x3f; copy");
}

static void test_32_bit_program_is_refused(void **state)
{
    (void)state;
    image.header.e_ident[EI_CLASS] = ELFCLASS32;
    assert_refused("a 32-bit program");
}

static void test_big_endian_program_is_refused(void **state)
{
    (void)state;
    image.header.e_ident[EI_DATA] = ELFDATA2MSB;
    assert_refused("a big-endian program");
}

static void test_unknown_elf_version_is_refused(void **state)
{
    (void)state;
    image.header.e_ident[EI_VERSION] = 2;
    assert_refused("unknown ELF version");
}

static void test_other_machine_is_refused(void **state)
{
    (void)state;
    image.header.e_machine = EM_AARCH64;
    assert_refused("for another processor (ELF machine 183); rebuild it for x86-64");
}

static void test_other_system_is_refused(void **state)
{
    (void)state;
    image.header.e_ident[EI_OSABI] = 9;
    assert_refused("for another system (ELF OS ABI 9)");
}

static void test_gnu_extensions_are_accepted(void **state)
{
    (void)state;
    image.header.e_ident[EI_OSABI] = ELFOSABI_LINUX;
    assert_accepted();
}

static void test_object_file_is_refused(void **state)
{
    (void)state;
    image.header.e_type = ET_REL;
    assert_refused("an object file; link it");
}

static void test_core_dump_is_refused(void **state)
{
    (void)state;
    image.header.e_type = ET_CORE;
    assert_refused("a core dump");
}

static void test_file_of_no_type_is_refused(void **state)
{
    (void)state;
    image.header.e_type = ET_NONE;
    assert_refused("of no type");
}

static void test_unknown_type_is_refused(void **state)
{
    (void)state;
    image.header.e_type = 0xfe00;
    assert_refused("unknown ELF type (65024)");
}

/* The program header table. */

static void test_no_program_headers_are_refused(void **state)
{
    (void)state;
    image.header.e_phnum = 0;
    assert_refused("has no program headers");
}

static void test_65535_program_headers_are_refused(void **state)
{
    (void)state;
    image.header.e_phnum = PN_XNUM;
    assert_refused("has 65535 program headers");
}

static void test_65_program_headers_are_refused(void **state)
{
    (void)state;
    image.header.e_phnum = 65;
    assert_refused("has 65 program headers, husk reads at most 64");
}

static void test_64_program_headers_are_accepted(void **state)
{
    (void)state;
    image.header.e_phnum = 64;
    assert_accepted();
}

static void test_wrong_program_header_size_is_refused(void **state)
{
    (void)state;
    image.header.e_phentsize = 32;
    assert_refused("program headers of 32 bytes, not 56");
}

static void test_program_headers_past_end_of_file_are_refused(void **state)
{
    (void)state;
    image.header.e_phoff = PROGRAM_SIZE - 3 * sizeof(Elf64_Phdr) + 1;
    assert_refused("truncated: the program header table needs 0x6001 bytes, the file has 0x6000");
}

static void test_program_header_offset_that_wraps_is_refused(void **state)
{
    (void)state;
    image.header.e_phoff = UINT64_MAX - 8;
    assert_refused("malformed: the program header table has 0xa8 bytes at offset 0xf");
}

static void test_program_headers_at_the_end_of_file_are_read(void **state)
{
    (void)state;
    image.header.e_phoff = PROGRAM_SIZE - 3 * sizeof(Elf64_Phdr);
    memcpy(image_at(&image, image.header.e_phoff), image.phdrs, 3 * sizeof(Elf64_Phdr));
    assert_accepted();
    assert_int_equal(parsed.phdr_vaddr, 0);
}

static void test_interpreter_is_refused(void **state)
{
    (void)state;
    image_add(&image, PT_INTERP, PF_R, PROGRAM_BASE + 0x1000, 0x1000, 28);
    assert_refused("dynamically linked; relink with -static, or use husk-cc");
}

static void test_executable_stack_request_is_ignored(void **state)
{
    (void)state;
    image_add(&image, PT_GNU_STACK, PF_R | PF_W | PF_X, 0, 0, 0);
    assert_accepted();
}

static void test_unwind_table_header_is_found(void **state)
{
    (void)state;
    image_add(&image, PT_GNU_EH_FRAME, PF_R, PROGRAM_BASE + 0x1000, 0x1000, 0x10);
    assert_accepted();
    assert_int_equal(parsed.eh_frame_hdr, 0x401000);
}

/* Segments. */

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

/* The husk note. */

static void test_note_of_another_abi_names_both_versions(void **state)
{
    (void)state;
    image_note(&image)->abi = HUSK_ABI_VERSION + 1;
    assert_refused("built for husk ABI 2, and this husk has ABI 1; rebuild it");
}

static void test_note_of_another_abi_may_have_another_size(void **state)
{
    (void)state;
    image_note(&image)->abi = HUSK_ABI_VERSION + 1;
    image_note_header(&image)->n_descsz = 8;
    assert_refused("built for husk ABI 2, and this husk has ABI 1; rebuild it");
}

static void test_short_note_is_refused(void **state)
{
    (void)state;
    image_note_header(&image)->n_descsz = 52;
    assert_refused("malformed: its husk note has 52 bytes, not 56");
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
    assert_refused("malformed: note segment 5 has 0x4c bytes at offset 0xffffffffffffffff");
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

#define PROGRAM(test) cmocka_unit_test_setup(test, program)
#define PIE(test)     cmocka_unit_test_setup(test, pie)
#define HUSK(test)    cmocka_unit_test_setup(test, husk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM(test_program_is_described),
        PIE(test_static_pie_is_described),
        HUSK(test_husk_image_is_described),
        PROGRAM(test_busybox_is_accepted),
        PROGRAM(test_this_test_is_refused_as_dynamically_linked),
        PROGRAM(test_directory_cannot_be_read),
        PROGRAM(test_file_that_shrank_cannot_be_read),
        PROGRAM(test_long_name_leaves_the_fault_in_the_message),
        PROGRAM(test_reads_outside_the_file_fail),
        PROGRAM(test_empty_file_is_refused),
        PROGRAM(test_script_is_refused_as_a_script),
        PROGRAM(test_text_is_not_elf),
        PROGRAM(test_three_bytes_are_not_elf),
        PROGRAM(test_half_a_header_is_truncated),
        PROGRAM(test_32_bit_program_is_refused),
        PROGRAM(test_big_endian_program_is_refused),
        PROGRAM(test_unknown_elf_version_is_refused),
        PROGRAM(test_other_machine_is_refused),
        PROGRAM(test_other_system_is_refused),
        PROGRAM(test_gnu_extensions_are_accepted),
        PROGRAM(test_object_file_is_refused),
        PROGRAM(test_core_dump_is_refused),
        PROGRAM(test_file_of_no_type_is_refused),
        PROGRAM(test_unknown_type_is_refused),
        PROGRAM(test_no_program_headers_are_refused),
        PROGRAM(test_65535_program_headers_are_refused),
        PROGRAM(test_65_program_headers_are_refused),
        PROGRAM(test_64_program_headers_are_accepted),
        PROGRAM(test_wrong_program_header_size_is_refused),
        PROGRAM(test_program_headers_past_end_of_file_are_refused),
        PROGRAM(test_program_header_offset_that_wraps_is_refused),
        PROGRAM(test_program_headers_at_the_end_of_file_are_read),
        PROGRAM(test_interpreter_is_refused),
        PROGRAM(test_executable_stack_request_is_ignored),
        PROGRAM(test_unwind_table_header_is_found),
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
