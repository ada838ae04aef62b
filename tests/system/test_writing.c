/* SPDX-License-Identifier: ISC
 *
 * Programs that change files: the guest programs of tests/guest and writing applets of Debian's
 * busybox do in a VM what they do natively, and leave the same behind.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "trees.h"

#define BUSYBOX "/bin/busybox"

static const struct toolchain {
    const char *name, *native;
} toolchains[] = {
    {"husk", "musl"}, {"musl", "musl"}, {"glibc", "glibc"}, {"pie", "pie"}, {"lld", "lld"},
};

/* A place to run in, twice: natively, then, with what that left moved aside, in a VM. */
struct place {
    const char *root;                         /* a temporary directory */
    char scratch[PATH_MAX], native[PATH_MAX]; /* in it: where it runs, where the first goes */
};

static void place_make(struct place *place)
{
    place->root = directory_make();
    snprintf(place->scratch, sizeof(place->scratch), "%s/scratch", place->root);
    snprintf(place->native, sizeof(place->native), "%s/native", place->root);
    assert_int_equal(mkdir(place->scratch, 0755), 0);
}

static void place_turn(struct place *place)
{
    assert_int_equal(rename(place->scratch, place->native), 0);
    assert_int_equal(mkdir(place->scratch, 0755), 0);
}

struct test {
    const char *name;
    const struct toolchain *toolchain;
};

static void test_program_leaves_what_it_leaves_natively(void **state)
{
    const struct test *test = *state;
    const struct result *native, *guest;
    struct place place;

    need_kvm();
    place_make(&place);
    native = RUN(built("guest/%s/%s", test->toolchain->native, test->name), place.scratch);
    place_turn(&place);
    guest = HUSK_RUN("-v", text("%s:%s:rw", place.scratch, place.scratch),
                     built("guest/%s/%s", test->toolchain->name, test->name), place.scratch);
    if (native->status != 0)
        FAIL(native, "it is not content natively");
    assert_same_results(native, guest);
    assert_same_trees(place.native, place.scratch);
    directory_remove(place.root);
}

