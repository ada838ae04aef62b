/* SPDX-License-Identifier: ISC */
#include "locals.h"

#include <stdio.h>
#include <string.h>

#define TMP_SIZE_MAX (64ULL << 20)

struct defaults {
    char path[12];    /* inline: no pointer to relocate at start */
    char provider[8]; /* a volume there provides it, too */
    enum husk_local_kind kind;
};

/* A volume at one of these or below takes its place. */
static const struct defaults defaults[] = {
    {"/dev", "", HUSK_LOCAL_SYNTHETIC},  {"/dev/shm", "/dev", HUSK_LOCAL_TMPFS},
    {"/proc", "", HUSK_LOCAL_SYNTHETIC}, {"/etc", "/", HUSK_LOCAL_SYNTHETIC},
    {"/tmp", "/", HUSK_LOCAL_TMPFS},
};
#define DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))
_Static_assert(TMPFS_MAX + DEFAULTS <= HUSK_LOCALS_MAX, "room for both");

static int add(struct mounts *mounts, struct boot_request *request, struct husk_local local,
               struct husk_error *err)
{
    if (mounts_add_local(mounts, local.path, err) < 0)
        return -1;
    local.length = (uint8_t)strlen(local.path);
    request->locals[request->local_count++] = local;
    return 0;
}

static uint64_t tmp_size(const struct run_options *options)
{
    return options->memory / 4 < TMP_SIZE_MAX ? options->memory / 4 : TMP_SIZE_MAX;
}

static bool is_asked_for(const struct run_options *options, const char *path)
{
    for (size_t i = 0; i < options->tmpfs_count; i++)
        if (strcmp(options->tmpfs[i].guest, path) == 0)
            return true;
    return false;
}

static bool is_there(const struct run_options *options, const struct mounts *mounts,
                     const char *path)
{
    return mounts_has(mounts, path) || is_asked_for(options, path);
}

static bool is_provided(const struct run_options *options, const struct mounts *mounts,
                        const struct defaults *d)
{
    return is_there(options, mounts, d->path) || mounts_has_below(mounts, d->path) ||
           (*d->provider && is_there(options, mounts, d->provider));
}

/* Who mounts /etc/ssl may not expect that /etc/hosts goes. */
static void warn_of_names(const struct run_options *options, const struct defaults *hidden)
{
    if (strcmp(hidden->path, "/etc") != 0)
        return;
    for (size_t i = 0; i < options->connect_count; i++)
        if (options->connect[i].kind == NET_CONNECT_NAME) {
            fprintf(stderr, "husk: a volume takes the place of /etc, and with it of the names of "
                            "--connect in /etc/hosts\n");
            return;
        }
}

/* They come before those of --tmpfs, which may lie in them. */
static int add_defaults(const struct run_options *options, struct mounts *mounts,
                        struct boot_request *request, struct husk_error *err)
{
    bool provided[DEFAULTS];

    /* All before the first is added: they are mounts, too. */
    for (size_t i = 0; i < DEFAULTS; i++) {
        provided[i] = is_provided(options, mounts, &defaults[i]);
        if (provided[i])
            warn_of_names(options, &defaults[i]);
    }
    for (size_t i = 0; i < DEFAULTS; i++) {
        struct husk_local local = {.kind = defaults[i].kind, .size = tmp_size(options)};

        strcpy(local.path, defaults[i].path);
        if (!provided[i] && add(mounts, request, local, err) < 0)
            return -1;
    }
    return 0;
}

int locals_add(const struct run_options *options, struct mounts *mounts,
               struct boot_request *request, struct husk_error *err)
{
    if (add_defaults(options, mounts, request, err) < 0)
        return -1;
    for (size_t i = 0; i < options->tmpfs_count; i++) {
        const struct tmpfs_option *tmpfs = &options->tmpfs[i];
        struct husk_local local = {.kind = HUSK_LOCAL_TMPFS,
                                   .size = tmpfs->size ? tmpfs->size : options->memory / 2};

        strcpy(local.path, tmpfs->guest); /* fits: options.c */
        if (add(mounts, request, local, err) < 0)
            return -1;
    }
    return 0;
}
