/* SPDX-License-Identifier: ISC */
#include "synthetic_text.h"

#include "usermem.h"

static void flush(struct text *text)
{
    size_t moved = copy_to_user(text->to + text->done, text->waiting, text->used);

    text->done += moved;
    if (moved < text->used) {
        text->fault = true;
        text->left = 0;
    }
    text->used = 0;
}

void text_char(struct text *text, char c)
{
    text->len++;
    if (text->skip > 0) {
        text->skip--;
        return;
    }
    if (text->left == 0)
        return;
    text->left--;
    text->waiting[text->used++] = c;
    if (text->used == sizeof(text->waiting))
        flush(text);
}

void text_bytes(struct text *text, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        text_char(text, bytes[i]);
}

void text_string(struct text *text, const char *string)
{
    text_bytes(text, string, strlen(string));
}

static void put_digits(struct text *text, uint64_t value, unsigned base, unsigned width, char fill)
{
    char digits[20];
    unsigned used = 0;

    do
        digits[used++] = "0123456789abcdef"[value % base];
    while (value /= base);
    for (unsigned i = used; i < width; i++)
        text_char(text, fill);
    while (used > 0)
        text_char(text, digits[--used]);
}

void text_line(struct text *text, const char *string)
{
    text_string(text, string);
    text_char(text, '\n');
}

void text_decimal(struct text *text, uint64_t value, unsigned width)
{
    put_digits(text, value, 10, width, ' ');
}

void text_hex(struct text *text, uint64_t value, unsigned width)
{
    put_digits(text, value, 16, width, '0');
}

void text_pad(struct text *text, uint64_t len)
{
    while (text->len < len)
        text_char(text, ' ');
}

void text_user_string(struct text *text, guest_addr_t string)
{
    char byte;

    while (user_read(&byte, string) == 0 && byte) {
        text_char(text, byte);
        string++;
    }
}

int64_t text_finish(struct text *text)
{
    flush(text);
    return text->fault && text->done == 0 ? -EFAULT : (int64_t)text->done;
}
