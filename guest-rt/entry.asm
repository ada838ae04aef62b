; SPDX-License-Identifier: ISC
;
; The ways into guest-rt and out of it, all at ring 3: start, system calls, exceptions, interruptions.
; They build a struct husk_regs on the current thread's own stack in guest-rt; nothing is written
; below the application's stack pointer, where compilers keep data (the red zone).

%include "abi.inc"

bits 64
default rel

extern husk_vdso
extern native_start
extern rt_start, rt_syscall, rt_exception, rt_interrupt, rt_entry, rt_stack_pointer, thread_begun
global husk_rt_start, syscall_direct, syscall_stubbed, exception_entry, interrupt_entry
global call_room
global thread_switch, thread_begin, kernel_stack_pointer, restore_insn
global user_copy, user_copy_insn, user_scan, user_scan_insn, user_fault

; merge.ld lets the descriptor table follow.
section .bss
alignb 16
    resb 0x2000
exception_stack_top:
global exception_stack_top
    resb 0x10000
stack_top:

section .rodata
; The trampolines of a husk image, in the application's text; app.ld knows where. Far from here: no
; instruction of ours reaches them.
extern husk_calls:weak, husk_calls_end:weak
alignb 8
call_room: dq husk_calls, husk_calls_end

; struct husk_calls, and room for husk-calls to write them.
section .husk.calls progbits alloc exec nowrite align=HUSK_CALL_SIZE
    dq syscall_called, 0, 0, 0
    times HUSK_CALLS_MAX * HUSK_CALL_SIZE db 0xcc

section .data
; Where the stack of the current thread starts.
kernel_stack_pointer: dq stack_top
caller_rsp: dq 0
caller_rax: dq 0

section .text

%macro push_general 0
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push rbp
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
%endmacro

%macro pop_general 0
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rbp
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
%endmacro

; The vCPU's first instruction, with rsp 0. It is the entry point of a husk image as well, and Linux,
; where there is no VM, gives it a stack.
husk_rt_start:
    test rsp, rsp
    jnz outside_vm
    lea rsp, [stack_top]
    call rt_start
    mov rcx, [rt_entry]
    mov rsp, [rt_stack_pointer]
    xor eax, eax
    xor edx, edx
    xor ebx, ebx
    xor ebp, ebp
    xor esi, esi
    xor edi, edi
    jmp rcx

; Started without husk, with the stack that Linux made: nothing else counts (System V ABI, 3.4.1), but
; that rdx is a function for atexit, or 0 as here.
outside_vm:
    mov rbx, rsp
    and rsp, -16
    call native_start
    mov rsp, rbx
    xor ebp, ebp
    xor edx, edx
    mov rax, _start
    jmp rax

; From ring0.asm's system call stub: the caller's rcx and r11 wait in HUSK_RING0_VIEW.
syscall_stubbed:
    mov rcx, HUSK_RING0_VIEW
    mov r11, [rcx + 8]
    mov rcx, [rcx]

; `syscall` at ring 3: rcx and r11 hold the caller's rip and rflags, everything else is the caller's.
syscall_direct:
    mov [caller_rsp], rsp
    mov rsp, [kernel_stack_pointer]
    push HUSK_USER_SS
    push qword [caller_rsp]
    push r11
syscall_entered:
    push HUSK_USER_CS
    push rcx
    push rax
    push_general
    cld
    mov rdi, rsp
    call rt_syscall
    test al, al
    jnz restore_all
    pop_general
    pop rax
    mov rsp, [rsp + 24]
    jmp rcx

; From a trampoline (calls.h), which stands for `syscall`: rcx holds the caller's rip here as well. The
; flags, which nothing has changed yet, go where the instruction would leave them.
syscall_called:
    mov [caller_rsp], rsp
    mov rsp, [kernel_stack_pointer]
    push HUSK_USER_SS
    push qword [caller_rsp]
    pushfq
    mov r11, [rsp]
    jmp syscall_entered

; Registers were changed, or the application did not come here by itself: every register counts.
restore_all:
    pop_general
    pop rax
restore_insn:
    iretq

; The monitor interrupted the application: struct husk_interrupted tells where.
interrupt_entry:
    mov [caller_rax], rax
    mov rax, HUSK_RING0_VIEW + HUSK_INTERRUPTED_OFFSET
    mov rsp, [kernel_stack_pointer]
    push HUSK_USER_SS
    push qword [rax + 16]   ; rsp
    push qword [rax + 8]    ; rflags
    push HUSK_USER_CS
    push qword [rax]        ; rip
    push qword [caller_rax]
    push_general
    cld
    mov rdi, rsp
    call rt_interrupt
    jmp restore_all

; From ring0.asm's exception stubs, on exception_stack_top. rax is free: the stub saved it. Exceptions
; of guest-rt itself are served there, those of the application on the thread's stack.
exception_entry:
    push rbx
    mov rbx, HUSK_RING0_VIEW + HUSK_PAGE_SIZE - HUSK_EXCEPTION_SIZE
    mov rax, HUSK_WINDOW
    sub rax, [rbx + 32]     ; rip
    neg rax
    cmp rax, HUSK_WINDOW_SIZE
    mov rax, rbx
    pop rbx
    jb own_exception
    mov rsp, [kernel_stack_pointer]
own_exception:
    push qword [rax + 64]   ; ss
    push qword [rax + 56]   ; rsp
    push qword [rax + 48]   ; rflags
    push qword [rax + 40]   ; cs
    push qword [rax + 32]   ; rip
    push qword [rax + 8]    ; rax
    push_general
    mov rdi, rsp
    mov rsi, [rax + 16]     ; vector
    mov rdx, [rax + 24]     ; error code
    mov rcx, [rax]          ; address
    cld
    call rt_exception
    jmp restore_all

; void thread_switch(uint64_t *save, uint64_t load): leave the current stack for that of another
; thread, which left it here or starts with the address of thread_begin.
thread_switch:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    mov [rdi], rsp
    mov rsp, rsi
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

; A new thread's first steps; its registers lie on its stack.
thread_begin:
    mov rdi, rsp
    call thread_begun
    jmp restore_all

; int user_copy(void *dst, const void *src, size_t len): 0 or -EFAULT.
user_copy:
    mov rcx, rdx
user_copy_insn:
    rep movsb
    xor eax, eax
    ret

; long user_scan(const char *string, size_t max): the string's length, max if it has no zero before,
; or -EFAULT.
user_scan:
    mov rcx, rsi
    xor eax, eax
    test rcx, rcx
    jz scan_none
user_scan_insn:
    repne scasb
    jne scan_none
    mov rax, rsi
    sub rax, rcx
    dec rax
    ret
scan_none:
    mov rax, rsi
    ret

; rt_exception sends a page fault in one of the two instructions here.
user_fault:
    mov rax, -14
    ret

; struct husk_note, in an ELF note. An unmodified program's entry is not known here: 0.
extern _start:weak
section .note.husk note alloc noexec nowrite align=4
    dd note_desc - note_owner - 3, note_end - note_desc, HUSK_NOTE_TYPE
note_owner:
    db "husk", 0, 0, 0, 0
note_desc:
    dd HUSK_ABI_VERSION, 0
    dq _start
    dq husk_rt_start
    dq syscall_direct
    dq syscall_stubbed
    dq exception_entry
    dq exception_stack_top
    dq interrupt_entry
    dq husk_vdso
note_end:

section .note.GNU-stack noalloc noexec nowrite progbits
