/* SPDX-License-Identifier: MIT */
#include "injector/arch/arch.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/reg.h>
#include <sys/syscall.h>

#include "injector/arch/x86_64_calls.h"

/* Results by which the kernel marks a call to be restarted (linux/errno.h,
 * never seen by user space). */
#define ERESTARTSYS_ 512
#define ERESTARTNOINTR_ 513
#define ERESTARTNOHAND_ 514
#define ERESTART_RESTARTBLOCK_ 516

#define SYS_FUTEX_WAITV 449 /* Linux 5.16; not in every libc's headers */

#define FLAG_TRAP 0x100u
#define FLAG_DIRECTION 0x400u

static uint64_t x86_pc(const struct regs *regs)
{
	return regs->word[RIP];
}

static uint64_t x86_sp(const struct regs *regs)
{
	return regs->word[RSP];
}

static long x86_syscall(const struct regs *regs)
{
	long number = (long)regs->word[ORIG_RAX];

	return number < 0 ? -1 : number;
}

static uint64_t x86_argument(const struct regs *regs, unsigned index)
{
	static const uint8_t order[6] = { RDI, RSI, RDX, R10, R8, R9 };

	return index < 6 ? regs->word[order[index]] : 0;
}

static uint64_t x86_result(const struct regs *regs)
{
	return regs->word[RAX];
}

/* Numbers of the System V x86-64 ABI, figure 3.36. */
static bool x86_dwarf_register(const struct regs *regs, unsigned number,
			       uint64_t *ret_value)
{
	static const uint8_t order[17] = {
		RAX, RDX, RCX, RBX, RSI, RDI, RBP, RSP, R8,
		R9,  R10, R11, R12, R13, R14, R15, RIP,
	};

	if (number >= sizeof(order))
		return false;
	*ret_value = regs->word[order[number]];
	return true;
}

static const char *x86_call_name(long syscall)
{
	const long count = sizeof(x86_calls) / sizeof(x86_calls[0]);

	return syscall >= 0 && syscall < count ? x86_calls[syscall] : NULL;
}

static enum syscall_kind x86_kind(long syscall)
{
	switch (syscall) {
	case SYS_poll:
	case SYS_ppoll:
	case SYS_select:
	case SYS_pselect6:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_accept:
	case SYS_accept4:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_read:
	case SYS_pause:
	case SYS_rt_sigtimedwait:
	case SYS_rt_sigsuspend:
	case SYS_semop:
	case SYS_semtimedop:
	case SYS_msgrcv:
	case SYS_mq_timedreceive:
	case SYS_flock:
	case SYS_fcntl:
	case SYS_io_getevents:
	case SYS_io_uring_enter:
	case SYS_FUTEX_WAITV:
		return SYSCALL_BLOCKING;
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		return SYSCALL_EPOLL;
	case SYS_futex:
		return SYSCALL_FUTEX;
	case SYS_restart_syscall:
		return SYSCALL_RESTART;
	default:
		return SYSCALL_OTHER;
	}
}

static bool x86_goes_on(const struct regs *regs)
{
	return (long)regs->word[ORIG_RAX] >= 0 &&
	       (int64_t)regs->word[RAX] == -ERESTART_RESTARTBLOCK_;
}

/* A handler that runs meanwhile ends it with EINTR either way. What already
 * went on once is no longer known. */
static void x86_begin_anew(struct regs *regs)
{
	if (regs->word[ORIG_RAX] == SYS_restart_syscall)
		regs->word[RAX] = (uint64_t)-EINTR;
	else
		regs->word[RAX] = (uint64_t)-ERESTARTNOHAND_;
}

/* These return EINTR after a stop although no handler ran (signal(7), "even
 * in the absence of signal handlers"); ERESTARTNOHAND keeps EINTR for the case
 * that a handler does run. */
