/* SPDX-License-Identifier: ISC */
#include "sites.h"

#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "husk/calls.h"

#define JUMP_SIZE    5 /* jmp rel32 */
#define SYSCALL_SIZE 2
#define TRAP         0xcc /* int3: whoever comes here was not foreseen */

struct scan {
    struct text *text;
    struct decoder *decoder;
    bool *marks;        /* for each byte: may something lead there, other than what is before it? */
    struct insn *insns; /* of one function at a time */
    size_t insn_count;
    struct sites *sites;
    bool failed; /* no memory */
};

static const char *const texts[SITE_OUTCOMES] = {
    [SITE_TURNED] = "turned",
    [SITE_OUTSIDE] = "in no function whose size is known",
    [SITE_UNREAD] = "its function cannot be decoded",
    [SITE_UNKNOWN] = "its function jumps to where nobody knows",
    [SITE_FIXED] = "too few bytes before it can move",
    [SITE_BETWEEN] = "something leads between the instructions before it",
    [SITE_JUMPED] = "only jumps lead to it",
    [SITE_UNWINDER] = "unwinders know its bytes",
    [SITE_FULL] = "no room left",
};

const char *outcome_text(enum outcome outcome)
{
    return texts[outcome];
}

static uint8_t *byte_at(const struct scan *scan, uint64_t address)
{
    return scan->text->bytes + (address - scan->text->span.start);
}

static bool is_within(const struct span *span, uint64_t address)
{
    return address >= span->start && address < span->end;
}

static void mark(struct scan *scan, uint64_t address)
{
    if (is_within(&scan->text->span, address))
        scan->marks[address - scan->text->span.start] = true;
}

static void add_site(struct scan *scan, uint64_t address, enum outcome outcome)
{
    struct sites *sites = scan->sites;
    struct site *grown;

    if (sites->count % 64 == 0) {
        grown = realloc(sites->site, (sites->count + 64) * sizeof(*grown));
        if (!grown) {
            scan->failed = true;
            return;
        }
        sites->site = grown;
    }
    sites->site[sites->count++] = (struct site){address, outcome};
    sites->turned += outcome == SITE_TURNED;
}

static uint64_t relative(const uint8_t *displacement, uint64_t next)
{
    int32_t distance;

    memcpy(&distance, displacement, sizeof(distance));
    return next + (uint64_t)(int64_t)distance;
}

/*
 * Bytes of which nothing is certain: whatever could be a jump at any of them is taken for one,
 * short ones only if NEAR. System calls among them stay, for the reason OUTCOME.
 */
static void mark_bytes(struct scan *scan, struct span span, bool near, enum outcome outcome)
{
    for (uint64_t at = span.start; at < span.end; at++) {
        const uint8_t *byte = byte_at(scan, at);
        uint64_t left = scan->text->span.end - at;

        if (near && left >= 2 &&
            ((byte[0] & 0xf0) == 0x70 || (byte[0] & 0xfc) == 0xe0 || byte[0] == 0xeb))
            mark(scan, at + 2 + (uint64_t)(int64_t)(int8_t)byte[1]);
        if (left >= 5 && (byte[0] & 0xfe) == 0xe8)
            mark(scan, relative(byte + 1, at + 5));
        if (left >= 6 &&
            ((byte[0] == 0x0f && (byte[1] & 0xf0) == 0x80) || (byte[0] == 0xc7 && byte[1] == 0xf8)))
            mark(scan, relative(byte + 2, at + 6));
        if (left >= 7 && (byte[0] & 0xf8) == 0x48 && byte[1] == 0x8d && (byte[2] & 0xc7) == 0x05)
            mark(scan, relative(byte + 3, at + 7)); /* lea */
        if (left >= 2 && byte[0] == 0x0f && byte[1] == 0x05)
            add_site(scan, at, outcome);
    }
}

static int compare_insns(const void *one, const void *other)
{
    uint64_t a = ((const struct insn *)one)->address, b = ((const struct insn *)other)->address;

    return (a > b) - (a < b);
}