/* What the applets find: files, a tree with links of both kinds, all modified long ago. */
static void fill(const char *directory)
{
    static const char *const names[] = {"words",        "tree/a", "tree/b/c",
                                        "tree/b/empty", "tree/b", "tree"};
    const struct timespec times[2] = {{.tv_sec = 1577934245}, {.tv_sec = 1577934245}};
    const char *previous = getcwd(NULL, 0);

    assert_int_equal(chdir(directory), 0);
    file_write("words", "omega\nalpha\nkilling\nBeta\nalpha\nzoo\ndelta ring\n", 48);
    file_write("changed", "omega\nalpha\nliving\nBeta\nzoo\ndelta ring\nend\n", 43);
    file_write("fix.patch",
               "--- words\n+++ words\n@@ -1,3 +1,3 @@\n omega\n-alpha\n+gamma\n killing\n", 65);
    assert_int_equal(mkdir("tree", 0755), 0);
    assert_int_equal(mkdir("tree/b", 0700), 0);
    assert_int_equal(mkdir("tree/b/empty", 01777), 0);
    file_write("tree/a", "first\n", 6);
    file_write("tree/b/c", "second\n", 7);
    assert_int_equal(chmod("tree/a", 0750), 0);
    assert_int_equal(chmod("tree/b/empty", 01777), 0);
    assert_int_equal(symlink("b/c", "tree/link"), 0);
    assert_int_equal(link("tree/a", "tree/hard"), 0);
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(utimensat(AT_FDCWD, names[i], times, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, "tree/link", times, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(chdir(previous), 0);
    free((char *)previous);
}

/* One or more commands, one after the other in the same directory. */
static const struct applets {
    const char *name;
    const char *commands[5][8];
    const char *input; /* of each of them */
} applets[] = {
    {"cp of a file", {{"cp", "words", "copy"}, {"cp", "words", "tree"}}, NULL},
    {"cp over a file", {{"cp", "words", "changed"}}, NULL},
    {"cp of a directory without -r", {{"cp", "tree", "copy"}}, NULL},
    {"cp -a", {{"cp", "-a", "tree", "copy"}}, NULL},
    {"cp -r", {{"cp", "-r", "tree", "copy"}}, NULL},
    {"cp -p", {{"cp", "-p", "words", "copy"}}, NULL},
    {"cp -l and -s", {{"cp", "-l", "words", "hard"}, {"cp", "-s", "words", "soft"}}, NULL},
    {"tar c and x",
     {{"tar", "-cf", "t.tar", "tree", "words"},
      {"mkdir", "out"},
      {"tar", "-xf", "t.tar", "-C", "out"},
      {"tar", "-tf", "t.tar"}},
     NULL},
    {"gzip and gunzip",
     {{"gzip", "words"}, {"cp", "words.gz", "copy.gz"}, {"gunzip", "words.gz"}},
     NULL},
    {"gzip -k", {{"gzip", "-k", "words"}, {"gunzip", "-c", "words.gz"}}, NULL},
    {"bzip2 and bunzip2",
     {{"bzip2", "words"}, {"cp", "words.bz2", "copy.bz2"}, {"bunzip2", "words.bz2"}},
     NULL},
    {"sort -o", {{"sort", "words", "-o", "words"}, {"sort", "-u", "-o", "new", "changed"}}, NULL},
    {"sed -i", {{"sed", "-i", "s/alpha/ALPHA/;$d", "words"}}, NULL},
    {"sed -i with a suffix", {{"sed", "-i.old", "/a/d", "words", "changed"}}, NULL},
    {"mv of files",
     {{"mv", "words", "moved"}, {"mv", "moved", "tree"}, {"mv", "changed", "tree/a"}},
     NULL},
    {"mv of a directory", {{"mv", "tree", "moved"}, {"mv", "words", "changed", "moved/b"}}, NULL},
    {"mv into itself", {{"mv", "tree", "tree/b"}}, NULL},
    {"ln",
     {{"ln", "words", "hard"}, {"ln", "-s", "words", "soft"}, {"ln", "words", "changed"}},
     NULL},
    {"ln -sf", {{"ln", "-sf", "elsewhere", "words"}, {"ln", "-f", "changed", "tree/a"}}, NULL},
    {"dd",
     {{"dd", "if=words", "of=copy", "bs=7", "skip=1", "count=4"},
      {"dd", "if=changed", "of=words", "bs=5", "seek=2", "conv=notrunc"},
      {"dd", "if=words", "of=sparse", "bs=1024", "seek=1000"}},
     NULL},
    {"touch -d", {{"touch", "-d", "2001-02-03 04:05:06", "words", "new", "tree"}}, NULL},
    {"touch -r and -h", {{"touch", "-r", "tree", "changed"}, {"touch", "-h", "tree/link"}}, NULL},
    {"touch -c", {{"touch", "-c", "new"}}, NULL},
    {"mkdir -p and -m",
     {{"mkdir", "-p", "x/y/z", "tree/b/deep"}, {"mkdir", "-m", "705", "w"}, {"mkdir", "x"}},
     NULL},
    {"rmdir -p", {{"mkdir", "-p", "x/y"}, {"rmdir", "-p", "x/y"}, {"rmdir", "tree"}}, NULL},
    {"rm", {{"rm", "words", "tree/link"}, {"rm", "tree"}, {"rm", "-f", "missing"}}, NULL},
    {"rm -r", {{"rm", "-r", "tree"}}, NULL},
    {"unlink", {{"unlink", "words"}, {"unlink", "tree"}}, NULL},
    {"split", {{"split", "-l", "2", "words", "part-"}, {"split", "-b", "10", "changed"}}, NULL},
    {"tee", {{"tee", "one", "tree/two"}, {"tee", "-a", "words"}}, "input\nof tee\n"},
    {"patch", {{"patch", "-p0", "-i", "fix.patch"}}, NULL},
    {"patch that does not fit", {{"patch", "-p0", "-i", "fix.patch", "changed"}}, NULL},
    {"diff of trees",
     {{"cp", "-a", "tree", "copy"},
      {"sed", "-i", "s/e/E/", "copy/a"},
      {"diff", "-r", "tree", "copy"}},
     NULL},
    {"chmod",
     {{"chmod", "u+s,g-w,o=", "words"},
      {"chmod", "-R", "go+rX", "tree"},
      {"chmod", "0", "changed"}},
     NULL},
    {"chown to oneself", {{"chown", "-R", "-h", "0:0", "tree"}}, NULL},
    {"truncate",
     {{"truncate", "-s", "5", "words"},
      {"truncate", "-s", "10K", "new"},
      {"truncate", "-c", "-s", "1", "no"}},
     NULL},
    {"sync", {{"sync"}, {"sync", "words"}, {"fsync", "words"}}, NULL},
    {"fallocate", {{"fallocate", "-l", "5000", "words"}}, NULL},
    {"uuencode and uudecode",
     {{"uudecode", "-o", "decoded"}},
     "begin-base64 600 n\naGVsbG8K\n====\n"},
    {"unix2dos", {{"unix2dos", "words"}, {"dos2unix", "words"}, {"unix2dos", "changed"}}, NULL},
    {"ed", {{"ed", "words"}}, "1d\n$a\nadded\n.\nw\nw new\nq\n"},
    {"awk with output files",
     {{"awk", "{ print NR, $0 > (NR % 2 ? \"odd\" : \"even\"); print >> \"changed\" }", "words"}},
     NULL},
    {"sh with redirections",
     {{"sh", "-c",
       "echo one >new; echo two >>new; : >words; set -C; echo x >changed; echo y >|changed; "
       "exec 3<>tree/a; echo over >&3; echo end >&3; umask 077; echo z >private"}},
     NULL},
    {"dd with devices",
     {{"dd", "if=/dev/zero", "of=zeros", "bs=1000", "count=3", "seek=2"},
      {"dd", "if=words", "of=/dev/null"},
      {"dd", "if=/dev/null", "of=words"}},
     NULL},
    {"cp of a device", {{"cp", "/dev/null", "new"}, {"cp", "/dev/null", "words"}}, NULL},
    {"shred",
     {{"shred", "-n", "1", "-z", "words"}, {"shred", "-u", "changed"}, {"shred", "none"}},
     NULL},
    {"find -delete", {{"find", "tree", "-type", "f", "-delete"}}, NULL},
    {"ar", {{"ar", "-t", "words"}}, NULL},
    {"readlink and stat of what was made",
     {{"ln", "-s", "words", "soft"},
      {"readlink", "-f", "soft"},
      {"stat", "-c", "%n %s %h %A", "soft"}},
     NULL},
};

/* All commands of APPLETS in DIRECTORY; what they print and how they end, put together. */
static struct bytes run_applets(const struct applets *list, const char *directory, bool in_vm)
{
    static const char *const in_husk[] = {"run",
                                          "-v",
                                          NULL,
                                          "-w",
                                          NULL,
                                          "-e",
                                          "TZ=UTC",
                                          "-v",
                                          "/etc/passwd:/etc/passwd",
                                          "-v",
                                          "/etc/group:/etc/group",
                                          BUSYBOX};
    struct bytes all = {calloc(1, 1), 0};

    for (size_t i = 0; i < COUNT(list->commands) && list->commands[i][0]; i++) {
        const char *argv[32] = {in_vm ? husk() : BUSYBOX};
        const struct result *result;
        const char *end;
        size_t count = 1;

        for (size_t j = 0; in_vm && j < COUNT(in_husk); j++)
            argv[count++] = j == 2   ? text("%s:%s:rw", directory, directory)
                            : j == 4 ? directory
                                     : in_husk[j];
        for (size_t j = 0; j < COUNT(list->commands[i]) && list->commands[i][j]; j++)
            argv[count++] = list->commands[i][j];
        result = run(&(struct command){.argv = argv,
                                       .directory = directory,
                                       .environment = LIST("TZ=UTC"),
                                       .input = list->input,
                                       .input_size = list->input ? strlen(list->input) : 0});
        end = text("%s%s: status %d\n%s%s", all.data, list->commands[i][0], result->status,
                   result->out.data, result->err.data);
        free(all.data);
        all = (struct bytes){strdup(end), strlen(end)};
    }
    return all;
}

/* dd tells how long it took: what follows "copied" in a line differs. */
static void forget_speeds(char *output)
{
    for (char *at = output; (at = strstr(at, "copied, "));) {
        char *end = strchr(at, '\n');

        memmove(at + 6, end, strlen(end) + 1);
        at += 6;
    }
}

static void test_applets_leave_what_they_leave_natively(void **state)
{
    const struct applets *list = *state;
    struct bytes native, guest;
    struct place place;

    need_kvm();
    place_make(&place);
    fill(place.scratch);
    native = run_applets(list, place.scratch, false);
    place_turn(&place);
    fill(place.scratch);
    guest = run_applets(list, place.scratch, true);
    forget_speeds(native.data);
    forget_speeds(guest.data);
    assert_string_equal(native.data, guest.data);
    assert_same_trees(place.native, place.scratch);
    free(native.data);
    free(guest.data);
    directory_remove(place.root);
}

int main(void)
{
    struct bytes names = file_read(built("guest/scratch-cases"));
    struct test_list list = {0};

    for (const char *name = names.data; name < names.data + names.size; name += strlen(name) + 1)
        for (size_t i = 0; i < COUNT(toolchains); i++) {
            struct test *test = malloc(sizeof(*test));

            *test = (struct test){name, &toolchains[i]};
            test_list_add(
                &list,
                text("%s, built as %s, leaves what it leaves natively", name, toolchains[i].name),
                test_program_leaves_what_it_leaves_natively, test);
        }
    for (size_t i = 0; i < COUNT(applets); i++)
        test_list_add(&list, text("busybox: %s", applets[i].name),
                      test_applets_leave_what_they_leave_natively, &applets[i]);
    return test_list_run(&list, "writing", NULL, NULL);
}
