/* SPDX-License-Identifier: ISC
 *
 * Far RAM, and the limit of what the guest holds in both parts of its memory.
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

#include "cleanup.h"
#include "memory_fixture.h"

/* Guest-physical addresses that the application may reach: near and far RAM. */
static bool is_ram(const struct guest_memory *memory, uint64_t gpa)
{
    return gpa < memory->ram_size || (gpa >= memory->far_start && gpa < memory->far_end);
}

static void test_far_ram_leads_nowhere_until_it_is_used(void **state)
{
    struct fixture *fixture = *state;
    struct guest_memory *memory = &fixture->memory;
    uint64_t first = fixture->seen.bytes;

    assert_true(memory->far_end - memory->far_start > 3ULL << 30);
    assert_int_equal(memory->far_end, 0xfee00000);
    assert_true(first <= 8 * MIB + HUSK_WINDOW_SIZE + (RAM / 512 + 6 * PAGE));
    assert_int_equal(walk(memory, memory->far_start), 0);
    assert_int_equal(walk(memory, memory->far_end - PAGE), 0);
    assert_int_equal(memory_unmap(memory, memory->far_start, 2 * MIB), 0);
    assert_int_equal(memory_discard(memory, memory->far_start, 2 * MIB), 0);
    assert_int_equal(memory_protect(memory, memory->far_start, PAGE, RW), -ENOMEM);
    assert_int_equal(fixture->seen.bytes, first);
    assert_false(memory->far_open);
}

/* Huge pages of near RAM count in full, but not where everything was given back. */
static void test_memory_given_back_leaves_room_in_far_ram(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;

    assert_int_equal(memory_map(memory, 8 * MIB, 48 * MIB, RW), 0);
    assert_int_equal(memory_unmap(memory, 8 * MIB + PAGE, 48 * MIB - PAGE), 0);
    assert_int_equal(memory_map(memory, memory->far_start, RAM - 2 * MIB + PAGE, RW), -ENOMEM);
    assert_int_equal(memory->slack, 2 * MIB - PAGE);
    assert_int_equal(memory_map(memory, memory->far_start, RAM - 2 * MIB, RW), 0);
    assert_int_equal(memory->held, RAM - 2 * MIB + PAGE);
}

static void test_far_ram_is_memory_as_near_ram_is(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    const uint64_t places[] = {memory->far_start, memory->far_start + 700 * MIB, 1ULL << 30,
                               (1ULL << 30) - PAGE, memory->far_end - 2 * PAGE};
    uint64_t value = 42, seen, len = 3 * PAGE;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        assert_int_equal(memory_map(memory, places[i], 2 * PAGE, RW), 0);
        for (uint64_t at = places[i]; at < places[i] + 2 * PAGE; at += PAGE)
            assert_true(mapped_as(memory, at, at, PRESENT | USER | WRITABLE | NX));
        assert_int_equal(memory_write(memory, places[i] + PAGE - 4, &value, sizeof(value)), 0);
        assert_int_equal(memory_read(memory, &seen, places[i] + PAGE - 4, sizeof(seen)), 0);
        assert_int_equal(seen, 42);
        assert_int_equal(memory_protect(memory, places[i], PAGE, RX), 0);
        assert_true(mapped_as(memory, places[i], places[i], PRESENT | USER));
        assert_int_equal(memory_unmap(memory, places[i], PAGE), 0);
        assert_int_equal(walk(memory, places[i]), 0);
    }
    assert_non_null(memory_pointer_prefix(memory, memory->far_end - PAGE, &len, HUSK_PROT_WRITE));
    assert_int_equal(len, PAGE);
    assert_null(memory_pointer(memory, memory->far_end - PAGE, PAGE + 1, HUSK_PROT_READ));
    assert_true(memory->registered_count < 10);
}

