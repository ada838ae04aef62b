/* SPDX-License-Identifier: ISC
 *
 * Debian's busybox-static, an unmodified program: applets that read and need no other process do in
 * a VM byte for byte what they do natively. They run in a mounted directory that is made here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

#define BUSYBOX "/bin/busybox"

static const struct applet {
    const char *arguments[10];
    const char *input; /* standard input, else /dev/null */
} applets[] = {
    /* Hashes and encodings */
    {{"sha256sum", "text", "binary", "empty"}, NULL},
    {{"sha256sum"}, "standard input"},
    {{"sha256sum", "-c", "hashes"}, NULL},
    {{"sha1sum", "text"}, NULL},
    {{"sha512sum", "text"}, NULL},
    {{"sha3sum", "text"}, NULL},
    {{"md5sum", "text", "missing"}, NULL},
    {{"cksum", "text"}, NULL},
    {{"sum", "text"}, NULL},
    {{"crc32", "binary"}, NULL},
    {{"base64", "binary"}, NULL},
    {{"base64", "-d"}, "aGVsbG8K"},
    {{"uuencode", "-m", "binary", "name"}, NULL},
    {{"uudecode", "-o", "-"}, "begin-base64 644 name\naGVsbG8K\n====\n"},
    {{"xxd", "binary"}, NULL},
    {{"hexdump", "-C", "binary"}, NULL},
    {{"od", "-A", "x", "-t", "x1z", "binary"}, NULL},
    {{"od", "-c", "-j", "100", "-N", "50", "binary"}, NULL},
    {{"strings", "-n", "4", "binary"}, NULL},
    /* Text */
    {{"cat", "text", "-", "unfinished"}, "between two files\n"},
    {{"cat", "-v", "binary"}, NULL},
    {{"cat", "missing"}, NULL},
    {{"cat", "sub"}, NULL},
    {{"wc", "text", "empty", "binary"}, NULL},
    {{"wc", "-L", "text"}, NULL},
    {{"sort", "words"}, NULL},
    {{"sort", "-n", "-r", "-k", "2", "table"}, NULL},
    {{"sort", "-u", "words"}, NULL},
    {{"uniq", "-c", "repeated"}, NULL},
    {{"grep", "-n", "line 1.7", "text"}, NULL},
    {{"grep", "-E", "-o", "[a-z]+ing", "words", "text"}, NULL},
    {{"grep", "-r", "-c", "deep", "sub"}, NULL},
    {{"grep", "nowhere to be found", "text"}, NULL},
    {{"egrep", "-i", "^(ALPHA|omega)$", "words"}, NULL},
    {{"fgrep", "-v", "a", "words"}, NULL},
    {{"sed", "-n", "s/line \\([0-9]*\\)/<\\1>/p;20q", "text"}, NULL},
    {{"sed", "$!N;P;D", "words"}, NULL},
    {{"awk", "-F:", "{ n[$1] += $2 } END { for (i in n) print i, n[i], sqrt(n[i]) }", "colons"},
     NULL},
    {{"awk", "BEGIN { printf \"%.6f %d %s\\n\", exp(1), 7 / 2, substr(\"abcdef\", 2, 3) }"}, NULL},
    {{"head", "-n", "3", "text", "words"}, NULL},
    {{"head", "-c", "17", "binary"}, NULL},
    {{"tail", "-n", "3", "text"}, NULL},
    {{"tail", "-c", "+4000", "text"}, NULL},
    {{"cut", "-d", ":", "-f", "2", "colons"}, NULL},
    {{"tr", "a-z", "A-Z"}, "shouting is loud\n"},
    {{"tr", "-s", "-d", "aeiou", "s"}, "the vowels of this misssissippi\n"},
    {{"cmp", "text", "changed"}, NULL},
    {{"cmp", "-l", "text", "changed"}, NULL},
    {{"cmp", "text", "text"}, NULL},
    {{"diff", "text", "changed"}, NULL},
    {{"diff", "-u", "-L", "a", "-L", "b", "words", "repeated"}, NULL},
    {{"comm", "sorted", "words-sorted"}, NULL},
    {{"nl", "words"}, NULL},
    {{"rev", "words"}, NULL},
    {{"tac", "words"}, NULL},
    {{"fold", "-w", "13", "text"}, NULL},
    {{"expand", "-t", "4", "table"}, NULL},
    {{"unexpand", "-a"}, "a       b        c\n"},
    {{"paste", "words", "colons"}, NULL},
    {{"shuf", "-n", "0", "words"}, NULL},
    {{"dos2unix"}, "one\r\ntwo\r\n"},
    {{"ed", "-s", "words"}, "1,2p\n$=\nq\n"},
    {{"tee"}, "copied\n"},
    /* Packed */
    {{"gunzip", "-c", "text.gz"}, NULL},
    {{"gunzip", "-c", "words"}, NULL},
    {{"gunzip", "-t", "text.gz"}, NULL},
    {{"gunzip", "-t", "words"}, NULL},
    {{"bunzip2", "-t", "text.bz2"}, NULL},
    {{"gzip", "-c", "text"}, NULL},
    {{"bunzip2", "-c", "text.bz2"}, NULL},
    {{"bzip2", "-c", "words"}, NULL},
    {{"xzcat", "hello.xz"}, NULL},
    {{"unlzma", "-c", "hello.lzma"}, NULL},
    {{"lzop", "-c", "text"}, NULL},
    {{"unzip", "-l", "hello.zip"}, NULL},
    {{"unzip", "-p", "hello.zip"}, NULL},
    {{"tar", "-tvf", "all.tar"}, NULL},
    {{"tar", "-xOf", "all.tar", "words"}, NULL},
    {{"cpio", "-t"}, "not an archive"},
    /* Files */
    {{"ls", "-l"}, NULL},
    {{"ls", "-lan", "sub"}, NULL},
    {{"ls", "-1R"}, NULL},
    {{"ls", "-liS", "text", "words"}, NULL},
    {{"ls", "missing"}, NULL},
    {{"find", ".", "-type", "f", "-size", "+1"}, NULL},
    {{"find", "sub", "-name", "*e*", "-o", "-type", "l"}, NULL},
    {{"stat", "text"}, NULL},
    {{"stat", "-c", "%n %s %f %h %i %Y %A", "text", "sub", "link"}, NULL},
    {{"du", "-a", "sub"}, NULL},
    {{"readlink", "link"}, NULL},
    {{"readlink", "-f", "link"}, NULL},
    {{"realpath", "sub/../link", "sub"}, NULL},
    {{"test", "-L", "link", "-a", "-s", "text"}, NULL},
    {{"test", "-d", "missing"}, NULL},
    {{"[", "text", "-nt", "missing", "]"}, NULL},
    {{"pwd", "-P"}, NULL},
    {{"dd", "if=text", "bs=100", "skip=3", "count=2", "status=none"}, NULL},
    {{"which", "text"}, NULL},
    /* Devices and the like */
    {{"cat", "/dev/null", "words"}, NULL},
    {{"cat", "/dev/stdin", "words"}, "from standard input\n"},
    {{"wc", "-c", "/dev/null"}, NULL},
    {{"head", "-c", "50", "/dev/zero"}, NULL},
    {{"dd", "if=/dev/zero", "bs=1000", "count=3", "status=none"}, NULL},
    {{"dd", "if=text", "of=/dev/full"}, NULL},
    {{"dd", "if=text", "of=/dev/null", "status=none"}, NULL},
    {{"cp", "words", "/dev/stdout"}, NULL},
    {{"tee", "/dev/stderr"}, "twice\n"},
    {{"grep", "-c", "a", "/dev/null", "words"}, NULL},
    {{"diff", "/dev/null", "words"}, NULL},
    {{"cmp", "/dev/null", "empty"}, NULL},
    {{"od", "-c", "/dev/fd/0"}, "od\n"},
    {{"stat", "-c", "%F %t %T %a", "/dev/null", "/dev/zero", "/dev/full"}, NULL},
    {{"test", "-c", "/dev/urandom"}, NULL},
    {{"readlink", "/proc/self/root"}, NULL},
    {{"cat", "/proc/self/comm"}, NULL},
    {{"sh", "-c", "echo kept; echo lost >/dev/null; read x </dev/null || echo end"}, NULL},
    /* The rest */
    {{"date", "-u", "-d", "@1700000000"}, NULL},
    {{"date", "-u", "-d", "2024-02-29 12:00", "+%A %j %s %V"}, NULL},
    {{"cal", "2", "2024"}, NULL},
    {{"seq", "-w", "1", "3", "20"}, NULL},
    {{"seq", "0.1", "0.1", "1"}, NULL},
    {{"expr", "(", "12", "*", "7", ")", "%", "10"}, NULL},
    {{"expr", "text", ":", "t\\(e.\\)"}, NULL},
    {{"bc", "-l"}, "scale=40\n4*a(1)\n2^200\n"},
    {{"dc", "-e", "20k 2v p 10 3 / p"}, NULL},
    {{"factor", "1234567890", "18446744073709551557"}, NULL},
    {{"printf", "%5.2f|%-6s|%x|%b", "3.14159", "ab", "255", "tab\\tend\\n"}, NULL},
    {{"echo", "-e", "one\\ttwo", "", "three"}, NULL},
    {{"basename", "/a/b/c.txt", ".txt"}, NULL},
    {{"dirname", "/a/b/c.txt"}, NULL},
    {{"env"}, NULL},
    {{"printenv", "HUSK_TEST_WORDS"}, NULL},
    {{"uname", "-s", "-m"}, NULL},
    {{"id", "-u"}, NULL},
    {{"id", "-G"}, NULL},
    {{"true"}, NULL},
    {{"false"}, NULL},
    {{"sleep", "0"}, NULL},
    {{"usleep", "1"}, NULL},
    {{"yes", "--help"}, NULL},
    {{"nosuchapplet"}, NULL},
    {{"sh", "-c", "i=0; while [ $i -lt 100 ]; do i=$((i + 1)); done; echo $i; exit 7"}, NULL},
    {{"sh", "-c", "set -- a b c; for x; do case $x in b) echo found;; esac; done"}, NULL},
    {{"sh"}, "f() { echo \"$1 from a function\"; }\nf words\n"},
    {{"sh", "-c", "while read -r a b; do echo \"$b, $a\"; done"}, "one two three\nfour five\nsix"},
    {{"sh", "-c", "read -n 3 x; read -t 1 y; echo \"$x|$y\""}, "abcdef\nghi\n"},
    {{"sh", "-c", "read -t 0.01 x; echo \"$? $x\""}, NULL},
    {{"sh", "-c", "read a b <<E\nhere $((1 + 2))\nE\necho \"$b $a\""}, NULL},
    {{"sh", "-c", "while read x; do n=$((n + x)); done <<E\n1\n2\n39\nE\necho $n"}, NULL},
    {{"sh", "-c", "read x <<'E'\n$HOME `id`\nE\necho \"$x\"; while read y; do echo $y; done"},
     "rest\n"},
    {{"mkpasswd", "-m", "sha512", "-S", "saltsalt", "password"}, NULL},
    {{"getopt", "ab:", "-a", "-b", "value", "rest"}, NULL},
    {{"ipcalc", "-n", "-b", "192.168.7.9/20"}, NULL},
    {{"run-parts", "--list", "sub"}, NULL},
};

