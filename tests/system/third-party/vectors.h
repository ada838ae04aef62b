/* SPDX-License-Identifier: ISC */
/* What the programs over Debian's static libraries share: data, and one line a result. */
#ifndef VECTORS_H
#define VECTORS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATA_SIZE = 3 << 20 };

/* Bytes of which some repeat: the same in every run. To be freed. */
static inline unsigned char *make_data(void)
{
    unsigned char *data = malloc(DATA_SIZE);
    uint32_t random = 2463534242;

    for (size_t i = 0; data && i < DATA_SIZE; i++) {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        data[i] = i > 5000 && random % 8 ? data[i - 1 - random % 5000] : (unsigned char)random;
    }
    return data;
}

/* FNV-1a, to compare what is too long to print. */
static inline uint64_t hash(const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    uint64_t value = 14695981039346656037U;

    for (size_t i = 0; i < size; i++)
        value = (value ^ byte[i]) * 1099511628211;
    return value;
}

static inline void show(const char *name, const void *bytes, size_t size)
{
    printf("%s: %zu bytes, %016llx\n", name, size, (unsigned long long)hash(bytes, size));
}

static inline int check(bool good, const char *what)
{
    printf("%s: %s\n", what, good ? "yes" : "NO");
    return !good;
}

#endif
