/* SPDX-License-Identifier: ISC */
#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cleanup.h"
#include "husk/abi.h"

#define MIB            ((uint64_t)1 << 20)
#define MEMORY_DEFAULT (256 * MIB)
#define MEMORY_MIN     (8 * MIB)
#define NICE_MAX       19
#define MEMORY_UNIT    (2 * MIB) /* struct guest_memory maps RAM in steps of a huge page */
_Static_assert(HUSK_RAM_MAX % MEMORY_UNIT == 0, "rounding up never exceeds it");

enum value_use { VALUE_NONE, VALUE_OPTIONAL, VALUE_REQUIRED };

struct option {
    char letter;   /* or 0 */
    char name[16]; /* inline, like form: no pointer to relocate at start */
    char form[25];
    enum value_use use;
    int (*set)(struct run_options *options, const struct option *option, const char *value,
               struct husk_error *err);
};

/* "husk: --memory 5xyz: REASON". A long value is cut, so that the reason is always seen. */
static int refuse(const struct option *option, const char *value, const char *reason,
                  struct husk_error *err)
{
    const int shown = 100;
    const char *cut = strlen(value) > (size_t)shown ? "..." : "";

    return error_set(err, STATUS_HUSK, "--%s %.*s%s: %s", option->name, shown, value, cut, reason);
}

static int refuse_memory(struct husk_error *err)
{
    return error_set(err, STATUS_HUSK, "out of memory while reading the options");
}

/*
 * Strip double and trailing slashes and "." from an absolute PATH, in place. Returns false if it
 * has a "..": what that means depends on links in the guest, which -v cannot know yet.
 */
