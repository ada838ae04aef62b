/* SPDX-License-Identifier: ISC
 *
 * What /proc tells of the machine.
 */
#include <linux/times.h>
#include <linux/utsname.h>

#include "synthetic_files.h"
#include "vma.h"

#define SECOND 1000000000ULL
#define TICKS  100 /* USER_HZ */

uint64_t synthetic_cpu_ticks(void)
{
    struct tms tms = {0};
    const struct call call = {.arg = {(uint64_t)&tms}};

    sys_times(&call);
    return tms.tms_utime;
}

static struct new_utsname system_name(void)
{
    struct new_utsname name = {0};
    const struct call call = {.arg = {(uint64_t)&name}};

    sys_uname(&call);
    return name;
}

/* Linux aligns the numbers of /proc/meminfo: the name takes 16 columns, the number 8. */
static void put_memory(struct text *text, const char *name, uint64_t bytes)
{
    uint64_t start = text->len;

    text_string(text, name);
    text_char(text, ':');
    text_pad(text, start + 16);
    text_decimal(text, bytes / 1024, 8);
    text_line(text, " kB");
}

void synthetic_meminfo(struct text *text)
{
    uint64_t total = BOOT->ram_size, used = vma_held();
    uint64_t free = total - (used < total ? used : total);
    const struct {
        const char *name;
        uint64_t bytes;
    } rows[] = {
        {"MemTotal", total},
        {"MemFree", free},
        {"MemAvailable", free},
        {"Buffers", 0},
        {"Cached", 0},
        {"SwapCached", 0},
        {"Active", total - free},
        {"Inactive", 0},
        {"SwapTotal", 0},
        {"SwapFree", 0},
        {"Dirty", 0},
        {"Writeback", 0},
        {"AnonPages", total - free},
        {"Mapped", 0},
        {"Shmem", 0},
        {"Slab", 0},
        {"CommitLimit", total},
        {"Committed_AS", total - free},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        put_memory(text, rows[i].name, rows[i].bytes);
    text_line(text, "HugePages_Total:       0");
    text_line(text, "HugePages_Free:        0");
    put_memory(text, "Hugepagesize", 2 << 20);
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

/* Names of feature bits, by the register that has them; Linux's arch/x86/include/asm/cpufeatures.h.
 */
static const struct {
    uint32_t leaf;
    char reg; /* the last letter but one of its name */
    uint8_t bit;
    char name[13];
} features[] = {
    {1, 'd', 0, "fpu"},
    {1, 'd', 4, "tsc"},
    {1, 'd', 5, "msr"},
    {1, 'd', 6, "pae"},
    {1, 'd', 8, "cx8"},
    {1, 'd', 9, "apic"},
    {1, 'd', 13, "pge"},
    {1, 'd', 15, "cmov"},
    {1, 'd', 16, "pat"},
    {1, 'd', 19, "clflush"},
    {1, 'd', 23, "mmx"},
    {1, 'd', 24, "fxsr"},
    {1, 'd', 25, "sse"},
    {1, 'd', 26, "sse2"},
    {1, 'd', 28, "ht"},
    {0x80000001, 'd', 11, "syscall"},
    {0x80000001, 'd', 20, "nx"},
    {0x80000001, 'd', 26, "pdpe1gb"},
    {0x80000001, 'd', 27, "rdtscp"},
    {0x80000001, 'd', 29, "lm"},
    {1, 'c', 0, "pni"},
    {1, 'c', 1, "pclmulqdq"},
    {1, 'c', 9, "ssse3"},
    {1, 'c', 12, "fma"},
    {1, 'c', 13, "cx16"},
    {1, 'c', 19, "sse4_1"},
    {1, 'c', 20, "sse4_2"},
    {1, 'c', 22, "movbe"},
    {1, 'c', 23, "popcnt"},
    {1, 'c', 25, "aes"},
    {1, 'c', 26, "xsave"},
    {1, 'c', 28, "avx"},
    {1, 'c', 29, "f16c"},
    {1, 'c', 30, "rdrand"},
    {1, 'c', 31, "hypervisor"},
    {0x80000001, 'c', 0, "lahf_lm"},
    {0x80000001, 'c', 5, "abm"},
    {0x80000001, 'c', 6, "sse4a"},
    {7, 'b', 0, "fsgsbase"},
    {7, 'b', 3, "bmi1"},
    {7, 'b', 5, "avx2"},
    {7, 'b', 8, "bmi2"},
    {7, 'b', 9, "erms"},
    {7, 'b', 16, "avx512f"},
    {7, 'b', 17, "avx512dq"},
    {7, 'b', 18, "rdseed"},
    {7, 'b', 19, "adx"},
    {7, 'b', 28, "avx512cd"},
    {7, 'b', 29, "sha_ni"},
    {7, 'b', 30, "avx512bw"},
    {7, 'b', 31, "avx512vl"},
    {7, 'c', 8, "gfni"},
    {7, 'c', 9, "vaes"},
    {7, 'c', 10, "vpclmulqdq"},
    {7, 'd', 4, "fsrm"},
};

static void put_flags(struct text *text)
{
    struct cpuid r = {0};
    uint32_t leaf = 0;

    text_string(text, "flags\t\t:");
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        if (features[i].leaf != leaf) { /* an exit: not once for each flag */
            leaf = features[i].leaf;
            r = cpuid(leaf, 0);
        }
        if ((features[i].reg == 'b'   ? r.ebx
             : features[i].reg == 'c' ? r.ecx
                                      : r.edx) >>
                features[i].bit &
            1) {
            text_char(text, ' ');
            text_string(text, features[i].name);
        }
    }
    text_char(text, '\n');
}

static void put_row(struct text *text, const char *name, uint64_t value)
{
    text_string(text, name);
    text_string(text, ": ");
    text_decimal(text, value, 0);
    text_char(text, '\n');
}

static void put_vendor(struct text *text)
{
    const struct cpuid r = cpuid(0, 0);
    const uint32_t name[] = {r.ebx, r.edx, r.ecx};

    text_string(text, "vendor_id\t: ");
    text_bytes(text, (const char *)name, sizeof(name));
    text_char(text, '\n');
}

static void put_model_name(struct text *text)
{
    char name[3 * sizeof(struct cpuid) + 1] = {0};
    const char *start = name;

    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid part = cpuid(0x80000002 + i, 0);

        memcpy(name + i * sizeof(part), &part, sizeof(part));
    }
    while (*start == ' ')
        start++;
    text_string(text, "model name\t: ");
    text_line(text, start);
}

