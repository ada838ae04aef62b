/* SPDX-License-Identifier: ISC
 *
 * One VM with one vCPU. Every KVM call of husk is in kvm.c.
 */
#ifndef HUSK_KVM_H
#define HUSK_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>

#include "error.h"
#include "memory.h"

/* How `syscall` at ring 3 behaves, among other things (docs/architecture.md). */
enum kvm_kind {
    KVM_KIND_HARDWARE, /* VT-x or AMD-V */
    KVM_KIND_PVM       /* kvm-pvm: page tables only, ring 3 runs on the host's own GDT */
};

enum kvm_kind kvm_kind(void);

/*
 * A KVM step took place; called after each one with its name (a literal) when set. For --stats.
 */
typedef void kvm_step_fn(void *context, const char *step);

struct vm {
    int kvm, vm, vcpu; /* descriptors, -1 when closed */
    enum kvm_kind kind;
    uint8_t tss_type;    /* of TR, as the processor wants it */
    bool fsgsbase;       /* ring 3 can write FS.base */
    struct kvm_run *run; /* shared with KVM */
    size_t run_size;
    uint32_t slots;    /* memory slots in use */
    kvm_step_fn *step; /* may be NULL */
    void *step_context;
};

/*
 * Open /dev/kvm, check its version and capabilities, create a VM without memory that is to have
 * RAM_SIZE bytes. STEP may be NULL. Returns 0 or -1 with ERR set (STATUS_HUSK), which says what to
 * do about it. vm_destroy works also after a failure.
 */
int vm_create(struct vm *vm, uint64_t ram_size, kvm_step_fn *step, void *step_context,
              struct husk_error *err);
void vm_destroy(struct vm *vm);

/* A memory_register_fn; CONTEXT is the struct vm. */
int vm_register_pages(void *context, uint64_t start, uint64_t end, void *host);

/*
 * Create the vCPU in 64-bit mode at ring 3, at RT's first instruction, with ring 0's text, GDT, TSS
 * and IDT in MEMORY's window. Returns 0 or -1 with ERR set.
 */
int vm_create_vcpu(struct vm *vm, const struct guest_memory *memory, const struct husk_note *rt,
                   struct husk_error *err);

/* Run the guest until an exit: KVM_RUN. Returns 0 with vm->run filled, or -errno (EINTR). */
int vm_run(struct vm *vm);

/* The vCPU's general registers for a report; zeros when KVM does not give them. */
void vm_registers(const struct vm *vm, struct husk_regs *regs);

/*
 * Interrupt the application: go on at HANDLER with everything else as it is; *WHERE says where it
 * was. False: nothing changed, because guest-rt or an exception stub is at work, or an event is on
 * its way into the guest.
 */
bool vm_interrupt(const struct vm *vm, guest_addr_t handler, struct husk_interrupted *where);

/* Let KVM keep HUSK_CLOCK_PAGE up to date. Returns 0 or -errno. */
int vm_enable_clock(const struct vm *vm, const struct guest_memory *memory);

/* Set FS.base where ring 3 cannot. Returns 0 or -errno. */
int vm_set_fs_base(const struct vm *vm, uint64_t base);

#endif
