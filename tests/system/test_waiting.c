/* SPDX-License-Identifier: ISC
 *
 * Programs that wait for the host's pipes and for things in the guest at the same time, and what
 * that costs.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "harness.h"
#include "json.h"

static const char *const ways[] = {"poll", "select", "epoll", "edge", "once"};
static const char *waiter(void)
{
    return built("guest/musl/waiter");
}

static void test_input_is_copied(void **state)
{
    const char *way = *state;
    size_t size = is_slow_machine() ? 100000 : 1000000;
    char *input = malloc(size);
    const struct result *result;

    need_kvm();
    for (size_t i = 0; i < size; i++)
        input[i] = (char)(i * 7 >> 4);
    result = run(&(struct command){
        .argv = LIST(husk(), "run", waiter(), way), .input = input, .input_size = size});
    assert_status(result, 0);
    assert_is_quiet(result);
    assert_int_equal(result->out.size, size);
    assert_memory_equal(result->out.data, input, size);
    free(input);
}

static void test_input_that_comes_late_is_copied(void **state)
{
    const char *way = *state;
    struct process *process;
    const struct result *result;
    int ends[2];

    need_kvm();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    process = process_start(
        &(struct command){.argv = LIST(husk(), "run", waiter(), way), .fd = {ends[0]}});
    close(ends[0]);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(write(ends[1], "part\n", 5), 5);
        process_await(process, text("%.*s", 5 * (i + 1), "part\npart\npart\n"));
    }
    close(ends[1]);
    result = process_end(process);
    assert_status(result, 0);
    assert_prints(result, "part\npart\npart\n");
}

/* Of the statistics that RESULT's run wrote; -1: none of that name. */
static double hypercalls(const char *name)
{
    struct bytes stats = file_read(text("%s/stats", directory));
    const char *all = json_member(stats.data, "hypercalls");
    double count = json_number(json_member(json_member(all, name), "count"));

    free(stats.data);
    return count;
}

static const char *stats_option(void)
{
    return text("--stats=%s/stats", directory);
}

/* A wait that nothing ends costs one hypercall, and no other before or after it. */
static void test_a_wait_is_one_hypercall(void **state)
{
    const char *way = *state;
    const struct result *result;
    bool by_poll = strcmp(way, "poll") == 0 || strcmp(way, "select") == 0;

    need_kvm();
    result = run(&(struct command){.argv = LIST(husk(), "run", stats_option(), waiter(), way, "50"),
                                   .silent = true});
    assert_status(result, 0);
    assert_prints(result, "0\n");
    assert_int_equal(hypercalls("wait"), by_poll ? 1 : -1);
    assert_int_equal(hypercalls("events"), by_poll ? -1 : 1);
}

/* A thousand rounds between two threads, all in the guest. */
static void test_waits_in_the_guest_cost_no_hypercall(void **state)
{
    const struct result *result = HUSK_RUN(stats_option(), built("guest/musl/events"));

    (void)state;
    assert_status(result, 0);
    assert_true(hypercalls("wait") < 20);
}

/* Timers, a thread pool, an async handle, pipes, local sockets, signals: an unmodified library. */
static void test_program_on_libuv_runs_as_natively(void **state)
{
    const char *program = built("third-party/libuv");

    (void)state;
    need_kvm();
    assert_same_as_native(&(struct program){.native = program, .image = program});
}

int main(void)
{
    struct test_list list = {0};

    for (size_t i = 0; i < COUNT(ways); i++) {
        test_list_add(&list, text("%s: input is copied while an eventfd ticks", ways[i]),
                      test_input_is_copied, ways[i]);
        test_list_add(&list, text("%s: input that comes late is copied", ways[i]),
                      test_input_that_comes_late_is_copied, ways[i]);
        test_list_add(&list, text("%s: a wait is one hypercall", ways[i]),
                      test_a_wait_is_one_hypercall, ways[i]);
    }
    test_list_add(&list, "waits in the guest cost no hypercall",
                  test_waits_in_the_guest_cost_no_hypercall, NULL);
    test_list_add(&list, "a program on libuv runs as natively",
                  test_program_on_libuv_runs_as_natively, NULL);
    return test_list_run(&list, "waiting", make_directory, remove_directory);
}