void synthetic_cpuinfo(struct text *text)
{
    uint32_t version = cpuid(1, 0).eax, family = version >> 8 & 15, model = version >> 4 & 15;

    /* SDM 2A, CPUID, figure 3-6: the extended fields count only for these families. */
    if (family == 6 || family == 15)
        model += version >> 12 & 0xf0;
    if (family == 15)
        family += version >> 20 & 0xff;
    put_row(text, "processor\t", 0);
    put_vendor(text);
    put_row(text, "cpu family\t", family);
    put_row(text, "model\t\t", model);
    put_model_name(text);
    put_row(text, "stepping\t", version & 15);
    put_row(text, "physical id\t", 0);
    put_row(text, "siblings\t", 1);
    put_row(text, "core id\t\t", 0);
    put_row(text, "cpu cores\t", 1);
    text_line(text, "fpu\t\t: yes");
    put_flags(text);
    text_line(text, "clflush size\t: 64");
    text_line(text, "cache_alignment\t: 64");
    text_char(text, '\n');
}

static void put_seconds(struct text *text, uint64_t ticks)
{
    text_decimal(text, ticks / TICKS, 0);
    text_char(text, '.');
    text_char(text, '0' + ticks % TICKS / 10);
    text_char(text, '0' + ticks % 10);
}

static uint64_t up_ticks(void)
{
    return clock_monotonic() / (SECOND / TICKS);
}

static uint64_t idle_ticks(void)
{
    uint64_t up = up_ticks(), busy = synthetic_cpu_ticks();

    return up > busy ? up - busy : 0;
}

void synthetic_stat_text(struct text *text)
{
    const struct call no_buffer = {0};

    for (int i = 0; i < 2; i++) {
        text_string(text, i == 0 ? "cpu  " : "cpu0 ");
        text_decimal(text, synthetic_cpu_ticks(), 0);
        text_string(text, " 0 0 ");
        text_decimal(text, idle_ticks(), 0);
        text_line(text, " 0 0 0 0 0 0");
    }
    text_line(text, "intr 0");
    text_line(text, "ctxt 0");
    text_string(text, "btime ");
    text_decimal(text, (uint64_t)sys_time(&no_buffer) - up_ticks() / TICKS, 0);
    text_line(text, "\nprocesses 1\nprocs_running 1\nprocs_blocked 0");
}

void synthetic_uptime(struct text *text)
{
    put_seconds(text, up_ticks());
    text_char(text, ' ');
    put_seconds(text, idle_ticks());
    text_char(text, '\n');
}

void synthetic_loadavg(struct text *text)
{
    text_string(text, "0.00 0.00 0.00 1/1 ");
    text_decimal(text, PID, 0);
    text_char(text, '\n');
}

void synthetic_version(struct text *text)
{
    struct new_utsname name = system_name();

    text_string(text, name.sysname);
    text_string(text, " version ");
    text_string(text, name.release);
    text_string(text, " (husk@husk) ");
    text_line(text, name.version);
}

void synthetic_hostname(struct text *text)
{
    struct new_utsname name = system_name();

    text_line(text, name.nodename);
}

void synthetic_osrelease(struct text *text)
{
    struct new_utsname name = system_name();

    text_line(text, name.release);
}
