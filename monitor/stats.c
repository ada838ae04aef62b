/* SPDX-License-Identifier: ISC
 *
 * The JSON is written by hand: Debian's JSON libraries are built against glibc and do not link with
 * the monitor's static musl, and there is nothing here but numbers and one string.
 */
#include "stats.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "hypercall.h"

static const char *const exit_names[STATS_EXITS_MAX] = {
    [KVM_EXIT_UNKNOWN] = "unknown",
    [KVM_EXIT_EXCEPTION] = "exception",
    [KVM_EXIT_IO] = "io",
    [KVM_EXIT_DEBUG] = "debug",
    [KVM_EXIT_HLT] = "hlt",
    [KVM_EXIT_MMIO] = "mmio",
    [KVM_EXIT_SHUTDOWN] = "shutdown",
    [KVM_EXIT_FAIL_ENTRY] = "fail_entry",
    [KVM_EXIT_INTR] = "intr",
    [KVM_EXIT_INTERNAL_ERROR] = "internal_error",
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void stats_start(struct stats *stats, bool enabled)
{
    stats->enabled = enabled;
    if (enabled)
        stats->began_ns = now_ns();
}

void stats_step(struct stats *stats, const char *name)
{
    if (!stats->enabled || stats->step_count == STATS_STEPS_MAX)
        return;
    stats->steps[stats->step_count].name = name;
    stats->steps[stats->step_count++].ns = now_ns() - stats->began_ns;
}

void stats_exit(struct stats *stats, uint32_t reason)
{
    stats->exits[reason < STATS_EXITS_MAX ? reason : KVM_EXIT_UNKNOWN]++;
}

uint64_t stats_begin(const struct stats *stats)
{
    return stats->enabled ? now_ns() : 0;
}

void stats_hypercall(struct stats *stats, uint32_t op, uint64_t began)
{
    if (!stats->enabled)
        return;
    stats->hypercalls[op].count++;
    stats->hypercalls[op].ns += now_ns() - began;
}

static void write_string(FILE *out, const char *string)
{
    putc('"', out);
    for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c >= 0x7f)
            fprintf(out, "\\u%04x", *c);
        else
            putc(*c, out);
    }
    putc('"', out);
}

static void write_exits(FILE *out, const struct stats *stats)
{
    const char *comma = "";

    fprintf(out, "  \"exits\": {");
    for (unsigned reason = 0; reason < STATS_EXITS_MAX; reason++) {
        if (!stats->exits[reason])
            continue;
        if (exit_names[reason])
            fprintf(out, "%s\"%s\": ", comma, exit_names[reason]);
        else
            fprintf(out, "%s\"reason_%u\": ", comma, reason);
        fprintf(out, "%llu", (unsigned long long)stats->exits[reason]);
        comma = ", ";
    }
    fprintf(out, "%s\"interrupted\": %llu},\n", comma, (unsigned long long)stats->interrupted);
}

static void write_hypercalls(FILE *out, const struct stats *stats)
{
    const char *comma = "";

    fprintf(out, "  \"hypercalls\": {");
    for (uint32_t op = 0; op < HUSK_OP_COUNT; op++) {
        if (!stats->hypercalls[op].count)
            continue;
        fprintf(out, "%s\n    \"%s\": {\"count\": %llu, \"us\": %.1f}", comma, hypercall_name(op),
                (unsigned long long)stats->hypercalls[op].count,
                (double)stats->hypercalls[op].ns / 1e3);
        comma = ",";
    }
    fprintf(out, "\n  },\n  \"deferred\": %llu,\n", (unsigned long long)stats->deferred);
}

static void write_steps(FILE *out, const struct stats *stats)
{
    fprintf(out, "  \"began_us\": %.1f,\n  \"boot_us\": [", (double)stats->began_ns / 1e3);
    for (unsigned i = 0; i < stats->step_count; i++)
        fprintf(out, "%s\n    {\"step\": \"%s\", \"at\": %.1f}", i ? "," : "", stats->steps[i].name,
                (double)stats->steps[i].ns / 1e3);
    fprintf(out, "\n  ]\n");
}

void stats_write(const struct run *run)
{
    const struct guest_memory *memory = &run->memory;
    FILE *out = fdopen(run->stats.fd, "w");
    struct rusage usage;

    if (!out) {
        fprintf(stderr, "husk: --stats: %s\n", strerror(errno));
        return;
    }
    getrusage(RUSAGE_SELF, &usage);
    fprintf(out, "{\n  \"husk\": \"%s\",\n  \"image\": ", HUSK_VERSION);
    write_string(out, run->program.image.file.name);
    fprintf(out, ",\n  \"kvm\": \"%s\",\n  \"status\": %d,\n",
            run->vm.kind == KVM_KIND_PVM ? "pvm" : "hardware", run->status);
    write_exits(out, &run->stats);
    write_hypercalls(out, &run->stats);
    fprintf(out,
            "  \"memory\": {\"limit\": %llu, \"peak_mapped\": %llu, \"peak_resident\": %llu},\n",
            (unsigned long long)memory->ram_size, (unsigned long long)memory->held_peak,
            (unsigned long long)usage.ru_maxrss * 1024);
    write_steps(out, &run->stats);
    fprintf(out, "}\n");
    if (fclose(out) != 0)
        fprintf(stderr, "husk: --stats: %s\n", strerror(errno));
}
