/* SPDX-License-Identifier: ISC
 *
 * Measure commands against each other: A B C A B C ..., so that what disturbs the machine disturbs
 * all of them, and medians with their spread.
 *
 *     run [-n ROUNDS] [-w ROUNDS] [-1] [-v] [-o FILE] [-g 'NAME<=LIMIT' | 'NAME>=LIMIT']... BENCH
 *         -- NAME COMMAND... -- NAME COMMAND... -- NAME ! WHY...
 *
 * The first NAME is what the others are compared with. A command is measured by the time from its
 * start to its end; with -v by what it prints: lines of a name, a number and a unit, each of which
 * becomes a row, compared with the line of that name from the first command. -g says what is wanted
 * of NAME, which with -v is "NAME: line's name": a ratio, or of the first command a value. -w is
 * warm-up, -1 keeps everything on one processor, -o adds to a JSON file (results.h).
 *
 * What cannot be measured here has "!" and the reason in place of its command, and a row that says
 * so. A command that fails gets such a row as well; the others are measured all the same. Ends with
 * 0, also when a goal is missed, and with 1 when a command failed. HUSK_BENCH_ROUNDS in the
 * environment is the most rounds that there are.
 *
 * With HUSK_BENCH_CLOCK=instructions the clock is taken to count one nanosecond for an instruction
 * (svm.sh), and a command is measured by its processor time: waiting executes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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
    char why[128];  /* it is not measured, or "" */
};

