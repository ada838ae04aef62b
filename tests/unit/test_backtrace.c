/* SPDX-License-Identifier: ISC
 *
 * Walks by unwind tables: made by hand, then this process's own.
 */
#include "backtrace_fixture.h"

#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cleanup.h"

static void test_frames_are_found_by_the_stack_pointer(void **state)
{
    (void)state;
    put_usual_table();
    add_table();
    push_usual_stack();
    walk();
    ASSERT_FRAMES(INNER + 0x50, MIDDLE + RETURN, OUTER + RETURN);
}

static void test_frames_are_found_by_the_frame_pointer(void **state)
{
    (void)state;
    put_cie();
    put_fde(INNER, 0x100, BYTES(CFA, RBP, 16, SAVED | RBP, 2));
    put_fde(MIDDLE, 0x100, BYTES(CFA, RBP, 16, SAVED | RBP, 2));
    put_fde(OUTER, 0x100, BYTES(UNDEFINED, RIP));
    add_table();
    push(OUTER + RETURN);
    push(0);
    regs.rbp = regs.rsp;
    push(0x1111);
    push(MIDDLE + RETURN);
    push(regs.rbp);
    regs.rbp = regs.rsp;
    regs.rsp -= 0x100;
    regs.rip = INNER + 0x50;
    walk();
    ASSERT_FRAMES(INNER + 0x50, MIDDLE + RETURN, OUTER + RETURN);
}

static void test_unwind_table_is_found_without_sections(void **state)
{
    int32_t distance = UNWIND_AT - (PROGRAM_BASE + 0x1904);
    uint8_t header[12] = {1, 0x1b, 0x03, 0x3b};

    (void)state;
    put_usual_table();
    memcpy(header + 4, &distance, 4);
    memcpy(image_at(&program, 0x1900), header, sizeof(header));
    memcpy(image_at(&program, 0x1a00), table, table_len);
    image_add(&program, PT_GNU_EH_FRAME, PF_R, PROGRAM_BASE + 0x1900, 0x1900, sizeof(header));
    push_usual_stack();
    walk();
    ASSERT_FRAMES(INNER + 0x50, MIDDLE + RETURN, OUTER + RETURN);
}

static void test_rules_depend_on_the_instruction(void **state)
{
    static const struct {
        uint64_t at;
        int words; /* pushed since the call */
    } points[] = {{0, 0}, {1, 1}, {0xf, 1}, {0x10, 3}, {0x2f, 3}, {0x30, 0}, {0x31, 3}};

    (void)state;
    put_cie();
    put_fde(INNER, 0x100,
            BYTES(ADVANCE | 1, CFA_OFFSET, 16, 0x02, 0xf, CFA_OFFSET, 32, 0x03, 0x20, 0, REMEMBER,
                  CFA_OFFSET, 8, 0x04, 1, 0, 0, 0, RECALL));
    put_fde(MIDDLE, 0x100, BYTES(UNDEFINED, RIP));
    add_table();
    for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
        regs.rsp = STACK_TOP;
        push(MIDDLE + RETURN);
        for (int j = 0; j < points[i].words; j++)
            push(0x1111);
        regs.rip = INNER + points[i].at;
        walk();
        ASSERT_FRAMES(INNER + points[i].at, MIDDLE + RETURN);
    }
}

static void test_preserved_register_is_recovered(void **state)
{
    (void)state;
    put_cie();
    /* INNER saved MIDDLE's rbx, by which MIDDLE finds its frame. */
    put_fde(INNER, 0x100, BYTES(CFA_OFFSET, 16, SAVED | RBX, 2));
    put_fde(MIDDLE, 0x100, BYTES(CFA, RBX, 8));
    put_fde(OUTER, 0x100, BYTES(UNDEFINED, RIP));
    add_table();
    push(OUTER + RETURN);
    regs.rbx = regs.rsp;
    regs.rsp -= 0x200;
    push(MIDDLE + RETURN);
    push(regs.rbx);
    regs.rbx = 0xbad;
    regs.rip = INNER + 0x50;
    walk();
    ASSERT_FRAMES(INNER + 0x50, MIDDLE + RETURN, OUTER + RETURN);
}

static void test_return_address_in_a_register_is_followed(void **state)
{
    (void)state;
    put_cie();
    put_fde(INNER, 0x100, BYTES(REGISTER, RIP, RBX));
    put_fde(MIDDLE, 0x100, BYTES(UNDEFINED, RIP));
    add_table();
    push(0);
    regs.rbx = MIDDLE + RETURN;
    regs.rip = INNER;
    walk();
    ASSERT_FRAMES(INNER, MIDDLE + RETURN);
}

/* What binutils writes for a PLT: 8 more where the entry has pushed its index. */
static void test_expression_of_a_plt_is_evaluated(void **state)
{
    (void)state;
    put_cie();
    put_fde(INNER, 0x100,
            BYTES(CFA_EXPRESSION, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22));
    put_fde(MIDDLE, 0x100, BYTES(UNDEFINED, RIP));
    add_table();
    push(MIDDLE + RETURN);
    regs.rip = INNER + 0x46;
    walk();
    ASSERT_FRAMES(INNER + 0x46, MIDDLE + RETURN);
    push(0x1111);
    regs.rip = INNER + 0x4b;
    walk();
    ASSERT_FRAMES(INNER + 0x4b, MIDDLE + RETURN);
}

