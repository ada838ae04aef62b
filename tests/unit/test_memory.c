/* SPDX-License-Identifier: ISC
 *
 * The guest's memory: page tables as the CPU would walk them, and the one address check.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "memory_fixture.h"

static void test_a_new_guest_maps_only_husks_own_pages(void **state)
{
    const struct guest_memory *memory = &((struct fixture *)*state)->memory;

    for (uint64_t address = 0; address < RAM; address += PAGE)
        assert_int_equal(walk(memory, address), 0);
    assert_int_equal(walk(memory, RAM), 0);
    assert_int_equal(walk(memory, HUSK_RT_BASE), 0);
    assert_int_equal(walk(memory, HUSK_WINDOW + HUSK_WINDOW_SIZE), 0);
}

static void test_ring0_pages_are_hidden_from_ring3(void **state)
{
    const struct guest_memory *memory = &((struct fixture *)*state)->memory;
    uint64_t stack = memory_window_gpa(memory, HUSK_RING0_STACK);

    assert_true(
        mapped_as(memory, HUSK_RING0_TEXT, memory_window_gpa(memory, HUSK_RING0_TEXT), PRESENT));
    assert_true(mapped_as(memory, HUSK_RING0_TABLES, memory_window_gpa(memory, HUSK_RING0_TABLES),
                          PRESENT | NX));
    assert_true(mapped_as(memory, HUSK_RING0_STACK, stack, PRESENT | WRITABLE | NX));
    assert_true(mapped_as(memory, HUSK_RING0_VIEW, stack, PRESENT | USER | NX));
}

static void test_boot_page_is_read_only_and_descriptors_are_writable(void **state)
{
    const struct guest_memory *memory = &((struct fixture *)*state)->memory;

    assert_true(mapped_as(memory, HUSK_BOOT_PAGE, memory_window_gpa(memory, HUSK_BOOT_PAGE),
                          PRESENT | USER | NX));
    assert_true(mapped_as(memory, HUSK_DESC_PAGE, memory_window_gpa(memory, HUSK_DESC_PAGE),
                          PRESENT | USER | WRITABLE | NX));
}

static void test_no_mapping_leads_to_the_page_tables(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;

    assert_int_equal(memory_map(memory, HUSK_NULL_GUARD, RAM - HUSK_NULL_GUARD, RW), 0);
    for (uint64_t address = 0; address < RAM; address += PAGE)
        assert_true((walk(memory, address) & ~BITS) < RAM);
    for (uint64_t address = HUSK_WINDOW; address < HUSK_WINDOW + HUSK_WINDOW_SIZE; address += PAGE)
        assert_true((walk(memory, address) & ~BITS) < RAM + HUSK_WINDOW_SIZE);
}

static void test_each_right_becomes_its_entry(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;

    assert_int_equal(memory_map(memory, ADDRESS, PAGE, HUSK_PROT_READ), 0);
    assert_true(mapped_as(memory, ADDRESS, ADDRESS, PRESENT | USER | NX));
    assert_int_equal(memory_map(memory, ADDRESS, PAGE, RW), 0);
    assert_true(mapped_as(memory, ADDRESS, ADDRESS, PRESENT | USER | WRITABLE | NX));
    assert_int_equal(memory_map(memory, ADDRESS, PAGE, RX), 0);
    assert_true(mapped_as(memory, ADDRESS, ADDRESS, PRESENT | USER));
    assert_int_equal(memory_protect(memory, ADDRESS, PAGE, HUSK_PROT_NONE), 0);
    assert_int_equal(walk(memory, ADDRESS), 0);
    assert_int_equal(memory_unmap(memory, ADDRESS, PAGE), 0);
    assert_int_equal(walk(memory, ADDRESS), 0);
}

static void test_write_and_execute_together_are_refused(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;

    assert_int_equal(memory_map(memory, ADDRESS, PAGE, RW | HUSK_PROT_EXEC), -EACCES);
    assert_int_equal(memory_map(memory, ADDRESS, PAGE, HUSK_PROT_WRITE | HUSK_PROT_EXEC), -EACCES);
    assert_int_equal(memory_map(memory, ADDRESS, PAGE, RW), 0);
    assert_int_equal(memory_protect(memory, ADDRESS, PAGE, RW | HUSK_PROT_EXEC), -EACCES);
    assert_true(mapped_as(memory, ADDRESS, ADDRESS, PRESENT | USER | WRITABLE | NX));
}

static void test_ranges_outside_are_refused(void **state)
{
    static const struct {
        uint64_t address, len;
    } bad[] = {
        {0, PAGE},
        {HUSK_NULL_GUARD - PAGE, PAGE},
        {HUSK_NULL_GUARD - PAGE, 2 * PAGE},
        {ADDRESS + 1, PAGE},
        {ADDRESS, PAGE + 1},
        {ADDRESS, 0},
        {RAM, PAGE},
        {RAM - PAGE, 2 * PAGE},
        {ADDRESS, UINT64_MAX & -PAGE},
        {-(uint64_t)PAGE, PAGE},
        {-(uint64_t)PAGE, 2 * PAGE},
        {HUSK_RAM_MAX, PAGE},
        {HUSK_WINDOW, PAGE},
        {HUSK_RING0_TEXT, PAGE},
        {HUSK_BOOT_PAGE, PAGE},
        {HUSK_DESC_PAGE, PAGE},
        {HUSK_RT_BASE - PAGE, 2 * PAGE},
        {HUSK_WINDOW + HUSK_WINDOW_SIZE, PAGE},
        {HUSK_WINDOW + HUSK_WINDOW_SIZE - PAGE, 2 * PAGE},
        {HUSK_RT_BASE, UINT64_MAX & -PAGE},
        {1ULL << 63, PAGE},
    };
    struct guest_memory *memory = &((struct fixture *)*state)->memory;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(memory_map(memory, bad[i].address, bad[i].len, RW), -EINVAL);
        assert_int_equal(memory_protect(memory, bad[i].address, bad[i].len, RW), -EINVAL);
        assert_int_equal(memory_unmap(memory, bad[i].address, bad[i].len), -EINVAL);
        assert_int_equal(memory_discard(memory, bad[i].address, bad[i].len), -EINVAL);
    }
}

static void test_protect_needs_pages_that_were_mapped(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;

    assert_int_equal(memory_map(memory, ADDRESS, PAGE, RW), 0);
    assert_int_equal(memory_protect(memory, ADDRESS, 2 * PAGE, HUSK_PROT_READ), -ENOMEM);
    assert_true(mapped_as(memory, ADDRESS, ADDRESS, PRESENT | USER | WRITABLE | NX));
}

static void test_contents_stay_over_protect_and_go_with_the_rest(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    uint64_t value = 42, seen;

    assert_int_equal(memory_map(memory, ADDRESS, PAGE, RW), 0);
    assert_int_equal(memory_write(memory, ADDRESS, &value, sizeof(value)), 0);
    assert_int_equal(memory_protect(memory, ADDRESS, PAGE, HUSK_PROT_NONE), 0);
    assert_int_equal(memory_read(memory, &seen, ADDRESS, sizeof(seen)), -EFAULT);
    assert_int_equal(memory_protect(memory, ADDRESS, PAGE, RW), 0);
    assert_int_equal(memory_read(memory, &seen, ADDRESS, sizeof(seen)), 0);
    assert_int_equal(seen, 42);
    assert_int_equal(memory_discard(memory, ADDRESS, PAGE), 0);
    assert_int_equal(memory_read(memory, &seen, ADDRESS, sizeof(seen)), 0);
    assert_int_equal(seen, 0);

    assert_int_equal(memory_write(memory, ADDRESS, &value, sizeof(value)), 0);
    assert_int_equal(memory_protect(memory, ADDRESS, PAGE, HUSK_PROT_NONE), 0);
    assert_int_equal(memory_unmap(memory, ADDRESS, PAGE), 0);
    assert_int_equal(memory_map(memory, ADDRESS, PAGE, RW), 0);
    assert_int_equal(memory_read(memory, &seen, ADDRESS, sizeof(seen)), 0);
    assert_int_equal(seen, 0);

    assert_int_equal(memory_write(memory, ADDRESS, &value, sizeof(value)), 0);
    assert_int_equal(memory_map(memory, ADDRESS, PAGE, RW), 0);
    assert_int_equal(memory_read(memory, &seen, ADDRESS, sizeof(seen)), 0);
    assert_int_equal(seen, 0);
}

static void test_unmapped_memory_returns_to_the_host(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    unsigned char resident[16];

    assert_int_equal(memory_map(memory, ADDRESS, 16 * PAGE, RW), 0);
    memset(memory_host(memory, ADDRESS), 1, 16 * PAGE);
    assert_int_equal(memory_unmap(memory, ADDRESS, 16 * PAGE), 0);
    assert_int_equal(mincore(memory_host(memory, ADDRESS), 16 * PAGE, resident), 0);
    for (int i = 0; i < 16; i++)
        assert_int_equal(resident[i] & 1, 0);
}

static void test_pages_of_a_file_read_as_zero_once_unmapped(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    int fd = memfd_create("image", 0);
    char text[8] = "content", seen[8];

    assert_int_equal(ftruncate(fd, 2 * PAGE), 0);
    assert_int_equal(pwrite(fd, text, sizeof(text), PAGE), sizeof(text));
    assert_int_equal(memory_map(memory, ADDRESS, 2 * PAGE, RW), 0);
    assert_int_equal(memory_place_file(memory, ADDRESS, 2 * PAGE, fd, 0), 0);
    assert_int_equal(memory_read(memory, seen, ADDRESS + PAGE, sizeof(seen)), 0);
    assert_string_equal(seen, text);
    assert_int_equal(memory_unmap(memory, ADDRESS, 2 * PAGE), 0);
    assert_int_equal(memory_map(memory, ADDRESS, 2 * PAGE, RW), 0);
    assert_int_equal(memory_read(memory, seen, ADDRESS + PAGE, sizeof(seen)), 0);
    assert_int_equal(seen[0], 0);
    close(fd);
}

/* Memory behind which a file ends. */
#define LOST (ADDRESS + 16 * PAGE)

