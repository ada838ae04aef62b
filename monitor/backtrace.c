/* SPDX-License-Identifier: ISC
 *
 * From a function to its caller, by the best knowledge there is: the table that the compiler left,
 * else what the stack looks like.
 */
#include "symbols.h"

#include <string.h>

#include "cfi.h"
#include "cleanup.h"

#define EXPRESSION_DEPTH 16
/* How much of the stack is searched for a return address when there is no table. */
#define SEARCH_BYTES 0x8000
/* Without symbols, a call is taken to enter the code that is at most so far behind its target. */
#define FUNCTION_MAX 0x10000
/* How long a chain of functions may be that end with a jump to the next one. */
#define TAIL_CALLS_MAX 4
/* The first function of a program takes some 20 bytes to call the next one and never returns. */
#define START_BYTES 0x20

struct function {
    guest_addr_t start, end;
};

struct walker {
    const struct guest_memory *memory;
    const struct elf_image *image;
    struct eh_frame table;
    struct symbols *symbols; /* read when first needed; there may be none */
    bool symbols_read;
    uint64_t bias;
    guest_addr_t start; /* the program's first instruction */
    uint64_t regs[DWARF_REGS];
    bool pc_exact; /* regs[DWARF_RIP] is the current instruction, not the one behind a call */
    bool guessed;  /* registers may be wrong: the last steps were not by the table alone */
    bool function_known;
    struct function function; /* the current one, while there is no table */
};

static bool read_word(const struct walker *walker, guest_addr_t addr, uint64_t *word)
{
    return memory_read(walker->memory, word, addr, sizeof(*word)) == 0;
}

static bool is_code(const struct walker *walker, guest_addr_t addr)
{
    return memory_pointer(walker->memory, addr, 1, HUSK_PROT_EXEC) != NULL;
}

/* Copy LEN bytes of code: also where the file behind it is shorter by now. */
static bool read_code(const struct walker *walker, guest_addr_t addr, void *code, size_t len)
{
    return memory_pointer(walker->memory, addr, len, HUSK_PROT_READ | HUSK_PROT_EXEC) != NULL &&
           memory_read(walker->memory, code, addr, len) == 0;
}

/* Length of `call r/m64` (FF /2) by its ModRM and SIB bytes: SDM 2A, 2.1.5. */
static size_t indirect_call_len(const uint8_t *code)
{
    uint8_t modrm = code[1], mod = modrm >> 6, rm = modrm & 7;
    size_t len = rm == 4 && mod != 3 ? 3 : 2;

    if (code[0] != 0xff || (modrm >> 3 & 7) != 2)
        return 0;
    if (mod == 1)
        return len + 1;
    if (mod == 2 || (mod == 0 && (rm == 5 || (rm == 4 && (code[2] & 7) == 5))))
        return len + 4;
    return len;
}

enum call { CALL_NONE, CALL_DIRECT, CALL_INDIRECT };

/* What the instruction before ADDR is; *TARGET is set for CALL_DIRECT. */
static enum call call_before(const struct walker *walker, guest_addr_t addr, guest_addr_t *target)
{
    enum { LONGEST = 7 };
    uint8_t code[LONGEST];
    int32_t distance;

    if (!read_code(walker, addr - LONGEST, code, LONGEST))
        return CALL_NONE;
    memcpy(&distance, code + 3, sizeof(distance));
    *target = addr + (uint64_t)(int64_t)distance;
    if (code[2] == 0xe8 && is_code(walker, *target))
        return CALL_DIRECT;
    for (size_t len = 2; len <= LONGEST; len++) {
        uint8_t bytes[LONGEST + 1] = {0};

        memcpy(bytes, code + LONGEST - len, len);
        if (indirect_call_len(bytes) == len)
            return CALL_INDIRECT;
    }
    return CALL_NONE;
}

static bool follows_call(const struct walker *walker, guest_addr_t addr)
{
    guest_addr_t target;

    return call_before(walker, addr, &target) != CALL_NONE;
}

