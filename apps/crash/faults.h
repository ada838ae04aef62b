/* SPDX-License-Identifier: ISC */
#ifndef FAULTS_H
#define FAULTS_H

/* Functions that must appear in the backtrace under their own names, for any optimiser. */
#if __has_attribute(noipa)
#define VISIBLE __attribute__((noipa))
#else
#define VISIBLE __attribute__((noinline, optnone))
#endif

struct fault {
    const char *name;
    int status; /* of a shell that ran it natively: 128 + signal */
    const char *meaning;
    void (*cause)(int number);
};

/* A numbered kind is written NAME:N; its status is the table's plus N. */
struct numbered_fault {
    struct fault fault;
    int least, greatest;
};

/* Both end with a fault without a name. The kinds without a number are caused with 0. */
extern const struct fault faults[];
extern const struct numbered_fault numbered_faults[];

/* A call in tail position would be a jump, and its caller missing from the backtrace. */
static inline void keep_frame(void)
{
    __asm__ volatile("" ::: "memory");
}

#endif
