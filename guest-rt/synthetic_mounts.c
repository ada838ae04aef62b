/* SPDX-License-Identifier: ISC
 *
 * /proc/self/mounts: volumes, which the monitor knows, and guest-rt's own directories.
 */
#include <linux/stat.h>

#include "synthetic_files.h"

#define WRITABLE (1LL << 32) /* in what HUSK_OP_VOLUME returns */

/* As Linux writes them: mangle_path in fs/seq_file.c. */
static void put_path(struct text *text, const char *path)
{
    for (; *path; path++) {
        bool plain = *path != ' ' && *path != '\t' && *path != '\n' && *path != '\\';
        uint8_t byte = *path;

        if (plain) {
            text_char(text, *path);
            continue;
        }
        text_char(text, '\\');
        for (int shift = 6; shift >= 0; shift -= 3)
            text_char(text, '0' + (byte >> shift & 7));
    }
}

static void put_mount(struct text *text, const char *path, const char *type, bool writable)
{
    text_string(text, type);
    text_char(text, ' ');
    put_path(text, path);
    text_char(text, ' ');
    text_string(text, type);
    text_string(text, writable ? " rw 0 0\n" : " ro 0 0\n");
}

static void put_volumes(struct text *text)
{
    static char path[HUSK_PATH_MAX];
    int64_t found;

    for (uint64_t number = 0;; number++) {
        found = HYPERCALL(HUSK_OP_VOLUME, number, path, sizeof(path) - 1);
        if (found < 0)
            return;
        path[(uint32_t)found] = 0;
        put_mount(text, path, "husk", found & WRITABLE);
    }
}

static bool is_proc(const char *path)
{
    return path[1] == 'p' && path[2] == 'r' && strlen(path) == 5;
}

void synthetic_mounts(struct text *text)
{
    put_mount(text, "/", "husk", false); /* a volume at / comes later, and counts */
    put_volumes(text);
    for (size_t i = 0; i < BOOT->local_count; i++) {
        const struct husk_local *local = (const struct husk_local *)&BOOT->locals[i];
        bool tmpfs = local->kind == HUSK_LOCAL_TMPFS;

        put_mount(text, local->path,
                  tmpfs                  ? "tmpfs"
                  : is_proc(local->path) ? "proc"
                                         : "husk",
                  tmpfs);
    }
}
