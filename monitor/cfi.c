/* SPDX-License-Identifier: ISC */
#include "cfi.h"

/* Bounds on what a hostile table can cost. Programs of real functions have tens of bytes. */
#define PROGRAM_MAX    0x10000
#define SAVED_ROWS_MAX 8

/*
 * Call frame instructions: DWARF 4 section 7.23, and LSB Core 5.0, section 10.5.2. With the upper
 * two bits not 0 these are the instruction, and the other six an operand.
 */
enum {
    OP_NOP = 0x00,
    OP_SET_LOC = 0x01,
    OP_ADVANCE_1 = 0x02,
    OP_ADVANCE_2 = 0x03,
    OP_ADVANCE_4 = 0x04,
    OP_SAVED = 0x05,
    OP_RESTORE = 0x06,
    OP_UNDEFINED = 0x07,
    OP_SAME = 0x08,
    OP_REGISTER = 0x09,
    OP_REMEMBER = 0x0a,
    OP_RECALL = 0x0b,
    OP_CFA = 0x0c,
    OP_CFA_REGISTER = 0x0d,
    OP_CFA_OFFSET = 0x0e,
    OP_CFA_EXPRESSION = 0x0f,
    OP_SAVED_AT = 0x10,
    OP_SAVED_SIGNED = 0x11,
    OP_CFA_SIGNED = 0x12,
    OP_CFA_OFFSET_SIGNED = 0x13,
    OP_VALUE = 0x14,
    OP_VALUE_SIGNED = 0x15,
    OP_EXPRESSION = 0x16,
    OP_GNU_ARGS_SIZE = 0x2e,
    OP_GNU_SAVED_NEGATIVE = 0x2f,
    OP_SHORT_ADVANCE = 0x40,
    OP_SHORT_SAVED = 0x80,
    OP_SHORT_RESTORE = 0xc0,
};

/* "Factored" numbers are in units of the CIE's data alignment. */
enum operand {
    INVALID,
    NONE,
    BYTES_1,
    BYTES_2,
    BYTES_4,
    ADDRESS,
    NUMBER,
    FACTORED,
    FACTORED_SIGNED,
    BLOCK
};

static const struct {
    enum operand first, second;
} operands[0x40] = {
    [OP_NOP] = {NONE, NONE},
    [OP_SET_LOC] = {ADDRESS, NONE},
    [OP_ADVANCE_1] = {BYTES_1, NONE},
    [OP_ADVANCE_2] = {BYTES_2, NONE},
    [OP_ADVANCE_4] = {BYTES_4, NONE},
    [OP_SAVED] = {NUMBER, FACTORED},
    [OP_RESTORE] = {NUMBER, NONE},
    [OP_UNDEFINED] = {NUMBER, NONE},
    [OP_SAME] = {NUMBER, NONE},
    [OP_REGISTER] = {NUMBER, NUMBER},
    [OP_REMEMBER] = {NONE, NONE},
    [OP_RECALL] = {NONE, NONE},
    [OP_CFA] = {NUMBER, NUMBER},
    [OP_CFA_REGISTER] = {NUMBER, NONE},
    [OP_CFA_OFFSET] = {NUMBER, NONE},
    [OP_CFA_EXPRESSION] = {BLOCK, NONE},
    [OP_SAVED_AT] = {NUMBER, BLOCK},
    [OP_SAVED_SIGNED] = {NUMBER, FACTORED_SIGNED},
    [OP_CFA_SIGNED] = {NUMBER, FACTORED_SIGNED},
    [OP_CFA_OFFSET_SIGNED] = {FACTORED_SIGNED, NONE},
    [OP_VALUE] = {NUMBER, FACTORED},
    [OP_VALUE_SIGNED] = {NUMBER, FACTORED_SIGNED},
    [OP_EXPRESSION] = {NUMBER, BLOCK},
    [OP_GNU_ARGS_SIZE] = {NUMBER, NONE},
    [OP_GNU_SAVED_NEGATIVE] = {NUMBER, FACTORED},
};

/* Runs call frame programs until they are past the wanted pc. */
struct machine {
    const struct eh_frame *table;
    const struct eh_cie *cie;
    uint64_t pc; /* wanted */
    uint64_t location;
    struct cfi_row row;
    struct cfi_row initial; /* what the CIE's program made of it */
    struct cfi_row saved[SAVED_ROWS_MAX];
    size_t saved_count;
};

struct instruction {
    uint8_t op;
    uint64_t first, second;
    const uint8_t *block;
    size_t block_len;
};

static uint64_t read_operand(const struct machine *machine, struct dwarf_cursor *cursor,
                             enum operand kind, struct instruction *instruction)
{
    switch (kind) {
    case NONE:
        return 0;
    case BYTES_1:
        return dwarf_fixed(cursor, 1);
    case BYTES_2:
        return dwarf_fixed(cursor, 2);
    case BYTES_4:
        return dwarf_fixed(cursor, 4);
    case ADDRESS:
        return eh_frame_pointer(machine->table, cursor, machine->cie->pointer_encoding);
    case NUMBER:
        return dwarf_unsigned(cursor);
    case FACTORED:
        return dwarf_unsigned(cursor) * machine->cie->data_align;
    case FACTORED_SIGNED:
        return dwarf_signed(cursor) * machine->cie->data_align;
    case BLOCK:
        instruction->block_len = dwarf_unsigned(cursor);
        instruction->block = dwarf_bytes(cursor, instruction->block_len);
        return 0;
    case INVALID:
        break;
    }
    cursor->bad = true;
    return 0;
}

