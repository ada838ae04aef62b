/* SPDX-License-Identifier: ISC
 *
 * Images that are damaged or hostile: husk refuses them with a reason or lets the guest fail, and
 * neither crashes nor hangs. They are made here from good ones.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"
#include "harness.h"
#include "husk/abi.h"

enum { CANNOT_RUN = 126 };

/* The good images: an unmodified program and a husk image. */
static struct bytes plain, husk_image;
static const char *path(void)
{
    return text("%s/image", directory);
}

static struct bytes copy(const struct bytes *bytes)
{
    struct bytes made = {malloc(bytes->size), bytes->size};

    assert_non_null(made.data);
    memcpy(made.data, bytes->data, bytes->size);
    return made;
}

static void save(struct bytes *image)
{
    file_write(path(), image->data, image->size);
    free(image->data);
}

static Elf64_Ehdr *header(const struct bytes *image)
{
    return (Elf64_Ehdr *)image->data;
}

static Elf64_Phdr *phdr(const struct bytes *image, size_t index)
{
    return (Elf64_Phdr *)(image->data + header(image)->e_phoff) + index;
}

static Elf64_Phdr *find_phdr(const struct bytes *image, uint32_t type, uint32_t flags)
{
    for (size_t i = 0; i < header(image)->e_phnum; i++)
        if (phdr(image, i)->p_type == type && (phdr(image, i)->p_flags & flags) == flags)
            return phdr(image, i);
    fail_msg("the good image lacks a program header of type %u", type);
    return NULL;
}

static struct husk_note *find_note(const struct bytes *image)
{
    static const char owner[] = {'h', 'u', 's', 'k', 0, 0, 0, 0};
    char *found = memmem(image->data, image->size, owner, sizeof(owner));

    assert_non_null(found);
    return (struct husk_note *)(found + sizeof(owner));
}

static struct bytes refused;

static void assert_refused(const char *fault, const char *cure)
{
    const struct result *result[2];

    save(&refused);
    need_kvm();
    result[0] = HUSK("run", path());
    result[1] = HUSK("inspect", path());
    assert_status(result[0], CANNOT_RUN);
    assert_prints(result[0], "");
    assert_complains(result[0], text("husk: %s: ", path()));
    assert_complains(result[0], fault);
    assert_complains(result[0], cure);
    assert_status(result[1], CANNOT_RUN);
    assert_string_equal(result[1]->err.data, result[0]->err.data);
}

static void test_segment_that_is_writable_and_executable_is_refused(void **state)
{
    (void)state;
    refused = copy(&plain);
    find_phdr(&refused, PT_LOAD, PF_X)->p_flags |= PF_W;
    assert_refused("writable and executable", "relink");
    refused = copy(&plain);
    find_phdr(&refused, PT_LOAD, PF_W)->p_flags |= PF_X;
    assert_refused("writable and executable", "relink");
    refused = copy(&plain);
    find_phdr(&refused, PT_LOAD, PF_X)->p_flags = PF_W | PF_X;
    assert_refused("writable and executable", "relink");
}

static void test_segments_that_overlap_are_refused(void **state)
{
    (void)state;
    refused = copy(&plain);
    find_phdr(&refused, PT_LOAD, PF_X)->p_memsz += 0x100000;
    assert_refused("overlaps", "relink");
    refused = copy(&plain);
    find_phdr(&refused, PT_LOAD, PF_W)->p_vaddr = find_phdr(&refused, PT_LOAD, PF_X)->p_vaddr;
    find_phdr(&refused, PT_LOAD, PF_W)->p_offset = find_phdr(&refused, PT_LOAD, PF_X)->p_offset;
    assert_refused("overlaps", "relink");
}

static void move_data(uint64_t address)
{
    Elf64_Phdr *data;

    refused = copy(&plain);
    data = find_phdr(&refused, PT_LOAD, PF_W);
    data->p_vaddr = address + data->p_offset % HUSK_PAGE_SIZE;
}

static void test_segment_in_husks_window_is_refused(void **state)
{
    static const uint64_t addresses[] = {
        HUSK_WINDOW,  HUSK_RING0_TABLES,  HUSK_BOOT_PAGE, HUSK_DESC_PAGE,
        HUSK_RT_BASE, HUSK_WINDOW - 4096, HUSK_RAM_MAX,   HUSK_WINDOW + HUSK_WINDOW_SIZE};

    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        move_data(addresses[i]);
        assert_refused("where programs cannot be", "relink");
    }
}