static void *read_what_is_lost(void *context)
{
    const struct guest_memory *memory = context;
    uintptr_t faults = 0;
    char byte;

    for (int i = 0; i < 20000; i++)
        faults += memory_read(memory, &byte, LOST, 1) == -EFAULT;
    return (void *)faults;
}

/* The server copies while the vCPU's thread does: a fault is its who had it. */
static void test_two_threads_copy(void **state)
{
    const struct sigaction action = {.sa_handler = memory_on_bus_error, .sa_flags = SA_NODEFER};
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    uint8_t page[PAGE];
    int fd = memfd_create("short", MFD_CLOEXEC);
    struct sigaction before;
    pthread_t reader;
    void *faults;

    sigaction(SIGBUS, &action, &before);
    assert_int_equal(memory_map(memory, ADDRESS, PAGE, RW), 0);
    assert_int_equal(memory_map(memory, LOST, PAGE, RW), 0);
    assert_int_equal(memory_place_file(memory, LOST, PAGE, fd, 0), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_what_is_lost, memory), 0);
    while (pthread_tryjoin_np(reader, &faults) != 0)
        assert_int_equal(memory_read(memory, page, ADDRESS, PAGE), 0);
    assert_int_equal((uintptr_t)faults, 20000);
    assert_int_equal(memory_unmap(memory, LOST, PAGE), 0);
    sigaction(SIGBUS, &before, NULL);
    close(fd);
}

