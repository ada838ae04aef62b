/* SPDX-License-Identifier: ISC */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX (64U << 20)

struct process {
    pid_t pid;
    int input, output[2]; /* our ends of the pipes, or -1 */
    const char *left;     /* of the input, not yet written */
    size_t left_size;
    bool keeps_input_open, is_husk;
    struct timespec deadline;
    struct result *result;
};

bool is_slow_machine(void)
{
    const char *slow = getenv("HUSK_SLOW_MACHINE");

    return slow && strcmp(slow, "1") == 0;
}

void need_kvm(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        print_message("# skipped: /dev/kvm: %s\n", strerror(errno));
        skip();
    }
    close(fd);
}

static const char *keep_text(const char *format, va_list args)
{
    static char *kept[32];
    static unsigned next;
    char **place = &kept[next++ % COUNT(kept)];

    free(*place);
    assert_true(vasprintf(place, format, args) >= 0);
    return *place;
}

const char *text(const char *format, ...)
{
    va_list args;
    const char *made;

    va_start(args, format);
    made = keep_text(format, args);
    va_end(args);
    return made;
}

const char *built(const char *format, ...)
{
    static char root[PATH_MAX];
    const char *build = getenv("HUSK_BUILD");
    va_list args;
    const char *name;

    if (!root[0] && !realpath(build ? build : "build", root))
        fail_msg("%s: %s; set HUSK_BUILD", build ? build : "build", strerror(errno));
    va_start(args, format);
    name = keep_text(format, args);
    va_end(args);
    return text("%s/%s", root, name);
}

const char *husk(void)
{
    static char path[PATH_MAX];
    const char *binary = getenv("HUSK_BINARY");

    if (!path[0])
        snprintf(path, sizeof(path), "%s", built("%s", binary ? binary : "husk"));
    return path;
}

const char *directory_make(void)
{
    const char *tmp = getenv("TMPDIR");
    char *directory;

    assert_true(asprintf(&directory, "%s/husk-test-XXXXXX", tmp ? tmp : "/tmp") >= 0);
    assert_non_null(mkdtemp(directory));
    return directory;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type;
    return walk->level > 0 ? remove(path) : 0;
}

void directory_empty(const char *directory)
{
    nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void directory_remove(const char *directory)
{
    directory_empty(directory);
    rmdir(directory);
    free((char *)directory);
}

void file_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "w");

    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        fail_msg("%s: %s", path, strerror(errno));
}

struct bytes file_read(const char *path)
{
    FILE *file = fopen(path, "r");
    struct bytes bytes = {0};
    struct stat status;

    if (!file || fstat(fileno(file), &status) < 0)
        fail_msg("%s: %s", path, strerror(errno));
    bytes.data = calloc(1, (size_t)status.st_size + 1);
    assert_non_null(bytes.data);
    bytes.size = fread(bytes.data, 1, (size_t)status.st_size, file);
    fclose(file);
    return bytes;
}

/* The status of a process that could not become what the test wanted. */
enum { EXIT_HARNESS = 255 };

/* In the child: take FD's place, or leave it closed. */
static void place_descriptor(int from, int fd)
{
    if (from == FD_CLOSED)
        close(fd);
    else if (dup2(from, fd) < 0)
        _exit(EXIT_HARNESS);
}

static const char cannot_enter[] = "harness: cannot enter\n";

bool enter_as_nobody(void)
{
    const unsigned nobody = 65534;

    return setgroups(0, NULL) == 0 && setresgid(nobody, nobody, nobody) == 0 &&
           setresuid(nobody, nobody, nobody) == 0;
}

bool enter_without_devices(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", "/dev", "tmpfs", 0, NULL) == 0;
}

