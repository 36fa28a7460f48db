/* SPDX-License-Identifier: MIT */
#include "injector/hijack/bpf.h"

#include <linux/seccomp.h>

#ifndef SECCOMP_RET_ACTION_FULL
#define SECCOMP_RET_ACTION_FULL 0xffff0000u
#endif

/* Jumps only go forward, but a branch on something unknown takes both ways:
 * the number of steps is bounded, and beyond it nothing is known. */
#define BPF_STEPS_MAX 200000u
#define BPF_DEPTH_MAX 64u

struct word {
	bool known;
	uint32_t value;
};

struct machine {
	struct word a, x;
	struct word memory[BPF_MEMWORDS];
};

struct walk {
	const struct sock_filter *filter;
	size_t length;
	const struct bpf_call *call;
	unsigned steps;
	unsigned answers;
};

static struct word known(uint32_t value)
{
	struct word word = { true, value };

	return word;
}

static struct word unknown(void)
{
	struct word word = { false, 0 };

	return word;
}

/* A word of struct seccomp_data: nr, arch, instruction pointer, arguments. */
static struct word load_data(const struct bpf_call *call, uint32_t offset)
{
	unsigned index = (offset - 16) / 8;

	if (offset == 0)
		return known((uint32_t)call->number);
	if (offset == 4)
		return known(call->audit_arch);
	if (offset < 16 || index >= 6 || offset % 4 ||
	    !(call->known & 1u << index))
		return unknown();
	return known(
		(uint32_t)(call->argument[index] >> (offset % 8 ? 32 : 0)));
}

static struct word load(const struct walk *walk, const struct machine *machine,
			const struct sock_filter *code)
{
	switch (BPF_MODE(code->code)) {
	case BPF_ABS:
		return load_data(walk->call, code->k);
	case BPF_IMM:
		return known(code->k);
	case BPF_LEN:
		return known(sizeof(struct seccomp_data));
	case BPF_MEM:
		if (code->k < BPF_MEMWORDS)
			return machine->memory[code->k];
		break;
	default:
		break;
	}
	return unknown();
}

static struct word compute(const struct machine *machine,
			   const struct sock_filter *code)
{
	struct word left = machine->a;
	struct word right =
		BPF_SRC(code->code) == BPF_X ? machine->x : known(code->k);
	uint32_t a = left.value, b = right.value;

	if (BPF_OP(code->code) == BPF_NEG)
		return left.known ? known(-a) : left;
	/* Masking something unknown with nothing gives nothing. */
	if (BPF_OP(code->code) == BPF_AND && right.known && !b)
		return known(0);
	if (!left.known || !right.known)
		return unknown();
	switch (BPF_OP(code->code)) {
	case BPF_ADD:
		return known(a + b);
	case BPF_SUB:
		return known(a - b);
	case BPF_MUL:
		return known(a * b);
	case BPF_DIV:
		return b ? known(a / b) : unknown();
	case BPF_MOD:
		return b ? known(a % b) : unknown();
	case BPF_AND:
		return known(a & b);
	case BPF_OR:
		return known(a | b);
	case BPF_XOR:
		return known(a ^ b);
	case BPF_LSH:
		return b < 32 ? known(a << b) : unknown();
	case BPF_RSH:
		return b < 32 ? known(a >> b) : unknown();
	default:
		return unknown();
	}
}

static void answer(struct walk *walk, struct word action)
{
	uint32_t what = action.value & SECCOMP_RET_ACTION_FULL;

	if (!action.known)
		walk->answers |= BPF_OTHER;
	else if (what == SECCOMP_RET_ALLOW || what == SECCOMP_RET_LOG)
		walk->answers |= BPF_ALLOWS;
	else if (what == SECCOMP_RET_ERRNO)
		walk->answers |= BPF_ERRNO;
	else
		walk->answers |= BPF_OTHER;
}

/* 1 taken, 0 not taken, -1 either. */
static int decide(const struct machine *machine, const struct sock_filter *code)
{
	struct word right =
		BPF_SRC(code->code) == BPF_X ? machine->x : known(code->k);
	uint32_t a = machine->a.value;

	if (BPF_OP(code->code) == BPF_JA)
		return 1;
	if (!machine->a.known || !right.known)
		return -1;
	switch (BPF_OP(code->code)) {
	case BPF_JEQ:
		return a == right.value;
	case BPF_JGT:
		return a > right.value;
	case BPF_JGE:
		return a >= right.value;
	case BPF_JSET:
		return (a & right.value) != 0;
	default:
		return -1;
	}
}

static void store(struct machine *machine, uint32_t slot, struct word word)
{
	if (slot < BPF_MEMWORDS)
		machine->memory[slot] = word;
}

static void follow(struct walk *walk, struct machine machine, size_t at,
		   unsigned depth);

/* Where to go on; a branch that may go either way is followed here first. */
static size_t jump(struct walk *walk, const struct machine *machine, size_t at,
		   unsigned depth)
{
	const struct sock_filter *code = &walk->filter[at];
	int taken = decide(machine, code);

	if (BPF_OP(code->code) == BPF_JA)
		return at + 1 + code->k;
	if (taken < 0)
		follow(walk, *machine, at + 1 + code->jt, depth + 1);
	return at + 1 + (taken > 0 ? code->jt : code->jf);
}

static void follow(struct walk *walk, struct machine machine, size_t at,
		   unsigned depth)
{
	while (at < walk->length && depth < BPF_DEPTH_MAX &&
	       walk->steps++ < BPF_STEPS_MAX) {
		const struct sock_filter *code = &walk->filter[at];
		size_t next = at + 1;

		switch (BPF_CLASS(code->code)) {
		case BPF_LD:
			machine.a = load(walk, &machine, code);
			break;
		case BPF_LDX:
			machine.x = load(walk, &machine, code);
			break;
		case BPF_ST:
			store(&machine, code->k, machine.a);
			break;
		case BPF_STX:
			store(&machine, code->k, machine.x);
			break;
		case BPF_ALU:
			machine.a = compute(&machine, code);
			break;
		case BPF_JMP:
			next = jump(walk, &machine, at, depth);
			break;
		case BPF_RET:
			answer(walk, BPF_RVAL(code->code) == BPF_A
					     ? machine.a
					     : known(code->k));
			return;
		default:
			if (BPF_MISCOP(code->code) == BPF_TAX)
				machine.x = machine.a;
			else
				machine.a = machine.x;
			break;
		}
		at = next;
	}
	walk->answers |= BPF_OTHER;
}

unsigned bpf_answers(const struct sock_filter *filter, size_t length,
		     const struct bpf_call *call)
{
	struct walk walk = { filter, length, call, 0, 0 };
	struct machine machine = { .a = known(0), .x = known(0) };

	for (unsigned i = 0; i < BPF_MEMWORDS; i++)
		machine.memory[i] = known(0);
	follow(&walk, machine, 0, 0);
	return walk.answers;
}
