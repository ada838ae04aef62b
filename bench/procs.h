/* SPDX-License-Identifier: ISC
 *
 * Processes that are started to be looked at: their memory, while they do nothing.
 */
#ifndef HUSK_BENCH_PROCS_H
#define HUSK_BENCH_PROCS_H

#include <sys/types.h>

/*
 * Of a process and of its descendants, in KiB. What is a guest's is told by MAP_NORESERVE: the
 * monitor reserves guest memory, and nothing else, with it (`nr` in smaps' VmFlags, proc(5)).
 */
struct memory_use {
    unsigned long own;   /* private, without the guest's */
    unsigned long guest; /* private */
    unsigned long pss;   /* all of it, what is shared by equal parts */
};

/*
 * Start COMMAND, an argv, and wait until it prints a line: it is there to be looked at. Returns its
 * pid, or -1 with errno set (ENODATA: it ended without a line); proc_error says that in words.
 */
pid_t proc_start(char **command);
const char *proc_error(void);

/* End a process of proc_start, and wait until it has ended. */
void proc_end(pid_t pid);

/* Returns 0, or -1 with errno set. Processes that end meanwhile are left out. */
int proc_memory(pid_t pid, struct memory_use *use);

#endif
