/* SPDX-License-Identifier: ISC */
#include "kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "cpuid.h"
#include "ring0.h"

/* CR0, CR4, EFER, XCR0: SDM 3A 2.5, 2.2.1, 2.6. */
#define CR0_PE         (1UL << 0)
#define CR0_MP         (1UL << 1)
#define CR0_ET         (1UL << 4)
#define CR0_NE         (1UL << 5)
#define CR0_WP         (1UL << 16)
#define CR0_PG         (1UL << 31)
#define CR4_PAE        (1UL << 5)
#define CR4_OSFXSR     (1UL << 9)
#define CR4_OSXMMEXCPT (1UL << 10)
#define CR4_FSGSBASE   (1UL << 16)
#define CR4_OSXSAVE    (1UL << 18)
#define CR4_SMEP       (1UL << 20)
#define EFER_SCE       (1UL << 0)
#define EFER_LME       (1UL << 8)
#define EFER_LMA       (1UL << 10)
#define EFER_NXE       (1UL << 11)
#define XCR0_X87_SSE   3UL

/* The same CPUID bits: SDM 2A, CPUID. */
#define CPUID_0_EBX_INTEL    0x756e6547 /* "Genu" */
#define CPUID_1_ECX_XSAVE    (1U << 26)
#define CPUID_1_ECX_OSXSAVE  (1U << 27)
#define CPUID_7_EBX_FSGSBASE (1U << 0)
#define CPUID_7_EBX_SMEP     (1U << 7)

/* Guest-physical addresses that KVM takes while CPUID says nothing of their width (SDM 2A, CPUID
 * leaf 80000008H). */
#define PHYSICAL_WITHOUT_CPUID (1ULL << 36)

/* Type of TR's segment: VT-x wants it busy (SDM 3C 26.3.1.2). AMD-V does not check it (APM
 * 2, 15.5.1), but QEMU's emulation of AMD-V grants the I/O bitmap only to one that is available. */
#define TSS_AVAILABLE 9
#define TSS_BUSY      11

#define MSR_STAR      0xc0000081 /* SDM 4, table 2-2 */
#define MSR_LSTAR     0xc0000082
#define MSR_FMASK     0xc0000084
#define MSR_KVM_CLOCK 0x4b564d01 /* MSR_KVM_SYSTEM_TIME_NEW, Documentation/virt/kvm/x86/msr.rst */

#define FMASK_TF_IF_DF_AC 0x40700 /* what `syscall` clears in RFLAGS: TF, IF, DF, AC */
#define RFLAGS_START      0x202   /* IF and the bit that is always set */
#define APIC_BASE_RESET   0xfee00900

static void step(const struct vm *vm, const char *name)
{
    if (vm->step)
        vm->step(vm->step_context, name);
}

enum kvm_kind kvm_kind(void)
{
    return access("/sys/module/kvm_pvm", F_OK) == 0 ? KVM_KIND_PVM : KVM_KIND_HARDWARE;
}