static void test_husk_image_with_a_segment_over_ring_0_is_refused(void **state)
{
    static const uint64_t addresses[] = {HUSK_WINDOW,
                                         HUSK_RING0_STACK,
                                         HUSK_DESC_PAGE,
                                         HUSK_WINDOW + HUSK_WINDOW_SIZE - 4096,
                                         HUSK_WINDOW + HUSK_WINDOW_SIZE,
                                         HUSK_RAM_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        Elf64_Phdr *last;

        refused = copy(&husk_image);
        last = find_phdr(&refused, PT_LOAD, PF_W);
        last->p_vaddr = addresses[i] + last->p_offset % HUSK_PAGE_SIZE;
        last->p_memsz = 0x10000;
        assert_refused("window", "husk-cc");
    }
}

static void test_segment_in_the_null_guard_is_refused(void **state)
{
    (void)state;
    move_data(0);
    assert_refused("which stays unmapped", "relink");
    move_data(HUSK_NULL_GUARD - 4096);
    assert_refused("which stays unmapped", "relink");
}

static void test_segment_beyond_the_memory_is_refused(void **state)
{
    (void)state;
    move_data((uint64_t)1 << 32);
    save(&refused);
    assert_status(HUSK_RUN(path()), CANNOT_RUN);
    assert_complains(HUSK_RUN(path()), "--memory");
}

static void test_segment_that_wraps_around_is_refused(void **state)
{
    (void)state;
    move_data((uint64_t)0 - 4096);
    assert_refused("malformed", "");
    refused = copy(&plain);
    find_phdr(&refused, PT_LOAD, PF_W)->p_memsz = (uint64_t)0 - 4096;
    assert_refused("malformed", "");
    refused = copy(&plain);
    find_phdr(&refused, PT_LOAD, PF_W)->p_offset &= 4095;
    find_phdr(&refused, PT_LOAD, PF_W)->p_offset -= 4096;
    assert_refused("segment", "copy or build it again");
}

static void test_entry_outside_of_code_is_refused(void **state)
{
    const uint64_t entries[] = {0,
                                1,
                                find_phdr(&plain, PT_LOAD, PF_W)->p_vaddr,
                                find_phdr(&plain, PT_LOAD, PF_R)->p_vaddr,
                                HUSK_WINDOW,
                                HUSK_RT_BASE + 0x1000,
                                UINT64_MAX,
                                0x8000000000000000};

    (void)state;
    for (size_t i = 0; i < COUNT(entries); i++) {
        refused = copy(&plain);
        header(&refused)->e_entry = entries[i];
        assert_refused("entry point", "relink");
    }
}

static void test_interpreter_is_refused(void **state)
{
    (void)state;
    refused = copy(&plain);
    find_phdr(&refused, PT_GNU_STACK, 0)->p_type = PT_INTERP;
    assert_refused("dynamically linked", "-static");
}

static void test_shared_library_is_refused(void **state)
{
    (void)state;
    refused = copy(&plain);
    header(&refused)->e_type = ET_DYN;
    assert_refused("shared library", "-static-pie");
}

static void test_husk_image_of_another_abi_is_refused(void **state)
{
    static const uint32_t versions[] = {HUSK_ABI_VERSION - 1, HUSK_ABI_VERSION + 1, 999,
                                        UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        refused = copy(&husk_image);
        find_note(&refused)->abi = versions[i];
        assert_refused(text("husk ABI %u", versions[i]), "husk-cc");
    }
}

static void test_husk_image_with_a_wrong_note_is_refused(void **state)
{
    static const size_t fields[] = {
        offsetof(struct husk_note, entry),          offsetof(struct husk_note, rt_start),
        offsetof(struct husk_note, syscall_direct), offsetof(struct husk_note, syscall_stubbed),
        offsetof(struct husk_note, exception),      offsetof(struct husk_note, exception_stack),
        offsetof(struct husk_note, interrupt),
    };
    const uint64_t values[] = {0,
                               1,
                               0x400000,
                               HUSK_RING0_TEXT,
                               HUSK_RING0_STACK + 0x1000,
                               HUSK_BOOT_PAGE,
                               HUSK_WINDOW + HUSK_WINDOW_SIZE,
                               UINT64_MAX,
                               find_phdr(&husk_image, PT_LOAD, PF_W)->p_vaddr};

    (void)state;
    for (size_t i = 0; i < COUNT(fields) * COUNT(values); i++) {
        refused = copy(&husk_image);
        memcpy((char *)find_note(&refused) + fields[i / COUNT(values)], &values[i % COUNT(values)],
               8);
        assert_refused("husk note", "husk-cc");
    }
    refused = copy(&husk_image);
    find_note(&refused)->flags = 1;
    assert_refused("husk note", "husk-cc");
}

