/* SPDX-License-Identifier: MIT */
/*
 * bpf: what a seccomp filter can answer to a system call of which some
 * arguments are known. Pure; the filter is the target's and hostile.
 */
#ifndef NOPDB_INJECTOR_BPF_H
#define NOPDB_INJECTOR_BPF_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_call {
	long number;
	uint32_t audit_arch;
	unsigned known; /* bit per argument */
	uint64_t argument[6];
};

/* Which of seccomp's answers are possible, over all values of what is not
 * known. */
enum bpf_answer {
	BPF_ALLOWS = 1, /* allow, or allow and log */
	BPF_ERRNO = 2,
	BPF_OTHER = 4, /* kill, trap, trace, notify, or not known */
};

unsigned bpf_answers(const struct sock_filter *filter, size_t length,
		     const struct bpf_call *call);

#endif
