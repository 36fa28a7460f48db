/* SPDX-License-Identifier: MIT */
/*
 * arch: what differs between CPUs, as one const struct. Everything else in
 * the injector is written against it; a port adds one arch/CPU.c and one
 * stub/CPU.h.
 *
 * Pure functions over saved registers and bytes; no I/O.
 */
#ifndef NOPDB_INJECTOR_ARCH_H
#define NOPDB_INJECTOR_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* General registers of a stopped thread, as PTRACE_GETREGSET(NT_PRSTATUS)
 * gives them. */
#define REGS_WORDS 40

struct regs {
	uint64_t word[REGS_WORDS];
	size_t size; /* bytes in use */
};

/* Floating point and vector registers, in the kernel's format for the CPU's
 * regset (arch.fp_note). */
#define FPREGS_MAX 16384

struct fpregs {
	size_t size;
	_Alignas(64) uint8_t bytes[FPREGS_MAX];
};

/* The same of an older regset (arch.fp_part_note), which holds a part of them
 * and is set ten times faster: for the whole the kernel maps memory first. */
#define FPREGS_PART 512

/* Instructions found in the C library's text, as addresses in the target. */
struct gadgets {
	uint64_t syscall_ret; /* syscall; ret */
	uint64_t sigreturn;   /* rt_sigreturn with the frame at SP */
};

/* What a thread inside a system call does to the choice of threads. */
enum syscall_kind {
	SYSCALL_OTHER,	  /* a stop may cut it short: write, send */
	SYSCALL_BLOCKING, /* waits, resumes unharmed: poll, sleep, read */
	SYSCALL_EPOLL,	  /* waits, needs the EINTR repair */
	SYSCALL_FUTEX,
	SYSCALL_RESTART, /* restart_syscall: a timed wait, resumed */
};

struct arch {
	const char *name;
	uint16_t elf_machine;
	uint32_t audit_arch; /* AUDIT_ARCH_*, as seccomp filters see it */
	unsigned fp_note;    /* NT_* of the extended state */
	unsigned fp_part_note;
	size_t red_zone;
	size_t sigframe_max;	     /* bytes that sigframe() may need */
	size_t syscall_size;	     /* bytes of the system call instruction */
	uint8_t syscall_code[2];     /* the instruction */
	unsigned dwarf_sp, dwarf_pc; /* numbers for dwarf_register() */

	uint64_t (*pc)(const struct regs *regs);
	uint64_t (*sp)(const struct regs *regs);
	long (*syscall)(const struct regs *regs); /* number; -1: none */
	uint64_t (*argument)(const struct regs *regs, unsigned index);
	uint64_t (*result)(const struct regs *regs);
	bool (*dwarf_register)(const struct regs *regs, unsigned number,
			       uint64_t *ret_value);
	enum syscall_kind (*kind)(long syscall);
	const char *(*call_name)(long syscall); /* NULL: not known */

	/* Turns -EINTR of a call that a stop broke into a restart. That begins
	 * a time-out anew: a caller that retries by itself, for the time that
	 * is left, is told EINTR where there may be one. */
	void (*repair)(struct regs *regs, bool retries);
	/* Would the kernel go on with the interrupted call by restart_syscall?
	 * Then begin_anew makes it begin anew instead. */
	bool (*goes_on)(const struct regs *regs);
	void (*begin_anew)(struct regs *regs);
	/* As the kernel would leave them to restart the interrupted call. */
	void (*restart)(struct regs *regs);
	void (*set_syscall)(struct regs *regs, uint64_t pc, uint64_t sp,
			    long number, const uint64_t arguments[6]);
	void (*set_call)(struct regs *regs, uint64_t pc, uint64_t sp,
			 uint64_t argument);

	/* Writes into part what turns now into saved; false: they differ in
	 * more than a part. */
	bool (*fp_part)(const struct fpregs *saved, const struct fpregs *now,
			uint8_t part[FPREGS_PART]);

	/* Writes a signal frame into buf that restores regs, fpregs and mask
	 * by sigreturn, to be placed at *ret_address, all below top. Without
	 * fpregs (NULL) it clears the extended state. Returns its size; 0: the
	 * buffer is too small. */
	size_t (*sigframe)(const struct regs *regs, const struct fpregs *fpregs,
			   uint64_t mask, uint64_t sigreturn, uint64_t top,
			   uint8_t *buf, size_t size, uint64_t *ret_address);
	/* Looks for what is still missing in gadgets; true: complete. */
	bool (*find_gadgets)(const uint8_t *text, size_t size, uint64_t address,
			     struct gadgets *gadgets);
};

extern const struct arch arch;

#endif