/* The guest may do anything that its damaged code says, and loop for ever; husk may not. */
static void assert_harmless(struct bytes image, const char *change)
{
    const struct result *result;

    save(&image);
    result = HUSK_RUN("--timeout", is_slow_machine() ? "5s" : "500ms", path());
    if (result->status == 125 || result->status == 127)
        FAIL(result, "%s: not a status of the guest", change);
    if (result->status == CANNOT_RUN && strncmp(result->err.data, "husk: ", 6) != 0)
        FAIL(result, "%s: refused without a reason", change);
    result = HUSK("inspect", path());
    if (result->status != 0 && result->status != CANNOT_RUN)
        FAIL(result, "%s: inspected", change);
}

static const struct field {
    const char *name;
    size_t offset, size;
} header_fields[] =
    {
#define FIELD(name)                                                                                \
    {                                                                                              \
#name, offsetof(Elf64_Ehdr, name), sizeof(((Elf64_Ehdr *)0)->name)                         \
    }
        {"e_ident class", EI_CLASS, 4},
        {"e_ident padding", EI_PAD, 4},
        FIELD(e_type),
        FIELD(e_machine),
        FIELD(e_version),
        FIELD(e_entry),
        FIELD(e_phoff),
        FIELD(e_shoff),
        FIELD(e_flags),
        FIELD(e_ehsize),
        FIELD(e_phentsize),
        FIELD(e_phnum),
        FIELD(e_shentsize),
        FIELD(e_shnum),
        FIELD(e_shstrndx),
#undef FIELD
},
  phdr_fields[] = {
#define FIELD(name)                                                                                \
    {                                                                                              \
#name, offsetof(Elf64_Phdr, name), sizeof(((Elf64_Phdr *)0)->name)                         \
    }
      FIELD(p_type),   FIELD(p_flags), FIELD(p_offset), FIELD(p_vaddr),
      FIELD(p_filesz), FIELD(p_memsz), FIELD(p_align),
#undef FIELD
};

/* The first four are also added to what the field has. */
static const uint64_t values[] = {
    1,           0x1000,       UINT64_MAX, (uint64_t)0 - 0x1000, 0,
    7,           0x400000,     0x7fffffff, 0xffffffff,           HUSK_RAM_MAX,
    HUSK_WINDOW, HUSK_RT_BASE, INT64_MAX,  0x8000000000000000,
};

/* Every STEPth of the changes. */
static void change_field(const struct bytes *good, size_t base, const struct field *field,
                         size_t step)
{
    for (size_t i = 0; i < COUNT(values) + 4; i += step) {
        struct bytes image = copy(good);
        uint64_t value = 0;

        if (i >= COUNT(values))
            memcpy(&value, image.data + base + field->offset, field->size);
        value += values[i % COUNT(values)];
        memcpy(image.data + base + field->offset, &value, field->size);
        assert_harmless(image, text("%s at 0x%zx = 0x%lx", field->name, base + field->offset,
                                    (unsigned long)value));
    }
}

static void test_changed_field_of_the_elf_header_does_no_harm(void **state)
{
    change_field(&plain, 0, *state, is_slow_machine() ? 5 : 1);
}

static void test_changed_field_of_a_program_header_does_no_harm(void **state)
{
    const struct bytes *images[] = {&plain, &husk_image};

    for (size_t i = 0; i < COUNT(images); i++)
        for (size_t j = 0; j < header(images[i])->e_phnum; j++)
            change_field(images[i], header(images[i])->e_phoff + j * sizeof(Elf64_Phdr), *state,
                         is_slow_machine() ? 17 : 2);
}

static uint32_t random_state;

static uint32_t draw(uint32_t limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)random_state * limit >> 32);
}

/* Variants of GOOD with one to four bytes between START and END changed. */
static void flip_bytes(const struct bytes *good, size_t start, size_t end)
{
    unsigned count = is_slow_machine() ? 10 : 100;

    random_state = 1;
    for (unsigned i = 0; i < count; i++) {
        struct bytes image = copy(good);
        const char *change = text("variant %u:", i);

        for (uint32_t j = 0; j <= draw(4); j++) {
            size_t at = start + draw((uint32_t)(end - start));

            image.data[at] = (char)draw(256);
            change = text("%s 0x%zx = 0x%x", change, at, image.data[at] & 0xff);
        }
        assert_harmless(image, change);
    }
}

static void test_random_bytes_in_the_headers_do_no_harm(void **state)
{
    (void)state;
    flip_bytes(&plain, 0, sizeof(Elf64_Ehdr) + header(&plain)->e_phnum * sizeof(Elf64_Phdr));
}