/* As glibc's __restore_rt has it: CFA and registers are where the signal left them. */
static void test_signal_frame_continues_with_the_exact_pc(void **state)
{
    (void)state;
    put_entry(0, BYTES(1, 'z', 'R', 'S', 0, 1, 0x78, 16, 1, 0x1b, NOP));
    put_fde(THUNK, 0x100,
            BYTES(CFA_EXPRESSION, 3, 0x77, 8, 0x06, SAVED_AT, RIP, 2, 0x77, 16, EXPRESSION, RBX, 1,
                  0x35));
    {
        uint32_t plain = (uint32_t)table_len;

        put_cie();
        put_u32(13 + 2);
        put_u32((uint32_t)table_len - plain);
        put_u32((uint32_t)(INNER - (UNWIND_AT + table_len)));
        put_u32(0x100);
        put(BYTES(0, UNDEFINED, RIP));
    }
    add_table();
    push(INNER); /* the first instruction: pc - 1 would be another function */
    push(STACK_TOP - 0x100);
    push(0);
    regs.rip = THUNK + 4;
    walk();
    ASSERT_FRAMES(THUNK + 4, INNER);
}

static void test_call_at_the_end_of_a_function_belongs_to_it(void **state)
{
    (void)state;
    write_branch(0xe8, MIDDLE + 0xfb, INNER);
    put_usual_table();
    add_table();
    push_usual_stack();
    assert_int_equal(memory_write(&memory, regs.rsp + 16, &(uint64_t){MIDDLE + 0x100}, 8), 0);
    walk();
    ASSERT_FRAMES(INNER + 0x50, MIDDLE + 0x100, OUTER + RETURN);
}

static void test_return_address_0_ends_the_walk(void **state)
{
    (void)state;
    put_usual_table();
    add_table();
    push(0);
    push(0x1111);
    push(0x2222);
    regs.rip = INNER + 0x50;
    walk();
    ASSERT_FRAMES(INNER + 0x50);
}

static void test_bias_is_taken_off(void **state)
{
    const uint64_t bias = 0x1000000;
    uint8_t text[0x1000];

    (void)state;
    image_pie(&program);
    put_cie();
    /* The table is linked at 0 like the program. */
    put_fde(INNER, 0x100, BYTES(CFA_OFFSET, 24));
    put_fde(MIDDLE, 0x100, BYTES(UNDEFINED, RIP));
    const struct image_section section = {
        ".eh_frame", SHT_PROGBITS, 0, SHF_ALLOC, UNWIND_AT - PROGRAM_BASE, table, table_len};
    image_sections(&program, &section, 1);
    assert_int_equal(memory_map(&memory, bias + PROGRAM_TEXT, 0x1000, HUSK_PROT_READ), 0);
    assert_int_equal(memory_read(&memory, text, TEXT_AT, sizeof(text)), 0);
    write_code(bias + PROGRAM_TEXT, text, sizeof(text));
    push(MIDDLE - PROGRAM_BASE + bias + RETURN);
    push(0x1111);
    push(0x2222);
    regs.rip = INNER - PROGRAM_BASE + bias + 0x50;
    walk_with_bias(bias);
    ASSERT_FRAMES(INNER - PROGRAM_BASE + bias + 0x50, MIDDLE - PROGRAM_BASE + bias + RETURN);
}

static void test_walk_is_bounded(void **state)
{
    (void)state;
    put_cie();
    put_fde(MIDDLE, 0x100, BYTES(NOP));
    add_table();
    for (int i = 0; i < 200; i++)
        push(MIDDLE + RETURN);
    regs.rip = MIDDLE + 1;
    walk();
    assert_int_equal(count, BACKTRACE_MAX);
    assert_int_equal(frames[BACKTRACE_MAX - 1], MIDDLE + RETURN);
}

/*
 * This process as the guest: a thread on a stack at an address that guests can have captures its
 * registers and a copy of its stack; code addresses are moved down to where a guest's code can be.
 */
enum { THREAD_STACK = 0x10000000, THREAD_STACK_SIZE = 1 << 20, MOVED_BY = 0x1000000 };

static struct {
    uint64_t base, end; /* of this program in memory */
    guest_addr_t expected[4];
    uint64_t stack[THREAD_STACK_SIZE / 8];
} captured;

static int find_program(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    (void)data;
    captured.base = info->dlpi_addr;
    image.segment_count = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const Elf64_Phdr *phdr = &info->dlpi_phdr[i];

        if (phdr->p_type != PT_LOAD)
            continue;
        image.segments[image.segment_count++] = (struct elf_segment){
            .vaddr = phdr->p_vaddr,
            .mem_size = phdr->p_memsz,
            .file_offset = phdr->p_offset,
            .file_size = phdr->p_filesz,
            .prot = phdr->p_flags & PF_X ? HUSK_PROT_EXEC : HUSK_PROT_READ,
        };
        captured.end = info->dlpi_addr + phdr->p_vaddr + phdr->p_memsz;
    }
    return 1;
}

