/* SPDX-License-Identifier: ISC */
#include "ring0.h"

#include <string.h>

#include "embedded.h"

/* SDM 3A figure 5-8 and 3.4.5: flat 64-bit code, data; accessed, so that the CPU never writes here.
 */
#define CODE64(dpl) (0x00af9b000000ffffULL | (uint64_t)(dpl) << 45)
#define DATA(dpl)   (0x00cf93000000ffffULL | (uint64_t)(dpl) << 45)

/* SDM 3A figure 8-11: the 64-bit TSS. */
#define TSS_RSP0          4
#define TSS_IOMAP         102
#define TSS_SIZE          104
#define GATE_INTERRUPT    0x8eULL /* present, DPL 0, 64-bit interrupt gate: figure 6-8 */
#define GATE_RING3        0x60ULL /* DPL 3: int3 may come from there */
#define VECTOR_BREAKPOINT 3

static void build_gdt(uint64_t *gdt)
{
    gdt[HUSK_KERNEL_CS / 8] = CODE64(0);
    gdt[HUSK_KERNEL_SS / 8] = DATA(0);
    gdt[HUSK_USER_SS / 8] = DATA(3);
    gdt[HUSK_USER_CS / 8] = CODE64(3);
}

/* Exceptions start at the end of the stack's page; ring 3 may use HUSK_PORT's four ports. */
static void build_tss(uint8_t *tss)
{
    const uint64_t rsp0 = HUSK_RING0_STACK + HUSK_PAGE_SIZE;
    const uint16_t iomap = TSS_SIZE;

    memcpy(tss + TSS_RSP0, &rsp0, sizeof(rsp0));
    memcpy(tss + TSS_IOMAP, &iomap, sizeof(iomap));
    memset(tss + TSS_SIZE, 0xff, RING0_TSS_LIMIT + 1 - TSS_SIZE);
    tss[TSS_SIZE + HUSK_PORT / 8] &= ~(0xf << HUSK_PORT % 8);
}

static void build_idt(uint64_t (*idt)[2])
{
    for (uint64_t vector = 0; vector < HUSK_VECTORS; vector++) {
        uint64_t stub = HUSK_RING0_TEXT + vector * HUSK_STUB_SIZE;
        uint64_t gate = vector == VECTOR_BREAKPOINT ? GATE_INTERRUPT | GATE_RING3 : GATE_INTERRUPT;

        idt[vector][0] =
            (stub & 0xffff) | HUSK_KERNEL_CS << 16 | gate << 40 | (stub >> 16 & 0xffff) << 48;
        idt[vector][1] = stub >> 32;
    }
}

void ring0_build(const struct guest_memory *memory, const struct husk_note *rt)
{
    uint8_t *tables = memory_host(memory, HUSK_RING0_TABLES);
    const uint64_t frame[] = {rt->exception,       HUSK_USER_CS, 0x202,
                              rt->exception_stack, HUSK_USER_SS, rt->syscall_stubbed};

    memcpy(memory_host(memory, HUSK_RING0_TEXT), embedded_ring0, embedded_ring0_size);
    build_gdt((uint64_t *)(tables + HUSK_GDT_OFFSET));
    build_tss(tables + HUSK_TSS_OFFSET);
    memcpy(tables + HUSK_FRAME_OFFSET, frame, sizeof(frame));
    build_idt((uint64_t(*)[2])(tables + HUSK_IDT_OFFSET));
}

_Static_assert(HUSK_TSS_OFFSET + RING0_TSS_LIMIT < HUSK_FRAME_OFFSET, "the TSS fits");
_Static_assert(HUSK_IDT_OFFSET + RING0_IDT_LIMIT < HUSK_PAGE_SIZE, "the IDT fits");
_Static_assert(HUSK_PORT % 8 <= 4, "the four ports share a byte of the bitmap");
