/* SPDX-License-Identifier: ISC */
/* Sorting and searching, small arrays and large: glibc asks for the machine's memory before it
 * sorts. */
#include "check.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 200000 };

struct record {
    uint32_t key;
    char name[28];
};

static uint32_t next_random(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static int compare_records(const void *a, const void *b)
{
    return compare_numbers(&((const struct record *)a)->key, &((const struct record *)b)->key);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void check_numbers(void)
{
    uint32_t *numbers = malloc(COUNT * sizeof *numbers);
    uint64_t sum = 0, sorted_sum = 0;
    bool rising = true, found = true;

    for (int i = 0; i < COUNT; i++)
        sum += numbers[i] = next_random();
    qsort(numbers, COUNT, sizeof *numbers, compare_numbers);
    for (int i = 0; i < COUNT; i++) {
        sorted_sum += numbers[i];
        rising &= i == 0 || numbers[i - 1] <= numbers[i];
    }
    check(rising && sum == sorted_sum, "%d numbers sorted", COUNT);
    printf("least %u, median %u, greatest %u\n", numbers[0], numbers[COUNT / 2],
           numbers[COUNT - 1]);
    for (int i = 0; i < COUNT; i += 997) {
        uint32_t *hit = bsearch(&numbers[i], numbers, COUNT, sizeof *numbers, compare_numbers);
        found &= hit != NULL && *hit == numbers[i];
    }
    check(found, "bsearch finds what is there");
    uint32_t missing = numbers[COUNT - 1] + 1;
    check(bsearch(&missing, numbers, COUNT, sizeof *numbers, compare_numbers) == NULL,
          "and not what is not");
    free(numbers);
}

static void check_records(void)
{
    struct record *records = malloc(COUNT * sizeof *records);
    bool whole = true;

    for (int i = 0; i < COUNT; i++) {
        records[i].key = (uint32_t)(i * 7919ll % COUNT);
        snprintf(records[i].name, sizeof records[i].name, "record %u", records[i].key);
    }
    qsort(records, COUNT, sizeof *records, compare_records);
    for (int i = 0; i < COUNT; i++) {
        char name[28];
        snprintf(name, sizeof name, "record %d", i);
        whole &= records[i].key == (uint32_t)i && strcmp(records[i].name, name) == 0;
    }
    check(whole, "%d records of %zu bytes sorted", COUNT, sizeof *records);
    free(records);
}

static void print_node(const void *node, VISIT visit, int depth)
{
    (void)depth;
    if (visit == postorder || visit == leaf)
        printf(" %s", *(char *const *)node);
}

static void check_tree(void)
{
    static char words[][8] = {"pear", "apple", "fig", "plum", "cherry", "apple", "date"};
    void *root = NULL;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        tsearch(words[i], &root, compare_names);
    tdelete("fig", &root, compare_names);
    check(tfind("plum", &root, compare_names) != NULL, "tfind finds");
    check(tfind("fig", &root, compare_names) == NULL, "not what was deleted");
    printf("tree:");
    twalk(root, print_node);
    putchar('\n');
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        tdelete(words[i], &root, compare_names);
    check(root == NULL, "all deleted");
}

static void check_hash_table(void)
{
    static char names[1000][16];
    bool found = hcreate(2000) != 0;

    for (intptr_t i = 0; i < 1000; i++) {
        snprintf(names[i], sizeof names[i], "key %d", (int)i);
        hsearch((ENTRY){names[i], (void *)i}, ENTER);
    }
    for (intptr_t i = 0; i < 1000; i++) {
        ENTRY *entry = hsearch((ENTRY){names[i], NULL}, FIND);
        found &= entry != NULL && entry->data == (void *)i;
    }
    check(found, "1000 entries of a hash table");
    check(hsearch((ENTRY){"no key", NULL}, FIND) == NULL, "a missing entry is not found");
    hdestroy();
}

int main(void)
{
    check_numbers();
    check_records();
    check_tree();
    check_hash_table();
    return exit_status();
}