/* DWARF 4 section 7.7.1: what glibc's signal return and the linkers' PLT use. */
enum {
    OP_DEREF = 0x06,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_PLUS = 0x22,
    OP_PLUS_CONST = 0x23,
    OP_SHIFT_LEFT = 0x24,
    OP_AT_LEAST = 0x2a,
    OP_LITERAL = 0x30,
    OP_LITERAL_END = 0x50,
    OP_REGISTER = 0x70,
    OP_REGISTER_END = OP_REGISTER + DWARF_REGS,
};

static bool binary(uint8_t op, uint64_t left, uint64_t right, uint64_t *result)
{
    switch (op) {
    case OP_AND:
        *result = left & right;
        return true;
    case OP_MINUS:
        *result = left - right;
        return true;
    case OP_PLUS:
        *result = left + right;
        return true;
    case OP_SHIFT_LEFT:
        *result = right < 64 ? left << right : 0;
        return true;
    case OP_AT_LEAST:
        *result = (int64_t)left >= (int64_t)right;
        return true;
    default:
        return false;
    }
}

/* The value of RULE's expression, whose stack begins with INITIAL. There are no jumps: it ends. */
static bool evaluate(const struct walker *walker, const struct cfi_rule *rule, uint64_t initial,
                     uint64_t *result)
{
    struct dwarf_cursor code = {rule->expression, rule->expression + rule->expression_len, false};
    uint64_t stack[EXPRESSION_DEPTH] = {initial};
    size_t top = 0;

    while (dwarf_more(&code)) {
        uint8_t op = (uint8_t)dwarf_fixed(&code, 1);

        if (op == OP_DEREF) {
            if (!read_word(walker, stack[top], &stack[top]))
                return false;
        } else if (op == OP_PLUS_CONST) {
            stack[top] += dwarf_unsigned(&code);
        } else if (op >= OP_LITERAL && op < OP_REGISTER_END) {
            if (++top == EXPRESSION_DEPTH)
                return false;
            if (op < OP_LITERAL_END)
                stack[top] = op - OP_LITERAL;
            else if (op >= OP_REGISTER)
                stack[top] = walker->regs[op - OP_REGISTER] + dwarf_signed(&code);
            else
                return false;
        } else {
            if (top == 0 || !binary(op, stack[top - 1], stack[top], &stack[top - 1]))
                return false;
            top--;
        }
    }
    *result = stack[top];
    return !code.bad;
}

/* What RULE makes of a register that has VALUE now. */
static bool apply(const struct walker *walker, const struct cfi_rule *rule, uint64_t cfa,
                  uint64_t value, uint64_t *result)
{
    uint64_t addr;

    switch (rule->how) {
    case CFI_SAME:
    case CFI_UNDEFINED:
        *result = value;
        return true;
    case CFI_SAVED:
        return read_word(walker, cfa + rule->offset, result);
    case CFI_CFA:
        *result = cfa + rule->offset;
        return true;
    case CFI_REGISTER:
        *result = walker->regs[rule->reg] + rule->offset;
        return true;
    case CFI_SAVED_AT:
        return evaluate(walker, rule, cfa, &addr) && read_word(walker, addr, result);
    case CFI_EXPRESSION:
        return evaluate(walker, rule, cfa, result);
    }
    return false;
}

enum step { STEP_CALLER, STEP_OUTERMOST, STEP_UNKNOWN };

static enum step step_by_table(struct walker *walker)
{
    uint64_t pc = walker->regs[DWARF_RIP] - (walker->pc_exact ? 0 : 1);
    uint64_t cfa, caller[DWARF_REGS], rip;
    struct cfi_row row;

    if (cfi_find(&walker->table, pc - walker->bias, &row) < 0)
        return STEP_UNKNOWN;
    if (row.reg[DWARF_RIP].how == CFI_UNDEFINED)
        return STEP_OUTERMOST;
    if (row.reg[DWARF_RIP].how == CFI_SAME || !apply(walker, &row.cfa, 0, 0, &cfa))
        return STEP_UNKNOWN;
    for (size_t i = 0; i < DWARF_REGS; i++)
        if (!apply(walker, &row.reg[i], cfa, walker->regs[i], &caller[i]))
            return STEP_UNKNOWN;
    /* Signal handlers may run on another stack than what they interrupted. */
    if (!row.signal_frame && caller[DWARF_RSP] <= walker->regs[DWARF_RSP])
        return STEP_UNKNOWN;
    rip = caller[DWARF_RIP];
    if (rip == 0)
        return STEP_OUTERMOST;
    /* A signal handler "returns" to code that never called it. */
    if (walker->guessed ? !follows_call(walker, rip) : !is_code(walker, rip - 1))
        return STEP_UNKNOWN;
    memcpy(walker->regs, caller, sizeof(caller));
    walker->pc_exact = row.signal_frame;
    return STEP_CALLER;
}

