/* SPDX-License-Identifier: ISC
 *
 *     crowd COUNT COMMAND...
 *
 * Starts COMMAND COUNT times, one after the other, and prints what each costs while all of them are
 * there, as `run -v` reads it. COMMAND prints a line when it is ready. All are ended again,
 * whatever happens; none is started that would leave the machine less than an eighth of its memory.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "procs.h"

struct crowd {
    pid_t *pids;
    unsigned long wanted, count;
    double seconds;                /* that all starts took */
    unsigned long before, present; /* MemAvailable, KiB */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    interrupted = signal;
}

static void catch_signals(void)
{
    const struct sigaction action = {.sa_handler = interrupt};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

static unsigned long meminfo(const char *name)
{
    FILE *file = fopen("/proc/meminfo", "r");
    size_t length = strlen(name);
    unsigned long kib = 0;
    char line[128];

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            kib = strtoul(line + length + 1, NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Returns why not all could be started, or NULL. */
static const char *gather(struct crowd *crowd, char **command)
{
    unsigned long reserve = meminfo("MemTotal") / 8;
    double began;

    crowd->before = crowd->present = meminfo("MemAvailable");
    for (; crowd->count < crowd->wanted; crowd->count++) {
        if (interrupted)
            return "interrupted";
        if (crowd->present < reserve)
            return "the machine has no memory for more";
        began = now();
        crowd->pids[crowd->count] = proc_start(command);
        if (crowd->pids[crowd->count] < 0)
            return interrupted ? "interrupted" : proc_error();
        crowd->seconds += now() - began;
        crowd->present = meminfo("MemAvailable");
    }
    return NULL;
}

static const char *describe(const struct crowd *crowd)
{
    double own = 0, guest = 0, pss = 0, count = (double)crowd->count;
    struct memory_use use;

    for (unsigned long i = 0; i < crowd->count; i++) {
        if (interrupted)
            return "interrupted";
        if (proc_memory(crowd->pids[i], &use) < 0)
            return "one of them has ended";
        own += (double)use.own;
        guest += (double)use.guest;
        pss += (double)use.pss;
    }
    printf("at once %lu procs\n", crowd->count);
    printf("start of each %.1f us\n", crowd->seconds / count * 1e6);
    printf("own private of each %.1f KiB\n", own / count);
    printf("guest private of each %.1f KiB\n", guest / count);
    printf("Pss of each %.1f KiB\n", pss / count);
    printf("host memory of each %.1f KiB\n",
           ((double)crowd->before - (double)crowd->present) / count);
    return NULL;
}

static void disperse(const struct crowd *crowd)
{
    for (unsigned long i = 0; i < crowd->count; i++)
        kill(crowd->pids[i], SIGKILL);
    for (unsigned long i = 0; i < crowd->count; i++)
        proc_end(crowd->pids[i]);
}

int main(int argc, char **argv)
{
    struct crowd crowd = {0};
    const char *why;
    char *end = "";

    if (argc > 2)
        crowd.wanted = strtoul(argv[1], &end, 10);
    if (crowd.wanted == 0 || crowd.wanted > 100000 || *end) {
        fputs("usage: crowd COUNT COMMAND...\n", stderr);
        return 2;
    }
    crowd.pids = calloc(crowd.wanted, sizeof(*crowd.pids));
    if (!crowd.pids)
        return 1;
    catch_signals();
    why = gather(&crowd, argv + 2);
    if (!why)
        why = describe(&crowd);
    if (why)
        fprintf(stderr, "bench/crowd: %s, with %lu of %lu\n", why, crowd.count, crowd.wanted);
    disperse(&crowd);
    return why ? 1 : 0;
}
