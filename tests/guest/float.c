/* SPDX-License-Identifier: ISC */
/*
 * SSE and x87 arithmetic, rounding modes, flushing to zero and exception flags. The control
 * registers are set directly: fesetround is in glibc's libm, which this program does without.
 */
#include "check.h"

#include <float.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xmmintrin.h>

enum { X87_ROUNDING_SHIFT = 10, SSE_ROUNDING_SHIFT = 13, ROUNDING_MASK = 3 };

static const struct {
    const char *name;
    unsigned mode;
} roundings[] = {{"to nearest", 0}, {"down", 1}, {"up", 2}, {"towards zero", 3}};

static void set_rounding(unsigned mode)
{
    uint16_t control;

    _mm_setcsr((_mm_getcsr() & ~(ROUNDING_MASK << SSE_ROUNDING_SHIFT)) | mode
                                                                             << SSE_ROUNDING_SHIFT);
    __asm__ volatile("fnstcw %0" : "=m"(control));
    control =
        (uint16_t)((control & ~(ROUNDING_MASK << X87_ROUNDING_SHIFT)) | mode << X87_ROUNDING_SHIFT);
    __asm__ volatile("fldcw %0" : : "m"(control));
}

static uint64_t bits(double value)
{
    uint64_t result;

    memcpy(&result, &value, sizeof result);
    return result;
}

static void print_rounded(void)
{
    for (size_t i = 0; i < sizeof roundings / sizeof *roundings; i++) {
        volatile double three = 3, one = 1, value = -2.5, converted;
        volatile long double long_three = 3, long_one = 1;

        set_rounding(roundings[i].mode);
        volatile double third = one / three, minus_third = -one / three;
        volatile long double long_third = long_one / long_three;
        converted = (double)_mm_cvt_ss2si(_mm_set_ss((float)value));
        set_rounding(0);

        printf("%s: 1/3 = %016llx, -1/3 = %016llx, -2.5 becomes %g\n", roundings[i].name,
               (unsigned long long)bits(third), (unsigned long long)bits(minus_third), converted);
        printf("  long 1/3 = %.25Lf\n", long_third);
    }
}

static void check_mode_across_calls(void)
{
    set_rounding(2);
    unsigned before = _mm_getcsr();
    getpid();
    nanosleep(&(struct timespec){0, 1000}, NULL);
    unsigned after = _mm_getcsr();
    uint16_t control;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    set_rounding(0);
    check(before == after, "MXCSR survives system calls");
    check((control >> X87_ROUNDING_SHIFT & ROUNDING_MASK) == 2, "the x87 control word too");
}

static void check_flushing(void)
{
    const unsigned flush_to_zero = 0x8000;
    volatile double small = DBL_MIN, half = 0.5;
    unsigned original = _mm_getcsr();

    volatile double denormal = small * half;
    _mm_setcsr(original | flush_to_zero);
    volatile double flushed = small * half;
    _mm_setcsr(original);
    printf("half of the least normal number: %016llx, flushed: %016llx\n",
           (unsigned long long)bits(denormal), (unsigned long long)bits(flushed));
}

static void check_flags(void)
{
    const unsigned invalid = 1, division = 4, overflow = 8, inexact = 32, all = 63;
    volatile double zero = 0, one = 1, huge = DBL_MAX, three = 3, result;

    _mm_setcsr(_mm_getcsr() & ~all);
    check((_mm_getcsr() & all) == 0, "no exception flag is set");
    result = one / three;
    check((_mm_getcsr() & all) == inexact, "1/3 is inexact");
    result = one / zero;
    check((_mm_getcsr() & all) == (inexact | division), "1/0 divides by zero");
    result = zero / zero;
    check((_mm_getcsr() & invalid) != 0 && result != result, "0/0 is invalid and no number");
    result = huge * huge;
    check((_mm_getcsr() & overflow) != 0 && result > DBL_MAX, "too much overflows to infinity");
    _mm_setcsr(_mm_getcsr() & ~all);
}

/* sqrt, exp and pi by arithmetic: sums whose every bit is defined by IEEE 754. */
static void print_series(void)
{
    volatile double e = 1, term = 1, pi = 0;
    volatile float harmonic = 0;
    volatile long double long_e = 1, long_term = 1;

    for (int i = 1; i < 25; i++) {
        term = term / i;
        e = e + term;
        long_term = long_term / i;
        long_e = long_e + long_term;
    }
    for (int i = 0; i < 100000; i++) {
        volatile double step = 4.0 / (2 * i + 1);
        pi = i % 2 == 0 ? pi + step : pi - step;
    }
    for (int i = 1; i <= 100000; i++)
        harmonic = harmonic + 1.0f / (float)i;
    printf("e = %.17g, %.21Lg\n", e, long_e);
    printf("pi is about %.17g, the harmonic sum %.9g\n", pi, (double)harmonic);
    volatile long double x87_pi, x87_root;
    __asm__("fldpi" : "=t"(x87_pi));
    __asm__("fsqrt" : "=t"(x87_root) : "0"(2.0L));
    printf("x87: pi = %.20Lf, root of 2 = %.20Lf\n", x87_pi, x87_root);
    printf("SSE: root of 2 = %.9g\n", (double)_mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(2))));
}

static void print_conversions(void)
{
    volatile double values[] = {0.5, 1.5, -1.5, 1e9, -1e18, 123456789.987};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        printf("%g: long %ld, float %.9g, long double %.10Lg\n", values[i], (long)values[i],
               (double)(float)values[i], (long double)values[i] / 3);
    printf("limits: %.17g %.17g %.9g %.21Lg\n", DBL_MAX, DBL_EPSILON, (double)FLT_MIN,
           LDBL_EPSILON);
}

int main(void)
{
    printf("MXCSR %04x at the start\n", _mm_getcsr() & 0xffc0);
    print_rounded();
    check_mode_across_calls();
    check_flushing();
    check_flags();
    print_series();
    print_conversions();
    return exit_status();
}
