/* SPDX-License-Identifier: ISC */
#include "world_parts.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "guest.h"
#include "world.h"

#define INPUT_MAX 0x1000 /* of the input, from DATA on */
#define SLOT      0x40
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

/* The pages between the input and RESULTS: slots of each kind. */
enum {
    PATHS_AT = 0x1000,
    NAMES_AT = 0x1800, /* struct husk_path, one for each path */
    SOCKETS_AT = 0x2000,
    VECTORS_AT = 0x2400,
    MESSAGES_AT = 0x2800,
    OTHERS_AT = 0x2c00,
    LONG_AT = 0x3000, /* a path as long as there can be */
};

static const char *const paths[] = {
    "/m",     "/m/a",     "/m/d",    "/m/d/b",    "/m/link",    "/m/new",   "/m/d/new", "/m/d/up/a",
    "a",      "d/b",      "new",     "..",        "../d/./b",   "/",        "/r",       "/r/f",
    "/r/new", "/v",       "/v/file", "/v/../m/a", "/tmp",       "/tmp/x/y", "/m/loop",  "/m/abs",
    "/m/out", "/m/tmp/z", "/m/a/",   "/m/none/x", "/m/d/up/..", "",         ".",
};

static uint8_t parts[DATA_SIZE];

static struct world_part paths_parts[COUNT(paths) + 1], names_parts[COUNT(paths) + 1],
    sockets_parts[8], vectors_parts[5], messages_parts[5], others_parts[12];

/* The next slot from AT holds the SIZE bytes at VALUE. */
static struct world_part put(unsigned *at, const void *value, size_t size)
{
    struct world_part part = {DATA + *at, size};

    memcpy(parts + *at, value, size);
    *at += SLOT;
    return part;
}

static void put_paths(void)
{
    unsigned at = PATHS_AT, names_at = NAMES_AT;

    _Static_assert(COUNT(paths) < (NAMES_AT - PATHS_AT) / SLOT, "the long one has a slot, too");
    memset(parts + LONG_AT, 'x', HUSK_PATH_MAX - 1);
    for (size_t i = 0; i < HUSK_PATH_MAX - 1; i += 2)
        parts[LONG_AT + i] = '/';
    for (size_t i = 0; i <= COUNT(paths); i++) {
        struct husk_path name = {.dir = HUSK_DIR_ROOT};

        paths_parts[i] = i < COUNT(paths) ? put(&at, paths[i], strlen(paths[i]))
                                          : (struct world_part){DATA + LONG_AT, HUSK_PATH_MAX - 1};
        name.addr = paths_parts[i].addr;
        name.len = paths_parts[i].length;
        if (i < COUNT(paths) && paths[i][0] != '/')
            name.dir = 3; /* the first handle, if that is a directory */
        names_parts[i] = put(&names_at, &name, sizeof(name));
    }
}

static void put_sockets(void)
{
    const uint32_t loopback = htonl(INADDR_LOOPBACK);
    const struct sockaddr_in four[] = {
        {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = loopback},
        {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = loopback},
        {.sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = loopback},
        {.sin_family = AF_INET},
        {.sin_family = AF_UNSPEC},
    };
    const struct sockaddr_in6 six[] = {
        {.sin6_family = AF_INET6, .sin6_port = htons(80)},
        {.sin6_family = AF_INET6, .sin6_port = htons(1), .sin6_addr = IN6ADDR_LOOPBACK_INIT},
        {.sin6_family = AF_INET6,
         .sin6_port = htons(53),
         .sin6_addr.s6_addr = {[10] = 0xff, 0xff, 127, 0, 0, 1}},
    };
    unsigned at = SOCKETS_AT;

    for (size_t i = 0; i < COUNT(four); i++)
        sockets_parts[i] = put(&at, &four[i], sizeof(four[i]));
    for (size_t i = 0; i < COUNT(six); i++)
        sockets_parts[COUNT(four) + i] = put(&at, &six[i], sizeof(six[i]));
}

static void put_vectors(void)
{
    const struct husk_iovec vectors[][4] = {
        {{RESULTS, 100}, {RESULTS + 0x800, 5000}},
        {{RESULTS, 0}, {DATA + DATA_SIZE - 16, 64}, {RESULTS, 1}},
        {{DATA, 8}, {DATA, 1}, {DATA, 0}, {DATA + 0x1000, HUSK_PAGE_SIZE}},
        {{RESULTS, INT64_MAX}, {RESULTS, 1}},
        {{GUEST_RAM, 4}, {0, 4}},
    };
    unsigned at = VECTORS_AT;

    for (size_t i = 0; i < COUNT(vectors); i++)
        vectors_parts[i] = put(&at, vectors[i], sizeof(vectors[i]));
}

