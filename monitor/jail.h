/* SPDX-License-Identifier: ISC
 *
 * The jail around the monitor. From jail_enter on, which comes before the guest's first
 * instruction, the process can do little more than serve the hypercalls of what was granted, for
 * its rest: docs/security.md tells the layers and what each costs.
 */
#ifndef HUSK_JAIL_H
#define HUSK_JAIL_H

#include <stdbool.h>

/*
 * What a run was granted, as far as system calls depend on it. tools/jail-filter.c has the table of
 * calls by grants; one filter for each combination is made at build time.
 */
enum jail_grant {
    JAIL_FILES = 1,   /* -v: paths are looked up and opened */
    JAIL_WRITE = 2,   /* -v with rw */
    JAIL_NETWORK = 4, /* -p, --connect */
    JAIL_COMBINATIONS = 8
};

/* Where each combination's instructions (struct sock_filter) lie in embedded_jail, which begins
 * with JAIL_COMBINATIONS of these. In instructions. */
struct jail_filter {
    unsigned first; /* counted from the end of all struct jail_filter */
    unsigned count;
};

/* The layers that a host may lack. */
enum jail_layer { JAIL_LANDLOCK, JAIL_LANDLOCK_TCP, JAIL_SECCOMP, JAIL_LAYERS };

struct jail_report {
    int error[JAIL_LAYERS]; /* errno: the layer is missing; 0: it holds */
    int landlock_abi;       /* 0: none */
};

struct run;

/*
 * Go to jail. What RUN has open stays so, everything else but descriptors 0, 1 and 2 is closed;
 * without a RUN (NULL) nothing is granted. A layer that the host lacks is left out and noted in
 * REPORT. The system calls that the filter does not know end the process with SIGSYS.
 */
void jail_enter(const struct run *run, struct jail_report *report);

/* A layer's name, and what to do when it is missing, for messages. */
const char *jail_layer_name(enum jail_layer layer);
const char *jail_layer_advice(enum jail_layer layer);

#endif
