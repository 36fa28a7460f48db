/* SPDX-License-Identifier: MIT */
/*
 * x86_64: the stub's entries and its system call. Included by stub.c only.
 */
#ifndef NOPDB_INJECTOR_STUB_X86_64_H
#define NOPDB_INJECTOR_STUB_X86_64_H

#include <stddef.h>

#include "injector/stub/entries.h"
#include "proto/boot.h"

#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

#define BOOT_BASE 16
#define BOOT_LENGTH 24
#define BOOT_SIGFRAME 32
#define BOOT_SYSCALL_RET 48
#define BOOT_LEFT 508
#define BOOT_RETURNED 800

_Static_assert(offsetof(struct boot, base) == BOOT_BASE, "base");
_Static_assert(offsetof(struct boot, length) == BOOT_LENGTH, "length");
_Static_assert(offsetof(struct boot, sigframe) == BOOT_SIGFRAME, "sigframe");
_Static_assert(offsetof(struct boot, syscall_ret) == BOOT_SYSCALL_RET, "ret");
_Static_assert(offsetof(struct boot, left) == BOOT_LEFT, "left");
_Static_assert(offsetof(struct boot, returned) == BOOT_RETURNED, "returned");

/*
 * STUB_HIJACK: create the thread, then tell the tracer with a signal that is
 * ignored by default, should no tracer be there any more; what came of it
 * stands where a fifth argument would (see remote_call.c). The tgkill is done
 * by libc's own `syscall; ret` with SP on the signal frame: the tracer finds
 * the thread there, and without a tracer it returns into rt_sigreturn and so to
 * itself. 39 getpid, 186 gettid, 234 tgkill, 23 SIGURG.
 *
 * STUB_THREAD: run, then jump to munmap, which returns to libc.
 *
 * STUB_PENDING: create the thread and answer Python 0; or jump to munmap, which
 * answers so.
 */
/* clang-format off */
__asm__(".section .text.entry,\"ax\",@progbits\n"
	".globl _start\n"
	"_start:\n"
	"	mov	%rdi, %rbx\n"
	"	call	stub_create\n"
	"	mov	%eax, %r8d\n"
	"	mov	$186, %eax\n"
	"	syscall\n"
	"	mov	%eax, %esi\n"
	"	mov	$39, %eax\n"
	"	syscall\n"
	"	mov	%eax, %edi\n"
	"	mov	$23, %edx\n"
	"	mov	$234, %eax\n"
	"	mov	" STRING(BOOT_SYSCALL_RET) "(%rbx), %r9\n"
	"	mov	" STRING(BOOT_SIGFRAME) "(%rbx), %rsp\n"
	"	movl	$1, " STRING(BOOT_LEFT) "(%rbx)\n"
	"	jmp	*%r9\n"
	"	.org	" STRING(STUB_THREAD) "\n"
	"	push	%rbx\n"
	"	mov	%rdi, %rbx\n"
	"	call	stub_thread\n"
	"leave:\n"
	"	mov	" STRING(BOOT_BASE) "(%rbx), %rdi\n"
	"	mov	" STRING(BOOT_LENGTH) "(%rbx), %rsi\n"
	"	pop	%rbx\n"
	"	jmp	*%rax\n"
	"	.org	" STRING(STUB_PENDING) "\n"
	"	push	%rbx\n"
	"	mov	%rdi, %rbx\n"
	"	call	stub_pending\n"
	"	test	%rax, %rax\n"
	"	jnz	leave\n"
	"	lea	" STRING(BOOT_RETURNED) "(%rbx), %rdx\n"
	"	pop	%rbx\n"
	"	movl	$1, (%rdx)\n"
	"	ret\n"
	"	.text\n");
/* clang-format on */

static inline long stub_syscall(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

#endif