static void x86_repair(struct regs *regs, bool retries)
{
	if ((int64_t)regs->word[RAX] != -EINTR)
		return;
	switch ((long)regs->word[ORIG_RAX]) {
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
	case SYS_rt_sigtimedwait:
		if (!retries)
			regs->word[RAX] = (uint64_t)-ERESTARTNOHAND_;
		break;
	case SYS_semop:
	case SYS_semtimedop:
	case SYS_io_getevents:
	case SYS_io_uring_enter:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_recvmmsg:
	case SYS_accept:
	case SYS_accept4:
	case SYS_read:
	case SYS_connect:
	case SYS_write:
	case SYS_writev:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_sendmmsg:
		regs->word[RAX] = (uint64_t)-ERESTARTNOHAND_;
		break;
	default:
		break;
	}
}

/* rt_sigreturn drops the restart block, so a resumed timed wait can only be
 * reported as interrupted; all else runs again from its start. */
static void x86_restart(struct regs *regs)
{
	int64_t result = -(int64_t)regs->word[RAX];

	if ((int64_t)regs->word[ORIG_RAX] < 0)
		return;
	if (result != ERESTARTSYS_ && result != ERESTARTNOINTR_ &&
	    result != ERESTARTNOHAND_ && result != ERESTART_RESTARTBLOCK_)
		return;
	if (regs->word[ORIG_RAX] == SYS_restart_syscall) {
		regs->word[RAX] = (uint64_t)-EINTR;
		return;
	}
	regs->word[RAX] = regs->word[ORIG_RAX];
	regs->word[RIP] -= 2;
}

/* ORIG_RAX -1 keeps the kernel from restarting the call that the thread was
 * in; TF would survive the tracer's death, so it is never set. */
static void x86_set_syscall(struct regs *regs, uint64_t pc, uint64_t sp,
			    long number, const uint64_t arguments[6])
{
	regs->word[RIP] = pc;
	regs->word[RSP] = sp;
	regs->word[RAX] = (uint64_t)number;
	regs->word[ORIG_RAX] = (uint64_t)-1;
	regs->word[RDI] = arguments[0];
	regs->word[RSI] = arguments[1];
	regs->word[RDX] = arguments[2];
	regs->word[R10] = arguments[3];
	regs->word[R8] = arguments[4];
	regs->word[R9] = arguments[5];
	regs->word[EFLAGS] &= ~(uint64_t)(FLAG_TRAP | FLAG_DIRECTION);
}

static void x86_set_call(struct regs *regs, uint64_t pc, uint64_t sp,
			 uint64_t argument)
{
	regs->word[RIP] = pc;
	regs->word[RSP] = sp & ~(uint64_t)15;
	regs->word[RBP] = 0;
	regs->word[RAX] = 0;
	regs->word[ORIG_RAX] = (uint64_t)-1;
	regs->word[RDI] = argument;
	regs->word[EFLAGS] &= ~(uint64_t)(FLAG_TRAP | FLAG_DIRECTION);
}

/* struct ucontext and struct sigcontext of asm/ucontext.h and
 * asm/sigcontext.h, in words from the start of struct rt_sigframe. */
enum sigframe_word {
	SIGFRAME_PRETCODE = 0,
	SIGFRAME_UC_FLAGS = 1,
	SIGFRAME_SS_FLAGS = 4,
	SIGFRAME_CONTEXT = 6,	/* r8 first */
	SIGFRAME_SEGMENTS = 24, /* cs, gs, fs, ss: 16 bits each */
	SIGFRAME_FPSTATE = 29,
	SIGFRAME_SIGMASK = 38,
	SIGFRAME_WORDS = 64,
};

/* The legacy part's bytes for software, and the marks around the extended
 * state (asm/sigcontext.h: FP_XSTATE_MAGIC1, FP_XSTATE_MAGIC2). */
#define XSTATE_SOFTWARE 464
#define XSTATE_HEADER 512
#define XSTATE_HEADER_SIZE 64
#define XSTATE_MAGIC1 0x46505853u
#define XSTATE_MAGIC2 0x46505845u
#define XFEATURE_TILE_DATA 18

