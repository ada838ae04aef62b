/* SPDX-License-Identifier: ISC
 *
 * What the end-to-end tests share: commands run with input, output and time bounded, and what can
 * be said about how they ended. All fails of these functions are failures of the cmocka test that
 * runs.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LIST(...)    ((const char *const[]){__VA_ARGS__, NULL})

enum { FD_DEFAULT = 0, FD_CLOSED = -1 };

/* How a command is started. What is left out is sensible. */
struct command {
    const char *const *argv;        /* argv[0] is the file that is executed */
    const char *const *environment; /* empty */
    const char *directory;          /* the tests' own */
    const void *input;              /* what a pipe brings to standard input; else it is /dev/null */
    size_t input_size;
    bool silent; /* a pipe that brings nothing and stays open */
    int fd[3];   /* FD_CLOSED or a descriptor instead of /dev/null and the pipes that are read */
    bool (*enter)(void); /* called in the new process before it executes; false: skip the test */
};

/* Bytes with a zero after the last, so that text is a string. */
struct bytes {
    char *data;
    size_t size;
};

struct result {
    int status; /* as $? in a shell: the exit status, or 128 + signal */
    struct bytes out, err;
};

/*
 * Run a command to its end. More than a minute (ten on a slow machine), more than 64 MiB of output,
 * or a signal that ends husk itself fail the test. Results stay valid while seven more commands are
 * run.
 */
const struct result *run(const struct command *command);
#define RUN(...) run(&(struct command){.argv = LIST(__VA_ARGS__)})

/* `husk ARGUMENTS...`; and `husk run ARGUMENTS...` in a test that is skipped without /dev/kvm. */
#define HUSK(...)     RUN(husk(), __VA_ARGS__)
#define HUSK_RUN(...) (need_kvm(), HUSK("run", __VA_ARGS__))

/* The same in steps: wait for TEXT on standard output, send a signal, wait for the end. */
struct process;
struct process *process_start(const struct command *command);
void process_await(struct process *process, const char *text);
void process_signal(struct process *process, int signal);
const struct result *process_end(struct process *process);
int process_id(const struct process *process);

void need_kvm(void);

/* For struct command: without root's rights; with nothing in /dev. */
bool enter_as_nobody(void);
bool enter_without_devices(void);

/* A machine that emulates another is some thirty times slower: heavy cases are made smaller there.
 */
bool is_slow_machine(void);

/* The absolute path of what was built, below $HUSK_BUILD or build. The last 32 stay valid. */
const char *built(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *husk(void); /* $HUSK_BINARY there, or husk */

/* Text put together; the last 32 stay valid. */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A new directory, removed with its contents by directory_remove. */
const char *directory_make(void);
void directory_empty(const char *directory);
void directory_remove(const char *directory);
void file_write(const char *path, const void *data, size_t size);
struct bytes file_read(const char *path); /* data is to be freed */

/* A program that is run natively and in a VM. Ends of lists are NULL; what is left out is empty. */
struct program {
    const char *native, *image;     /* paths on the host */
    const char *const *arguments;   /* without argv[0] */
    const char *const *environment; /* of both runs */
    const char *const *mounts;      /* directories and files that are visible at the same path */
    const char *directory;          /* where it runs, a mounted one */
    const void *input;
    size_t input_size;
    const char *stdin_file;
};

/* Same standard output, standard error and exit status. */
void assert_same_as_native(const struct program *program);
void assert_same_results(const struct result *native, const struct result *guest);

/* The failure of a test, with the command's end and output. */
_Noreturn void fail_result(const struct result *result, const char *file, int line,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));
#define FAIL(result, ...) fail_result(result, __FILE__, __LINE__, __VA_ARGS__)

void assert_status_at(const struct result *result, int status, const char *file, int line);
enum part { WHOLE_OUT, PART_OF_OUT, WHOLE_ERR, PART_OF_ERR };
void assert_text_at(const struct result *result, enum part part, const char *wanted,
                    const char *file, int line);
#define assert_status(result, wanted) assert_status_at(result, wanted, __FILE__, __LINE__)
#define assert_prints(result, wanted) assert_text_at(result, WHOLE_OUT, wanted, __FILE__, __LINE__)
#define assert_shows(result, wanted)  assert_text_at(result, PART_OF_OUT, wanted, __FILE__, __LINE__)
#define assert_complains(result, wanted)                                                           \
    assert_text_at(result, PART_OF_ERR, wanted, __FILE__, __LINE__)
#define assert_is_quiet(result) assert_text_at(result, WHOLE_ERR, "", __FILE__, __LINE__)

/* Tests that are made at run time: NAME is kept. */
struct test_list {
    struct CMUnitTest *tests;
    size_t count, room;
};
void test_list_add(struct test_list *list, const char *name, CMUnitTestFunction test,
                   const void *state);
int test_list_run(const struct test_list *list, const char *name, CMFixtureFunction setup,
                  CMFixtureFunction teardown);

#endif