static struct instruction decode(const struct machine *machine, struct dwarf_cursor *cursor)
{
    struct instruction in = {.op = (uint8_t)dwarf_fixed(cursor, 1)};
    uint8_t low = in.op & 0x3f;

    switch (in.op & 0xc0) {
    case OP_SHORT_ADVANCE:
        return (struct instruction){.op = OP_ADVANCE_1, .first = low};
    case OP_SHORT_RESTORE:
        return (struct instruction){.op = OP_RESTORE, .first = low};
    case OP_SHORT_SAVED:
        in.op = OP_SAVED;
        in.first = low;
        break;
    default:
        in.first = read_operand(machine, cursor, operands[low].first, &in);
    }
    in.second = read_operand(machine, cursor, operands[in.op].second, &in);
    return in;
}

/* Registers past DWARF_RIP (vector registers and such) are of no interest. */
static void set_rule(struct machine *machine, uint64_t reg, struct cfi_rule rule)
{
    if (reg < DWARF_REGS)
        machine->row.reg[reg] = rule;
}

static void execute(struct machine *machine, const struct instruction *in, bool *bad)
{
    struct cfi_row *row = &machine->row;
    struct cfi_rule with_block = {.expression = in->block, .expression_len = in->block_len};

    switch (in->op) {
    case OP_SET_LOC:
        machine->location = in->first;
        break;
    case OP_ADVANCE_1:
    case OP_ADVANCE_2:
    case OP_ADVANCE_4:
        machine->location += in->first * machine->cie->code_align;
        break;
    case OP_SAVED:
    case OP_SAVED_SIGNED:
        set_rule(machine, in->first, (struct cfi_rule){.how = CFI_SAVED, .offset = in->second});
        break;
    case OP_GNU_SAVED_NEGATIVE:
        set_rule(machine, in->first, (struct cfi_rule){.how = CFI_SAVED, .offset = -in->second});
        break;
    case OP_VALUE:
    case OP_VALUE_SIGNED:
        set_rule(machine, in->first, (struct cfi_rule){.how = CFI_CFA, .offset = in->second});
        break;
    case OP_UNDEFINED:
        set_rule(machine, in->first, (struct cfi_rule){.how = CFI_UNDEFINED});
        break;
    case OP_SAME:
        set_rule(machine, in->first, (struct cfi_rule){.how = CFI_SAME});
        break;
    case OP_RESTORE:
        if (in->first < DWARF_REGS)
            row->reg[in->first] = machine->initial.reg[in->first];
        break;
    case OP_REGISTER:
        if (in->second >= DWARF_REGS) {
            *bad = true;
            break;
        }
        set_rule(machine, in->first, (struct cfi_rule){.how = CFI_REGISTER, .reg = in->second});
        break;
    case OP_SAVED_AT:
        with_block.how = CFI_SAVED_AT;
        set_rule(machine, in->first, with_block);
        break;
    case OP_EXPRESSION:
        with_block.how = CFI_EXPRESSION;
        set_rule(machine, in->first, with_block);
        break;
    case OP_CFA:
    case OP_CFA_SIGNED:
        row->cfa = (struct cfi_rule){.how = CFI_REGISTER, .reg = in->first, .offset = in->second};
        break;
    case OP_CFA_REGISTER:
        row->cfa.how = CFI_REGISTER;
        row->cfa.reg = in->first;
        break;
    case OP_CFA_OFFSET:
    case OP_CFA_OFFSET_SIGNED:
        row->cfa.offset = in->first;
        break;
    case OP_CFA_EXPRESSION:
        with_block.how = CFI_EXPRESSION;
        row->cfa = with_block;
        break;
    case OP_REMEMBER:
        if (machine->saved_count < SAVED_ROWS_MAX)
            machine->saved[machine->saved_count++] = *row;
        else
            *bad = true;
        break;
    case OP_RECALL:
        if (machine->saved_count > 0)
            *row = machine->saved[--machine->saved_count];
        else
            *bad = true;
        break;
    }
}

static int run(struct machine *machine, struct dwarf_cursor program)
{
    if (program.end - program.at > PROGRAM_MAX)
        return -1;
    while (dwarf_more(&program)) {
        struct instruction in = decode(machine, &program);

        if (program.bad)
            return -1;
        execute(machine, &in, &program.bad);
        if (program.bad)
            return -1;
        if (machine->location > machine->pc)
            return 0;
    }
    return program.bad ? -1 : 0;
}

int cfi_find(const struct eh_frame *table, uint64_t pc, struct cfi_row *row)
{
    struct eh_function function;
    struct machine machine;

    if (eh_frame_find(table, pc, &function) < 0)
        return -1;
    machine.table = table;
    machine.cie = &function.cie;
    machine.pc = pc;
    machine.location = function.start;
    machine.saved_count = 0;
    machine.row = (struct cfi_row){.reg[DWARF_RSP] = {.how = CFI_CFA}};
    if (run(&machine, function.cie.program) < 0)
        return -1;
    machine.initial = machine.row;
    if (run(&machine, function.program) < 0)
        return -1;
    *row = machine.row;
    row->signal_frame = function.cie.signal_frame;
    if (row->cfa.how == CFI_EXPRESSION)
        return 0;
    return row->cfa.how == CFI_REGISTER && row->cfa.reg < DWARF_REGS ? 0 : -1;
}