static bool function_at(struct walker *walker, guest_addr_t addr, struct function *function)
{
    if (!walker->symbols_read)
        walker->symbols = symbols_load(&walker->image->file);
    walker->symbols_read = true;
    if (!symbols_bounds(walker->symbols, addr - walker->bias, &function->start, &function->end))
        return false;
    function->start += walker->bias;
    function->end += walker->bias;
    return true;
}

/* Whether the function at TARGET is the current one or ends with a jump that leads there. */
static bool leads_to(struct walker *walker, guest_addr_t target)
{
    for (int i = 0; i < TAIL_CALLS_MAX && target != walker->function.start; i++) {
        struct function tail;
        uint8_t jump[5];
        int32_t distance;

        if (!function_at(walker, target, &tail) || tail.end - target < sizeof(jump) ||
            !read_code(walker, tail.end - sizeof(jump), jump, sizeof(jump)) || *jump != 0xe9)
            return false;
        memcpy(&distance, jump + 1, sizeof(distance));
        target = tail.end + (uint64_t)(int64_t)distance;
    }
    return target == walker->function.start;
}

/*
 * Whether the stack's word at ADDR, with VALUE, is the return address of the call that entered the
 * current function. Of an indirect call nobody knows what it entered, so that it is believed only
 * where a function without a frame has its return address.
 */
static bool returns_from_here(struct walker *walker, guest_addr_t addr, uint64_t value)
{
    bool on_top = addr == walker->regs[DWARF_RSP];
    uint64_t rip = walker->regs[DWARF_RIP];
    guest_addr_t target;

    switch (call_before(walker, value, &target)) {
    case CALL_DIRECT:
        if (walker->function_known)
            return leads_to(walker, target);
        return is_code(walker, rip) ? rip - target < FUNCTION_MAX : on_top;
    case CALL_INDIRECT:
        return on_top;
    case CALL_NONE:
        break;
    }
    return false;
}

static bool returns(struct walker *walker, guest_addr_t addr, uint64_t value)
{
    (void)addr;
    return follows_call(walker, value);
}

/* The first word of LEN bytes from FROM that PREDICATE accepts. */
static bool search(struct walker *walker, guest_addr_t from, uint64_t len,
                   bool (*predicate)(struct walker *, guest_addr_t, uint64_t), guest_addr_t *found,
                   uint64_t *value)
{
    for (uint64_t i = 0; i < len;) {
        if (!read_word(walker, from + i, value)) {
            /* After a stack overflow the pointer is in the guard, and the frames are above. */
            i += HUSK_PAGE_SIZE - (from + i) % HUSK_PAGE_SIZE;
            continue;
        }
        if (predicate(walker, from + i, *value)) {
            *found = from + i;
            return true;
        }
        i += sizeof(*value);
    }
    return false;
}

static void return_to(struct walker *walker, guest_addr_t addr, uint64_t rip)
{
    walker->regs[DWARF_RSP] = addr + sizeof(rip);
    walker->regs[DWARF_RIP] = rip;
    walker->pc_exact = false;
    walker->guessed = true;
}

/* Registers that a callee preserves: rbx, rbp, r12 to r15. */
enum { PRESERVED = 6 };

/* Which registers are restored at CODE, if it is a row of `pop` and then `ret`; else none. */
static size_t pops_at(const uint8_t *code, size_t len, uint8_t regs[PRESERVED])
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        bool extended = code[i] == 0x41 && i + 1 < len;
        uint8_t op = code[extended ? ++i : i];

        if (op == 0xc3 && !extended)
            return count;
        if (count == PRESERVED)
            return 0;
        if (extended && op >= 0x5c && op <= 0x5f) /* pop r12 to r15 */
            regs[count++] = op - 0x5c + DWARF_R12;
        else if (!extended && op == 0x5b) /* pop rbx */
            regs[count++] = DWARF_RBX;
        else if (!extended && op == 0x5d) /* pop rbp */
            regs[count++] = DWARF_RBP;
        else
            return 0;
    }
    return 0;
}