static const char *data;
static const char *mounts[4]; /* that, and what names users where there is such */

static const char *in_data(const char *name)
{
    return text("%s/%s", data, name);
}

static void test_applet_does_as_natively(void **state)
{
    const struct applet *applet = *state;
    const struct program program = {
        .native = BUSYBOX,
        .image = BUSYBOX,
        .arguments = applet->arguments,
        .environment = LIST("TZ=UTC", "HUSK_TEST_WORDS=two words"),
        .mounts = mounts,
        .directory = data,
        .input = applet->input,
        .input_size = applet->input ? strlen(applet->input) : 0,
    };

    assert_same_as_native(&program);
}

static void write_pattern(const char *path, size_t size)
{
    uint32_t block[16384], state = 1;
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    while (size > 0) {
        size_t part = size < sizeof(block) ? size : sizeof(block);

        for (size_t i = 0; i < COUNT(block); i++)
            block[i] = state = state * 1664525 + 1013904223;
        assert_int_equal(fwrite(block, 1, part, file), part);
        size -= part;
    }
    assert_int_equal(fclose(file), 0);
}

static void test_sha256sum_of_a_mounted_file_equals_the_hosts(void **state)
{
    const size_t large = is_slow_machine() ? 4 << 20 : 100 << 20;
    const size_t sizes[] = {0, 1, 4096, large};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const struct result *native, *guest;

        write_pattern(in_data("sized"), sizes[i]);
        native = RUN(BUSYBOX, "sha256sum", in_data("sized"));
        guest = HUSK_RUN("-v", text("%s:/data:ro", data), BUSYBOX, "sha256sum", "/data/sized");
        assert_status(guest, 0);
        assert_is_quiet(guest);
        assert_memory_equal(guest->out.data, native->out.data, 64);
        assert_string_equal(guest->out.data + 64, "  /data/sized\n");
    }
    remove(in_data("sized"));
}

