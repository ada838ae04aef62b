/* SPDX-License-Identifier: ISC
 *
 * The programs of tests/guest, built by each toolchain: they do in a VM what they do natively. A
 * husk image cannot run natively, so it is compared with the same program and libc without
 * guest-rt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness.h"

#define TREE "@TREE@"

static const struct toolchain {
    const char *name, *native;
} toolchains[] = {
    {"husk", "musl"}, {"musl", "musl"}, {"glibc", "glibc"}, {"lld", "lld"}, {"pie", "pie"},
};

/* One run of tests/guest/cases.sh, read from what list-cases.sh made of it. */
struct guest_case {
    const char *name, *stdin_file;
    char **environment, **arguments;
};

struct test {
    const struct guest_case *guest;
    const struct toolchain *toolchain;
};

static const char *tree;

static void test_program_runs_as_natively(void **state)
{
    const struct test *test = *state;
    const struct program program = {
        .native = built("guest/%s/%s", test->toolchain->native, test->guest->name),
        .image = built("guest/%s/%s", test->toolchain->name, test->guest->name),
        .arguments = (const char *const *)test->guest->arguments,
        .environment = (const char *const *)test->guest->environment,
        .mounts = LIST(tree),
        .stdin_file = test->guest->stdin_file,
    };

    assert_same_as_native(&program);
}

/* These fail natively or do harm there: their own checks say whether they are content. */
static void test_program_finds_what_husk_promises(void **state)
{
    const struct test *test = *state;
    const struct result *result =
        HUSK_RUN("-v", text("%s:%s", tree, tree),
                 built("guest/%s/%s", test->toolchain->name, test->guest->name), tree);

    assert_status(result, 0);
    assert_is_quiet(result);
}

/* One field of the list, with the tree's real path in it. */
static char *next_field(const char **at)
{
    const char *field = *at, *found = strstr(field, TREE);
    char *copy;

    *at += strlen(field) + 1;
    if (!found)
        return strdup(field);
    if (asprintf(&copy, "%.*s%s%s", (int)(found - field), field, tree, found + strlen(TREE)) < 0)
        abort();
    return copy;
}

static char **split_lines(char *lines)
{
    char **list = calloc(64, sizeof(*list));
    size_t count = 0;

    for (char *line; (line = strsep(&lines, "\n")) && count < 63;)
        if (*line)
            list[count++] = line;
    return list;
}

static struct guest_case *next_case(const char **at)
{
    struct guest_case *guest = calloc(1, sizeof(*guest));
    char *count;

    guest->name = next_field(at);
    guest->stdin_file = next_field(at);
    guest->environment = split_lines(next_field(at));
    count = next_field(at);
    guest->arguments = calloc((size_t)atoi(count) + 1, sizeof(char *));
    for (int i = 0; i < atoi(count); i++)
        guest->arguments[i] = next_field(at);
    free(count);
    return guest;
}

static void add_tests(struct test_list *list, const struct guest_case *guest, unsigned number,
                      CMUnitTestFunction function, const char *claim)
{
    /* An emulated machine has time for a husk image, a static and a position-independent program.
     */
    for (size_t i = 0; i < COUNT(toolchains); i += is_slow_machine() ? 2 : 1) {
        struct test *test = malloc(sizeof(*test));

        *test = (struct test){guest, &toolchains[i]};
        test_list_add(
            list,
            text("%s, case %u, built as %s, %s", guest->name, number, toolchains[i].name, claim),
            function, test);
    }
}

/*
 * A mount below /tmp takes the place of the guest's own file system there, which some programs try:
 * a tree that was built below /tmp is made elsewhere.
 */
static char *other_tree;

static const char *tree_outside_tmp(void)
{
    const char *built_tree = built("guest/tree");
    char directory[] = "/var/tmp/husk-tree-XXXXXX";

    if (strncmp(built_tree, "/tmp/", 5) != 0)
        return strdup(built_tree);
    mkdir("/var", 0755); /* an initramfs may lack both */
    mkdir("/var/tmp", 01777);
    if (!mkdtemp(directory) ||
        system(text("sh %s %s/tree", built("guest/make-tree.sh"), directory)) != 0)
        abort();
    other_tree = strdup(directory);
    return strdup(text("%s/tree", directory));
}

static int remove_other_tree(void **state)
{
    (void)state;
    return other_tree ? system(text("rm -rf %s", other_tree)) : 0;
}

/* Time itself is what these look at. Where an emulator makes it, they fail natively as well. */
static bool needs_real_time(const char *name)
{
    return strcmp(name, "thread-times") == 0 || strcmp(name, "signal-timers") == 0;
}

int main(void)
{
    static const struct guest_case husk_only[] = {
        {.name = "husk-only/inotify"},   {.name = "husk-only/local-files"},
        {.name = "husk-only/processes"}, {.name = "husk-only/read-only"},
        {.name = "husk-only/vfork"},     {.name = "husk-only/write-xor-execute"},
    };
    struct bytes cases = file_read(built("guest/cases"));
    struct test_list list = {0};
    const char *last = "";
    unsigned number = 0;

    tree = tree_outside_tmp();
    for (const char *at = cases.data; at < cases.data + cases.size;) {
        const struct guest_case *guest = next_case(&at);

        number = strcmp(guest->name, last) == 0 ? number + 1 : 1;
        last = guest->name;
        if (!is_slow_machine() || !needs_real_time(guest->name))
            add_tests(&list, guest, number, test_program_runs_as_natively, "runs as natively");
    }
    for (size_t i = 0; i < COUNT(husk_only); i++)
        add_tests(&list, &husk_only[i], 1, test_program_finds_what_husk_promises,
                  "finds what husk promises");
    return test_list_run(&list, "programs", NULL, remove_other_tree);
}