/*
 * What the current function restores before it returns tells what it saved below its return
 * address, which is at ADDR. Callers with a table may need these registers to find their own frame.
 */
static void restore_preserved(struct walker *walker, guest_addr_t addr)
{
    uint64_t len = walker->function.end - walker->function.start;
    uint8_t regs[PRESERVED], most[PRESERVED];
    size_t count, best = 0;
    cleanup_free uint8_t *code = NULL;

    if (!walker->function_known)
        return;
    len = len < FUNCTION_MAX ? len : FUNCTION_MAX;
    code = malloc(len);
    if (!code || !read_code(walker, walker->function.start, code, len))
        return;
    for (uint64_t i = 0; i < len; i++) {
        count = pops_at(code + i, len - i, regs);
        if (count <= best)
            continue;
        memcpy(most, regs, count);
        best = count;
    }
    for (size_t i = 0; i < best; i++) {
        guest_addr_t saved = addr - 8 * (best - i);
        uint64_t value;

        if (addr - saved <= addr - walker->regs[DWARF_RSP] && read_word(walker, saved, &value))
            walker->regs[most[i]] = value;
    }
}

/*
 * Without a table. musl's functions have none and do not keep the frame pointer, so that it is the
 * frame of some caller: it only bounds the search for the call that led here.
 */
static enum step step_by_stack(struct walker *walker)
{
    guest_addr_t stack = (walker->regs[DWARF_RSP] + 7) & ~7ULL, frame = walker->regs[DWARF_RBP];
    uint64_t pc = walker->regs[DWARF_RIP] - (walker->pc_exact ? 0 : 1);
    uint64_t rip, frame_rip, frame_link, len = SEARCH_BYTES;
    guest_addr_t found;
    bool has_frame = frame - stack < SEARCH_BYTES && frame % 8 == 0 &&
                     read_word(walker, frame, &frame_link) &&
                     read_word(walker, frame + 8, &frame_rip) && follows_call(walker, frame_rip);

    if (pc - walker->start < START_BYTES)
        return STEP_OUTERMOST;
    walker->function_known = function_at(walker, pc, &walker->function);
    if (has_frame)
        len = frame + 8 - stack;
    if (search(walker, stack, len, returns_from_here, &found, &rip)) {
        restore_preserved(walker, found);
        return_to(walker, found, rip);
        return STEP_CALLER;
    }
    if (has_frame) {
        return_to(walker, frame + 8, frame_rip);
        walker->regs[DWARF_RBP] = frame_link;
        return STEP_CALLER;
    }
    if (!search(walker, stack, len, returns, &found, &rip))
        return STEP_UNKNOWN;
    return_to(walker, found, rip);
    return STEP_CALLER;
}

size_t backtrace_walk(const struct elf_image *image, uint64_t bias,
                      const struct guest_memory *memory, const struct husk_regs *regs,
                      guest_addr_t frames[BACKTRACE_MAX])
{
    struct walker walker = {
        .memory = memory,
        .image = image,
        .bias = bias,
        .start = (image->husk ? image->note.entry : image->entry) + bias,
        /* System V ABI for x86-64, figure 3.36 */
        .regs = {regs->rax, regs->rdx, regs->rcx, regs->rbx, regs->rsi, regs->rdi, regs->rbp,
                 regs->rsp, regs->r8, regs->r9, regs->r10, regs->r11, regs->r12, regs->r13,
                 regs->r14, regs->r15, regs->rip},
        .pc_exact = true,
    };
    size_t count = 0;

    eh_frame_load(image, &walker.table); /* without one the stack must do */
    frames[count++] = walker.regs[DWARF_RIP];
    while (count < BACKTRACE_MAX) {
        enum step step = step_by_table(&walker);

        if (step == STEP_UNKNOWN)
            step = step_by_stack(&walker);
        if (step != STEP_CALLER)
            break;
        frames[count++] = walker.regs[DWARF_RIP];
    }
    symbols_free(walker.symbols);
    eh_frame_free(&walker.table);
    return count;
}