static void put_messages(void)
{
    const guest_addr_t one = vectors_parts[0].addr, to_53 = sockets_parts[1].addr;
    const struct husk_message messages[] = {
        {.iov = one, .iov_count = 1},
        {.iov = one, .iov_count = 2, .name = to_53, .name_size = 16},
        {.iov = one, .iov_count = 1, .name = RESULTS + 0x2000, .name_size = 28},
        {.iov = one, .iov_count = 1, .name = sockets_parts[7].addr, .name_size = 28},
        {.iov = 0, .iov_count = 0, .name = sockets_parts[2].addr, .name_size = 16},
    };
    unsigned at = MESSAGES_AT;

    /* One after the other, so that several can be passed at once. */
    for (size_t i = 0; i < COUNT(messages); i++, at -= SLOT - sizeof(messages[i]))
        messages_parts[i] = put(&at, &messages[i], sizeof(messages[i]));
}

static void put_others(void)
{
    const struct timespec times[][2] = {{{1, 2}, {3, 4}}, {{0, UTIME_OMIT}, {0, UTIME_NOW}}};
    const struct flock locks[] = {{.l_type = F_WRLCK}, {.l_type = F_RDLCK, .l_len = 10}};
    const struct husk_wait waits[] = {{3, 1, 0}, {4, 4, 0}, {0, 5, 0}, {77, 1, 0}, {5, 1, 0}};
    const struct husk_trace traces[] = {
        {.number = 257, .arg = {-100UL, DATA + PATHS_AT, 2, 0}, .result = 3, .exits = 1},
        {.signal = 1, .arg = {SIGSEGV, 1, 0, 0, DATA}},
    };
    const int integer = 1;
    const struct linger linger = {0, 0};
    unsigned at = OTHERS_AT, i = 0;
    struct husk_fault fault = {.vector = 14, .error = 6, .address = DATA - 8, .signal = SIGSEGV};

    fault.regs.rip = DATA + 16;
    fault.regs.rsp = fault.regs.rbp = RESULTS;
    fault.regs.cs = HUSK_USER_CS;
    others_parts[i++] = put(&at, times[0], sizeof(times[0]));
    others_parts[i++] = put(&at, times[1], sizeof(times[1]));
    others_parts[i++] = put(&at, &locks[0], sizeof(locks[0]));
    others_parts[i++] = put(&at, &locks[1], sizeof(locks[1]));
    others_parts[i++] = put(&at, waits, sizeof(waits));
    others_parts[i++] = put(&at, &integer, sizeof(integer));
    others_parts[i++] = put(&at, &linger, sizeof(linger));
    for (size_t trace = 0; trace < COUNT(traces); trace++, at += SLOT)
        others_parts[i++] = put(&at, &traces[trace], sizeof(traces[trace]));
    others_parts[i++] = put(&at, &fault, sizeof(fault));
    at += 3 * SLOT;
    fault.vector = 13;
    fault.regs.rip = RESULTS;
    others_parts[i++] = put(&at, &fault, sizeof(fault));
    others_parts[i++] = (struct world_part){DATA, 0}; /* the input */
}

void parts_create(void)
{
    put_paths();
    put_sockets();
    put_vectors();
    put_messages();
    put_others();
}

void parts_write(uint8_t *host, const uint8_t *input, size_t size)
{
    size_t taken = size < INPUT_MAX ? size : INPUT_MAX;

    memcpy(host, input, taken);
    memcpy(host + taken, parts + taken, sizeof(parts) - taken);
}

struct world_part world_part(char what, uint64_t which)
{
    switch (what) {
    case 'p':
        return paths_parts[which % COUNT(paths_parts)];
    case 'P':
        return names_parts[which % COUNT(names_parts)];
    case 'S':
        return sockets_parts[which % COUNT(sockets_parts)];
    case 'v':
        return vectors_parts[which % COUNT(vectors_parts)];
    case 'g':
        return messages_parts[which % COUNT(messages_parts)];
    default:
        return others_parts[which % COUNT(others_parts)];
    }
}
