/* SPDX-License-Identifier: ISC
 *
 * Measure commands against each other: A B C A B C ..., so that what disturbs the machine disturbs
 * all of them, and medians with their spread.
 *
 *     run [-n ROUNDS] [-w ROUNDS] [-v] [-o FILE] [-g 'NAME<=LIMIT' | 'NAME>=LIMIT']... BENCH
 *         -- NAME COMMAND... -- NAME COMMAND...
 *
 * The first NAME is what the others are compared with. A command is measured by the time from its
 * start to its end; with -v by what it prints: lines of a name, a number and a unit, each of which
 * becomes a row, compared with the line of that name from the first command. -g says what is wanted
 * of NAME, which with -v is "NAME: line's name": a ratio, or of the first command a value. -w is
 * warm-up, -o adds to a JSON file (results.h). Ends with 0, also when a goal is missed, and with 1
 * when a command fails. HUSK_BENCH_ROUNDS in the environment is the most rounds that there are.
 *
 * With HUSK_BENCH_CLOCK=instructions the clock is taken to count one nanosecond for an instruction
 * (svm.sh), and a command is measured by its processor time: waiting executes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "results.h"

#define COMMANDS_MAX 16
#define ROWS_MAX     64
#define GOALS_MAX    32
#define OUTPUT_MAX   8192

extern char **environ;

struct command {
    const char *name;
    char **argv;
    double *cpu_us; /* one for each round */
};

struct measurement {
    const char *bench, *file;
    long rounds, warmup;
    bool values_printed; /* -v */
    bool instructions;   /* are what the clock counts */
    struct command commands[COMMANDS_MAX];
    size_t command_count;
    const char *goals[GOALS_MAX];
    size_t goal_count;
    struct row rows[ROWS_MAX];
    size_t row_count;
};

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench/run: %s: %s\n", what, why);
    exit(1);
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        fail("memory", strerror(errno));
    return memory;
}

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double cpu_us(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e6 +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

/* Run a command; its output goes to TEXT, or nowhere. Returns the time that it took. */
static double run_once(const struct command *command, char *text, double *cpu)
{
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    int pipes[2], status;
    size_t length = 0;
    double began;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!text)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    else if (pipe2(pipes, O_CLOEXEC) < 0)
        fail("pipe", strerror(errno));
    else
        posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    began = now_us();
    errno = posix_spawnp(&pid, command->argv[0], &actions, NULL, command->argv, environ);
    if (errno)
        fail(command->argv[0], strerror(errno));
    if (text) {
        ssize_t got;

        close(pipes[1]);
        while (length < OUTPUT_MAX - 1 &&
               (got = read(pipes[0], text + length, OUTPUT_MAX - 1 - length)) > 0)
            length += (size_t)got;
        text[length] = '\0';
        close(pipes[0]);
    }
    if (wait4(pid, &status, 0, &usage) < 0)
        fail("wait4", strerror(errno));
    began = now_us() - began;
    posix_spawn_file_actions_destroy(&actions);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail(command->name, "the command failed; run it by hand to see why");
    *cpu = cpu_us(&usage);
    return began;
}

static const char *find_goal(const struct measurement *m, const char *command, const char *what)
{
    char name[128];

    snprintf(name, sizeof(name), "%s%s%s", command, *what ? ": " : "", what);
    for (size_t i = 0; i < m->goal_count; i++) {
        const char *goal = m->goals[i] + strcspn(m->goals[i], "<>");

        if (strlen(name) == (size_t)(goal - m->goals[i]) &&
            strncmp(name, m->goals[i], strlen(name)) == 0)
            return goal;
    }
    return NULL;
}

static struct row *find_row(struct measurement *m, const char *command, const char *what)
{
    for (size_t i = 0; i < m->row_count; i++)
        if (m->rows[i].command == command && strcmp(m->rows[i].what, what) == 0)
            return &m->rows[i];
    return NULL;
}

static void add_value(struct measurement *m, const char *command, const char *what,
                      const char *unit, double value)
{
    struct row *row = find_row(m, command, what);

    if (!row) {
        if (m->row_count == ROWS_MAX)
            fail(command, "prints more names than there is room for");
        row = &m->rows[m->row_count++];
        *row = (struct row){
            .command = command,
            .what = strdup(what),
            .unit = strdup(unit),
            .values = allocate((size_t)m->rounds * sizeof(double)),
            .goal = find_goal(m, command, what),
        };
    }
    if (row->count == (size_t)m->rounds)
        fail(what, "printed twice by one command");
    row->values[row->count++] = value;
}

