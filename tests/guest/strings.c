/* SPDX-License-Identifier: ISC */
/* The functions of string.h and number parsing of stdlib.h. */
#include "check.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void check_searching(void)
{
    static const char text[] = "the quick brown fox jumps over the lazy dog";

    printf("%td %td %td %td\n", strchr(text, 'q') - text, strrchr(text, 'e') - text,
           strstr(text, "fox") - text, strpbrk(text, "xyz") - text);
    printf("%zu %zu %zu\n", strspn(text, "eht "), strcspn(text, "wxyz"), strnlen(text, 10));
    printf("%td %td\n", (char *)memchr(text, 'l', sizeof text) - text,
           (char *)memmem(text, sizeof text, "lazy", 4) - text);
    check(strchr(text, '!') == NULL && strstr(text, "cat") == NULL, "what is not there");
    check(strchr(text, '\0') == text + strlen(text), "strchr finds the end");
    check(strstr(text, "") == text, "the empty string is at the start");
    check(strcasestr(text, "LAZY") == text + 35, "strcasestr");
    check(memrchr(text, 't', strlen(text)) == text + 31, "memrchr");
}

static void check_comparing(void)
{
    printf("%d %d %d %d\n", sign(strcmp("abc", "abd")), sign(strcmp("abc", "ab")),
           sign(strcmp("", "")), sign(strcmp("\377", "a")));
    printf("%d %d %d %d\n", sign(strncmp("abcx", "abcy", 3)), sign(memcmp("a\0b", "a\0c", 3)),
           sign(strcasecmp("HuSk", "hUsK")), sign(strncasecmp("HUSKx", "husky", 4)));
}

static void check_copying(void)
{
    char buffer[32] = "0123456789";
    char small[8];

    memmove(buffer + 3, buffer, 7);
    printf("%s ", buffer);
    memmove(buffer, buffer + 3, 7);
    printf("%s\n", buffer);
    memset(small, '#', sizeof small);
    strncpy(small, "abc", 6);
    check(memcmp(small, "abc\0\0\0##", 8) == 0, "strncpy fills with zeros");
    strcpy(buffer, "one");
    strcat(buffer, " two");
    volatile size_t cut = 3; /* or gcc would warn of just what is tried here */
    strncat(buffer, " three", cut);
    printf("%s\n", buffer);
    check(stpcpy(buffer, "four") == buffer + 4, "stpcpy gives the end");
    check(mempcpy(buffer, "fi", 2) == buffer + 2, "mempcpy too");
    char *copy = strdup(buffer), *start = strndup(buffer, 2);
    printf("%s %s\n", copy, start);
    free(copy);
    free(start);
}

static void check_tokens(void)
{
    char line[] = "  one,two,,three ;four;";
    char fields[] = "a::b:";
    char *state = NULL, *rest = fields;

    for (char *word = strtok_r(line, " ,;", &state); word; word = strtok_r(NULL, " ,;", &state))
        printf("[%s]", word);
    for (char *field; (field = strsep(&rest, ":")) != NULL;)
        printf("<%s>", field);
    putchar('\n');
}

static void print_number(const char *text, int base)
{
    char *end;

    errno = 0;
    long value = strtol(text, &end, base);
    printf("\"%s\" base %d: %ld, rest \"%s\", %s\n", text, base, value, end, error_name(errno));
}

static void check_numbers(void)
{
    print_number("  -123abc", 10);
    print_number("0x7fG", 0);
    print_number("0755", 0);
    print_number("zz", 36);
    print_number("9223372036854775807", 10);
    print_number("9223372036854775808", 10);
    print_number("-99999999999999999999", 10);
    printf("%lu %llu %d %ld\n", strtoul("-1", NULL, 10), strtoull("18446744073709551615", NULL, 10),
           atoi("77x"), atol("-88"));
    printf("%.17g %.9g %.21Lg %g\n", strtod("0.1", NULL), (double)strtof("0.1", NULL),
           strtold("0.1", NULL), strtod("1e5x", NULL));
    errno = 0;
    check(strtod("1e999", NULL) > 1e308 && errno == ERANGE, "strtod tells an overflow");
}

static void print_classes(void)
{
    static const struct {
        const char *name;
        int (*is)(int);
    } classes[] = {{"alnum", isalnum}, {"alpha", isalpha}, {"cntrl", iscntrl},  {"digit", isdigit},
                   {"graph", isgraph}, {"lower", islower}, {"print", isprint},  {"punct", ispunct},
                   {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};
    unsigned changed = 0;

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        unsigned count = 0;
        for (int c = 0; c <= UCHAR_MAX; c++)
            count += classes[i].is(c) != 0;
        printf("%s %u, ", classes[i].name, count);
    }
    for (int c = 0; c <= UCHAR_MAX; c++)
        changed += (toupper(c) != c) + (tolower(c) != c);
    printf("changed by case %u\n", changed);
}

/* Every length and overlap that the fast copies treat apart. */
static void check_overlaps(void)
{
    unsigned char bytes[300], expected[300];
    bool right = true;

    for (size_t length = 0; length <= 130; length++)
        for (size_t from = 0; from < 40; from += 3)
            for (size_t to = 0; to < 40; to++) {
                for (size_t i = 0; i < sizeof bytes; i++)
                    bytes[i] = expected[i] = (unsigned char)(i * 7 + length);
                for (size_t i = 0; i < length; i++)
                    expected[to + i] = (unsigned char)((from + i) * 7 + length);
                memmove(bytes + to, bytes + from, length);
                right &= memcmp(bytes, expected, sizeof bytes) == 0;
            }
    check(right, "memmove at all distances");
}

int main(void)
{
    check_searching();
    check_comparing();
    check_copying();
    check_tokens();
    check_numbers();
    print_classes();
    check_overlaps();
    return exit_status();
}