static _Noreturn void execute(const struct command *command, const int from[3], pid_t parent)
{
    static const char *const no_environment[] = {NULL};
    const char *const *environment = command->environment ? command->environment : no_environment;

    /* No test leaves a process behind, however it ends itself. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_HARNESS);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    for (int fd = 0; fd < 3; fd++)
        place_descriptor(from[fd], fd);
    if (command->directory && chdir(command->directory) < 0)
        _exit(EXIT_HARNESS);
    if (command->enter) {
        int file = open(command->argv[0], O_PATH | O_CLOEXEC);

        if (!command->enter() && write(STDERR_FILENO, cannot_enter, sizeof(cannot_enter) - 1) >= 0)
            _exit(EXIT_HARNESS);
        fexecve(file, (char *const *)command->argv, (char *const *)environment);
    }
    execve(command->argv[0], (char *const *)command->argv, (char *const *)environment);
    dprintf(2, "harness: %s: %s\n", command->argv[0], strerror(errno));
    _exit(EXIT_HARNESS);
}

/* Copied above 2, so that placing one descriptor never overwrites another. */
static int move_up(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    assert_true(moved >= 0);
    return moved;
}

/* Both ends of a pipe, above 2: [0] is read, [1] is written. */
static void make_pipe(int ends[2])
{
    int made[2];

    assert_int_equal(pipe2(made, O_CLOEXEC), 0);
    for (int i = 0; i < 2; i++) {
        ends[i] = move_up(made[i]);
        close(made[i]);
    }
}

static struct result *new_result(void)
{
    static struct result results[8];
    static unsigned next;
    struct result *result = &results[next++ % COUNT(results)];

    free(result->out.data);
    free(result->err.data);
    *result = (struct result){.out.data = calloc(1, 1), .err.data = calloc(1, 1)};
    return result;
}

static void connect_input(struct process *process, const struct command *command, int *from)
{
    int ends[2];

    process->input = -1;
    if (command->fd[0] != FD_DEFAULT) {
        *from = command->fd[0] == FD_CLOSED ? FD_CLOSED : move_up(command->fd[0]);
    } else if (command->input || command->silent) {
        make_pipe(ends);
        *from = ends[0];
        process->input = ends[1];
        fcntl(process->input, F_SETFL, O_NONBLOCK);
    } else {
        *from = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
}

static void connect_output(struct process *process, const struct command *command, int fd,
                           int *from)
{
    int ends[2];

    process->output[fd - 1] = -1;
    if (command->fd[fd] != FD_DEFAULT) {
        *from = command->fd[fd] == FD_CLOSED ? FD_CLOSED : move_up(command->fd[fd]);
        return;
    }
    make_pipe(ends);
    *from = ends[1];
    process->output[fd - 1] = ends[0];
}

struct process *process_start(const struct command *command)
{
    struct process *process = calloc(1, sizeof(*process));
    pid_t parent = getpid();
    int from[3];

    assert_non_null(process);
    signal(SIGPIPE, SIG_IGN);
    process->result = new_result();
    process->left = command->input;
    process->left_size = command->input_size;
    process->keeps_input_open = command->silent;
    process->is_husk = strcmp(command->argv[0], husk()) == 0;
    clock_gettime(CLOCK_MONOTONIC, &process->deadline);
    process->deadline.tv_sec += is_slow_machine() ? 600 : 60;

    connect_input(process, command, &from[0]);
    connect_output(process, command, 1, &from[1]);
    connect_output(process, command, 2, &from[2]);
    fflush(NULL);
    process->pid = fork();
    assert_true(process->pid >= 0);
    if (process->pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        execute(command, from, parent);
    }
    for (int fd = 0; fd < 3; fd++)
        if (from[fd] != FD_CLOSED)
            close(from[fd]);
    return process;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void write_input(struct process *process)
{
    ssize_t wrote = write(process->input, process->left, process->left_size);

    if (wrote < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (wrote < 0)
        process->left_size = 0; /* nobody reads it any more */
    else
        process->left += wrote, process->left_size -= (size_t)wrote;
}

static void read_output(int *fd, struct bytes *bytes)
{
    const size_t piece = 64 << 10;
    char *grown = realloc(bytes->data, bytes->size + piece + 1);
    ssize_t got;

    assert_non_null(grown);
    bytes->data = grown;
    got = read(*fd, bytes->data + bytes->size, piece);
    if (got > 0)
        bytes->size += (size_t)got;
    else if (got == 0 || errno != EINTR)
        close_end(fd);
    bytes->data[bytes->size] = '\0';
}

static void release(struct process *process)
{
    close_end(&process->input);
    close_end(&process->output[0]);
    close_end(&process->output[1]);
    free(process);
}

static _Noreturn void give_up(struct process *process, const char *reason)
{
    struct result *result = process->result;

    kill(process->pid, SIGKILL);
    waitpid(process->pid, NULL, 0);
    release(process);
    FAIL(result, "%s", reason);
}

static int milliseconds_left(const struct process *process)
{
    struct timespec now;
    int64_t left;

    clock_gettime(CLOCK_MONOTONIC, &now);
    left = (process->deadline.tv_sec - now.tv_sec) * 1000 +
           (process->deadline.tv_nsec - now.tv_nsec) / 1000000;
    return left > 0 ? (int)left : 0;
}

/* Move what can be moved, once. Returns false when all output has ended. */
static bool exchange(struct process *process)
{
    struct bytes *bytes[2] = {&process->result->out, &process->result->err};
    struct pollfd ends[3] = {
        {.fd = process->output[0], .events = POLLIN},
        {.fd = process->output[1], .events = POLLIN},
        {.fd = process->input, .events = POLLOUT},
    };

    if (process->left_size == 0 && !process->keeps_input_open)
        close_end(&process->input);
    if (process->left_size == 0)
        ends[2].fd = -1;
    if (process->output[0] < 0 && process->output[1] < 0)
        return false;
    if (poll(ends, COUNT(ends), milliseconds_left(process)) == 0)
        give_up(process, "it did not end in time");
    for (int i = 0; i < 2; i++)
        if (ends[i].revents)
            read_output(&process->output[i], bytes[i]);
    if (ends[2].revents)
        write_input(process);
    if (bytes[0]->size + bytes[1]->size > OUTPUT_MAX)
        give_up(process, "it writes without end");
    return true;
}

void process_await(struct process *process, const char *wanted)
{
    while (!strstr(process->result->out.data, wanted))
        if (!exchange(process))
            give_up(process, text("it never printed \"%s\"", wanted));
}

int process_id(const struct process *process)
{
    return process->pid;
}

void process_signal(struct process *process, int signal)
{
    process->is_husk &= signal != SIGKILL; /* which husk cannot turn into a status */
    kill(process->pid, signal);
}

const struct result *process_end(struct process *process)
{
    struct result *result = process->result;
    const struct timespec moment = {0, 200000};
    int status;
    bool is_husk = process->is_husk;
    pid_t ended;

    while (exchange(process))
        continue;
    while ((ended = waitpid(process->pid, &status, WNOHANG)) == 0) {
        if (milliseconds_left(process) == 0)
            give_up(process, "it closed its output but did not end in time");
        nanosleep(&moment, NULL);
    }
    assert_int_equal(ended, process->pid);
    result->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    release(process);
    if (is_husk && WIFSIGNALED(status))
        FAIL(result, "husk itself was ended by signal %d", WTERMSIG(status));
    return result;
}

const struct result *run(const struct command *command)
{
    const struct result *result = process_end(process_start(command));

    if (command->enter && strcmp(result->err.data, cannot_enter) == 0) {
        print_message("# skipped: this user may not do what the test needs\n");
        skip();
    }
    return result;
}