static void test_random_bytes_in_a_husk_images_headers_do_no_harm(void **state)
{
    (void)state;
    flip_bytes(&husk_image, 0,
               sizeof(Elf64_Ehdr) + header(&husk_image)->e_phnum * sizeof(Elf64_Phdr));
}

static void test_random_bytes_in_a_husk_images_note_do_no_harm(void **state)
{
    size_t note = (size_t)((char *)find_note(&husk_image) - husk_image.data);

    (void)state;
    flip_bytes(&husk_image, note - 20, note + sizeof(struct husk_note));
}

static void test_random_bytes_in_guest_rt_do_no_harm(void **state)
{
    const Elf64_Phdr *code = find_phdr(&husk_image, PT_LOAD, PF_X);

    (void)state;
    for (size_t i = 0; i < header(&husk_image)->e_phnum; i++)
        if (phdr(&husk_image, i)->p_vaddr >= HUSK_RT_BASE && phdr(&husk_image, i)->p_flags & PF_X)
            code = phdr(&husk_image, i);
    flip_bytes(&husk_image, code->p_offset, code->p_offset + code->p_filesz);
}

static void test_random_bytes_anywhere_do_no_harm(void **state)
{
    (void)state;
    flip_bytes(&plain, 0, plain.size);
}

/* A fault makes husk read the symbols and the unwinding tables, which are the image's as well. */
static void test_random_bytes_in_what_reports_are_made_of_do_no_harm(void **state)
{
    struct bytes crash = file_read(built("guest/musl/crash"));
    unsigned count = is_slow_machine() ? 10 : 100;
    size_t sections = header(&crash)->e_shoff;

    (void)state;
    random_state = 2;
    for (unsigned i = 0; i < count; i++) {
        struct bytes image = copy(&crash);
        const struct result *result;

        for (int j = 0; j < 3; j++) {
            image.data[sections + draw((uint32_t)(image.size - sections))] = (char)draw(256);
            image.data[image.size / 2 + draw((uint32_t)image.size / 2)] = (char)draw(256);
        }
        save(&image);
        result = HUSK_RUN("--timeout", "1m", path(), "null-read");
        if (result->status == 125 || result->status == 127 || result->status == 124)
            FAIL(result, "variant %u: not a status of the guest", i);
    }
    free(crash.data);
}

static int load_images(void **state)
{
    make_directory(state);
    plain = file_read(built("guest/musl/args"));
    husk_image = file_read(built("guest/husk/args"));
    return 0;
}

static int free_images(void **state)
{
    free(plain.data);
    free(husk_image.data);
    return remove_directory(state);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segment_that_is_writable_and_executable_is_refused),
        cmocka_unit_test(test_segments_that_overlap_are_refused),
        cmocka_unit_test(test_segment_in_husks_window_is_refused),
        cmocka_unit_test(test_husk_image_with_a_segment_over_ring_0_is_refused),
        cmocka_unit_test(test_segment_in_the_null_guard_is_refused),
        cmocka_unit_test(test_segment_beyond_the_memory_is_refused),
        cmocka_unit_test(test_segment_that_wraps_around_is_refused),
        cmocka_unit_test(test_entry_outside_of_code_is_refused),
        cmocka_unit_test(test_interpreter_is_refused),
        cmocka_unit_test(test_shared_library_is_refused),
        cmocka_unit_test(test_husk_image_of_another_abi_is_refused),
        cmocka_unit_test(test_husk_image_with_a_wrong_note_is_refused),
        cmocka_unit_test(test_random_bytes_in_the_headers_do_no_harm),
        cmocka_unit_test(test_random_bytes_in_a_husk_images_headers_do_no_harm),
        cmocka_unit_test(test_random_bytes_in_a_husk_images_note_do_no_harm),
        cmocka_unit_test(test_random_bytes_in_guest_rt_do_no_harm),
        cmocka_unit_test(test_random_bytes_anywhere_do_no_harm),
        cmocka_unit_test(test_random_bytes_in_what_reports_are_made_of_do_no_harm),
    };
    struct test_list list = {0};

    for (size_t i = 0; i < COUNT(tests); i++)
        test_list_add(&list, tests[i].name, tests[i].test_func, NULL);
    for (size_t i = 0; i < COUNT(header_fields); i++)
        test_list_add(&list, text("changed %s does no harm", header_fields[i].name),
                      test_changed_field_of_the_elf_header_does_no_harm, &header_fields[i]);
    for (size_t i = 0; i < COUNT(phdr_fields); i++)
        test_list_add(&list, text("changed %s does no harm", phdr_fields[i].name),
                      test_changed_field_of_a_program_header_does_no_harm, &phdr_fields[i]);
    return test_list_run(&list, "loader", load_images, free_images);
}