static void test_pointer_needs_the_right_on_every_page(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;

    assert_int_equal(memory_map(memory, ADDRESS, PAGE, RW), 0);
    assert_int_equal(memory_map(memory, ADDRESS + PAGE, PAGE, HUSK_PROT_READ), 0);
    assert_ptr_equal(memory_pointer(memory, ADDRESS + 5, 2 * PAGE - 5, HUSK_PROT_READ),
                     memory->host + ADDRESS + 5);
    assert_non_null(memory_pointer(memory, ADDRESS, PAGE, HUSK_PROT_WRITE));
    assert_null(memory_pointer(memory, ADDRESS, PAGE + 1, HUSK_PROT_WRITE));
    assert_null(memory_pointer(memory, ADDRESS, 2 * PAGE + 1, HUSK_PROT_READ));
    assert_null(memory_pointer(memory, ADDRESS - 1, 2, HUSK_PROT_READ));
    assert_non_null(memory_pointer(memory, ADDRESS, 0, HUSK_PROT_READ));
    assert_null(memory_pointer(memory, ADDRESS - 1, 0, HUSK_PROT_READ));
}

static void test_pointer_is_safe_from_overflow(void **state)
{
    static const uint64_t lengths[] = {
        1, PAGE, 1ULL << 31, 1ULL << 63, UINT64_MAX - ADDRESS, UINT64_MAX};
    static const uint64_t addresses[] = {
        0,
        HUSK_NULL_GUARD - 1,
        RAM - 1,
        RAM,
        HUSK_WINDOW,
        HUSK_RAM_MAX,
        1ULL << 47,
        1ULL << 63,
        UINT64_MAX,
        UINT64_MAX - PAGE + 1,
        HUSK_RING0_TEXT,
        HUSK_RING0_VIEW,
        HUSK_BOOT_PAGE,
        HUSK_DESC_PAGE,
        HUSK_WINDOW + HUSK_WINDOW_SIZE,
    };
    struct guest_memory *memory = &((struct fixture *)*state)->memory;

    assert_int_equal(memory_map(memory, ADDRESS, PAGE, RW), 0);
    for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
        if (lengths[l] > PAGE)
            assert_null(memory_pointer(memory, ADDRESS, lengths[l], HUSK_PROT_READ));
        for (size_t a = 0; a < sizeof(addresses) / sizeof(addresses[0]); a++)
            assert_null(memory_pointer(memory, addresses[a], lengths[l], HUSK_PROT_READ));
    }
}

