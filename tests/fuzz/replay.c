/* SPDX-License-Identifier: ISC
 *
 * A fuzzing target without libFuzzer: gives it the small corpus that is kept in CORPUS, where also
 * lies what once made the monitor fail. Part of `make check`.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In memory of just its size, so that the sanitizers see a read beyond it. */
static void replay(const char *name)
{
    uint8_t *buffer = malloc(INPUT_MAX), *data;
    char path[512];
    size_t size;
    FILE *file;

    assert_non_null(buffer);
    snprintf(path, sizeof(path), CORPUS "/%s", name);
    file = fopen(path, "r");
    assert_non_null(file);
    size = fread(buffer, 1, INPUT_MAX, file);
    fclose(file);
    data = malloc(size ? size : 1);
    assert_non_null(data);
    memcpy(data, buffer, size);
    free(buffer);
    /* If this is the last line, this was the input. */
    printf("# %s\n", path);
    fflush(stdout);
    assert_int_equal(LLVMFuzzerTestOneInput(data, size), 0);
    free(data);
}

/* Twice: what the first inputs leave must not matter to the next. */
static void test_the_corpus_harms_nothing(void **state)
{
    struct dirent **inputs;
    int count = scandir(CORPUS, &inputs, is_input, alphasort);

    (void)state;
    assert_true(count > 0);
    for (int i = 0; i < 2 * count; i++)
        replay(inputs[i % count]->d_name);
    for (int i = 0; i < count; i++)
        free(inputs[i]);
    free(inputs);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_corpus_harms_nothing)};

    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    return cmocka_run_group_tests_name(CORPUS, tests, NULL, NULL);
}