/* A function from end to end. False: not understood, or it jumps between its own instructions. */
static bool read_function(struct scan *scan, const struct span *span)
{
    scan->insn_count = 0;
    for (uint64_t at = span->start; at < span->end;) {
        struct insn *insn = &scan->insns[scan->insn_count++];

        if (!decode(scan->decoder, byte_at(scan, at), span->end - at, at, insn))
            return false;
        at += insn->size;
    }
    for (size_t i = 0; i < scan->insn_count; i++) {
        const struct insn target = {.address = scan->insns[i].target};

        if (scan->insns[i].kind & INSN_BRANCH && is_within(span, target.address) &&
            !bsearch(&target, scan->insns, scan->insn_count, sizeof(target), compare_insns))
            return false;
    }
    return true;
}

static void mark_targets(struct scan *scan)
{
    for (size_t i = 0; i < scan->insn_count; i++)
        if (scan->insns[i].kind & (INSN_BRANCH | INSN_NAMES))
            mark(scan, scan->insns[i].target);
}

/* Who calls a place among its own instructions pushes its address to jump there, as retpolines do.
 */
static bool has_unknown_jumps(const struct scan *scan, const struct span *span)
{
    for (size_t i = 0; i < scan->insn_count; i++) {
        const struct insn *insn = &scan->insns[i];

        if (insn->kind & INSN_INDIRECT ||
            (insn->kind & INSN_CALL && insn->kind & INSN_BRANCH && insn->target != span->start &&
             is_within(span, insn->target)))
            return true;
    }
    return false;
}

static void mark_function(struct scan *scan, struct function *function)
{
    function->readable = read_function(scan, &function->span);
    if (function->readable)
        mark_targets(scan);
    else
        mark_bytes(scan, function->span, true, SITE_UNREAD);
    /* Which of the others is its other part does not matter: it is rare. */
    if (function->split && (!function->readable || has_unknown_jumps(scan, &function->span)))
        scan->text->hidden_jumps = true;
}

/* What is in no function: assembly, which may have data in it, and what fills gaps. */
static void mark_gap(struct scan *scan, struct span span)
{
    bool readable = read_function(scan, &span);

    if (readable)
        mark_targets(scan);
    mark_bytes(scan, span, !readable, SITE_OUTSIDE);
}

static void mark_all(struct scan *scan)
{
    const struct text *text = scan->text;
    size_t next = 0;

    for (size_t i = 0; i < text->code_count; i++) {
        struct span gap = text->code[i];

        for (; next < text->function_count && text->functions[next].span.start < text->code[i].end;
             next++) {
            gap.end = text->functions[next].span.start;
            mark_gap(scan, gap);
            mark_function(scan, &text->functions[next]);
            gap.start = text->functions[next].span.end;
        }
        gap.end = text->code[i].end;
        mark_gap(scan, gap);
    }
    for (size_t i = 0; i < text->label_count; i++)
        mark(scan, text->labels[i]);
}

static bool is_marked(const struct scan *scan, uint64_t address)
{
    return scan->marks[address - scan->text->span.start];
}

/* Does it follow from the instruction before, or do jumps lead to it? */
static bool is_reached(const struct scan *scan, size_t index)
{
    for (;; index--) {
        if (index == 0 || is_marked(scan, scan->insns[index].address))
            return true;
        if (scan->insns[index - 1].kind & INSN_END)
            return false;
    }
}

/*
 * Can the instructions FIRST..INDEX - 1, which are the least that make room for a jump, move?
 * Nothing leads into the middle of one instruction, whatever jumps there are: so a single one can
 * move out of any function, if it is plain that it is one.
 */
static enum outcome judge(const struct scan *scan, const struct function *function, size_t first,
                          size_t index, bool unknown_jumps)
{
    const struct insn *insns = scan->insns;
    bool single = index - first == 1;

    if (single && insns[first].kind & INSN_RETURN)
        return SITE_UNWINDER;
    if (unknown_jumps && !(single && insns[first].kind & INSN_NUMBER))
        return SITE_UNKNOWN;
    if ((function->compares || function->split || scan->text->hidden_jumps) && !single)
        return SITE_UNKNOWN;
    if (!unknown_jumps && !is_reached(scan, first))
        return SITE_JUMPED;
    for (uint64_t at = insns[first].address + 1; at < insns[index].address; at++)
        if (is_marked(scan, at))
            return SITE_BETWEEN;
    return SITE_TURNED;
}