static void test_prefix_ends_where_access_ends(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    uint64_t len = 3 * PAGE;

    assert_int_equal(memory_map(memory, RAM - 2 * PAGE, 2 * PAGE, RW), 0);
    assert_non_null(memory_pointer_prefix(memory, RAM - 2 * PAGE + 7, &len, HUSK_PROT_WRITE));
    assert_int_equal(len, 2 * PAGE - 7);
    len = 10;
    assert_non_null(memory_pointer_prefix(memory, RAM - 20, &len, HUSK_PROT_WRITE));
    assert_int_equal(len, 10);
    len = 10;
    assert_null(memory_pointer_prefix(memory, RAM, &len, HUSK_PROT_READ));
}

static void test_runtime_pages_can_be_pointed_to(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    uint64_t value = 7;

    assert_int_equal(memory_map(memory, HUSK_RT_BASE, PAGE, RW), 0);
    assert_int_equal(memory_write(memory, HUSK_RT_BASE + 8, &value, sizeof(value)), 0);
    assert_int_equal(*(uint64_t *)memory_host(memory, HUSK_RT_BASE + 8), 7);
    assert_null(memory_pointer(memory, HUSK_RT_BASE - 1, 2, HUSK_PROT_READ));
}

static void test_memory_is_registered_once_and_only_where_used(void **state)
{
    struct fixture *fixture = *state;
    struct guest_memory *memory = &fixture->memory;

    assert_true(fixture->seen.bytes < RAM / 2);
    for (uint64_t address = HUSK_NULL_GUARD; address < RAM; address += MIB)
        assert_int_equal(memory_map(memory, address, PAGE, RW), 0);
    for (uint64_t address = RAM - MIB; address > HUSK_NULL_GUARD; address -= MIB)
        assert_int_equal(memory_map(memory, address, PAGE, RW), 0);
    assert_false(fixture->seen.overlap);
    assert_true(fixture->seen.bytes <= memory->size);
    assert_true(fixture->seen.count < 10);
}

