/* SPDX-License-Identifier: ISC */
/* Wide characters in the C locale. Only ASCII, as musl's C locale knows UTF-8 and glibc's does not.
 */
#include "check.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

static void check_locale(void)
{
    printf("decimal point \"%s\", thousands \"%s\"\n", localeconv()->decimal_point,
           localeconv()->thousands_sep);
    check(setlocale(LC_ALL, "C") != NULL && strcmp(setlocale(LC_NUMERIC, NULL), "C") == 0,
          "the C locale");
    check(setlocale(LC_ALL, "POSIX") != NULL, "the POSIX locale");
    check(strcoll("abc", "abd") < 0 && strcoll("B", "a") < 0, "strcoll goes by byte");
}

static void check_strings(void)
{
    wchar_t buffer[64] = L"";
    wchar_t list[] = L"one,two;three";
    wchar_t *state = NULL;

    wcscpy(buffer, L"wide");
    wcscat(buffer, L" string");
    printf("%ls, %zu, %d\n", buffer, wcslen(buffer), wcscmp(buffer, L"wide") > 0);
    check(wcschr(buffer, L's') == buffer + 5 && wcsstr(buffer, L"ring") == buffer + 7, "searching");
    for (wchar_t *word = wcstok(list, L",;", &state); word; word = wcstok(NULL, L",;", &state))
        printf("[%ls]", word);
    putchar('\n');
    wmemset(buffer, L'=', 8);
    wmemmove(buffer + 4, L"ab", 2);
    printf("%.8ls\n", buffer);
}

static void check_formats(void)
{
    wchar_t buffer[64], word[16];
    int number = 0;

    check(swprintf(buffer, 64, L"%d %ls %s %.3f %c", 42, L"wide", "narrow", 3.14159, 'c') == 22,
          "swprintf counts");
    printf("%ls\n", buffer);
    check(swprintf(buffer, 4, L"%s", "too long") < 0, "swprintf tells a lack of room");
    check(swscanf(L"17 words", L"%d %15ls", &number, word) == 2, "swscanf");
    printf("%d %ls\n", number, word);
    printf("%ld %lu %g\n", wcstol(L"-77", NULL, 10), wcstoul(L"ff", NULL, 16),
           wcstod(L"2.5e2", NULL));
}

static void check_conversions(void)
{
    static const char ascii[] = "plain ASCII";
    wchar_t wide[32];
    char narrow[32];
    mbstate_t state = {0};
    const char *source = ascii;

    check(mbstowcs(wide, ascii, 32) == strlen(ascii) && wcscmp(wide, L"plain ASCII") == 0,
          "mbstowcs");
    check(wcstombs(narrow, wide, 32) == strlen(ascii) && strcmp(narrow, ascii) == 0, "wcstombs");
    check(mbsrtowcs(wide, &source, 32, &state) == strlen(ascii) && source == NULL, "mbsrtowcs");
    check(mbtowc(wide, "x", 1) == 1 && wide[0] == L'x', "mbtowc");
    check(wctomb(narrow, L'y') == 1 && narrow[0] == 'y', "wctomb");
    check(btowc('z') == L'z' && wctob(L'z') == 'z', "btowc and wctob");
    check(btowc(EOF) == WEOF, "btowc of the end");
}

static void print_classes(void)
{
    unsigned alpha = 0, upper = 0, punct = 0, space = 0, changed = 0;

    for (wint_t c = 0; c < 128; c++) {
        alpha += iswalpha(c) != 0;
        upper += iswupper(c) != 0;
        punct += iswpunct(c) != 0;
        space += iswspace(c) != 0;
        changed += towupper(c) != c;
    }
    printf("alpha %u, upper %u, punct %u, space %u, lower %u\n", alpha, upper, punct, space,
           changed);
    check(iswctype(L'5', wctype("digit")) && !iswctype(L'a', wctype("digit")), "wctype");
}

/* A stream of its own: standard output is narrow by now. */
static void check_stream(void)
{
    wchar_t *text = NULL;
    size_t length = 0;
    FILE *stream = open_wmemstream(&text, &length);

    check(fwide(stream, 0) > 0, "a wide stream");
    fputws(L"wide output", stream);
    fputwc(L'!', stream);
    fclose(stream);
    printf("%ls, %zu\n", text, length);
    check(fwide(stdout, 0) < 0, "standard output is narrow");
    free(text);
}

int main(void)
{
    check_locale();
    check_strings();
    check_formats();
    check_conversions();
    print_classes();
    check_stream();
    return exit_status();
}