static void test_no_range_reaches_what_lies_between_near_and_far(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    const uint64_t start = memory->far_start, end = memory->far_end;
    const struct {
        uint64_t address, len;
    } bad[] = {{RAM - PAGE, 2 * PAGE},
               {RAM, PAGE},
               {RAM - PAGE, start - RAM + 2 * PAGE},
               {RAM, start - RAM},
               {start - PAGE, PAGE},
               {start - PAGE, 2 * PAGE},
               {end, PAGE},
               {end - PAGE, 2 * PAGE},
               {start, end - start + PAGE},
               {start, -start},
               {end - PAGE, -PAGE},
               {memory_root(memory), PAGE},
               {ADDRESS, end - ADDRESS}};

    assert_int_equal(memory_map(memory, start, PAGE, RW), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(memory_map(memory, bad[i].address, bad[i].len, RW), -EINVAL);
        assert_int_equal(memory_protect(memory, bad[i].address, bad[i].len, RW), -EINVAL);
        assert_int_equal(memory_unmap(memory, bad[i].address, bad[i].len), -EINVAL);
        assert_int_equal(memory_discard(memory, bad[i].address, bad[i].len), -EINVAL);
        assert_null(memory_pointer(memory, bad[i].address, bad[i].len, HUSK_PROT_READ));
    }
    for (uint64_t address = RAM; address < start; address += PAGE)
        assert_int_equal(walk(memory, address), 0);
}

static void test_no_far_mapping_leads_to_the_page_tables(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;

    for (uint64_t at = memory->far_start; at < memory->far_end; at += 2 * MIB) {
        assert_int_equal(memory_map(memory, at, PAGE, RW), 0);
        assert_true(is_ram(memory, walk(memory, at) & ~BITS));
    }
    for (uint64_t at = 0; at < memory->far_end; at += PAGE) {
        uint64_t entry = walk(memory, at);

        assert_true(!entry || is_ram(memory, entry & ~BITS));
    }
}

static void test_memory_is_a_limit_wherever_it_is_mapped(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    uint64_t far = memory->far_start;

    assert_int_equal(memory_map(memory, far, RAM + PAGE, RW), -ENOMEM);
    assert_int_equal(memory->held, 0);
    assert_int_equal(memory_map(memory, far, RAM / 2, RW), 0);
    assert_int_equal(memory_map(memory, ADDRESS, RAM / 2, HUSK_PROT_NONE), 0);
    assert_int_equal(memory->held, RAM);
    assert_int_equal(memory_map(memory, far + RAM / 2, PAGE, HUSK_PROT_READ), -ENOMEM);
    assert_int_equal(walk(memory, far + RAM / 2), 0);
    /* What is mapped again counts once, and rights taken away change nothing. */
    assert_int_equal(memory_map(memory, far, RAM / 2, RX), 0);
    assert_int_equal(memory_protect(memory, far, RAM / 2, HUSK_PROT_NONE), 0);
    assert_int_equal(memory_discard(memory, far, RAM / 2), 0);
    assert_int_equal(memory->held, RAM);
    assert_int_equal(memory_map(memory, far + RAM, PAGE, RW), -ENOMEM);
    assert_int_equal(memory_map(memory, far + RAM / 2 - PAGE, 2 * PAGE, RW), -ENOMEM);
    assert_int_equal(memory_unmap(memory, far, PAGE), 0);
    assert_int_equal(memory_map(memory, far + RAM, PAGE, RW), 0);
    assert_int_equal(memory->held, RAM);
    assert_int_equal(memory->held_peak, RAM);
    assert_int_equal(memory_unmap(memory, far, memory->far_end - far), 0);
    assert_int_equal(memory_unmap(memory, ADDRESS, RAM / 2), 0);
    assert_int_equal(memory->held, 0);
}

/*
 * A page in each region of near RAM. A huge page of the host's may be behind each, but for those of
 * the last 16 MiB, which are kept small. Returns what the guest may hold besides.
 */
static uint64_t touch_each_region(struct guest_memory *memory)
{
    const uint64_t small = RAM - 16 * MIB;

    for (uint64_t at = 2 * MIB; at < RAM; at += 2 * MIB)
        assert_int_equal(memory_map(memory, at, PAGE, RW), 0);
    return RAM - (small - 2 * MIB) - (RAM - small) / (2 * MIB) * PAGE;
}

static void test_huge_pages_of_near_ram_count_in_full(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    uint64_t far = memory->far_start, room = touch_each_region(memory);

    assert_int_equal(memory_map(memory, far, PAGE, RW), 0);
    assert_int_equal(memory_map(memory, far + PAGE, room, RW), -ENOMEM);
    assert_int_equal(memory_map(memory, far + PAGE, room - PAGE, RW), 0);
}