static void test_scattered_mappings_cannot_exhaust_the_slots(void **state)
{
    struct registrations seen = {0};
    struct guest_memory memory;
    struct husk_error err;
    const uint64_t ram = 64ULL << 30;

    (void)state;
    assert_int_equal(memory_create(&memory, ram, count_registration, &seen, &err), 0);
    /* The worst order for a table of ranges: always in the middle of the largest gap. */
    for (uint64_t step = ram / 2; step >= 16 * MIB; step /= 2)
        for (uint64_t address = step; address < ram; address += 2 * step)
            assert_int_equal(memory_map(&memory, address, PAGE, RW), 0);
    assert_false(seen.overlap);
    assert_true(memory.registered_count < MEMORY_RANGES_MAX);
    memory_destroy(&memory);
}

static void test_refusal_by_kvm_is_an_error_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->seen.fail = ENOSPC;
    assert_int_equal(memory_map(&fixture->memory, ADDRESS, PAGE, RW), -ENOSPC);
    assert_int_equal(walk(&fixture->memory, ADDRESS), 0);
    fixture->seen.fail = 0;
    assert_int_equal(memory_map(&fixture->memory, ADDRESS, PAGE, RW), 0);
}

static void test_held_memory_is_counted(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;

    assert_int_equal(memory_map(memory, ADDRESS, 8 * PAGE, RW), 0);
    assert_int_equal(memory_map(memory, ADDRESS + 4 * PAGE, 8 * PAGE, RW), 0);
    assert_int_equal(memory->held, 12 * PAGE);
    assert_int_equal(memory_unmap(memory, ADDRESS, 6 * PAGE), 0);
    assert_int_equal(memory->held, 6 * PAGE);
    assert_int_equal(memory->held_peak, 12 * PAGE);
}

static void test_more_ram_than_can_be_reserved_is_an_error(void **state)
{
    struct registrations seen = {.fail = ENOMEM};
    struct guest_memory memory;
    struct husk_error err;

    (void)state;
    assert_int_equal(memory_create(&memory, RAM, count_registration, &seen, &err), -1);
    assert_int_equal(err.status, STATUS_HUSK);
    assert_non_null(strstr(err.text, "memory"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_new_guest_maps_only_husks_own_pages),
        TEST(test_ring0_pages_are_hidden_from_ring3),
        TEST(test_boot_page_is_read_only_and_descriptors_are_writable),
        TEST(test_no_mapping_leads_to_the_page_tables),
        TEST(test_each_right_becomes_its_entry),
        TEST(test_write_and_execute_together_are_refused),
        TEST(test_ranges_outside_are_refused),
        TEST(test_protect_needs_pages_that_were_mapped),
        TEST(test_contents_stay_over_protect_and_go_with_the_rest),
        TEST(test_unmapped_memory_returns_to_the_host),
        TEST(test_pages_of_a_file_read_as_zero_once_unmapped),
        TEST(test_pointer_needs_the_right_on_every_page),
        TEST(test_pointer_is_safe_from_overflow),
        TEST(test_prefix_ends_where_access_ends),
        TEST(test_runtime_pages_can_be_pointed_to),
        TEST(test_memory_is_registered_once_and_only_where_used),
        TEST(test_refusal_by_kvm_is_an_error_and_changes_nothing),
        TEST(test_held_memory_is_counted),
        TEST(test_two_threads_copy),
        cmocka_unit_test(test_scattered_mappings_cannot_exhaust_the_slots),
        cmocka_unit_test(test_more_ram_than_can_be_reserved_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
