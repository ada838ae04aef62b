/* SPDX-License-Identifier: ISC
 *
 * guest-rt's table of mappings, held against a model: one byte for each page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The unit under test; its table starts empty in this program. */
#include "../../guest-rt/vma.c"

/* What it needs of files.c. */
static unsigned references;

void file_hold(struct file *file)
{
    (void)file;
    references++;
}

int64_t file_release(struct file *file)
{
    (void)file;
    references--;
    return 0;
}

static int insert(uint64_t start, uint64_t end, int prot, bool fresh)
{
    return vma_insert(
        &(struct vma){.start = start, .end = end, .prot = (uint8_t)prot, .fresh = fresh});
}

#define PAGES    256
#define AT(page) ((uint64_t)(page)*HUSK_PAGE_SIZE)

static void check_against(const uint8_t model[PAGES])
{
    for (size_t at = 0; at < count; at++) {
        assert_true(table[at].start < table[at].end);
        if (at > 0)
            assert_true(table[at - 1].end <= table[at].start);
    }
    for (uint64_t page = 0; page < PAGES; page++) {
        const struct vma *vma = vma_after(AT(page));
        bool mapped = vma && vma->start <= AT(page);

        assert_int_equal(mapped ? vma->prot : 0, model[page]);
        assert_int_equal(vma_covers(AT(page), AT(page + 1)), mapped);
        assert_int_equal(vma_free(AT(page), AT(page + 1)), !mapped);
    }
}

static uint64_t model_find_free(const uint8_t model[PAGES], unsigned low, unsigned high,
                                unsigned len)
{
    for (unsigned start = high - len + 1; start-- > low;)
        if (memcmp(model + start, (uint8_t[PAGES]){0}, len) == 0)
            return AT(start);
    return 0;
}

static void test_random_operations_agree_with_a_model(void **state)
{
    uint8_t model[PAGES] = {0};

    (void)state;
    srandom(1);
    vma_remove(0, AT(PAGES));
    for (int i = 0; i < 20000; i++) {
        unsigned start = 1 + (unsigned)random() % (PAGES - 21), len = 1 + (unsigned)random() % 20;
        uint8_t prot = 1 + (unsigned)random() % 3;

        assert_int_equal(vma_find_free(AT(1), AT(PAGES), AT(len)),
                         model_find_free(model, 1, PAGES, len));
        assert_int_equal(vma_remove(AT(start), AT(start + len)), 0);
        memset(model + start, 0, len);
        if (random() % 2) {
            assert_int_equal(insert(AT(start), AT(start + len), prot, false), 0);
            memset(model + start, prot, len);
        }
        if (i % 64 == 0)
            check_against(model);
    }
    check_against(model);
}

static void test_neighbours_alike_become_one(void **state)
{
    (void)state;
    vma_remove(0, AT(PAGES));
    insert(AT(1), AT(2), 3, false);
    insert(AT(3), AT(4), 3, false);
    insert(AT(2), AT(3), 3, false);
    assert_int_equal(count, 1);
    insert(AT(4), AT(5), 1, false);
    insert(AT(5), AT(6), 1, true);
    assert_int_equal(count, 3);
    assert_int_equal(vma_total(), AT(5));
}

static void test_neighbours_made_alike_are_joined(void **state)
{
    (void)state;
    vma_remove(0, UINT64_MAX);
    for (int i = 1; i < 9; i++)
        insert(AT(i), AT(i + 1), i % 2, false);
    insert(AT(10), AT(11), 1, false);
    for (size_t at = 2; at < 6; at++)
        table[at].prot = 1;
    vma_join(AT(3), AT(7));
    check_against((uint8_t[PAGES]){0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1});
    assert_int_equal(count, 5);
    vma_join(0, UINT64_MAX);
    assert_int_equal(count, 5);
    vma_remove(0, UINT64_MAX);
}

static void test_reservations_and_files_that_are_not_copied_are_no_memory(void **state)
{
    struct file file;

    (void)state;
    vma_remove(0, UINT64_MAX);
    references = 4;
    insert(AT(1), AT(2), 0, true);
    insert(AT(2), AT(4), 0, false);
    insert(AT(4), AT(8), 3, false);
    for (int i = 0; i < 4; i++)
        vma_insert(&(struct vma){.start = AT(20 << i),
                                 .end = AT(21 << i),
                                 .prot = i % 2 ? 3 : 1,
                                 .shared = i / 2,
                                 .file = &file});
    assert_int_equal(vma_total(), AT(7 + 1 + 2 + 4 + 8));
    assert_int_equal(vma_held(), AT(6 + 2));
    vma_remove(0, UINT64_MAX);
}

static void test_a_full_table_is_an_error_and_changes_nothing(void **state)
{
    (void)state;
    vma_remove(0, UINT64_MAX);
    for (uint64_t i = 0; i < VMA_MAX; i++)
        assert_int_equal(insert(AT(4 * i + 4), AT(4 * i + 7), 1, false), 0);
    assert_int_equal(insert(AT(3), AT(3) + HUSK_PAGE_SIZE / 2, 1, false), -ENOMEM);
    assert_int_equal(vma_remove(AT(5), AT(6)), -ENOMEM);
    assert_true(vma_covers(AT(4), AT(7)));
    assert_int_equal(vma_total(), VMA_MAX * AT(3));
    assert_int_equal(insert(AT(7), AT(8), 1, false), 0);
    vma_remove(0, UINT64_MAX);
    assert_int_equal(count, 0);
}

static void test_pieces_of_a_file_keep_their_offsets_and_references(void **state)
{
    struct file file;

    (void)state;
    vma_remove(0, UINT64_MAX);
    references = 1;
    assert_int_equal(
        vma_insert(&(struct vma){.start = AT(10), .end = AT(20), .file = &file, .offset = AT(100)}),
        0);
    assert_int_equal(vma_remove(AT(12), AT(15)), 0);
    assert_int_equal(references, 2);
    assert_int_equal(vma_after(AT(15))->start, AT(15));
    assert_int_equal(vma_after(AT(15))->offset, AT(105));
    assert_int_equal(vma_remove(0, UINT64_MAX), 0);
    assert_int_equal(references, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations_agree_with_a_model),
        cmocka_unit_test(test_neighbours_alike_become_one),
        cmocka_unit_test(test_pieces_of_a_file_keep_their_offsets_and_references),
        cmocka_unit_test(test_neighbours_made_alike_are_joined),
        cmocka_unit_test(test_reservations_and_files_that_are_not_copied_are_no_memory),
        cmocka_unit_test(test_a_full_table_is_an_error_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