static void test_huge_pages_count_when_far_ram_is_opened(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    uint64_t far = memory->far_start, room = touch_each_region(memory);

    assert_int_equal(memory_map(memory, far, RAM - memory->held, RW), -ENOMEM);
    assert_int_equal(memory_map(memory, far, room, RW), 0);
    assert_int_equal(memory_map(memory, far + room, PAGE, RW), -ENOMEM);
}

/* What is held elsewhere comes to that as well, mapped or not. */
static void test_huge_pages_count_before_a_file_of_memory(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    uint64_t room = touch_each_region(memory);

    assert_int_equal(memory_hold(memory, 0, RAM / 2), -ENOMEM);
    assert_int_equal(memory_hold(memory, 0, room), 0);
    assert_int_equal(memory_map(memory, memory->far_start, PAGE, RW), -ENOMEM);
    assert_int_equal(memory_hold(memory, room, 0), 0);
    assert_int_equal(memory_map(memory, memory->far_start, room, RW), 0);
}

/* A page of a file may lie in the place of one of a huge page, whose rest is there. */
static void test_a_files_page_does_not_hide_a_huge_page(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    cleanup_fd int fd = memfd_create("file", MFD_CLOEXEC);

    assert_int_equal(ftruncate(fd, PAGE), 0);
    assert_int_equal(memory_map(memory, 8 * MIB, PAGE, RW), 0);
    assert_int_equal(memory_map_file(memory, 8 * MIB, PAGE, RW, fd, 0, MEMORY_FILE_PRIVATE), 0);
    assert_int_equal(memory_map(memory, memory->far_start, RAM - 2 * MIB + PAGE, RW), -ENOMEM);
    assert_int_equal(memory_map(memory, memory->far_start, RAM - 2 * MIB, RW), 0);
}

/* With huge pages the rest of a region is there after its only page was given back. */
static void test_regions_that_were_given_back_are_empty(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    uint8_t *left = memory->host + 8 * MIB + 5 * PAGE;

    assert_int_equal(memory_map(memory, 8 * MIB, PAGE, RW), 0);
    *left = 7; /* as if the host had made a huge page */
    assert_int_equal(memory_unmap(memory, 8 * MIB, PAGE), 0);
    assert_int_equal(*left, 7);
    assert_int_equal(memory_map(memory, memory->far_start, RAM, RW), 0);
    assert_int_equal(*left, 0);
}

static void test_a_random_guest_never_holds_more(void **state)
{
    enum { BLOCKS = 24 };
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    static const int prots[] = {HUSK_PROT_NONE, HUSK_PROT_READ, RW, RX};
    int fd = memfd_create("file", MFD_CLOEXEC);

    srandom(7);
    assert_int_equal(ftruncate(fd, RAM), 0);
    for (int i = 0; i < 4000; i++) {
        uint64_t base = random() % 2 ? memory->far_start : 2 * MIB;
        uint64_t at = base + (uint64_t)(random() % BLOCKS) * 2 * MIB;
        uint64_t len = (1 + (uint64_t)random() % 2000) * PAGE;
        int prot = prots[random() % 4], kind = (int)(random() % 3);

        switch (random() % 6) {
        case 0:
            memory_unmap(memory, at, len);
            break;
        case 1:
            memory_discard(memory, at, len);
            break;
        case 2:
            memory_protect(memory, at, len, prot);
            break;
        case 3:
            memory_map_file(memory, at, len, prot, fd, 0, (enum memory_file)kind);
            break;
        default:
            memory_map(memory, at, len, prot);
        }
        assert_false(memory->broken);
        assert_true(memory->held <= RAM);
    }
    assert_int_equal(memory_unmap(memory, HUSK_NULL_GUARD, RAM - HUSK_NULL_GUARD), 0);
    assert_int_equal(memory_unmap(memory, memory->far_start, memory->far_end - memory->far_start),
                     0);
    assert_int_equal(memory->held, 0);
    close(fd);
}

