/* SPDX-License-Identifier: ISC */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

/* Each function steps over what it is named after, at TEXT; NULL if that is not there. */
static const char *value(const char *text, int depth);

static const char *space(const char *text)
{
    return text + strspn(text, " \t\n\r");
}

static const char *digits(const char *text)
{
    size_t count = strspn(text, "0123456789");

    return count ? text + count : NULL;
}

static const char *number(const char *text)
{
    text += *text == '-';
    text = *text == '0' ? text + 1 : digits(text);
    if (text && *text == '.')
        text = digits(text + 1);
    if (text && (*text == 'e' || *text == 'E')) {
        text++;
        text += *text == '+' || *text == '-';
        text = digits(text);
    }
    return text;
}

static const char *escape(const char *text)
{
    if (*text == 'u')
        return strspn(text + 1, "0123456789abcdefABCDEF") >= 4 ? text + 5 : NULL;
    return *text && strchr("\"\\/bfnrt", *text) ? text + 1 : NULL;
}

static const char *string(const char *text)
{
    if (*text++ != '"')
        return NULL;
    while (text && *text != '"') {
        /* Bytes above 0x7f would have to be checked to be UTF-8: husk writes none. */
        if (*text < 0x20)
            return NULL;
        text = *text == '\\' ? escape(text + 1) : text + 1;
    }
    return text ? text + 1 : NULL;
}

static const char *member(const char *text, int depth)
{
    text = string(text);
    if (!text)
        return NULL;
    text = space(text);
    return *text == ':' ? value(text + 1, depth) : NULL;
}

/* An object or array, from its first bracket to LAST. */
static const char *collection(const char *text, char last, int depth)
{
    text = space(text + 1);
    if (*text == last)
        return text + 1;
    for (;;) {
        text = last == '}' ? member(space(text), depth) : value(text, depth);
        if (!text)
            return NULL;
        text = space(text);
        if (*text == last)
            return text + 1;
        if (*text++ != ',')
            return NULL;
    }
}

static const char *value(const char *text, int depth)
{
    static const char *const words[] = {"true", "false", "null"};

    text = space(text);
    if (depth == 0)
        return NULL;
    if (*text == '{')
        return collection(text, '}', depth - 1);
    if (*text == '[')
        return collection(text, ']', depth - 1);
    if (*text == '"')
        return string(text);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strncmp(text, words[i], strlen(words[i])) == 0)
            return text + strlen(words[i]);
    return number(text);
}

bool json_is_valid(const char *text)
{
    const char *end = value(text, DEPTH_MAX);

    return end && *space(end) == '\0';
}

/* What follows the comma after the value or member that ends at TEXT, or NULL. */
static const char *next(const char *text)
{
    text = space(text);
    return *text == ',' ? space(text + 1) : NULL;
}

static const char *first(const char *text)
{
    if (!text || (*(text = space(text)) != '{' && *text != '['))
        return NULL;
    text = space(text + 1);
    return *text == '}' || *text == ']' ? NULL : text;
}

static const char *value_of_member(const char *text)
{
    return space(space(string(text)) + 1);
}

const char *json_member(const char *object, const char *name)
{
    for (const char *at = first(object); at; at = next(member(at, DEPTH_MAX))) {
        if (*at != '"')
            return NULL;
        if (strncmp(at + 1, name, strlen(name)) == 0 && at[1 + strlen(name)] == '"')
            return value_of_member(at);
    }
    return NULL;
}

const char *json_element(const char *array, size_t index)
{
    const char *at = first(array);
    bool members = at && *space(array) == '{';

    for (; at && index > 0; index--)
        at = next(members ? member(at, DEPTH_MAX) : value(at, DEPTH_MAX));
    return at && members ? value_of_member(at) : at;
}

double json_number(const char *text)
{
    return text && number(text) ? strtod(text, NULL) : -1;
}