/* x87 and SSE, which the legacy part holds. */
#define XFEATURES_LEGACY 3u

/* UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS */
#define UC_FLAGS 7u
/* A mode that sigaltstack refuses: the kernel then leaves the thread's
 * alternate stack as it is (restore_altstack ignores the refusal). */
#define SS_UNCHANGED 4u

/* NT_PRFPREG sets the legacy part and leaves the rest as it is (xfpregs_set,
 * arch/x86/kernel/fpu/regset.c). A feature that is not in use has its initial
 * value in the regset. */
static bool x86_fp_part(const struct fpregs *saved, const struct fpregs *now,
			uint8_t part[FPREGS_PART])
{
	uint64_t before, after;

	_Static_assert(XSTATE_HEADER == FPREGS_PART, "the header comes next");
	if (saved->size != now->size ||
	    saved->size < XSTATE_HEADER + XSTATE_HEADER_SIZE)
		return false;
	memcpy(&before, saved->bytes + XSTATE_HEADER, sizeof(before));
	memcpy(&after, now->bytes + XSTATE_HEADER, sizeof(after));
	if ((before ^ after) & ~(uint64_t)XFEATURES_LEGACY ||
	    memcmp(saved->bytes + XSTATE_HEADER + sizeof(before),
		   now->bytes + XSTATE_HEADER + sizeof(after),
		   saved->size - XSTATE_HEADER - sizeof(before)))
		return false;
	memcpy(part, saved->bytes, FPREGS_PART);
	memset(part + XSTATE_SOFTWARE, 0, FPREGS_PART - XSTATE_SOFTWARE);
	return true;
}

/* A signal frame holds the tiles of AMX only for a thread that uses them;
 * with more bytes than the kernel expects it would restore SSE alone. */
static size_t xstate_frame_size(const struct fpregs *fpregs, uint64_t *features)
{
	uint64_t in_use;
	unsigned size, offset, flags, unused;
	uint64_t tiles = 1ull << XFEATURE_TILE_DATA;

	memcpy(&in_use, fpregs->bytes + XSTATE_HEADER, sizeof(in_use));
	if (!(*features & tiles) || (in_use & tiles))
		return fpregs->size;
	if (!__get_cpuid_count(0xd, XFEATURE_TILE_DATA, &size, &offset, &flags,
			       &unused) ||
	    offset < XSTATE_HEADER + XSTATE_HEADER_SIZE ||
	    offset > fpregs->size)
		return fpregs->size;
	*features &= ~tiles;
	return offset;
}

static void sigframe_xstate(const struct fpregs *fpregs, size_t size,
			    uint64_t features, uint8_t *out)
{
	uint32_t magic1 = XSTATE_MAGIC1, magic2 = XSTATE_MAGIC2;
	uint32_t extended = (uint32_t)size + 4, plain = (uint32_t)size;

	memcpy(out, fpregs->bytes, size);
	memcpy(out + XSTATE_SOFTWARE, &magic1, 4);
	memcpy(out + XSTATE_SOFTWARE + 4, &extended, 4);
	memcpy(out + XSTATE_SOFTWARE + 8, &features, 8);
	memcpy(out + XSTATE_SOFTWARE + 16, &plain, 4);
	memcpy(out + size, &magic2, 4);
}

static void sigframe_context(const struct regs *regs, uint64_t *words)
{
	static const uint8_t order[18] = {
		R8,  R9,  R10, R11, R12, R13, R14, R15, RDI,
		RSI, RBP, RBX, RDX, RAX, RCX, RSP, RIP, EFLAGS,
	};

	for (unsigned i = 0; i < sizeof(order); i++)
		words[SIGFRAME_CONTEXT + i] = regs->word[order[i]];
	words[SIGFRAME_SEGMENTS] =
		(regs->word[CS] & 0xffff) | (regs->word[SS] & 0xffff) << 48;
}