/* Lines of a name, which may hold blanks, a number and a unit. Others are the command's own. */
static void add_printed(struct measurement *m, const struct command *command, char *text)
{
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *unit = strrchr(line, ' '), *number, *end;
        double value;

        if (!unit)
            continue;
        *unit++ = '\0';
        number = strrchr(line, ' ');
        if (!number)
            continue;
        *number++ = '\0';
        value = strtod(number, &end);
        if (end != number && *end == '\0')
            add_value(m, command->name, line, unit, value);
    }
}

static void measure(struct measurement *m)
{
    for (long round = -m->warmup; round < m->rounds; round++)
        for (size_t i = 0; i < m->command_count; i++) {
            struct command *command = &m->commands[i];
            char text[OUTPUT_MAX];
            double cpu, took = run_once(command, m->values_printed ? text : NULL, &cpu);

            if (round < 0)
                continue;
            command->cpu_us[round] = cpu;
            if (m->values_printed)
                add_printed(m, command, text);
            else if (m->instructions)
                add_value(m, command->name, "", "kinst", cpu);
            else
                add_value(m, command->name, "", "us", took);
        }
}

static void compare_rows(struct measurement *m)
{
    for (size_t i = 0; i < m->row_count; i++) {
        struct row *row = &m->rows[i];

        if (row->command != m->commands[0].name)
            row->base = find_row(m, m->commands[0].name, row->what);
    }
    if (m->values_printed || m->instructions)
        return;
    for (size_t i = 0; i < m->row_count; i++)
        m->rows[i].cpu_us = median(m->commands[i].cpu_us, (size_t)m->rounds);
}

static _Noreturn void usage(void)
{
    fputs("usage: run [-n ROUNDS] [-w ROUNDS] [-v] [-o FILE] [-g GOAL]... BENCH"
          " -- NAME COMMAND... -- ...\n",
          stderr);
    exit(2);
}

static long parse_rounds(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (end == text || *end || number < 0 || number > 1000000)
        usage();
    return number;
}

static void parse_commands(struct measurement *m, char **argv)
{
    while (*argv) {
        struct command *command = &m->commands[m->command_count++];

        if (strcmp(*argv, "--") != 0 || !argv[1] || !argv[2] || m->command_count == COMMANDS_MAX)
            usage();
        *argv = NULL;
        command->name = argv[1];
        command->argv = argv + 2;
        command->cpu_us = allocate((size_t)m->rounds * sizeof(double));
        for (argv += 2; *argv && strcmp(*argv, "--") != 0;)
            argv++;
    }
}

static void parse(struct measurement *m, char **argv)
{
    const char *most = getenv("HUSK_BENCH_ROUNDS"), *clock = getenv("HUSK_BENCH_CLOCK");
    int option, argc = 0;

    *m = (struct measurement){.rounds = 100, .warmup = 2};
    while (argv[argc] && strcmp(argv[argc], "--") != 0)
        argc++;
    while ((option = getopt(argc, argv, "n:w:vo:g:")) != -1)
        switch (option) {
        case 'n':
            m->rounds = parse_rounds(optarg);
            break;
        case 'w':
            m->warmup = parse_rounds(optarg);
            break;
        case 'v':
            m->values_printed = true;
            break;
        case 'o':
            m->file = optarg;
            break;
        case 'g':
            if (m->goal_count == GOALS_MAX || !strpbrk(optarg, "<>"))
                usage();
            m->goals[m->goal_count++] = optarg;
            break;
        default:
            usage();
        }
    if (most && parse_rounds(most) < m->rounds)
        m->rounds = parse_rounds(most);
    if (optind != argc - 1 || m->rounds == 0)
        usage();
    m->instructions = clock && strcmp(clock, "instructions") == 0;
    m->bench = argv[optind];
    parse_commands(m, argv + argc);
    if (m->command_count == 0)
        usage();
}

int main(int argc, char **argv)
{
    static struct measurement m;

    (void)argc;
    parse(&m, argv);
    measure(&m);
    if (m.row_count == 0)
        fail(m.bench, "no command printed a result");
    compare_rows(&m);
    results_print(m.bench, m.rows, m.row_count);
    if (m.file && results_write(m.file, m.bench, m.rows, m.row_count) < 0)
        fail(m.file, strerror(errno));
    return 0;
}
