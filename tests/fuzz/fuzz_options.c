/* SPDX-License-Identifier: ISC
 *
 * The input, split at zero bytes, is the command line after `husk run`. What the parser accepts
 * must hold what options.h promises, and nothing may crash, leak or read beyond its bounds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "husk/abi.h"
#include "options.h"

#define ARGS_MAX 64

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_volume(const struct volume_option *volume)
{
    size_t length = strlen(volume->guest);

    require(volume->host[0] != '\0' && !strchr(volume->host, ':'));
    require(volume->guest[0] == '/' && length < HUSK_PATH_MAX && !strchr(volume->guest, ':'));
    require(length == 1 || volume->guest[length - 1] != '/');
    require(length < 3 || strcmp(volume->guest + length - 3, "/..") != 0);
    require(!strstr(volume->guest, "//") && !strstr(volume->guest, "/../"));
    require(!strstr(volume->guest, "/./"));
}

static void check_accepted(char **argv, size_t argc, const struct run_options *options)
{
    for (size_t i = 0; i < options->volume_count; i++)
        check_volume(&options->volumes[i]);
    for (size_t i = 0; i < options->environment_count; i++)
        require(options->environment[i][0] != '=' && strchr(options->environment[i], '='));
    require(options->workdir[0] == '/');
    require(options->memory >= (8 << 20) && options->memory <= HUSK_RAM_MAX);
    require(options->memory % (2 << 20) == 0);
    require(options->timeout_ns <= INT64_MAX && options->cpu_time_ns <= INT64_MAX);
    require(options->nice <= 19 && (!options->cgroup || *options->cgroup));
    require(options->max_files <= UINT32_MAX || options->max_files == UINT64_MAX);
    require(options->tmpfs_count <= TMPFS_MAX && options->publish_count <= NET_RULES_MAX &&
            options->connect_count <= NET_RULES_MAX);
    if (options->help)
        return;
    require(options->argument_count >= 1 && options->image == options->arguments[0]);
    require(options->arguments + options->argument_count == argv + argc);
}

static void check_refused(const struct husk_error *error)
{
    require(error->status == STATUS_HUSK);
    require(error->text[0] != '\0' && strlen(error->text) < sizeof(error->text) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    char *argv[ARGS_MAX + 1];
    size_t argc = 0;
    struct run_options options;
    struct husk_error error = {0};

    require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t at = 0; at < size && argc < ARGS_MAX; at += strlen(text + at) + 1)
        argv[argc++] = text + at;
    argv[argc] = NULL;

    if (options_parse_run(argv, &options, &error) == 0)
        check_accepted(argv, argc, &options);
    else
        check_refused(&error);
    options_free(&options);
    free(text);
    return 0;
}