static void write_text(const char *name, const char *contents)
{
    file_write(in_data(name), contents, strlen(contents));
}

static void write_generated(void)
{
    FILE *file = fopen(in_data("text"), "w"), *changed = fopen(in_data("changed"), "w");
    unsigned char binary[1000];

    for (int i = 1; i <= 300; i++) {
        fprintf(file, "line %d: counting, %d squared is %d\n", i, i, i * i);
        fprintf(changed,
                i == 150 ? "line %d was changed\n" : "line %d: counting, %d squared is %d\n", i, i,
                i * i);
    }
    fclose(file);
    fclose(changed);
    for (size_t i = 0; i < sizeof(binary); i++)
        binary[i] = (unsigned char)(i < 512 ? i : i * i >> 3);
    memcpy(binary + 600, "some readable text", 18);
    file_write(in_data("binary"), binary, sizeof(binary));
}

/* Packed by xz, xz --format=lzma and Python's zipfile: busybox only unpacks these. */
static void write_packed(void)
{
    static const unsigned char xz[] = {
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21,
        0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x1c, 0x68, 0x65, 0x6c,
        0x6c, 0x6f, 0x20, 0x66, 0x72, 0x6f, 0x6d, 0x20, 0x61, 0x20, 0x63, 0x6f, 0x6d, 0x70, 0x72,
        0x65, 0x73, 0x73, 0x65, 0x64, 0x20, 0x66, 0x69, 0x6c, 0x65, 0x0a, 0x00, 0x00, 0x00, 0x00,
        0xac, 0x70, 0x7a, 0xf9, 0xf2, 0x94, 0x94, 0xad, 0x00, 0x01, 0x35, 0x1d, 0x44, 0x1b, 0xb1,
        0xe1, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
    };
    static const unsigned char lzma[] = {
        0x5d, 0x00, 0x00, 0x80, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0x00, 0x34, 0x19, 0x49, 0xee, 0x8d, 0xe9, 0x12, 0xe6, 0x14, 0x0e, 0xbf, 0xb9,
        0x1f, 0x5b, 0xb7, 0xff, 0xce, 0x79, 0xb5, 0xf6, 0x78, 0x6d, 0xf4, 0x87, 0xb9,
        0xea, 0x08, 0x90, 0x27, 0x65, 0x41, 0x57, 0x9f, 0xff, 0xfa, 0xf4, 0x7c, 0x00,
    };
    static const unsigned char zip[] = {
        0x50, 0x4b, 0x03, 0x04, 0x14, 0x00, 0x00, 0x00, 0x08, 0x00, 0x83, 0x18, 0x22, 0x50,
        0x30, 0xc0, 0x8d, 0xf5, 0x1d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x0d, 0x00,
        0x00, 0x00, 0x64, 0x69, 0x72, 0x2f, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x2e, 0x74, 0x78,
        0x74, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x20, 0xd3, 0x8a, 0xf2, 0x73, 0x15,
        0x12, 0x15, 0xaa, 0x32, 0x0b, 0x14, 0x12, 0x8b, 0x92, 0x33, 0x32, 0xcb, 0x52, 0xb9,
        0x00, 0x50, 0x4b, 0x01, 0x02, 0x14, 0x03, 0x14, 0x00, 0x00, 0x00, 0x08, 0x00, 0x83,
        0x18, 0x22, 0x50, 0x30, 0xc0, 0x8d, 0xf5, 0x1d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00,
        0x00, 0x0d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa4,
        0x01, 0x00, 0x00, 0x00, 0x00, 0x64, 0x69, 0x72, 0x2f, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
        0x2e, 0x74, 0x78, 0x74, 0x50, 0x4b, 0x05, 0x06, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
        0x01, 0x00, 0x3b, 0x00, 0x00, 0x00, 0x48, 0x00, 0x00, 0x00, 0x00, 0x00,
    };

    file_write(in_data("hello.xz"), xz, sizeof(xz));
    file_write(in_data("hello.lzma"), lzma, sizeof(lzma));
    file_write(in_data("hello.zip"), zip, sizeof(zip));
}

