/* SPDX-License-Identifier: ISC
 *
 * The yardstick of the benchmarks: the least that a process can spend on creating a VM, entering
 * ring 3 in 64-bit mode, leaving it by one `out`, and ending.
 *
 *     floor            do that
 *     floor exits N    leave N times instead, and print what one exit costs
 *
 * Every choice below was measured against its alternatives (docs/performance.md), and it takes no
 * precaution that a monitor must take.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PORT     0x48
#define CODE     0x800 /* where things lie in the guest's page */
#define TSS      0x900
#define TSS_SIZE 104

/*
 * All of the guest's memory, ready in the executable's file. The page's first entry leads back to
 * the page at each of the four levels, so that it is also its own page tables; SDM 3A 4.5.4:
 * present, writable, user, accessed, dirty. The TSS allows ring 3 the port: SDM 3A figure 8-11 and
 * 1 19.5.2. (A read-only page is no faster, and NPT refuses page tables in one.)
 */
static struct {
    uint64_t entry;
    uint8_t zero[CODE - sizeof(uint64_t)];
    uint8_t code[TSS - CODE];
    uint8_t tss[TSS_SIZE];
    uint8_t ports[0x1000 - TSS - TSS_SIZE];
} page __attribute__((aligned(0x1000))) = {
    .entry = 0x67,
    .code = {0xe7, PORT, 0xeb, 0xfc}, /* 1: out PORT, eax; jmp 1b */
    .tss = {[TSS_SIZE - 2] = TSS_SIZE},
    .ports = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0, 0xff},
};
_Static_assert(sizeof(page) == 0x1000 && PORT == 9 * 8, "one page; the ports are bits of byte 9");

static void set_registers(struct kvm_run *run)
{
    const struct kvm_segment code = {
        .limit = ~0U, .selector = 0x33, .type = 11, .present = 1, .dpl = 3, .s = 1, .l = 1, .g = 1};
    const struct kvm_segment data = {
        .limit = ~0U, .selector = 0x2b, .type = 3, .present = 1, .dpl = 3, .s = 1, .db = 1, .g = 1};
    const struct kvm_segment tss = {
        .base = TSS, .limit = TSS_SIZE + 10, .selector = 0x40, .type = 11, .present = 1};

    run->s.regs.sregs = (struct kvm_sregs){
        .cs = code,
        .ss = data,
        .ds = data,
        .es = data,
        .fs = data,
        .gs = data,
        .tr = tss,
        .ldt = {.type = 2, .unusable = 1},
        .cr0 = 0x80000031, /* PG, NE, ET, PE */
        .cr3 = 0,
        .cr4 = 0x20,   /* PAE */
        .efer = 0x500, /* LMA, LME */
        .apic_base = 0xfee00900,
    };
    run->s.regs.regs = (struct kvm_regs){.rip = CODE, .rflags = 2};
    run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
}

static bool leaves_at_port(int vcpu, struct kvm_run *run)
{
    return ioctl(vcpu, KVM_RUN, 0) == 0 && run->exit_reason == KVM_EXIT_IO && run->io.port == PORT;
}

/*
 * kvm-pvm takes it for granted that the vCPU has 64-bit mode; others must be told. VT-x wants a TSS
 * that is busy; QEMU's emulation of AMD-V grants the I/O bitmap only to one that is not.
 */
static void adapt_to_hardware(int kvm, int vcpu, struct kvm_run *run)
{
    struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[128];
    } cpuid;

    if (access("/sys/module/kvm_pvm", F_OK) == 0)
        return;
    if (access("/sys/module/kvm_amd", F_OK) == 0)
        run->s.regs.sregs.tr.type = 9;
    cpuid.head.nent = 128;
    if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) == 0)
        ioctl(vcpu, KVM_SET_CPUID2, &cpuid);
}

/* A failed call shows in the next one, and in the last. */
static int start(struct kvm_run **run)
{
    /*
     * With the APIC in the kernel, though nobody uses it: for a vCPU without, KVM patches its own
     * code (the static key kvm_has_noapic_vcpu) when it comes and when it goes.
     */
    const struct kvm_enable_cap apic = {.cap = KVM_CAP_SPLIT_IRQCHIP};
    const struct kvm_userspace_memory_region memory = {
        .memory_size = sizeof(page),
        .userspace_addr = (uintptr_t)&page,
    };
    int kvm = open("/dev/kvm", O_RDWR), vm = ioctl(kvm, KVM_CREATE_VM, 0), vcpu;

    ioctl(vm, KVM_ENABLE_CAP, &apic);
    ioctl(vm, KVM_SET_USER_MEMORY_REGION, &memory);
    vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    *run = mmap(NULL, sizeof(**run), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (*run == MAP_FAILED)
        return -1;
    set_registers(*run);
    adapt_to_hardware(kvm, vcpu, *run);
    return leaves_at_port(vcpu, *run) ? vcpu : -1;
}

static int time_exits(int vcpu, struct kvm_run *run, long count)
{
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long i = 0; i < count; i++)
        if (!leaves_at_port(vcpu, run))
            return 1;
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("exit %.1f ns\n",
           ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
               (double)count);
    return fflush(stdout) == EOF;
}

int main(int argc, char **argv)
{
    struct kvm_run *run;
    long count = 0;
    char *end = "";
    int vcpu;

    if (argc == 3 && strcmp(argv[1], "exits") == 0)
        count = strtol(argv[2], &end, 10);
    if (argc > 1 && (count <= 0 || *end)) {
        fputs("usage: floor [exits N]\n", stderr);
        return 2;
    }
    vcpu = start(&run);
    if (vcpu < 0) {
        perror("floor: /dev/kvm gives no VM that reaches ring 3");
        return 1;
    }
    _exit(count ? time_exits(vcpu, run, count) : 0);
}
