/* SPDX-License-Identifier: ISC
 *
 * What cpuid_hide takes away and what it leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpuid.h"

static struct kvm_cpuid_entry2 hide(uint32_t function, uint32_t index)
{
    struct kvm_cpuid_entry2 entry = {
        .function = function, .index = index, .eax = ~0U, .ebx = ~0U, .ecx = ~0U, .edx = ~0U};

    cpuid_hide(&entry, 1);
    return entry;
}

static void test_virtualization_is_hidden(void **state)
{
    (void)state;
    assert_int_equal(hide(1, 0).ecx & 1U << 5, 0);          /* VMX */
    assert_int_equal(hide(0x80000001, 0).ecx & 1U << 2, 0); /* SVM */
    assert_int_equal(hide(0x8000000a, 0).eax | hide(0x8000000a, 0).edx, 0);
}

static void test_enclaves_and_mpx_are_hidden(void **state)
{
    (void)state;
    assert_int_equal(hide(7, 0).ebx & (1U << 2 | 1U << 14), 0);
    assert_int_equal(hide(7, 0).ecx & 1U << 30, 0);
    assert_int_equal(hide(0xd, 0).eax & (1U << 3 | 1U << 4), 0);
    assert_int_equal(hide(0x12, 0).eax | hide(0x12, 1).ebx | hide(0x12, 2).ecx, 0);
}

static void test_counters_and_tracing_are_hidden(void **state)
{
    static const uint32_t leaves[] = {0xa, 0x14, 0x1c, 0x23, 0x8000001b, 0x80000022};

    (void)state;
    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
        struct kvm_cpuid_entry2 entry = hide(leaves[i], 0);

        assert_int_equal(entry.eax | entry.ebx | entry.ecx | entry.edx, 0);
    }
    assert_int_equal(hide(0x80000001, 0).ecx & (1U << 23 | 1U << 24 | 1U << 28), 0);
    assert_int_equal(hide(7, 0).ebx & 1U << 25, 0);
}

/* XSAVE, AVX, AES, RDRAND; FSGSBASE, AVX2, BMI; states of x87, SSE, AVX; 64-bit mode, NX. */
static void test_what_programs_use_stays(void **state)
{
    const uint32_t avx = 1U << 25 | 1U << 26 | 1U << 27 | 1U << 28 | 1U << 30;

    (void)state;
    assert_int_equal(hide(1, 0).ecx & avx, avx);
    assert_int_equal(hide(7, 0).ebx & 0x12b, 0x12b);
    assert_int_equal(hide(0xd, 0).eax & 0xe7, 0xe7);
    assert_int_equal(hide(0x80000001, 0).edx, ~0U);
    assert_int_equal(hide(0, 0).eax, ~0U);
}

static void test_another_index_of_a_leaf_stays(void **state)
{
    (void)state;
    assert_int_equal(hide(7, 1).ebx, ~0U);
    assert_int_equal(hide(0xd, 1).eax, ~0U);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_virtualization_is_hidden),
        cmocka_unit_test(test_enclaves_and_mpx_are_hidden),
        cmocka_unit_test(test_counters_and_tracing_are_hidden),
        cmocka_unit_test(test_what_programs_use_stays),
        cmocka_unit_test(test_another_index_of_a_leaf_stays),
    };

    return cmocka_run_group_tests_name("cpuid", tests, NULL, NULL);
}
