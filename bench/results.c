/* SPDX-License-Identifier: ISC
 *
 * The JSON is written by hand: it is numbers and a few names.
 */
#include "results.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define END_OF_ROWS "\n]}\n"

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double quantile(const struct row *row, double share)
{
    return row->values[(size_t)(share * (double)(row->count - 1) + 0.5)];
}

double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

/* To the baseline; 0 without one. */
static double ratio(const struct row *row)
{
    double base = row->base ? quantile(row->base, 0.5) : 0;

    return base > 0 ? quantile(row, 0.5) / base : 0;
}

static double cpu_ratio(const struct row *row)
{
    return row->base && row->base->cpu_us > 0 ? row->cpu_us / row->base->cpu_us : 0;
}

static bool misses_goal(const struct row *row)
{
    double limit, value;

    if (!row->goal || row->why)
        return false;
    limit = strtod(row->goal + 2, NULL);
    value = row->base ? ratio(row) : quantile(row, 0.5);
    return row->goal[0] == '<' ? value > limit : value < limit;
}

static void row_name(const struct row *row, char *name, size_t size)
{
    snprintf(name, size, "%s%s%s", row->command, *row->what ? ": " : "", row->what);
}

static void print_value(double value)
{
    printf(" %10.*f", value < 10 ? 2 : value < 100 ? 1 : 0, value);
}

static void print_ratio(const struct row *row, double value)
{
    if (row->base)
        printf(" %7.3f", value);
    else
        printf(" %7s", "");
}

static void print_row(const struct row *row, int width)
{
    char name[128];

    row_name(row, name, sizeof(name));
    if (row->why) {
        printf("%-*s %s\n", width, name, row->why);
        return;
    }
    printf("%-*s %-5s", width, name, row->unit);
    print_value(quantile(row, 0.5));
    print_value(quantile(row, 0.25));
    print_value(quantile(row, 0.75));
    print_value(quantile(row, 0));
    print_ratio(row, ratio(row));
    if (row->cpu_us > 0) {
        print_value(row->cpu_us);
        print_ratio(row, cpu_ratio(row));
    }
    if (row->goal)
        printf("  %s%s", row->goal, misses_goal(row) ? " missed" : "");
    putchar('\n');
}

void results_print(const char *bench, struct row *rows, size_t count)
{
    bool processes = false;
    char name[128];
    int width = 30;

    for (size_t i = 0; i < count; i++) {
        qsort(rows[i].values, rows[i].count, sizeof(double), compare);
        processes = processes || rows[i].cpu_us > 0;
        row_name(&rows[i], name, sizeof(name));
        if ((int)strlen(name) > width)
            width = (int)strlen(name);
    }
    printf("\n%-*s %-5s %10s %10s %10s %10s %7s", width, bench, "unit", "median", "p25", "p75",
           "min", "ratio");
    if (processes)
        printf(" %10s %7s", "cpu us", "ratio");
    puts("  goal");
    for (size_t i = 0; i < count; i++)
        print_row(&rows[i], width);
    fflush(stdout);
}

static void write_string(FILE *file, const char *key, const char *value)
{
    fprintf(file, "\"%s\": \"", key);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            putc('\\', file);
        if ((unsigned char)*value >= ' ')
            putc(*value, file);
    }
    putc('"', file);
}

static void write_member(FILE *file, const char *key, const char *value)
{
    write_string(file, key, value);
    fputs(", ", file);
}

static const char *kvm_name(void)
{
    static const char *const names[] = {"kvm_pvm", "kvm_intel", "kvm_amd"};

    if (access("/dev/kvm", F_OK) != 0)
        return "none";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64];

        snprintf(path, sizeof(path), "/sys/module/%s", names[i]);
        if (access(path, F_OK) == 0)
            return names[i];
    }
    return "unknown";
}

