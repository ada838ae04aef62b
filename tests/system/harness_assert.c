/* SPDX-License-Identifier: ISC
 *
 * What can be said about results, and the comparison of a VM with a native run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define SHOWN_MAX 900 /* bytes of output in a failure's report; cmocka cuts at 1023 */

/* cmocka's own, for text that belongs to the failure; cmocka.h of 1.1.5 does not declare it. */
void cm_print_error(const char *const format, ...) __attribute__((format(printf, 1, 2)));

static void print_output(const char *name, const struct bytes *bytes)
{
    char shown[SHOWN_MAX + 1];
    size_t size = bytes->size < SHOWN_MAX ? bytes->size : SHOWN_MAX;

    for (size_t i = 0; i < size; i++) {
        char c = bytes->data[i];
        shown[i] = (c >= ' ' && c <= '~') || c == '\n' ? c : '?';
    }
    shown[size] = '\0';
    if (size > 0)
        cm_print_error("%s, %zu bytes:\n%s\n", name, bytes->size, shown);
}

void fail_result(const struct result *result, const char *file, int line, const char *format, ...)
{
    char reason[500];
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    cm_print_error("%s; status %d\n", reason, result->status);
    print_output("stdout", &result->out);
    print_output("stderr", &result->err);
    _fail(file, line);
    abort(); /* _fail is not declared so, but does not return */
}

void assert_status_at(const struct result *result, int status, const char *file, int line)
{
    if (result->status != status)
        fail_result(result, file, line, "status %d was wanted", status);
}

void assert_text_at(const struct result *result, enum part part, const char *wanted,
                    const char *file, int line)
{
    bool out = part == WHOLE_OUT || part == PART_OF_OUT;
    bool whole = part == WHOLE_OUT || part == WHOLE_ERR;
    const struct bytes *bytes = out ? &result->out : &result->err;
    const char *found = memmem(bytes->data, bytes->size, wanted, strlen(wanted));

    if (!found || (whole && bytes->size != strlen(wanted)))
        fail_result(result, file, line, "%s %s \"%s\"", out ? "stdout" : "stderr",
                    whole ? "is not" : "lacks", wanted);
}

/* The line of BYTES that holds its byte at AT, cut. */
static void print_line_at(const char *name, const struct bytes *bytes, size_t at)
{
    size_t start = at;
    int length = 0;

    while (start > 0 && bytes->data[start - 1] != '\n' && at - start < 100)
        start--;
    while (start + length < bytes->size && bytes->data[start + length] != '\n' && length < 200)
        length++;
    cm_print_error("%s: %.*s\n", name, length, bytes->data + start);
}

static void assert_same_bytes(const char *stream, const struct bytes *native,
                              const struct bytes *guest)
{
    size_t at = 0;

    while (at < native->size && at < guest->size && native->data[at] == guest->data[at])
        at++;
    if (at == native->size && at == guest->size)
        return;
    cm_print_error("%s differs from byte %zu on; %zu bytes natively, %zu in the VM\n", stream, at,
                   native->size, guest->size);
    print_line_at("natively ", native, at);
    print_line_at("in the VM", guest, at);
    fail();
}

/* Arguments as they are collected; no test has more. */
struct arguments {
    const char *list[600];
    size_t count;
};

static void add(struct arguments *arguments, const char *argument)
{
    assert_true(arguments->count < COUNT(arguments->list) - 1);
    arguments->list[arguments->count++] = argument;
}

static void add_all(struct arguments *arguments, const char *const *list)
{
    while (list && *list)
        add(arguments, *list++);
}

static const struct result *run_natively(const struct program *program, struct command command)
{
    struct arguments arguments = {.count = 0};

    add(&arguments, program->native);
    add_all(&arguments, program->arguments);
    command.argv = arguments.list;
    command.environment = program->environment;
    command.directory = program->directory;
    return run(&command);
}

static const struct result *run_in_vm(const struct program *program, struct command command)
{
    struct arguments arguments = {.count = 0};

    add(&arguments, husk());
    add(&arguments, "run");
    for (const char *const *mount = program->mounts; mount && *mount; mount++) {
        add(&arguments, "-v");
        add(&arguments, text("%s:%s", *mount, *mount));
    }
    for (const char *const *entry = program->environment; entry && *entry; entry++) {
        add(&arguments, "-e");
        add(&arguments, *entry);
    }
    if (program->directory) {
        add(&arguments, "-w");
        add(&arguments, program->directory);
    }
    add(&arguments, program->image);
    add_all(&arguments, program->arguments);
    command.argv = arguments.list;
    return run(&command);
}

static const struct result *run_with_input(const struct program *program,
                                           const struct result *(*how)(const struct program *,
                                                                       struct command))
{
    struct command command = {.input = program->input, .input_size = program->input_size};
    const struct result *result;

    if (program->stdin_file) {
        command.fd[0] = open(program->stdin_file, O_RDONLY | O_CLOEXEC);
        if (command.fd[0] < 0)
            fail_msg("%s: %s", program->stdin_file, strerror(errno));
    }
    result = how(program, command);
    if (program->stdin_file)
        close(command.fd[0]);
    return result;
}

void assert_same_as_native(const struct program *program)
{
    const struct result *native, *guest;

    need_kvm();
    native = run_with_input(program, run_natively);
    guest = run_with_input(program, run_in_vm);
    assert_same_results(native, guest);
}

void assert_same_results(const struct result *native, const struct result *guest)
{
    if (native->status != guest->status)
        FAIL(guest, "status %d natively, %d in the VM", native->status, guest->status);
    assert_same_bytes("stdout", &native->out, &guest->out);
    assert_same_bytes("stderr", &native->err, &guest->err);
}

void test_list_add(struct test_list *list, const char *name, CMUnitTestFunction test,
                   const void *state)
{
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 64;
        list->tests = realloc(list->tests, list->room * sizeof(*list->tests));
        if (!list->tests)
            abort();
    }
    list->tests[list->count++] = (struct CMUnitTest){
        .name = strdup(name), .test_func = test, .initial_state = (void *)state};
}

int test_list_run(const struct test_list *list, const char *name, CMFixtureFunction setup,
                  CMFixtureFunction teardown)
{
    return _cmocka_run_group_tests(name, list->tests, list->count, setup, teardown);
}