/* A file with what a native busybox prints. */
static void write_output(const char *name, const char *const *arguments)
{
    const char *argv[10] = {BUSYBOX};
    const struct result *result;

    for (size_t i = 0; arguments[i]; i++)
        argv[i + 1] = arguments[i];
    result = run(&(struct command){.argv = argv, .directory = data});
    assert_status(result, 0);
    file_write(in_data(name), result->out.data, result->out.size);
}

/* Modified long ago and read now: with relatime, reading changes no time that stat shows. */
static int set_times(void)
{
    static const char *const names[] = {".",          "text",    "words",          "sub",
                                        "sub/deeper", "binary",  "sub/file",       "repeated",
                                        "table",      "changed", "sub/deeper/file"};
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = 1577934245}};

    for (size_t i = 0; i < COUNT(names); i++)
        if (utimensat(AT_FDCWD, in_data(names[i]), times, 0) < 0)
            return -1;
    return 0;
}

static int fill_directory(void **state)
{
    static const char *const users[] = {"/etc/passwd", "/etc/group"};
    size_t count = 0;

    (void)state;
    data = directory_make();
    mounts[count++] = data;
    for (size_t i = 0; i < COUNT(users); i++)
        if (access(users[i], R_OK) == 0)
            mounts[count++] = users[i];
    write_generated();
    write_packed();
    write_text("empty", "");
    write_text("unfinished", "no newline at the end");
    write_text("words", "omega\nalpha\nkilling\nBeta\nalpha\nzoo\ndelta ring\n");
    write_text("repeated", "omega\nomega\nalpha\nalpha\nalpha\nBeta\nzoo\n");
    write_text("sorted", "Beta\nalpha\nzoo\n");
    write_text("words-sorted", "Beta\nalpha\nomega\n");
    write_text("table", "apple\t12\tred\npear\t7\tgreen\nplum\t112\tblue\n");
    write_text("colons", "a:1\nb:2\na:30\nc:4\n");
    mkdir(in_data("sub"), 0755);
    mkdir(in_data("sub/deeper"), 0700);
    write_text("sub/file", "near\n");
    write_text("sub/deeper/file", "deep\nand deeper\n");
    if (symlink("sub/file", in_data("link")) < 0 || symlink("nowhere", in_data("sub/broken")) < 0)
        return -1;
    write_output("hashes", LIST("sha256sum", "text", "binary"));
    write_output("text.gz", LIST("gzip", "-c", "text"));
    write_output("text.bz2", LIST("bzip2", "-c", "text"));
    write_output("all.tar", LIST("tar", "-cf", "-", "words", "sub", "link"));
    return set_times();
}

static int empty_directory(void **state)
{
    (void)state;
    directory_remove(data);
    return 0;
}

static const char *name_of(const struct applet *applet)
{
    const char *name = "busybox";

    for (size_t i = 0; applet->arguments[i]; i++)
        name = text("%s %s", name, applet->arguments[i]);
    return name;
}

int main(void)
{
    struct test_list list = {0};

    for (size_t i = 0; i < COUNT(applets); i++)
        test_list_add(&list, name_of(&applets[i]), test_applet_does_as_natively, &applets[i]);
    test_list_add(&list, "sha256sum of a mounted file equals the host's",
                  test_sha256sum_of_a_mounted_file_equals_the_hosts, NULL);
    return test_list_run(&list, "busybox", fill_directory, empty_directory);
}
