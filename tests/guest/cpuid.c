/* SPDX-License-Identifier: ISC */
/*
 * What cpuid announces must work, as libc and compilers choose code by it. Also runs libc's copies
 * and searches, which are chosen so, over many sizes and up to the last byte before unmapped
 * memory.
 */
#include "check.h"
#include "memory.h"

#include <cpuid.h>
#include <immintrin.h>
#include <stdint.h>

enum { XCR0_SSE = 1 << 1, XCR0_AVX = 1 << 2, AREA = 4 * PAGE };

static bool has_feature(unsigned leaf, unsigned sub_leaf, int reg, unsigned bit)
{
    unsigned r[4] = {0};

    return __get_cpuid_count(leaf, sub_leaf, &r[0], &r[1], &r[2], &r[3]) && (r[reg] >> bit & 1);
}

static uint64_t read_xcr0(void)
{
    uint32_t low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

__attribute__((target("avx2,fma"))) static bool avx2_works(void)
{
    int32_t results[8];
    float floats[8];

    __m256i sum =
        _mm256_add_epi32(_mm256_set1_epi32(40), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    _mm256_storeu_si256((__m256i *)results, sum);
    _mm256_storeu_ps(floats,
                     _mm256_fmadd_ps(_mm256_set1_ps(2), _mm256_set1_ps(3), _mm256_set1_ps(4)));
    return results[0] == 40 && results[7] == 47 && floats[0] == 10 && floats[7] == 10;
}

__attribute__((target("sse4.2,popcnt"))) static bool sse42_works(void)
{
    return _mm_crc32_u32(0, 0) == 0 && _mm_crc32_u32(~0u, 0x12345678) == 0x4dece20c &&
           _mm_popcnt_u64(0xff00ff00ff00ff00) == 32;
}

__attribute__((target("bmi,bmi2"))) static bool bmi_works(void)
{
    return _pdep_u64(0x5, 0x70) == 0x50 && _tzcnt_u64(0x100) == 8;
}

static void check_features(void)
{
    bool os_saves = has_feature(1, 0, 2, 27);

    check(has_feature(1, 0, 3, 25) && has_feature(1, 0, 3, 26), "SSE and SSE2 are announced");
    check(!os_saves || (read_xcr0() & XCR0_SSE) != 0, "xgetbv works if OSXSAVE is announced");
    check(!__builtin_cpu_supports("avx") || (read_xcr0() & XCR0_AVX) != 0, "AVX, if announced");
    check(!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) || avx2_works(),
          "AVX2 and FMA, if announced");
    check(!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt") || sse42_works(),
          "SSE4.2 and POPCNT, if announced");
    check(!__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") || bmi_works(),
          "BMI1 and BMI2, if announced");
    uint64_t first = __rdtsc(), second = __rdtsc();
    check(second >= first, "rdtsc does not go back");
}

/* Code that uses the upper halves of registers across system calls. */
__attribute__((target("avx"))) static bool avx_survives_calls(void)
{
    __m256d value = _mm256_setr_pd(1, 2, 3, 4);
    double results[4];

    for (int i = 0; i < 100; i++) {
        __asm__ volatile("" : "+x"(value));
        long number = SYS_getppid;
        __asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
        value = _mm256_add_pd(value, _mm256_set1_pd(1));
    }
    _mm256_storeu_pd(results, value);
    return results[0] == 101 && results[3] == 104;
}

/* Volatile pointers keep the compiler from putting its own code in the place of libc's. */
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile fill)(void *, int, size_t) = memset;
static size_t (*volatile length_of)(const char *) = strlen;
static int (*volatile compare)(const void *, const void *, size_t) = memcmp;
static void *(*volatile find)(const void *, int, size_t) = memchr;

static void check_copies(unsigned char *end)
{
    static unsigned char source[8192 + 64], target[8192 + 128];
    bool right = true;

    for (size_t i = 0; i < sizeof source; i++)
        source[i] = (unsigned char)(i * 31 % 251 + 1);
    for (size_t size = 0; size <= 8192; size += size < 300 ? 1 : 509)
        for (size_t shift = 0; shift < 64; shift += 7) {
            fill(target, 0, size + 128);
            copy(target + 64, source + shift, size);
            right &= compare(target + 64, source + shift, size) == 0;
            right &= holds_only(target, 0, 64) && holds_only(target + 64 + size, 0, 64);
        }
    check(right, "memcpy of all sizes copies just them");
    right = true;
    for (size_t size = 0; size <= 2000; size++) {
        copy(end - size, source, size);
        right &= compare(end - size, source, size) == 0;
        fill(end - size, (int)size, size);
        right &= holds_only(end - size, (unsigned char)size, size);
    }
    check(right, "memcpy and memset up to unmapped memory");
}

static void check_searches(unsigned char *end)
{
    bool right = true;

    for (size_t size = 1; size <= 2000; size++) {
        char *string = (char *)end - size;
        fill(string, 'x', size);
        right &= find(string, 'y', size) == NULL;
        string[size - 1] = '\0';
        right &= length_of(string) == size - 1 && find(string, '\0', size) == end - 1;
    }
    check(right, "strlen and memchr up to unmapped memory");
}

int main(void)
{
    unsigned char *area = map_pages(AREA / PAGE + 1, PROT_READ | PROT_WRITE);
    unsigned char *end = area + AREA;

    munmap(end, PAGE);
    check_features();
    check(!__builtin_cpu_supports("avx") || avx_survives_calls(), "AVX survives system calls");
    check_copies(end);
    check_searches(end);
    return exit_status();
}