struct measurement {
    const char *bench, *file;
    long rounds, warmup;
    bool values_printed; /* -v */
    bool instructions;   /* are what the clock counts */
    bool failed;         /* any command */
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

static bool ended_well(struct command *command, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    snprintf(command->why, sizeof(command->why), "ended %s %d",
             WIFEXITED(status) ? "with status" : "by signal",
             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return false;
}

/*
 * Processes that a command started and did not wait for, as bubblewrap does. None is left to
 * disturb the next one. Returns the processor time that they took.
 */
static double reap_orphans(void)
{
    struct rusage usage;
    double cpu = 0;

    while (wait4(-1, NULL, 0, &usage) > 0)
        cpu += cpu_us(&usage);
    return cpu;
}

/* Read all that is written to FD; what is too long for TEXT is lost. */
static void read_output(int fd, char *text)
{
    char rest[512];
    size_t length = 0;
    ssize_t got;

    while (length < OUTPUT_MAX - 1 && (got = read(fd, text + length, OUTPUT_MAX - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    while (read(fd, rest, sizeof(rest)) > 0)
        continue;
    close(fd);
}

/* Run a command; its output goes to TEXT, or nowhere. False if it fails: its `why` says how. */
static bool run_once(struct command *command, char *text, double *took, double *cpu)
{
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    int pipes[2], status;
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
    posix_spawn_file_actions_destroy(&actions);
    if (errno) {
        snprintf(command->why, sizeof(command->why), "cannot be started: %s", strerror(errno));
        if (text)
            close(pipes[0]), close(pipes[1]);
        return false;
    }
    if (text) {
        close(pipes[1]);
        read_output(pipes[0], text);
    }
    if (wait4(pid, &status, 0, &usage) < 0)
        fail("wait4", strerror(errno));
    *took = now_us() - began;
    *cpu = cpu_us(&usage) + reap_orphans();
    return ended_well(command, status);
}

static const char *find_goal(const struct measurement *m, const char *command, const char *what)
{
    char name[128];

    if (m->instructions)
        return NULL; /* goals are of time */
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

static struct row *add_row(struct measurement *m, const char *command, const char *what,
                           const char *unit)
{
    struct row *row = &m->rows[m->row_count++];

    if (m->row_count > ROWS_MAX)
        fail(command, "prints more names than there is room for");
    *row = (struct row){
        .command = command,
        .what = strdup(what),
        .unit = strdup(unit),
        .values = allocate((size_t)m->rounds * sizeof(double)),
        .goal = find_goal(m, command, what),
    };
    return row;
}

static void add_value(struct measurement *m, const char *command, const char *what,
                      const char *unit, double value)
{
    struct row *row = find_row(m, command, what);

    if (!row)
        row = add_row(m, command, what, unit);
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

static void measure_command(struct measurement *m, struct command *command, long round)
{
    char text[OUTPUT_MAX];
    double took, cpu;

    if (!run_once(command, m->values_printed ? text : NULL, &took, &cpu)) {
        fprintf(stderr, "bench/run: %s: %s\n", command->name, command->why);
        m->failed = true;
        return;
    }
    if (round < 0)
        return;
    command->cpu_us[round] = cpu;
    if (m->values_printed)
        add_printed(m, command, text);
    else if (m->instructions)
        add_value(m, command->name, "", "kinst", cpu);
    else
        add_value(m, command->name, "", "us", took);
}

static void measure(struct measurement *m)
{
    for (long round = -m->warmup; round < m->rounds; round++)
        for (size_t i = 0; i < m->command_count; i++)
            if (!*m->commands[i].why)
                measure_command(m, &m->commands[i], round);
}

/* In place of whatever it had measured before it failed: one row that says why. */
static void explain(struct measurement *m, const struct command *command)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->row_count; i++)
        if (m->rows[i].command != command->name)
            m->rows[kept++] = m->rows[i];
    m->row_count = kept;
    add_row(m, command->name, "", "")->why = command->why;
}

/* As the commands are: what failed came last. */
static void order_rows(struct measurement *m)
{
    struct row ordered[ROWS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < m->command_count; i++)
        for (size_t j = 0; j < m->row_count; j++)
            if (m->rows[j].command == m->commands[i].name)
                ordered[count++] = m->rows[j];
    memcpy(m->rows, ordered, count * sizeof(ordered[0]));
}

static void compare_rows(struct measurement *m)
{
    struct row *row;

    for (size_t i = 0; i < m->command_count; i++) {
        struct command *command = &m->commands[i];

        if (*command->why)
            explain(m, command);
        else if (!m->values_printed && !m->instructions) {
            row = find_row(m, command->name, "");
            row->cpu_us = median(command->cpu_us, (size_t)m->rounds);
        }
    }
    order_rows(m);
    for (size_t i = 0; i < m->row_count; i++) {
        row = &m->rows[i];
        if (row->command != m->commands[0].name && !row->why)
            row->base = find_row(m, m->commands[0].name, row->what);
        if (row->base && (row->base->why || median(row->base->values, row->base->count) == 0))
            row->base = NULL;
    }
}

static _Noreturn void usage(void)
{
    fputs("usage: run [-n ROUNDS] [-w ROUNDS] [-1] [-v] [-o FILE] [-g GOAL]... BENCH"
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

/* The words after "!". */
static void join_words(char **words, char *text, size_t size)
{
    size_t length = 0;

    for (; *words && length < size; words++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", length ? " " : "", *words);
    if (!*text)
        snprintf(text, size, "not measured");
}

static void parse_commands(struct measurement *m, char **argv)
{
    while (*argv) {
        struct command *command = &m->commands[m->command_count++];
        char *ended;

        if (strcmp(*argv, "--") != 0 || !argv[1] || !argv[2] || m->command_count == COMMANDS_MAX)
            usage();
        *argv = NULL;
        command->name = argv[1];
        command->argv = argv + 2;
        command->cpu_us = allocate((size_t)m->rounds * sizeof(double));
        for (argv += 2; *argv && strcmp(*argv, "--") != 0;)
            argv++;
        ended = *argv;
        *argv = NULL;
        if (!command->argv[0])
            usage();
        if (strcmp(command->argv[0], "!") == 0)
            join_words(command->argv + 1, command->why, sizeof(command->why));
        *argv = ended;
    }
}

static void stay_on_one_processor(void)
{
    cpu_set_t allowed, one;
    int cpu = 0;

    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
        fail("sched_getaffinity", strerror(errno));
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one) < 0)
        fail("sched_setaffinity", strerror(errno));
}

static void parse(struct measurement *m, char **argv)
{
    const char *most = getenv("HUSK_BENCH_ROUNDS"), *clock = getenv("HUSK_BENCH_CLOCK");
    int option, argc = 0;

    *m = (struct measurement){.rounds = 100, .warmup = 2};
    while (argv[argc] && strcmp(argv[argc], "--") != 0)
        argc++;
    while ((option = getopt(argc, argv, "n:w:1vo:g:")) != -1)
        switch (option) {
        case 'n':
            m->rounds = parse_rounds(optarg);
            break;
        case 'w':
            m->warmup = parse_rounds(optarg);
            break;
        case '1':
            stay_on_one_processor();
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
    if (most && parse_rounds(most) < m->rounds) {
        m->rounds = parse_rounds(most);
        m->warmup = m->warmup < m->rounds ? m->warmup : m->rounds - 1;
    }
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
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    measure(&m);
    compare_rows(&m);
    if (m.row_count == 0)
        fail(m.bench, "no command printed a result");
    results_print(m.bench, m.rows, m.row_count);
    if (m.file && results_write(m.file, m.bench, m.rows, m.row_count) < 0)
        fail(m.file, strerror(errno));
    return m.failed;
}
