/* SPDX-License-Identifier: MIT */
/*
 * What hookpage_new copies to a page of its own. x86-64. Self-relative: the
 * data page follows the code page, wherever that is.
 */
#include "agent/engine/hookpage.h"

#define DATA(offset) hookpage_image + HOOKPAGE_SIZE + (offset)(%rip)

	.text
	.balign	64
	.globl	hookpage_image, hookpage_image_entry
	.globl	hookpage_image_shim, hookpage_image_end
	.hidden	hookpage_image, hookpage_image_entry
	.hidden	hookpage_image_shim, hookpage_image_end

hookpage_image:
	.ascii	HOOKPAGE_MAGIC

hookpage_image_entry:
	jmp	*DATA(HOOKPAGE_HOOK)

	/* The frame pointer lets unwinders pass: there is no FDE here. */
	.balign	16
hookpage_image_shim:
	push	%rbp
	mov	%rsp, %rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	mov	%rdi, %rbx
	mov	%rsi, %r12
	mov	%rdx, %r13
	incq	DATA(HOOKPAGE_LIVE)
	call	*DATA(HOOKPAGE_PRE)
	mov	%rax, %r14
	mov	%rbx, %rdi
	mov	%r12, %rsi
	mov	%r13, %rdx
	call	*DATA(HOOKPAGE_PREVIOUS)
	mov	DATA(HOOKPAGE_POST), %r8
	test	%r8, %r8
	jz	1f
	mov	%rbx, %rdi
	mov	%r12, %rsi
	mov	%r14, %rdx
	mov	%rax, %rcx
	mov	%rax, %r14
	call	*%r8
	mov	%r14, %rax
1:	decq	DATA(HOOKPAGE_LIVE)
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
hookpage_image_end:

	.section .note.GNU-stack, "", @progbits
