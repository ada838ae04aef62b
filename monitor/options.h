/* SPDX-License-Identifier: ISC
 *
 * The command line of `husk run`.
 */
#ifndef HUSK_OPTIONS_H
#define HUSK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "net_rules.h"

struct volume_option {
    char *host;        /* as given, never empty */
    const char *guest; /* absolute, no "." or "..", no double or trailing slash */
    bool writable;
    bool devices; /* device nodes and FIFOs can be opened */
};

struct tmpfs_option {
    char *guest;   /* as of a volume; allocated */
    uint64_t size; /* bytes, 0: none was given */
};

#define TMPFS_MAX 8

struct run_options {
    struct volume_option *volumes;
    size_t volume_count;
    size_t tmpfs_count, publish_count, connect_count; /* used of the last three members */
    const char **environment; /* of -e: NAME=VALUE, each NAME once; NAME alone was looked up */
    size_t environment_count;
    const char *workdir;  /* absolute guest path as given, fits struct husk_boot; default "/" */
    uint64_t memory;      /* bytes, a multiple of 2 MiB */
    uint64_t timeout_ns;  /* 0: none */
    uint64_t cpu_time_ns; /* 0: no limit */
    uint64_t max_output;  /* bytes; this and the next two: UINT64_MAX without a limit */
    uint64_t max_files, max_sockets;
    uint64_t nice;         /* added to the process's nice value */
    const char *cgroup;    /* as given, or NULL */
    const char *trace;     /* NULL: off, "": standard error, else a host file */
    const char *stats;     /* likewise */
    bool isolate;          /* namespaces of its own */
    bool require_jail;     /* a layer of the jail that the host lacks is an error */
    bool help;             /* --help was given: nothing after it has been read, image may be NULL */
    const char *image;     /* host path */
    char **arguments;      /* image and its arguments, NULL-terminated; inside argv */
    size_t argument_count; /* at least 1 */

    struct tmpfs_option tmpfs[TMPFS_MAX];
    struct net_publish_rule publish[NET_RULES_MAX];
    struct net_connect_rule connect[NET_RULES_MAX];
};

/*
 * Parse ARGV after "run" (ARGV[0] is the first option). Options end at IMAGE or "--". Strings point
 * into ARGV or husk's environment; what is declared without const is allocated: free with
 * options_free, also after an error. Returns 0, or -1 with ERR set (STATUS_HUSK) naming the option,
 * the bad value and the form that is wanted.
 */
int options_parse_run(char **argv, struct run_options *options, struct husk_error *err);
void options_free(struct run_options *options);

/*
 * Strict parsers: the whole of TEXT must be used. Return 0 or -1. Sizes are digits and an optional
 * K, M, G or T (powers of 1024; also KiB, MiB, GiB, TiB, or B; in either case), durations are
 * digits with an optional fraction and a unit ns, us, ms, s, m, h; no unit means seconds. Zero,
 * signs, spaces, overflow, parts of a nanosecond and more than INT64_MAX nanoseconds are errors.
 */
int parse_size(const char *text, uint64_t *bytes);
/* Digits alone, from 0 to MOST. */
int parse_count(const char *text, uint64_t most, uint64_t *count);
int parse_duration(const char *text, uint64_t *nanoseconds);

#endif