static int open_device(struct husk_error *err)
{
    /* Not open: musl's says O_CLOEXEC a second time, with fcntl(2). */
    int fd = openat(AT_FDCWD, "/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd >= 0)
        return fd;
    if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
        return error_set(err, STATUS_HUSK,
                         "/dev/kvm: not there; load kvm_intel or kvm_amd (enable virtualization in "
                         "the firmware), or give the container /dev/kvm");
    if (errno == EACCES || errno == EPERM)
        return error_set(err, STATUS_HUSK,
                         "/dev/kvm: permission denied; add yourself to its group, e.g. "
                         "`sudo usermod -aG kvm $USER`, and log in again");
    return error_set(err, STATUS_HUSK, "/dev/kvm: %s", strerror(errno));
}

static int check_capabilities(int kvm, struct husk_error *err)
{
    static const struct {
        int capability;
        const char *name;
    } needed[] = {
        {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
        {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
        {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
        {KVM_CAP_SYNC_MMU, "KVM_CAP_SYNC_MMU"}, /* memory.c's flush() relies on it */
        {KVM_CAP_SYNC_REGS, "KVM_CAP_SYNC_REGS"},
    };
    int version = ioctl(kvm, KVM_GET_API_VERSION, 0);

    if (version != KVM_API_VERSION)
        return error_set(err, STATUS_HUSK, "/dev/kvm: API version %d, husk needs %d", version,
                         KVM_API_VERSION);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (ioctl(kvm, KVM_CHECK_EXTENSION, needed[i].capability) <= 0)
            return error_set(err, STATUS_HUSK, "/dev/kvm lacks %s; husk needs Linux 5.15 or later",
                             needed[i].name);
    return 0;
}

/*
 * An APIC inside the kernel, which nobody uses: without one KVM patches its own code (a static key)
 * when the vCPU comes and when it goes, which costs a quarter of the whole start. Its registers
 * cover 0xfee00000, where a large guest has memory. If it is refused, husk is merely slower.
 */
static void add_apic(const struct vm *vm, uint64_t ram_size)
{
    const struct kvm_enable_cap apic = {.cap = KVM_CAP_SPLIT_IRQCHIP};

    if (ram_size <= MEMORY_BELOW_APIC)
        ioctl(vm->vm, KVM_ENABLE_CAP, &apic);
}

/*
 * No MSR at all for the guest's own instructions: ring 0 holds a few stubs that use none. (What the
 * monitor sets is not filtered, nor what `syscall` and `sysret` read.) kvm-pvm interprets ring 0,
 * and there it would cost 15 us, sometimes 3 ms. Where KVM lacks it, the stubs have to do.
 */
static void deny_msrs(const struct vm *vm)
{
    static uint8_t none[1]; /* an empty list cannot deny */
    const struct kvm_msr_filter filter = {
        .flags = KVM_MSR_FILTER_DEFAULT_DENY,
        .ranges[0] = {.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
                      .nmsrs = 1,
                      .base = MSR_STAR,
                      .bitmap = none},
    };

    if (vm->kind == KVM_KIND_HARDWARE)
        ioctl(vm->vm, KVM_X86_SET_MSR_FILTER, &filter);
}

int vm_create(struct vm *vm, uint64_t ram_size, kvm_step_fn *step_fn, void *step_context,
              struct husk_error *err)
{
    *vm =
        (struct vm){.kvm = -1, .vm = -1, .vcpu = -1, .step = step_fn, .step_context = step_context};
    vm->kind = kvm_kind();
    vm->kvm = open_device(err);
    if (vm->kvm < 0)
        return -1;
    step(vm, "open");
    if (check_capabilities(vm->kvm, err) < 0)
        return -1;
    step(vm, "check");
    do
        vm->vm = ioctl(vm->kvm, KVM_CREATE_VM, 0);
    while (vm->vm < 0 && errno == EINTR);
    if (vm->vm < 0)
        return error_set(err, STATUS_HUSK, "KVM refused a VM: %s%s", strerror(errno),
                         errno == EBUSY ? "; another hypervisor holds the processor's extensions"
                                        : "");
    add_apic(vm, ram_size);
    deny_msrs(vm);
    step(vm, "create_vm");
    return 0;
}

void vm_destroy(struct vm *vm)
{
    if (vm->run)
        munmap(vm->run, vm->run_size);
    cleanup_fd_(&vm->vcpu);
    cleanup_fd_(&vm->vm);
    cleanup_fd_(&vm->kvm);
    *vm = (struct vm){.kvm = -1, .vm = -1, .vcpu = -1};
}

int vm_register_pages(void *context, uint64_t start, uint64_t end, void *host)
{
    struct vm *vm = context;
    struct kvm_userspace_memory_region region = {
        .slot = vm->slots,
        .guest_phys_addr = start,
        .memory_size = end - start,
        .userspace_addr = (uintptr_t)host,
    };

    if (ioctl(vm->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return -errno;
    vm->slots++;
    step(vm, "set_user_memory_region");
    return 0;
}

struct cpuid {
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entries[128];
};

static struct kvm_cpuid_entry2 *find_leaf(struct cpuid *cpuid, uint32_t function, uint32_t index)
{
    static struct kvm_cpuid_entry2 none;

    for (uint32_t i = 0; i < cpuid->head.nent; i++)
        if (cpuid->entries[i].function == function && cpuid->entries[i].index == index)
            return &cpuid->entries[i];
    return &none;
}

/* What depends on the processor. */
struct features {
    uint64_t cr4;
    uint8_t tss_type; /* of TR */
};

static int set_xcr0(const struct vm *vm, uint64_t value)
{
    struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0] = {.xcr = 0, .value = value}};

    return ioctl(vm->vcpu, KVM_SET_XCRS, &xcrs);
}

/*
 * Give the guest the CPUID that KVM supports and the extended states that go with it; note what it
 * allows. On kvm-pvm `cpuid` at ring 3 shows the host's own leaves and state whatever is
 * set, so the third of a millisecond is saved there.
 */
static int set_cpuid(const struct vm *vm, const struct guest_memory *memory,
                     struct features *features, struct husk_error *err)
{
    struct cpuid cpuid = {.head.nent = 128};
    const struct kvm_cpuid_entry2 *state;

    if (vm->kind == KVM_KIND_PVM && memory->size <= PHYSICAL_WITHOUT_CPUID) {
        features->cr4 |= CR4_FSGSBASE;
        return 0;
    }
    if (ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) < 0)
        return error_set(err, STATUS_HUSK, "KVM does not tell its CPUID: %s", strerror(errno));
    cpuid_hide(cpuid.entries, cpuid.head.nent);
    if (ioctl(vm->vcpu, KVM_SET_CPUID2, &cpuid) < 0)
        return error_set(err, STATUS_HUSK, "KVM refused the vCPU's CPUID: %s", strerror(errno));
    if (find_leaf(&cpuid, 7, 0)->ebx & CPUID_7_EBX_FSGSBASE)
        features->cr4 |= CR4_FSGSBASE;
    if (find_leaf(&cpuid, 7, 0)->ebx & CPUID_7_EBX_SMEP)
        features->cr4 |= CR4_SMEP;
    if (find_leaf(&cpuid, 0, 0)->ebx != CPUID_0_EBX_INTEL)
        features->tss_type = TSS_AVAILABLE;
    if (!(find_leaf(&cpuid, 1, 0)->ecx & CPUID_1_ECX_XSAVE))
        return 0;
    features->cr4 |= CR4_OSXSAVE;
    state = find_leaf(&cpuid, 0xd, 0);
    if (set_xcr0(vm, state->eax | (uint64_t)state->edx << 32 | XCR0_X87_SSE) < 0 &&
        set_xcr0(vm, XCR0_X87_SSE) < 0)
        return error_set(err, STATUS_HUSK, "KVM refused XCR0: %s", strerror(errno));
    return 0;
}

/* Straight into 64-bit mode at ring 3: SDM 3A 3.4.5 for the descriptors' fields, 9.8.5 for the
 * mode. */
static int set_system_registers(const struct vm *vm, const struct guest_memory *memory,
                                const struct features *features)
{
    const struct kvm_segment code = {.limit = ~0U,
                                     .selector = HUSK_USER_CS,
                                     .type = 11,
                                     .present = 1,
                                     .dpl = 3,
                                     .s = 1,
                                     .l = 1,
                                     .g = 1};
    const struct kvm_segment data = {.limit = ~0U,
                                     .selector = HUSK_USER_SS,
                                     .type = 3,
                                     .present = 1,
                                     .dpl = 3,
                                     .s = 1,
                                     .db = 1,
                                     .g = 1};
    struct kvm_sregs sregs = {
        .cs = code,
        .ss = data,
        .ds = data,
        .es = data,
        .fs = data,
        .gs = data,
        .tr = {.base = HUSK_RING0_TABLES + HUSK_TSS_OFFSET,
               .limit = RING0_TSS_LIMIT,
               .selector = HUSK_TSS_SEL,
               .type = features->tss_type,
               .present = 1},
        .ldt = {.type = 2, .unusable = 1},
        .gdt = {.base = HUSK_RING0_TABLES + HUSK_GDT_OFFSET, .limit = RING0_GDT_LIMIT},
        .idt = {.base = HUSK_RING0_TABLES + HUSK_IDT_OFFSET, .limit = RING0_IDT_LIMIT},
        .cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG,
        .cr3 = memory_root(memory),
        .cr4 = features->cr4,
        .efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE,
        .apic_base = APIC_BASE_RESET,
    };

    return ioctl(vm->vcpu, KVM_SET_SREGS, &sregs);
}

static int set_msrs(const struct vm *vm, const struct husk_note *rt)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entries[3];
    } msrs = {
        .head.nmsrs = 3,
        .entries =
            {
                /* sysret takes CS = base + 16 and SS = base + 8 from bits 48 to 63. */
                {.index = MSR_STAR,
                 .data = (uint64_t)(HUSK_USER_CS - 16) << 48 | (uint64_t)HUSK_KERNEL_CS << 32},
                {.index = MSR_LSTAR,
                 .data = vm->kind == KVM_KIND_PVM ? rt->syscall_direct
                                                  : HUSK_RING0_TEXT + HUSK_RING0_SYSCALL},
                {.index = MSR_FMASK, .data = FMASK_TF_IF_DF_AC},
            },
    };

    return ioctl(vm->vcpu, KVM_SET_MSRS, &msrs) == 3 ? 0 : -1;
}

int vm_create_vcpu(struct vm *vm, const struct guest_memory *memory, const struct husk_note *rt,
                   struct husk_error *err)
{
    struct kvm_regs regs = {.rip = rt->rt_start, .rflags = RFLAGS_START};
    struct features features = {CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT, TSS_BUSY};
    int size, ret;

    vm->vcpu = ioctl(vm->vm, KVM_CREATE_VCPU, 0);
    if (vm->vcpu < 0)
        return error_set(err, STATUS_HUSK, "KVM refused a vCPU: %s", strerror(errno));
    step(vm, "create_vcpu");
    size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(struct kvm_run))
        return error_set(err, STATUS_HUSK, "KVM_GET_VCPU_MMAP_SIZE gave %d", size);
    vm->run_size = size;
    vm->run =
        mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, vm->vcpu, 0);
    if (vm->run == MAP_FAILED) {
        vm->run = NULL;
        return error_set(err, STATUS_HUSK, "cannot map kvm_run: %s", strerror(errno));
    }
    step(vm, "mmap_run");
    if (set_cpuid(vm, memory, &features, err) < 0)
        return -1;
    step(vm, "set_cpuid");
    ring0_build(memory, rt);
    ret = set_system_registers(vm, memory, &features);
    if (ret < 0 && features.cr4 & CR4_FSGSBASE) {
        features.cr4 &= ~CR4_FSGSBASE;
        ret = set_system_registers(vm, memory, &features);
    }
    vm->fsgsbase = features.cr4 & CR4_FSGSBASE;
    vm->tss_type = features.tss_type;
    if (ret < 0)
        return error_set(err, STATUS_HUSK, "KVM refused the vCPU's system registers: %s",
                         strerror(errno));
    step(vm, "set_sregs");
    /* Taken over by the first KVM_RUN: KVM API 5, struct kvm_sync_regs. */
    vm->run->s.regs.regs = regs;
    vm->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
    if (set_msrs(vm, rt) < 0)
        return error_set(err, STATUS_HUSK, "KVM refused the vCPU's MSRs: %s", strerror(errno));
    step(vm, "set_msrs");
    return 0;
}

