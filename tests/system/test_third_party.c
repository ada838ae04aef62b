/* SPDX-License-Identifier: ISC
 *
 * Programs on libraries of others', from Debian's static archives, which exercise libc and the
 * processor widely: they print natively what they print in a VM, and their own checks are content.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

static const char *scripts(void)
{
    return built("third-party/lua");
}

static void assert_runs_as_natively(const char *program, const char *const *arguments,
                                    const char *const *mounts)
{
    const struct program both = {.native = built("%s", program),
                                 .image = built("%s", program),
                                 .arguments = arguments,
                                 .mounts = mounts};

    assert_same_as_native(&both);
}

static void test_library_works_as_natively(void **state)
{
    const char *program = text("third-party/%s", (const char *)*state);
    const struct result *result = HUSK_RUN("-m", "512M", built("%s", program));

    assert_status(result, 0);
    assert_is_quiet(result);
    assert_runs_as_natively(program, LIST(NULL), LIST(NULL));
}

/* Each run has the directory to itself, at the same path. */
static const struct result *run_in(const char *directory, bool in_vm, const char *program,
                                   const char *argument)
{
    directory_empty(directory);
    if (!in_vm)
        return RUN(built("%s", program), argument, directory, "two words", "end");
    return HUSK_RUN("-v", text("%s:%s:rw", directory, directory), "-v",
                    text("%s:%s", scripts(), scripts()), built("%s", program), argument, directory,
                    "two words", "end");
}

static void test_lua_scripts_run_from_a_mount(void **state)
{
    const char *directory = directory_make(), *script = text("%s/libraries.lua", scripts());
    const struct result *native, *guest;

    (void)state;
    need_kvm();
    native = run_in(directory, false, "apps/lua", script);
    guest = run_in(directory, true, "apps/lua", script);
    assert_status(native, 0);
    assert_same_results(native, guest);
    directory_remove(directory);
}

static void test_lua_tells_where_an_error_came_from(void **state)
{
    const char *directory = directory_make(), *script = text("%s/fails.lua", scripts());
    const struct result *guest = run_in(directory, true, "apps/lua", script);

    (void)state;
    assert_status(guest, 1);
    assert_prints(guest, "before\n");
    assert_complains(guest, "fails.lua:3: deliberate\n");
    assert_complains(guest, "stack traceback:");
    assert_same_results(run_in(directory, false, "apps/lua", script), guest);
    directory_remove(directory);
}

static void test_lua_complains_of_what_is_not_there(void **state)
{
    const struct result *result = HUSK_RUN(built("apps/lua"), "/not-there.lua");

    (void)state;
    assert_status(result, 1);
    assert_complains(result, "lua: cannot open /not-there.lua");
    result = HUSK_RUN(built("apps/lua"));
    assert_status(result, 2);
    assert_complains(result, "usage: lua");
}

static void test_lua_runs_a_script_from_standard_input(void **state)
{
    static const char script[] = "io.write(6 * 7, ' ', arg[1], '\\n')";

    (void)state;
    need_kvm();
    assert_prints(run(&(struct command){.argv = LIST(husk(), "run", built("apps/lua"), "-", "x"),
                                        .input = script,
                                        .input_size = strlen(script)}),
                  "42 x\n");
}

static void test_sqlite_is_used_from_several_threads(void **state)
{
    const char *directory = directory_make(), *path = text("%s/test.db", directory);
    const struct result *native, *guest;

    (void)state;
    need_kvm();
    native = RUN(built("third-party/sqlite-threads"), path);
    directory_empty(directory);
    guest = HUSK_RUN("-v", text("%s:%s:rw", directory, directory),
                     built("third-party/sqlite-threads"), path);
    assert_status(native, 0);
    assert_shows(native, "\nok\n");
    assert_same_results(native, guest);
    directory_remove(directory);
}

int main(void)
{
    static const char *const libraries[] = {"compression", "pictures", "numbers", "crypto"};
    struct test_list list = {0};

    for (size_t i = 0; i < COUNT(libraries); i++)
        test_list_add(&list, text("%s work as natively", libraries[i]),
                      test_library_works_as_natively, libraries[i]);
    test_list_add(&list, "Lua scripts run from a mount", test_lua_scripts_run_from_a_mount, NULL);
    test_list_add(&list, "Lua tells where an error came from",
                  test_lua_tells_where_an_error_came_from, NULL);
    test_list_add(&list, "Lua complains of what is not there",
                  test_lua_complains_of_what_is_not_there, NULL);
    test_list_add(&list, "Lua runs a script from standard input",
                  test_lua_runs_a_script_from_standard_input, NULL);
    test_list_add(&list, "SQLite is used from several threads",
                  test_sqlite_is_used_from_several_threads, NULL);
    return test_list_run(&list, "third_party", NULL, NULL);
}