static void put_relative(uint8_t *displacement, uint64_t target, uint64_t next)
{
    int32_t distance = (int32_t)(target - next);

    memcpy(displacement, &distance, sizeof(distance));
}

/* Move SITE's bytes up to the `syscall` at END into the trampoline that ends at TAIL's end. */
static void write_trampoline(const struct scan *scan, uint64_t site, uint64_t end, uint64_t tail)
{
    static const uint8_t lea_rcx[] = {0x48, 0x8d, 0x0d}, jmp[] = {0xff, 0x25};
    uint64_t size = end - site, moved = tail - size;
    uint8_t *to = byte_at(scan, tail), *from = byte_at(scan, site);

    memcpy(to - size, from, size);
    memcpy(to, lea_rcx, sizeof(lea_rcx));
    put_relative(to + 3, end + SYSCALL_SIZE, tail + 7);
    memcpy(to + 7, jmp, sizeof(jmp));
    put_relative(to + 9, scan->text->room.start, tail + HUSK_CALL_TAIL);
    memset(from, TRAP, size);
    from[0] = 0xe9;
    put_relative(from + 1, moved, site + JUMP_SIZE);
}

static enum outcome turn_site(const struct scan *scan, const struct function *function,
                              size_t index, bool unknown_jumps)
{
    const struct insn *insns = scan->insns;
    const struct span *room = &scan->text->room;
    uint64_t slot = room->start + (scan->sites->turned + 1) * HUSK_CALL_SIZE;
    size_t first = index;
    enum outcome outcome;

    do
        if (first == 0 || !(insns[--first].kind & INSN_MOVABLE))
            return SITE_FIXED;
    while (insns[index].address - insns[first].address < JUMP_SIZE);
    outcome = judge(scan, function, first, index, unknown_jumps);
    if (outcome != SITE_TURNED)
        return outcome;
    if (room->end - room->start < (scan->sites->turned + 2) * HUSK_CALL_SIZE)
        return SITE_FULL;
    write_trampoline(scan, insns[first].address, insns[index].address,
                     slot + HUSK_CALL_SIZE - HUSK_CALL_TAIL);
    return SITE_TURNED;
}

static void turn_function(struct scan *scan, const struct function *function)
{
    bool unknown_jumps;

    if (!function->readable || !read_function(scan, &function->span))
        return;
    unknown_jumps = has_unknown_jumps(scan, &function->span);
    for (size_t i = 0; i < scan->insn_count; i++)
        if (scan->insns[i].kind & INSN_SYSCALL)
            add_site(scan, scan->insns[i].address, turn_site(scan, function, i, unknown_jumps));
}

static size_t largest_section(const struct text *text)
{
    uint64_t most = 0;

    for (size_t i = 0; i < text->code_count; i++)
        if (text->code[i].end - text->code[i].start > most)
            most = text->code[i].end - text->code[i].start;
    return most;
}

static void turn_all(struct scan *scan)
{
    struct husk_calls *calls = (struct husk_calls *)byte_at(scan, scan->text->room.start);

    mark_all(scan);
    for (size_t i = 0; i < scan->text->function_count && !scan->failed; i++)
        turn_function(scan, &scan->text->functions[i]);
    calls->turned = (uint32_t)scan->sites->turned;
    calls->sites = (uint32_t)scan->sites->count;
}

int sites_turn(struct text *text, struct sites *sites)
{
    size_t size = text->span.end - text->span.start;
    struct scan scan = {
        .text = text,
        .decoder = decoder_open(),
        .marks = calloc(size, sizeof(*scan.marks)),
        .insns = calloc(largest_section(text) + 1, sizeof(*scan.insns)),
        .sites = sites,
    };

    *sites = (struct sites){0};
    scan.failed = !scan.decoder || !scan.marks || !scan.insns;
    if (!scan.failed)
        turn_all(&scan);
    if (scan.decoder)
        decoder_close(scan.decoder);
    free(scan.marks);
    free(scan.insns);
    return scan.failed ? -1 : 0;
}

void sites_free(struct sites *sites)
{
    free(sites->site);
}
