/* SPDX-License-Identifier: ISC
 *
 * Reading images: files, the ELF header and the program header table.
 */
#include "elf_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