/* Which of "always [madvise] never" is in brackets: whether guests get huge pages unasked. */
static void hugepages_name(char *name, size_t size)
{
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    char line[128], *word;

    snprintf(name, size, "unknown");
    if (file && fgets(line, sizeof(line), file) && (word = strchr(line, '[')))
        snprintf(name, size, "%.*s", (int)strcspn(word + 1, "]"), word + 1);
    if (file)
        fclose(file);
}

static void cpu_name(char *name, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];

    snprintf(name, size, "unknown");
    while (file && fgets(line, sizeof(line), file)) {
        const char *colon = strchr(line, ':');

        if (colon && strncmp(line, "model name", 10) == 0) {
            snprintf(name, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (file)
        fclose(file);
}

static void write_machine(FILE *file)
{
    const char *clock = getenv("HUSK_BENCH_CLOCK");
    time_t now = time(NULL);
    struct utsname kernel;
    char cpu[128], hugepages[32], date[32];

    uname(&kernel);
    cpu_name(cpu, sizeof(cpu));
    hugepages_name(hugepages, sizeof(hugepages));
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    fprintf(file, "{\"schema\": 1, \"machine\": {");
    write_member(file, "kvm", kvm_name());
    write_member(file, "kernel", kernel.release);
    write_member(file, "cpu", cpu);
    fprintf(file, "\"cpus\": %ld, \"memory_mib\": %ld, ", sysconf(_SC_NPROCESSORS_ONLN),
            sysconf(_SC_PHYS_PAGES) / (0x100000 / sysconf(_SC_PAGESIZE)));
    write_member(file, "hugepages", hugepages);
    write_member(file, "clock", clock ? clock : "time");
    write_string(file, "date", date);
    fputs("}, \"rows\": [", file);
}

static void write_row(FILE *file, const char *bench, const struct row *row)
{
    char name[128];
    double load = 0;

    getloadavg(&load, 1);
    putc('{', file);
    write_member(file, "bench", bench);
    row_name(row, name, sizeof(name));
    write_member(file, "row", name);
    if (row->why) {
        write_string(file, "why", row->why);
        putc('}', file);
        return;
    }
    write_string(file, "unit", row->unit);
    fprintf(file,
            ", \"count\": %zu, \"median\": %.6g, \"p25\": %.6g, \"p75\": %.6g, \"min\": %.6g, "
            "\"max\": %.6g, \"cpu_us\": %.6g, \"load\": %.2f",
            row->count, quantile(row, 0.5), quantile(row, 0.25), quantile(row, 0.75),
            quantile(row, 0), quantile(row, 1), row->cpu_us, load);
    if (row->base) {
        fputs(", ", file);
        row_name(row->base, name, sizeof(name));
        write_string(file, "baseline", name);
        fprintf(file, ", \"ratio\": %.4f", ratio(row));
        if (row->cpu_us > 0)
            fprintf(file, ", \"cpu_ratio\": %.4f", cpu_ratio(row));
    }
    if (row->goal) {
        fputs(", ", file);
        write_string(file, "goal", row->goal);
        fprintf(file, ", \"missed\": %s", misses_goal(row) ? "true" : "false");
    }
    putc('}', file);
}

int results_write(const char *path, const char *bench, const struct row *rows, size_t count)
{
    FILE *file = fopen(path, "r+");
    const char *separator = ",\n";
    int saved;

    if (!file && errno == ENOENT) {
        file = fopen(path, "w");
        separator = "\n";
        if (file)
            write_machine(file);
    } else if (file && fseek(file, -(long)strlen(END_OF_ROWS), SEEK_END) < 0) {
        saved = errno;
        fclose(file);
        errno = saved;
        return -1;
    }
    if (!file)
        return -1;
    for (size_t i = 0; i < count; i++) {
        fputs(separator, file);
        write_row(file, bench, &rows[i]);
        separator = ",\n";
    }
    fputs(END_OF_ROWS, file);
    return fclose(file) == 0 ? 0 : -1;
}
