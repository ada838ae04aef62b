/* SPDX-License-Identifier: ISC */
#include "decode.h"

#include <stdlib.h>

#include <capstone/capstone.h>

#define SYS_NUMBERS      4096 /* more than there are */
#define SYS_RT_SIGRETURN 15

struct decoder {
    csh handle;
    cs_insn *insn;
};

struct decoder *decoder_open(void)
{
    struct decoder *decoder = calloc(1, sizeof(*decoder));

    if (!decoder)
        return NULL;
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &decoder->handle) == CS_ERR_OK) {
        cs_option(decoder->handle, CS_OPT_DETAIL, CS_OPT_ON);
        decoder->insn = cs_malloc(decoder->handle);
    }
    if (decoder->insn)
        return decoder;
    decoder_close(decoder);
    return NULL;
}

void decoder_close(struct decoder *decoder)
{
    if (decoder->insn)
        cs_free(decoder->insn, 1);
    if (decoder->handle)
        cs_close(&decoder->handle);
    free(decoder);
}

/* What compilers put before a system call. An instruction that is not here stays where it is. */
static bool only_computes(unsigned id)
{
    switch (id) {
    case X86_INS_MOV:
    case X86_INS_MOVABS:
    case X86_INS_MOVSX:
    case X86_INS_MOVSXD:
    case X86_INS_MOVZX:
    case X86_INS_LEA:
    case X86_INS_XOR:
    case X86_INS_AND:
    case X86_INS_OR:
    case X86_INS_NOT:
    case X86_INS_NEG:
    case X86_INS_ADD:
    case X86_INS_ADC:
    case X86_INS_SUB:
    case X86_INS_SBB:
    case X86_INS_INC:
    case X86_INS_DEC:
    case X86_INS_SHL:
    case X86_INS_SHR:
    case X86_INS_SAR:
    case X86_INS_CMP:
    case X86_INS_TEST:
    case X86_INS_CDQE:
    case X86_INS_NOP:
    case X86_INS_MOVAPS:
    case X86_INS_MOVUPS:
    case X86_INS_MOVDQA:
    case X86_INS_MOVDQU:
        return true;
    default:
        return false;
    }
}

static bool is_stack_pointer(unsigned reg)
{
    return reg == X86_REG_RSP || reg == X86_REG_ESP || reg == X86_REG_SP || reg == X86_REG_SPL;
}

/* Not relative to RIP, and RSP stays as the call frame information says. */
static bool is_movable(const cs_insn *insn)
{
    const cs_x86 *x86 = &insn->detail->x86;

    if (!only_computes(insn->id))
        return false;
    for (uint8_t i = 0; i < x86->op_count; i++) {
        const cs_x86_op *operand = &x86->operands[i];

        if (operand->type == X86_OP_MEM &&
            (operand->mem.base == X86_REG_RIP || operand->mem.base == X86_REG_EIP))
            return false;
        if (operand->type == X86_OP_REG && i == 0 && is_stack_pointer(operand->reg))
            return false;
    }
    return true;
}

static uint16_t kind_of_number(const cs_insn *insn)
{
    const cs_x86 *x86 = &insn->detail->x86;
    unsigned reg;
    int64_t number;

    if ((insn->id != X86_INS_MOV && insn->id != X86_INS_MOVABS) || x86->op_count != 2 ||
        x86->operands[0].type != X86_OP_REG || x86->operands[1].type != X86_OP_IMM)
        return 0;
    reg = x86->operands[0].reg;
    number = x86->operands[1].imm;
    if ((reg == X86_REG_EAX || reg == X86_REG_RAX) && number == SYS_RT_SIGRETURN)
        return INSN_RETURN;
    return reg == X86_REG_EAX && insn->size == 5 && number >= 0 && number < SYS_NUMBERS
               ? INSN_NUMBER
               : 0;
}

/* Jumps and calls; XBEGIN names where it goes on when it fails. */
static uint16_t kind_of_branch(csh handle, const cs_insn *insn, uint64_t *target)
{
    const cs_x86 *x86 = &insn->detail->x86;
    bool jump = cs_insn_group(handle, insn, X86_GRP_JUMP) || insn->id == X86_INS_XBEGIN;
    uint16_t kind = 0;

    switch (insn->id) {
    case X86_INS_LOOP:
    case X86_INS_LOOPE:
    case X86_INS_LOOPNE:
        jump = true;
        break;
    case X86_INS_JMP:
    case X86_INS_LJMP:
    case X86_INS_RET:
    case X86_INS_RETF:
    case X86_INS_RETFQ:
    case X86_INS_IRET:
    case X86_INS_IRETD:
    case X86_INS_IRETQ:
    case X86_INS_HLT:
    case X86_INS_UD2:
        kind = INSN_END;
        break;
    default:
        break;
    }
    if (insn->id == X86_INS_CALL)
        kind |= INSN_CALL;
    else if (!jump)
        return kind;
    if (x86->op_count == 1 && x86->operands[0].type == X86_OP_IMM) {
        *target = (uint64_t)x86->operands[0].imm;
        return kind | INSN_BRANCH;
    }
    return jump ? kind | INSN_INDIRECT : kind;
}

/* The address of a label goes somewhere, and whoever has it may jump there: nonlocal gotos do. */
static uint16_t kind_of_address(const cs_insn *insn, uint64_t *target)
{
    const cs_x86 *x86 = &insn->detail->x86;

    for (uint8_t i = 0; i < x86->op_count; i++) {
        const cs_x86_op *operand = &x86->operands[i];

        if (operand->type == X86_OP_IMM)
            *target = (uint64_t)operand->imm;
        else if (insn->id == X86_INS_LEA && operand->type == X86_OP_MEM &&
                 operand->mem.base == X86_REG_RIP)
            *target = insn->address + insn->size + (uint64_t)operand->mem.disp;
        else
            continue;
        return INSN_NAMES;
    }
    return 0;
}

bool decode(struct decoder *decoder, const uint8_t *bytes, size_t left, uint64_t address,
            struct insn *insn)
{
    const cs_insn *found = decoder->insn;
    uint64_t next = address;

    if (!cs_disasm_iter(decoder->handle, &bytes, &left, &next, decoder->insn))
        return false;
    *insn = (struct insn){.address = address, .size = (uint8_t)found->size};
    insn->kind = kind_of_branch(decoder->handle, found, &insn->target) | kind_of_number(found);
    if (!(insn->kind & INSN_BRANCH))
        insn->kind |= kind_of_address(found, &insn->target);
    if (found->id == X86_INS_SYSCALL)
        insn->kind |= INSN_SYSCALL;
    if (is_movable(found))
        insn->kind |= INSN_MOVABLE;
    return true;
}