static bool path_normalise(char *path)
{
    char *out = path;

    for (const char *in = path; *in;) {
        in += strspn(in, "/");
        size_t length = strcspn(in, "/");
        if (length == 2 && in[0] == '.' && in[1] == '.')
            return false;
        if (length > 0 && !(length == 1 && in[0] == '.')) {
            *out++ = '/';
            memmove(out, in, length);
            out += length;
        }
        in += length;
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
    return true;
}

static int volume_append(struct run_options *options, struct volume_option volume)
{
    size_t count = options->volume_count;
    struct volume_option *grown = reallocarray(options->volumes, count + 1, sizeof(*grown));

    if (!grown)
        return -1;
    grown[count] = volume;
    options->volumes = grown;
    options->volume_count++;
    return 0;
}

/* "ro", "rw" and "dev", separated by commas. -1: something else, or what contradicts itself. */
static int parse_rights(char *list, struct volume_option *volume)
{
    bool read_only = false;

    for (const char *right; (right = strsep(&list, ","));) {
        if (strcmp(right, "ro") == 0)
            read_only = true;
        else if (strcmp(right, "rw") == 0)
            volume->writable = true;
        else if (strcmp(right, "dev") == 0)
            volume->devices = true;
        else
            return -1;
    }
    return read_only && volume->writable ? -1 : 0;
}

static int set_volume(struct run_options *options, const struct option *option, const char *value,
                      struct husk_error *err)
{
    cleanup_free char *host = strdup(value);

    if (!host)
        return refuse_memory(err);

    char *rest = host;
    strsep(&rest, ":");
    char *guest = strsep(&rest, ":");
    struct volume_option volume = {.host = host, .guest = guest};

    if (*host == '\0' || !guest || *guest == '\0')
        return refuse(option, value, "give HOST:GUEST, e.g. ./data:/data", err);
    if (rest && parse_rights(rest, &volume))
        return refuse(option, value,
                      "only ro or rw, and dev, with a comma in between, may follow GUEST; reach a "
                      "path that has a ':' through a symbolic link",
                      err);
    if (*guest != '/')
        return refuse(option, value, "GUEST must be an absolute path, e.g. /data", err);
    if (strlen(guest) >= HUSK_PATH_MAX)
        return refuse(option, value, "GUEST is longer than a path can be", err);
    if (!path_normalise(guest))
        return refuse(option, value, "GUEST must not contain '..'", err);
    if (volume_append(options, volume))
        return refuse_memory(err);
    host = NULL;
    return 0;
}

static int set_tmpfs(struct run_options *options, const struct option *option, const char *value,
                     struct husk_error *err)
{
    struct tmpfs_option tmpfs = {0};

    if (options->tmpfs_count == TMPFS_MAX)
        return refuse(option, value, "there are 8 already, and 8 are the most", err);

    cleanup_free char *guest = strdup(value);
    if (!guest)
        return refuse_memory(err);

    char *size = guest;
    strsep(&size, ":");
    if (*guest != '/')
        return refuse(option, value, "give an absolute path and a size, e.g. /scratch:64M", err);
    if (size && parse_size(size, &tmpfs.size))
        return refuse(option, value, "not a size; give digits and K, M or G, e.g. /scratch:64M",
                      err);
    if (!path_normalise(guest))
        return refuse(option, value, "GUEST must not contain '..'", err);
    if (strlen(guest) >= sizeof(((struct husk_local *)NULL)->path))
        return refuse(option, value, "GUEST is too long; 117 bytes are the most", err);
    tmpfs.guest = guest;
    guest = NULL;
    options->tmpfs[options->tmpfs_count++] = tmpfs;
    return 0;
}

/* The entry NAME=VALUE for the LENGTH bytes of NAME in husk's own environment, or NULL. */
static const char *environment_find(const char *name, size_t length)
{
    for (char **entry = environ; entry && *entry; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry;
    return NULL;
}

/* Where NAME= is in what -e has collected, or the first free place. */
static size_t environment_index(const struct run_options *options, const char *name, size_t length)
{
    size_t i = 0;

    while (i < options->environment_count && (strncmp(options->environment[i], name, length) != 0 ||
                                              options->environment[i][length] != '='))
        i++;
    return i;
}

static int set_environment(struct run_options *options, const struct option *option,
                           const char *value, struct husk_error *err)
{
    size_t length = strcspn(value, "=");

    if (length == 0)
        return refuse(option, value, "the name is empty; give NAME=VALUE or NAME", err);

    const char *entry = value[length] == '=' ? value : environment_find(value, length);
    if (!entry)
        return 0;

    size_t i = environment_index(options, value, length);
    if (i == options->environment_count) {
        const char **grown = reallocarray(options->environment, i + 1, sizeof(*grown));
        if (!grown)
            return refuse_memory(err);
        options->environment = grown;
        options->environment_count++;
    }
    options->environment[i] = entry;
    return 0;
}

static int set_workdir(struct run_options *options, const struct option *option, const char *value,
                       struct husk_error *err)
{
    if (*value != '/')
        return refuse(option, value, "give an absolute path of the guest, e.g. /data", err);
    if (strlen(value) >= sizeof(((struct husk_boot *)NULL)->cwd))
        return refuse(option, value, "too long; 2047 bytes are the most", err);
    options->workdir = value;
    return 0;
}

static int set_memory(struct run_options *options, const struct option *option, const char *value,
                      struct husk_error *err)
{
    uint64_t bytes;

    if (parse_size(value, &bytes))
        return refuse(option, value, "not a size; give digits and K, M or G, e.g. 256M", err);
    if (bytes < MEMORY_MIN)
        return refuse(option, value, "too small; 8M is the least", err);
    if (bytes > HUSK_RAM_MAX)
        return refuse(option, value, "too large; 510G is the most", err);
    options->memory = (bytes + MEMORY_UNIT - 1) / MEMORY_UNIT * MEMORY_UNIT;
    return 0;
}

static int set_timeout(struct run_options *options, const struct option *option, const char *value,
                       struct husk_error *err)
{
    if (parse_duration(value, &options->timeout_ns))
        return refuse(option, value,
                      "not a duration; give a number above 0 and ms, s, m or h, e.g. 1.5s", err);
    return 0;
}

static int set_cpu_time(struct run_options *options, const struct option *option, const char *value,
                        struct husk_error *err)
{
    if (parse_duration(value, &options->cpu_time_ns))
        return refuse(option, value,
                      "not a duration; give a number above 0 and ms, s, m or h, e.g. 1.5s", err);
    return 0;
}

static int set_max_output(struct run_options *options, const struct option *option,
                          const char *value, struct husk_error *err)
{
    if (parse_size(value, &options->max_output))
        return refuse(option, value, "not a size; give digits and K, M or G, e.g. 10M", err);
    return 0;
}

static int set_max_files(struct run_options *options, const struct option *option,
                         const char *value, struct husk_error *err)
{
    if (parse_count(value, UINT32_MAX, &options->max_files))
        return refuse(option, value, "not a number; give digits, e.g. 64", err);
    return 0;
}

static int set_max_sockets(struct run_options *options, const struct option *option,
                           const char *value, struct husk_error *err)
{
    if (parse_count(value, UINT32_MAX, &options->max_sockets))
        return refuse(option, value, "not a number; give digits, e.g. 64", err);
    return 0;
}

static int set_nice(struct run_options *options, const struct option *option, const char *value,
                    struct husk_error *err)
{
    if (parse_count(value, NICE_MAX, &options->nice))
        return refuse(option, value, "give a number from 0 to 19: how far to stand back", err);
    return 0;
}

static int set_cgroup(struct run_options *options, const struct option *option, const char *value,
                      struct husk_error *err)
{
    if (*value == '\0')
        return refuse(option, value, "give a directory below /sys/fs/cgroup", err);
    options->cgroup = value;
    return 0;
}

static int set_file(const char **file, const struct option *option, const char *value,
                    struct husk_error *err)
{
    if (value && *value == '\0')
        return error_set(err, STATUS_HUSK, "--%s=: give a file name, or leave the '=' out",
                         option->name);
    *file = value ? value : "";
    return 0;
}

static int set_trace(struct run_options *options, const struct option *option, const char *value,
                     struct husk_error *err)
{
    return set_file(&options->trace, option, value, err);
}

static int set_stats(struct run_options *options, const struct option *option, const char *value,
                     struct husk_error *err)
{
    return set_file(&options->stats, option, value, err);
}

static int set_isolate(struct run_options *options, const struct option *option, const char *value,
                       struct husk_error *err)
{
    (void)option, (void)value, (void)err;
    options->isolate = true;
    return 0;
}

static int set_require_jail(struct run_options *options, const struct option *option,
                            const char *value, struct husk_error *err)
{
    (void)option, (void)value, (void)err;
    options->require_jail = true;
    return 0;
}

static int set_help(struct run_options *options, const struct option *option, const char *value,
                    struct husk_error *err)
{
    (void)option, (void)value, (void)err;
    options->help = true;
    return 0;
}

static const char too_many_rules[] = "there are 64 already, and 64 are the most";

static int set_publish(struct run_options *options, const struct option *option, const char *value,
                       struct husk_error *err)
{
    const char *reason = too_many_rules;

    if (options->publish_count < NET_RULES_MAX)
        reason = net_parse_publish(value, &options->publish[options->publish_count]);
    if (reason)
        return refuse(option, value, reason, err);
    options->publish_count++;
    return 0;
}

static int set_connect(struct run_options *options, const struct option *option, const char *value,
                       struct husk_error *err)
{
    const char *reason = too_many_rules;

    if (options->connect_count < NET_RULES_MAX)
        reason = net_parse_connect(value, &options->connect[options->connect_count]);
    if (reason)
        return refuse(option, value, reason, err);
    options->connect_count++;
    return 0;
}

static const struct option option_table[] = {
    {'v', "volume", "HOST:GUEST[:ro]", VALUE_REQUIRED, set_volume},
    {0, "tmpfs", "GUEST[:SIZE]", VALUE_REQUIRED, set_tmpfs},
    {'p', "publish", "[ADDR:]HOST:GUEST[/udp]", VALUE_REQUIRED, set_publish},
    {0, "connect", "HOST:PORT", VALUE_REQUIRED, set_connect},
    {'e', "env", "NAME[=VALUE]", VALUE_REQUIRED, set_environment},
    {'w', "workdir", "DIR", VALUE_REQUIRED, set_workdir},
    {'m', "memory", "SIZE, e.g. 256M", VALUE_REQUIRED, set_memory},
    {0, "timeout", "DURATION, e.g. 30s", VALUE_REQUIRED, set_timeout},
    {0, "cpu-time", "DURATION, e.g. 30s", VALUE_REQUIRED, set_cpu_time},
    {0, "max-output", "SIZE, e.g. 10M", VALUE_REQUIRED, set_max_output},
    {0, "max-files", "NUMBER", VALUE_REQUIRED, set_max_files},
    {0, "max-sockets", "NUMBER", VALUE_REQUIRED, set_max_sockets},
    {0, "nice", "0 to 19", VALUE_REQUIRED, set_nice},
    {0, "cgroup", "PATH", VALUE_REQUIRED, set_cgroup},
    {0, "trace", "", VALUE_OPTIONAL, set_trace},
    {0, "stats", "", VALUE_OPTIONAL, set_stats},
    {0, "isolate", "", VALUE_NONE, set_isolate},
    {0, "require-jail", "", VALUE_NONE, set_require_jail},
    {'h', "help", "", VALUE_NONE, set_help},
};

static const struct option *option_find(char letter, const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(option_table) / sizeof(option_table[0]); i++) {
        const struct option *option = &option_table[i];
        if (letter && option->letter == letter)
            return option;
        if (!letter && strlen(option->name) == length && memcmp(option->name, name, length) == 0)
            return option;
    }
    return NULL;
}

/* Parse the option at **NEXT, which starts with '-', and step over it and its value. */
static int parse_option(char ***next, struct run_options *options, struct husk_error *err)
{
    const char *text = *(*next)++;
    bool is_long = text[1] == '-';
    size_t length = is_long ? strcspn(text, "=") : 2;
    const struct option *option = option_find(is_long ? 0 : text[1], text + 2, length - 2);

    if (!option)
        return error_set(err, STATUS_HUSK, "unknown option %.*s; `husk help run` lists all",
                         length > 100 ? 100 : (int)length, text);

    const char *value = NULL;
    if (text[length] != '\0')
        value = text + length + is_long;
    else if (option->use == VALUE_REQUIRED && **next)
        value = *(*next)++;

    if (value && option->use == VALUE_NONE)
        return error_set(err, STATUS_HUSK, "--%s takes no value", option->name);
    if (!value && option->use == VALUE_REQUIRED)
        return error_set(err, STATUS_HUSK, "--%s needs a value: %s", option->name, option->form);
    return option->set(options, option, value, err);
}

/* Most programs use none of the large members at the end: their pages are not even touched. */
static void set_defaults(struct run_options *options)
{
    memset(options, 0, offsetof(struct run_options, tmpfs));
    options->workdir = "/";
    options->memory = MEMORY_DEFAULT;
    options->max_output = UINT64_MAX;
    options->max_files = UINT64_MAX;
    options->max_sockets = UINT64_MAX;
}

int options_parse_run(char **argv, struct run_options *options, struct husk_error *err)
{
    char **next = argv;

    set_defaults(options);
    while (*next && (*next)[0] == '-' && (*next)[1] != '\0') {
        if (strcmp(*next, "--") == 0) {
            next++;
            break;
        }
        if (parse_option(&next, options, err))
            return -1;
        if (options->help)
            return 0;
    }

    if (!*next)
        return error_set(err, STATUS_HUSK,
                         "no image given; usage: husk run [options] [--] IMAGE [ARG...]");
    options->image = *next;
    options->arguments = next;
    while (next[options->argument_count])
        options->argument_count++;
    return 0;
}

void options_free(struct run_options *options)
{
    for (size_t i = 0; i < options->volume_count; i++)
        free(options->volumes[i].host);
    free(options->volumes);
    for (size_t i = 0; i < options->tmpfs_count; i++)
        free(options->tmpfs[i].guest);
    free(options->environment);
    *options = (struct run_options){0};
}