static void test_files_count_once_they_are_private_and_writable(void **state)
{
    struct guest_memory *memory = &((struct fixture *)*state)->memory;
    uint64_t far = memory->far_start;
    int fd = memfd_create("file", MFD_CLOEXEC);

    assert_int_equal(ftruncate(fd, 2 * PAGE), 0);
    assert_int_equal(memory_map_file(memory, far, 4 * RAM, RW, fd, 0, MEMORY_FILE_SHARED), 0);
    assert_int_equal(memory->held, 0);
    assert_int_equal(memory_protect(memory, far, 4 * RAM, HUSK_PROT_READ), 0);
    assert_int_equal(memory_protect(memory, far, 4 * RAM, RW), 0);
    assert_int_equal(memory->held, 0);
    assert_int_equal(memory_map_file(memory, far, 4 * RAM, RW, fd, 0, MEMORY_FILE_PRIVATE),
                     -ENOMEM);
    assert_int_equal(memory_map_file(memory, far, 4 * RAM, RX, fd, 0, MEMORY_FILE_PRIVATE), 0);
    assert_int_equal(memory->held, 0);
    assert_int_equal(memory_protect(memory, far, 4 * RAM, RW), -ENOMEM);
    assert_true(mapped_as(memory, far, far, PRESENT | USER));
    assert_int_equal(memory_protect(memory, far, PAGE, RW), 0);
    assert_int_equal(memory->held, PAGE);
    assert_int_equal(memory_protect(memory, far, PAGE, HUSK_PROT_READ), 0);
    assert_int_equal(memory->held, PAGE);
    assert_int_equal(
        memory_map_file(memory, ADDRESS, PAGE, HUSK_PROT_READ, fd, 0, MEMORY_FILE_SHARED_READ), 0);
    assert_int_equal(memory_protect(memory, ADDRESS, PAGE, RW), -EACCES);
    assert_int_equal(memory_unmap(memory, far, 4 * RAM), 0);
    assert_int_equal(memory->held, 0);
    close(fd);
}

static void test_refusal_of_far_ram_is_an_error_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint64_t far = fixture->memory.far_start;

    fixture->seen.fail = ENOSPC;
    assert_int_equal(memory_map(&fixture->memory, far, PAGE, RW), -ENOSPC);
    assert_int_equal(walk(&fixture->memory, far), 0);
    assert_int_equal(fixture->memory.held, 0);
    fixture->seen.fail = 0;
    assert_int_equal(memory_map(&fixture->memory, far, PAGE, RW), 0);
}

static void test_large_memories_have_far_ram_as_well(void **state)
{
    static const uint64_t sizes[] = {8, 512, 3072, 3074, 4096, 16384, 65536, HUSK_RAM_MAX / MIB};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct registrations seen = {0};
        struct guest_memory memory;
        struct husk_error err;

        assert_int_equal(memory_create(&memory, sizes[i] * MIB, count_registration, &seen, &err),
                         0);
        if (sizes[i] * MIB <= MEMORY_BELOW_APIC)
            assert_true(memory.size <= 0xfee00000);
        if (memory.far_start < memory.far_end) {
            assert_true(memory.far_end <= HUSK_RAM_MAX);
            assert_int_equal(memory_map(&memory, memory.far_start, PAGE, RW), 0);
            assert_int_equal(memory_map(&memory, memory.far_end - PAGE, PAGE, RW), 0);
            assert_true(mapped_as(&memory, memory.far_end - PAGE, memory.far_end - PAGE,
                                  PRESENT | USER | WRITABLE | NX));
        } else {
            assert_int_equal(sizes[i] * MIB, HUSK_RAM_MAX);
        }
        assert_false(seen.overlap);
        memory_destroy(&memory);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_far_ram_leads_nowhere_until_it_is_used),
        TEST(test_memory_given_back_leaves_room_in_far_ram),
        TEST(test_far_ram_is_memory_as_near_ram_is),
        TEST(test_no_range_reaches_what_lies_between_near_and_far),
        TEST(test_no_far_mapping_leads_to_the_page_tables),
        TEST(test_memory_is_a_limit_wherever_it_is_mapped),
        TEST(test_huge_pages_of_near_ram_count_in_full),
        TEST(test_huge_pages_count_when_far_ram_is_opened),
        TEST(test_huge_pages_count_before_a_file_of_memory),
        TEST(test_a_files_page_does_not_hide_a_huge_page),
        TEST(test_regions_that_were_given_back_are_empty),
        TEST(test_a_random_guest_never_holds_more),
        TEST(test_files_count_once_they_are_private_and_writable),
        TEST(test_refusal_of_far_ram_is_an_error_and_changes_nothing),
        cmocka_unit_test(test_large_memories_have_far_ram_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