int vm_run(struct vm *vm)
{
    return ioctl(vm->vcpu, KVM_RUN, 0) < 0 ? -errno : 0;
}

void vm_registers(const struct vm *vm, struct husk_regs *regs)
{
    struct kvm_regs r;

    *regs = (struct husk_regs){0};
    if (ioctl(vm->vcpu, KVM_GET_REGS, &r) < 0)
        return;
    *regs = (struct husk_regs){
        .r15 = r.r15,
        .r14 = r.r14,
        .r13 = r.r13,
        .r12 = r.r12,
        .r11 = r.r11,
        .r10 = r.r10,
        .r9 = r.r9,
        .r8 = r.r8,
        .rbp = r.rbp,
        .rdi = r.rdi,
        .rsi = r.rsi,
        .rdx = r.rdx,
        .rcx = r.rcx,
        .rbx = r.rbx,
        .rax = r.rax,
        .rip = r.rip,
        .rflags = r.rflags,
        .rsp = r.rsp,
    };
}

/* What came into the guest half-way would meet the wrong RIP. */
static bool event_under_way(const struct vm *vm)
{
    struct kvm_vcpu_events events;

    return ioctl(vm->vcpu, KVM_GET_VCPU_EVENTS, &events) < 0 || events.exception.injected ||
           events.exception.pending || events.interrupt.injected || events.nmi.injected;
}

