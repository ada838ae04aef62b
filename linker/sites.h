/* SPDX-License-Identifier: ISC
 *
 * Which system calls of a program can become jumps into guest-rt, and turning them. What cannot be
 * proved stays a trap. calls.h shows what a site becomes.
 */
#ifndef HUSK_LINKER_SITES_H
#define HUSK_LINKER_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    uint64_t start, end;
};

struct function {
    struct span span;
    bool compares; /* with RIP: of what moves it must be able to say where it came from */
    bool split;    /* the compiler made two of one: jump tables of either lead into the other */
    bool readable; /* set by sites_turn: every byte was decoded */
};

/* An executable segment, and what the rest of the image says about it. */
struct text {
    uint8_t *bytes;
    struct span span; /* addresses of BYTES; less than 1 GiB */
    const struct span *code;
    size_t code_count; /* where there are instructions: ascending, within SPAN */
    struct function *functions;
    size_t function_count; /* ascending, each within one of CODE, none overlaps another */
    const uint64_t *labels;
    size_t label_count; /* addresses that have a name, or that data have */
    bool hidden_jumps;  /* an unwinder or a retpoline goes on where no instruction says */
    struct span room;   /* of the trampolines, within SPAN, starting with struct husk_calls */
};

/* What became of a site; all but the first: it stays a trap, and why. */
enum outcome {
    SITE_TURNED,
    SITE_OUTSIDE,  /* in no function whose size is known: assembly */
    SITE_UNREAD,   /* its function cannot be decoded from end to end */
    SITE_UNKNOWN,  /* its function jumps to where nobody knows */
    SITE_FIXED,    /* too few bytes before it can move */
    SITE_BETWEEN,  /* something leads between the instructions that would move */
    SITE_JUMPED,   /* only jumps lead to it */
    SITE_UNWINDER, /* it returns from a signal handler: unwinders know it by its bytes */
    SITE_FULL,     /* there is no room left */
    SITE_OUTCOMES
};

struct site {
    uint64_t address;
    enum outcome outcome;
};

struct sites {
    struct site *site;
    size_t count, turned;
};

/* In words, for a list of sites. */
const char *outcome_text(enum outcome outcome);

/*
 * Turn what can be turned in TEXT's bytes, and fill in struct husk_calls. SITES, to be freed with
 * sites_free, gets all that were found. Returns 0, or -1 when there is no memory: BYTES is then of
 * no use.
 */
int sites_turn(struct text *text, struct sites *sites);
void sites_free(struct sites *sites);

#endif
