/* SPDX-License-Identifier: ISC
 *
 *     phases HUSK IMAGE
 *
 * Runs IMAGE and prints what each step of its start takes, by --stats, and how long it is from the
 * start of the process until the guest's first instruction, its main, its exit and the end of the
 * process, as `run -v` reads it. The step `ready` looks for main in the image's symbols, which only
 * --stats does: it is left out of the latter.
 */
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

extern char **environ;

static double ready_us; /* what the step took */

static void until(const char *name, double us)
{
    printf("until %s %.1f us\n", name, us - ready_us);
}

/* Steps that there are several of are numbered. */
static void print_step(const char *name, double us)
{
    static char seen[64][64];
    static size_t count;
    int same = 1;

    for (size_t i = 0; i < count; i++)
        same += strcmp(seen[i], name) == 0;
    if (count < sizeof(seen) / sizeof(seen[0]))
        strcpy(seen[count++], name);
    if (same > 1)
        printf("%s#%d %.1f us\n", name, same, us);
    else
        printf("%s %.1f us\n", name, us);
}

/* Returns when the last step was, in microseconds since husk's main began. */
static double print_steps(FILE *stats, double main_us)
{
    char line[256], name[64];
    double at, before = 0;

    while (fgets(line, sizeof(line), stats)) {
        if (sscanf(line, " {\"step\": \"%63[^\"]\", \"at\": %lf", name, &at) != 2)
            continue;
        print_step(name, at - before);
        if (strcmp(name, "ready") == 0)
            ready_us = at - before;
        if (strcmp(name, "first_instruction") == 0 || strcmp(name, "main") == 0 ||
            strcmp(name, "exit") == 0)
            until(name, main_us + at);
        before = at;
    }
    return before;
}

/* A descriptor without close-on-exec, that husk opens again by its name. */
static int make_file(void)
{
    int fd = memfd_create("stats", 0);

    if (fd < 0)
        measure_fail("memfd_create");
    return fd;
}

/* Run it with its statistics in FILE. */
static void run(char *husk, char *image, int file, double *began, double *ended)
{
    char option[64], *command[] = {husk, "run", option, image, NULL};
    posix_spawn_file_actions_t actions;
    int status;
    pid_t pid;

    snprintf(option, sizeof(option), "--stats=/dev/fd/%d", file);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    *began = measure_now() * 1e6;
    if (posix_spawn(&pid, husk, &actions, NULL, command, environ) != 0 ||
        waitpid(pid, &status, 0) < 0)
        measure_fail(husk);
    *ended = measure_now() * 1e6;
    if (status != 0)
        exit(1);
}

int main(int argc, char **argv)
{
    double began, ended, main_us = 0, last;
    char line[256];
    FILE *stats;
    int file;

    if (argc != 3) {
        fputs("usage: phases HUSK IMAGE\n", stderr);
        return 2;
    }
    file = make_file();
    stats = fdopen(file, "r");
    run(argv[1], argv[2], file, &began, &ended);
    while (main_us == 0 && stats && fgets(line, sizeof(line), stats))
        sscanf(line, " \"began_us\": %lf", &main_us);
    if (main_us == 0)
        measure_fail("--stats");
    main_us -= began;
    printf("exec %.1f us\n", main_us);
    last = main_us + print_steps(stats, main_us);
    printf("end %.1f us\n", ended - began - last);
    until("end", ended - began);
    return 0;
}
