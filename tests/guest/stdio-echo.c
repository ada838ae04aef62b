/* SPDX-License-Identifier: ISC */
/*
 * Copies standard input to standard output by the functions that its argument names: fgets, fread,
 * getline, getc, ungetc, scanf, read. scanf prints one word a line, all others the same bytes.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void echo_fgets(void)
{
    char part[19]; /* shorter than most lines */

    while (fgets(part, sizeof part, stdin) != NULL)
        fputs(part, stdout);
}

static void echo_fread(void)
{
    char buffer[1000];
    size_t size;

    while ((size = fread(buffer, 1, sizeof buffer, stdin)) > 0)
        fwrite(buffer, 1, size, stdout);
}

static void echo_getline(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;

    while ((length = getline(&line, &capacity, stdin)) >= 0)
        fwrite(line, 1, (size_t)length, stdout);
    free(line);
}

static void echo_getc(void)
{
    for (int c; (c = getc(stdin)) != EOF;)
        putc(c, stdout);
}

static void echo_ungetc(void)
{
    for (int c; (c = getc(stdin)) != EOF;) {
        ungetc(c, stdin);
        putchar(getchar());
    }
}

static void echo_scanf(void)
{
    char word[64];
    int number;
    unsigned words = 0, numbers = 0;

    while (scanf(" %63s", word) == 1) {
        puts(word);
        words++;
        numbers += sscanf(word, "%d", &number) == 1;
    }
    printf("%u words, %u of them start with a number\n", words, numbers);
}

static void echo_read(void)
{
    char buffer[777];
    ssize_t size;

    while ((size = read(STDIN_FILENO, buffer, sizeof buffer)) > 0)
        for (ssize_t done = 0; done < size;) {
            ssize_t written = write(STDOUT_FILENO, buffer + done, (size_t)(size - done));
            if (written < 0)
                exit(1);
            done += written;
        }
}

static const struct {
    const char *name;
    void (*echo)(void);
} ways[] = {
    {"fgets", echo_fgets}, {"fread", echo_fread},   {"getline", echo_getline}, {"getc", echo_getc},
    {"scanf", echo_scanf}, {"ungetc", echo_ungetc}, {"read", echo_read},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(argv[1], ways[i].name) != 0)
            continue;
        ways[i].echo();
        return ferror(stdin) || ferror(stdout) || fflush(stdout) == EOF;
    }
    fputs("usage: stdio-echo fgets|fread|getline|getc|ungetc|scanf|read\n", stderr);
    return 2;
}
