; SPDX-License-Identifier: ISC
;
; The vDSO (vdso(7)): a shared object in memory in which libc finds functions that tell the time without
; a system call. It is linked to the addresses where it lies, so nothing in it needs relocation. ELF-64
; object file format 1.5 for the tables; the symbols' version is that of Linux's vDSO, LINUX_2.6.

bits 64

extern vdso_clock_gettime, vdso_gettimeofday
global husk_vdso

%define ET_DYN     3
%define EM_X86_64  62
%define PT_LOAD    1
%define PT_DYNAMIC 2
%define PF_R_X     5
%define PF_R       4
%define DT_HASH    4
%define DT_STRTAB  5
%define DT_SYMTAB  6
%define DT_STRSZ   10
%define DT_SYMENT  11
%define DT_SONAME  14
%define DT_VERSYM  0x6ffffff0
%define DT_VERDEF  0x6ffffffc
%define DT_VERDEFNUM 0x6ffffffd
%define SHT_PROGBITS 1
%define SHT_STRTAB 3
%define SHT_DYNSYM 11
%define SHF_ALLOC  2
%define SHF_EXECINSTR 4
%define GLOBAL_FUNC 0x12
%define VER_FLG_BASE 1

section .rodata.vdso progbits alloc noexec nowrite align=16

husk_vdso:
    db 0x7f, "ELF", 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
    dw ET_DYN, EM_X86_64
    dd 1
    dq 0, headers - husk_vdso, sections - husk_vdso ; entry, program headers, section headers
    dd 0
    dw 64, 56, 2, 64, 4, 0
headers:
    dd PT_LOAD, PF_R_X
    dq 0, husk_vdso, husk_vdso, end - husk_vdso, end - husk_vdso, 16
    dd PT_DYNAMIC, PF_R
    dq dynamic - husk_vdso, dynamic, dynamic, hash - dynamic, hash - dynamic, 8
dynamic:
    dq DT_SONAME, soname - strings
    dq DT_HASH, hash
    dq DT_STRTAB, strings
    dq DT_SYMTAB, symbols
    dq DT_STRSZ, end - strings
    dq DT_SYMENT, 24
    dq DT_VERSYM, versions
    dq DT_VERDEF, definitions
    dq DT_VERDEFNUM, 2
    dq 0, 0
hash:
    dd 1, 3                             ; one bucket, three symbols
    dd 1
    dd 0, 2, 0
symbols:
    times 24 db 0
    dd clock_gettime_name - strings
    db GLOBAL_FUNC, 0
    dw 1
    dq vdso_clock_gettime, 0
    dd gettimeofday_name - strings
    db GLOBAL_FUNC, 0
    dw 1
    dq vdso_gettimeofday, 0
versions:
    dw 0, 2, 2, 0
definitions:                            ; each with its hash (System V ABI, figure 5-13) and name
    dw 1, VER_FLG_BASE, 1, 1
    dd 0xdeebfa1, 20, 28
    dd soname - strings, 0
    dw 1, 0, 2, 1
    dd 0x3ae75f6, 20, 0
    dd version_name - strings, 0
; name, type; flags, address, offset, size; link, info; alignment, size of an entry
sections:                               ; dietlibc knows the symbols by these alone
    times 64 db 0
    dd 0, SHT_PROGBITS
    dq SHF_ALLOC | SHF_EXECINSTR, husk_vdso, 0, end - husk_vdso
    dd 0, 0
    dq 16, 0
    dd 0, SHT_STRTAB
    dq SHF_ALLOC, strings, strings - husk_vdso, end - strings
    dd 0, 0
    dq 1, 0
    dd 0, SHT_DYNSYM
    dq SHF_ALLOC, symbols, symbols - husk_vdso, versions - symbols
    dd 2, 1                             ; the strings' section; the first global symbol
    dq 8, 24
strings:
    db 0
version_name:
    db "LINUX_2.6", 0
soname:
    db "linux-vdso.so.1", 0
clock_gettime_name:
    db "__vdso_clock_gettime", 0
gettimeofday_name:
    db "__vdso_gettimeofday", 0
end:

section .note.GNU-stack noalloc noexec nowrite progbits
