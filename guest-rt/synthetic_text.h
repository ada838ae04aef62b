/* SPDX-License-Identifier: ISC
 *
 * Text that is made while it is read: what lies before the wanted part is dropped, and what lies in
 * it goes to the application's buffer in pieces.
 */
#ifndef HUSK_SYNTHETIC_TEXT_H
#define HUSK_SYNTHETIC_TEXT_H

#include "rt.h"

struct text {
    uint64_t skip; /* bytes of text to drop first */
    uint64_t left; /* room that is left */
    guest_addr_t to;
    uint64_t len;  /* of the whole text so far */
    uint64_t done; /* bytes that arrived at TO */
    bool fault;    /* the application's buffer ended */
    size_t used;   /* of what waits for being copied */
    char waiting[256];
};

void text_char(struct text *text, char c);
void text_string(struct text *text, const char *string);
void text_line(struct text *text, const char *string); /* and a newline */
void text_bytes(struct text *text, const char *bytes, size_t len);
/* With leading spaces up to WIDTH. */
void text_decimal(struct text *text, uint64_t value, unsigned width);
/* With leading zeros up to WIDTH. */
void text_hex(struct text *text, uint64_t value, unsigned width);
/* Spaces up to a text length of LEN. */
void text_pad(struct text *text, uint64_t len);
/* A string of the application's, until its zero or where its memory ends. */
void text_user_string(struct text *text, guest_addr_t string);

/* The end: what read(2) returns. */
int64_t text_finish(struct text *text);

#endif
