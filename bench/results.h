/* SPDX-License-Identifier: ISC
 *
 * What a benchmark found: a table on standard output, and build/bench.json.
 */
#ifndef HUSK_BENCH_RESULTS_H
#define HUSK_BENCH_RESULTS_H

#include <stddef.h>

/* One thing measured COUNT times. Names and unit outlive it. */
struct row {
    const char *command, *what; /* e.g. "husk", "getpid"; WHAT may be "" */
    const char *unit;
    double *values; /* sorted by results_print */
    size_t count;
    double cpu_us;          /* median processor time of a whole process, or 0 */
    const struct row *base; /* what it is compared with, or NULL */
    const char *goal; /* "<=1.5" or ">=0.8" of the ratio, without BASE of the median; or NULL */
    const char *why;  /* nothing was measured; or NULL */
};

double median(double *values, size_t count);

/* Print ROWS, at least one, as a table headed by BENCH. */
void results_print(const char *bench, struct row *rows, size_t count);

/*
 * Add printed ROWS to PATH, one line each, so that it stays one JSON object:
 *
 *     {"schema": 1,
 *      "machine": {"kvm", "kernel", "cpu", "cpus", "memory_mib", "hugepages", "clock", "date"},
 *      "rows": [
 *     {"bench", "row", "unit", "count", "median", "p25", "p75", "min", "max", "cpu_us", "load",
 *      "baseline", "ratio", "cpu_ratio", "goal", "missed"},
 *     {"bench", "row", "why"}, ...]}
 *
 * "kvm" is the module's name (kvm_pvm, kvm_intel, kvm_amd), or "none"; "clock" is "time", or
 * "instructions" where a nanosecond stands for one (svm.sh). "ratio" is the median by the
 * baseline's median, "cpu_us" the median processor time of a whole process (0: not known) and
 * "cpu_ratio" its ratio, which other load disturbs less, "load" the machine's load average at that
 * time. What was not measured has only its name and "why". Returns 0 or -1 with errno set.
 */
int results_write(const char *path, const char *bench, const struct row *rows, size_t count);

#endif