static size_t x86_sigframe(const struct regs *regs, const struct fpregs *fpregs,
			   uint64_t mask, uint64_t sigreturn, uint64_t top,
			   uint8_t *buf, size_t size, uint64_t *ret_address)
{
	uint64_t words[SIGFRAME_WORDS] = { 0 };
	uint64_t features = 0, xstate, frame;
	size_t length = 0;

	if (fpregs) {
		if (fpregs->size < XSTATE_HEADER + XSTATE_HEADER_SIZE ||
		    fpregs->size > FPREGS_MAX)
			return 0;
		/* The regset carries XCR0 where the frame has the software
		 * bytes. */
		memcpy(&features, fpregs->bytes + XSTATE_SOFTWARE,
		       sizeof(features));
		length = xstate_frame_size(fpregs, &features);
	}
	xstate = (top - length - 4) & ~(uint64_t)63;
	/* As the kernel aligns it: SP + 8 is a multiple of 16 at entry. */
	frame = ((xstate - sizeof(words)) & ~(uint64_t)63) - 8;
	if (xstate - frame + length + 4 > size)
		return 0;

	words[SIGFRAME_PRETCODE] = sigreturn;
	words[SIGFRAME_UC_FLAGS] = UC_FLAGS;
	words[SIGFRAME_SS_FLAGS] = SS_UNCHANGED;
	sigframe_context(regs, words);
	words[SIGFRAME_FPSTATE] = fpregs ? xstate : 0;
	words[SIGFRAME_SIGMASK] = mask;

	memset(buf, 0, xstate - frame + length + 4);
	memcpy(buf, words, sizeof(words));
	if (fpregs)
		sigframe_xstate(fpregs, length, features,
				buf + (xstate - frame));
	*ret_address = frame;
	return xstate - frame + length + 4;
}

static bool x86_find_gadgets(const uint8_t *text, size_t size, uint64_t address,
			     struct gadgets *gadgets)
{
	static const uint8_t syscall_ret[] = { 0x0f, 0x05, 0xc3 };
	/* mov $15, %rax; syscall: __restore_rt of glibc and musl */
	static const uint8_t sigreturn[] = { 0x48, 0xc7, 0xc0, 0x0f, 0x00,
					     0x00, 0x00, 0x0f, 0x05 };
	const uint8_t *found;

	if (!gadgets->syscall_ret) {
		found = memmem(text, size, syscall_ret, sizeof(syscall_ret));
		if (found)
			gadgets->syscall_ret =
				address + (uint64_t)(found - text);
	}
	if (!gadgets->sigreturn) {
		found = memmem(text, size, sigreturn, sizeof(sigreturn));
		if (found)
			gadgets->sigreturn = address + (uint64_t)(found - text);
	}
	return gadgets->syscall_ret && gadgets->sigreturn;
}

const struct arch arch = {
	.name = "x86_64",
	.elf_machine = EM_X86_64,
	.audit_arch = AUDIT_ARCH_X86_64,
	.fp_note = NT_X86_XSTATE,
	.fp_part_note = NT_PRFPREG,
	.red_zone = 128,
	.sigframe_max = FPREGS_MAX + 1024,
	.syscall_size = 2,
	.syscall_code = { 0x0f, 0x05 },
	.pc = x86_pc,
	.sp = x86_sp,
	.syscall = x86_syscall,
	.argument = x86_argument,
	.result = x86_result,
	.dwarf_sp = 7,
	.dwarf_pc = 16,
	.dwarf_register = x86_dwarf_register,
	.kind = x86_kind,
	.call_name = x86_call_name,
	.repair = x86_repair,
	.goes_on = x86_goes_on,
	.begin_anew = x86_begin_anew,
	.restart = x86_restart,
	.fp_part = x86_fp_part,
	.set_syscall = x86_set_syscall,
	.set_call = x86_set_call,
	.sigframe = x86_sigframe,
	.find_gadgets = x86_find_gadgets,
};
