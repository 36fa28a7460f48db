/* SPDX-License-Identifier: MIT */
/* The text of the Python part, NUL-terminated. */
	.section .rodata
	.globl	bootstrap_source
	.hidden	bootstrap_source
	.type	bootstrap_source, @object
bootstrap_source:
	.incbin	"agent/python/bootstrap.py"
	.incbin	"agent/python/script.py"
	.incbin	"agent/python/evaluation.py"
	.byte	0
	.size	bootstrap_source, . - bootstrap_source
/* What debugs, loaded on demand. */
	.section .rodata
	.globl	debug_source
	.hidden	debug_source
	.type	debug_source, @object
debug_source:
	.incbin	"agent/python/debug.py"
	.byte	0
	.size	debug_source, . - debug_source
	.section .note.GNU-stack,"",@progbits
