; SPDX-License-Identifier: ISC
;
; All of ring 0: exception stubs, and the system call stub of hosts where `syscall` enters ring 0. The
; monitor keeps its own copy (it never takes ring 0 code from an image) and maps it at
; HUSK_RING0_TEXT. Pagetable-based KVM interprets each of these instructions (0.6 us), so there
; are few. Nothing here reads an address from memory that ring 3 can write.

%include "abi.inc"

bits 64
org HUSK_RING0_TEXT

%define FRAME  (HUSK_RING0_TABLES + HUSK_FRAME_OFFSET)
; The same window, relative to this code.
%define STATE  ($$ + HUSK_RING0_STACK - HUSK_RING0_TEXT)
%define TARGET ($$ + FRAME + 40 - HUSK_RING0_TEXT)

; SDM 3A 6.15: these push an error code of their own.
%macro vector 1
    align HUSK_STUB_SIZE, int3
%if %1 == 8 || (%1 >= 10 && %1 <= 14) || %1 == 17 || %1 == 21 || %1 == 29 || %1 == 30
%else
    push 0
%endif
    push %1
    jmp near to_ring3
%endmacro

%assign number 0
%rep HUSK_VECTORS
    vector number
%assign number number + 1
%endrep

; Leave a struct husk_exception at the end of HUSK_RING0_STACK, which ring 3 can read through
; HUSK_RING0_VIEW, and go on in guest-rt with the frame that the monitor prepared.
to_ring3:
    push rax
    mov rax, cr2
    push rax
    mov rsp, FRAME
    iretq

times HUSK_RING0_SYSCALL - ($ - $$) int3

; `syscall` came here: rcx and r11 hold the caller's rip and rflags. Pass them on in a struct
; husk_syscall_state, and enter guest-rt at the address that follows the frame.
    mov [rel STATE], rcx
    mov [rel STATE + 8], r11
    mov rcx, [rel TARGET]
    mov r11d, 0x202
    o64 sysret