static guest_addr_t moved(uint64_t word)
{
    bool own = word >= captured.base && word < captured.end;

    return own ? word - captured.base + MOVED_BY : word;
}

static void __attribute__((noinline, no_sanitize("address", "undefined"))) capture(void)
{
    __asm__ volatile("lea 0(%%rip), %0\n"
                     "mov %%rsp, %1\n"
                     "mov %%rbp, %2\n"
                     "mov %%rbx, %3\n"
                     "mov %%r12, %4\n"
                     "mov %%r13, %5\n"
                     "mov %%r14, %6\n"
                     "mov %%r15, %7\n"
                     : "=&r"(regs.rip), "=m"(regs.rsp), "=m"(regs.rbp), "=m"(regs.rbx),
                       "=m"(regs.r12), "=m"(regs.r13), "=m"(regs.r14), "=m"(regs.r15));
    for (size_t i = (regs.rsp - THREAD_STACK) / 8; i < THREAD_STACK_SIZE / 8; i++)
        captured.stack[i] = moved(((volatile uint64_t *)THREAD_STACK)[i]);
    captured.expected[1] = moved((uint64_t)__builtin_return_address(0));
}

static uint64_t __attribute__((noinline)) with_array(size_t length)
{
    volatile uint8_t bytes[256] = {0};

    bytes[length % 256] = 1;
    capture();
    captured.expected[2] = moved((uint64_t)__builtin_return_address(0));
    return bytes[length / 2];
}

static int __attribute__((noinline)) compare(const void *a, const void *b)
{
    uint64_t result = with_array(*(const uint8_t *)a);

    captured.expected[3] = moved((uint64_t)__builtin_return_address(0));
    return (int)result + *(const uint8_t *)b;
}

static void *thread(void *argument)
{
    static volatile int sum;

    sum = sum + compare("a", "b");
    return argument;
}

static void test_this_process_is_walked(void **state)
{
    cleanup_fd int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    void *stack = mmap((void *)THREAD_STACK, THREAD_STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    pthread_attr_t attributes;
    pthread_t id;
    struct stat st;

    (void)state;
    assert_ptr_equal(stack, (void *)THREAD_STACK);
    assert_int_equal(fstat(fd, &st), 0);
    image = (struct elf_image){.file = {"self", fd, NULL, (uint64_t)st.st_size}};
    dl_iterate_phdr(find_program, NULL);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, THREAD_STACK_SIZE), 0);
    assert_int_equal(pthread_create(&id, &attributes, thread, NULL), 0);
    assert_int_equal(pthread_join(id, NULL), 0);
    pthread_attr_destroy(&attributes);

    for (size_t i = 0; i < image.segment_count; i++) {
        const struct elf_segment *segment = &image.segments[i];
        uint64_t start = segment->vaddr & ~0xfffULL;
        uint64_t len = (segment->vaddr + segment->file_size - start + 0xfff) & ~0xfffULL;

        if (segment->prot != HUSK_PROT_EXEC)
            continue;
        assert_int_equal(
            memory_map(&memory, MOVED_BY + start, len, HUSK_PROT_READ | HUSK_PROT_WRITE), 0);
        memcpy(
            memory_pointer(&memory, MOVED_BY + segment->vaddr, segment->file_size, HUSK_PROT_WRITE),
            (void *)(captured.base + segment->vaddr), segment->file_size);
        assert_int_equal(
            memory_protect(&memory, MOVED_BY + start, len, HUSK_PROT_READ | HUSK_PROT_EXEC), 0);
    }
    assert_int_equal(
        memory_map(&memory, THREAD_STACK, THREAD_STACK_SIZE, HUSK_PROT_READ | HUSK_PROT_WRITE), 0);
    assert_int_equal(memory_write(&memory, THREAD_STACK, captured.stack, sizeof(captured.stack)),
                     0);
    regs.rip = moved(regs.rip);
    captured.expected[0] = regs.rip;
    count = backtrace_walk(&image, MOVED_BY, &memory, &regs, frames);
    assert_in_range(count, 4, BACKTRACE_MAX);
    for (int i = 0; i < 4; i++)
        assert_int_equal(frames[i], captured.expected[i]);
    munmap(stack, THREAD_STACK_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_frames_are_found_by_the_stack_pointer),
        TEST(test_frames_are_found_by_the_frame_pointer),
        TEST(test_unwind_table_is_found_without_sections),
        TEST(test_rules_depend_on_the_instruction),
        TEST(test_preserved_register_is_recovered),
        TEST(test_return_address_in_a_register_is_followed),
        TEST(test_expression_of_a_plt_is_evaluated),
        TEST(test_signal_frame_continues_with_the_exact_pc),
        TEST(test_call_at_the_end_of_a_function_belongs_to_it),
        TEST(test_return_address_0_ends_the_walk),
        TEST(test_bias_is_taken_off),
        TEST(test_walk_is_bounded),
        TEST(test_this_process_is_walked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