bool vm_interrupt(const struct vm *vm, guest_addr_t handler, struct husk_interrupted *where)
{
    struct kvm_regs regs;

    if (ioctl(vm->vcpu, KVM_GET_REGS, &regs) < 0 || regs.rip >= HUSK_WINDOW || event_under_way(vm))
        return false;
    *where = (struct husk_interrupted){.rip = regs.rip, .rflags = regs.rflags, .rsp = regs.rsp};
    regs.rip = handler;
    regs.rflags = RFLAGS_START;
    return ioctl(vm->vcpu, KVM_SET_REGS, &regs) == 0;
}

int vm_enable_clock(const struct vm *vm, const struct guest_memory *memory)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } msrs = {
        .head.nmsrs = 1,
        .entry = {.index = MSR_KVM_CLOCK, .data = memory_window_gpa(memory, HUSK_CLOCK_PAGE) | 1},
    };

    return ioctl(vm->vcpu, KVM_SET_MSRS, &msrs) == 1 ? 0 : -EINVAL;
}

int vm_set_fs_base(const struct vm *vm, uint64_t base)
{
    struct kvm_sregs sregs;

    if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) < 0)
        return -errno;
    sregs.fs.base = base;
    sregs.tr.type = vm->tss_type; /* on AMD-V KVM gives it back as busy */
    return ioctl(vm->vcpu, KVM_SET_SREGS, &sregs) < 0 ? -errno : 0;
}
