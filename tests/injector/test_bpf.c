/* SPDX-License-Identifier: MIT */
/* bpf, seccomp: filters as container managers write them, and worse. */
#include "injector/hijack/bpf.h"

#include <check.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "injector/arch/arch.h"
#include "injector/hijack/seccomp.h"

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define EQUAL(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define DENY (SECCOMP_RET_ERRNO | 1)
#define LENGTH(list) (sizeof(list) / sizeof((list)[0]))

static unsigned ask(const struct sock_filter *filter, size_t length,
		    long number, unsigned known, uint64_t second)
{
	struct bpf_call call = {
		.number = number,
		.audit_arch = arch.audit_arch,
		.known = known,
		.argument = { 0, second },
	};

	return bpf_answers(filter, length, &call);
}

START_TEST(by_number)
{
	const struct sock_filter filter[] = {
		LOAD(4),
		EQUAL(arch.audit_arch, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(0),
		EQUAL(SYS_mmap, 2, 0),
		EQUAL(SYS_read, 2, 0),
		RETURN(DENY),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_LOG),
	};

	ck_assert_uint_eq(ask(filter, LENGTH(filter), SYS_mmap, 0, 0),
			  BPF_ALLOWS);
	ck_assert_uint_eq(ask(filter, LENGTH(filter), SYS_read, 0, 0),
			  BPF_ALLOWS);
	ck_assert_uint_eq(ask(filter, LENGTH(filter), SYS_write, 0, 0),
			  BPF_ERRNO);
}
END_TEST

START_TEST(by_argument)
{
	const struct sock_filter filter[] = {
		LOAD(24),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x10),
		EQUAL(0x10, 0, 1),
		RETURN(SECCOMP_RET_KILL_THREAD),
		RETURN(SECCOMP_RET_ALLOW),
	};

	ck_assert_uint_eq(ask(filter, LENGTH(filter), 1, 2, 0x01), BPF_ALLOWS);
	ck_assert_uint_eq(ask(filter, LENGTH(filter), 1, 2, 0x30), BPF_OTHER);
	/* Not known: both ways are possible. */
	ck_assert_uint_eq(ask(filter, LENGTH(filter), 1, 0, 0),
			  BPF_ALLOWS | BPF_OTHER);
}
END_TEST

START_TEST(memory_and_arithmetic)
{
	const struct sock_filter filter[] = {
		LOAD(0),
		BPF_STMT(BPF_ST, 3),
		BPF_STMT(BPF_LDX | BPF_MEM, 3),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_MEM, 3),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(DENY),
	};

	ck_assert_uint_eq(ask(filter, LENGTH(filter), 77, 0, 0), BPF_ALLOWS);
}
END_TEST

START_TEST(hostile)
{
	struct sock_filter many[3 * 200 + 1];
	const struct sock_filter open_end[] = { LOAD(0) };
	const struct sock_filter jump[] = {
		BPF_STMT(BPF_JMP | BPF_JA, 0x7fffffff),
	};
	const struct sock_filter slot[] = {
		BPF_STMT(BPF_ST, 99),
		BPF_STMT(BPF_LD | BPF_MEM, 99),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};

	ck_assert_uint_eq(ask(open_end, 1, 0, 0, 0), BPF_OTHER);
	ck_assert_uint_eq(ask(open_end, 0, 0, 0, 0), BPF_OTHER);
	ck_assert_uint_eq(ask(jump, 1, 0, 0, 0), BPF_OTHER);
	ck_assert_uint_eq(ask(slot, 3, 0, 0, 0), BPF_OTHER);
	/* Two to the power of 200 ways: given up, in bounded time. */
	for (size_t i = 0; i < 200; i++) {
		const struct sock_filter step[] = {
			LOAD(24),
			EQUAL((uint32_t)i, 0, 1),
			LOAD(24),
		};

		memcpy(&many[i * 3], step, sizeof(step));
	}
	many[600] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	ck_assert(ask(many, 601, 0, 0, 0) & BPF_OTHER);
}
END_TEST

START_TEST(what_we_need)
{
	const struct sock_filter all[] = { RETURN(SECCOMP_RET_ALLOW) };
	const struct sock_filter none[] = { RETURN(SECCOMP_RET_KILL_PROCESS) };
	const struct sock_filter no_memfd[] = {
		LOAD(0),
		EQUAL(SYS_memfd_create, 0, 1),
		RETURN(DENY),
		RETURN(SECCOMP_RET_ALLOW),
	};
	const struct sock_filter no_rseq[] = {
		LOAD(0),
		EQUAL(SYS_rseq, 0, 1),
		RETURN(DENY),
		RETURN(SECCOMP_RET_ALLOW),
	};
	const struct sock_filter no_socket[] = {
		LOAD(0),
		EQUAL(SYS_socketpair, 0, 1),
		RETURN(DENY),
		RETURN(SECCOMP_RET_ALLOW),
	};
	const struct sock_filter kills_memfd[] = {
		LOAD(0),
		EQUAL(SYS_memfd_create, 0, 1),
		RETURN(SECCOMP_RET_TRAP),
		RETURN(SECCOMP_RET_ALLOW),
	};

	ck_assert_ptr_null(seccomp_refusal(all, LENGTH(all), true));
	ck_assert_ptr_nonnull(seccomp_refusal(none, LENGTH(none), true));
	/* An error here ends the program, once there is one registered. */
	ck_assert_str_eq(seccomp_refusal(no_rseq, LENGTH(no_rseq), true),
			 "rseq");
	ck_assert_ptr_null(seccomp_refusal(no_rseq, LENGTH(no_rseq), false));
	/* Without a memfd there is the file. */
	ck_assert_ptr_null(seccomp_refusal(no_memfd, LENGTH(no_memfd), true));
	ck_assert_str_eq(seccomp_refusal(no_socket, LENGTH(no_socket), true),
			 "socketpair");
	ck_assert_str_eq(
		seccomp_refusal(kills_memfd, LENGTH(kills_memfd), true),
		"memfd_create");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bpf");
	TCase *tcase = tcase_create("bpf");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, by_number);
	tcase_add_test(tcase, by_argument);
	tcase_add_test(tcase, memory_and_arithmetic);
	tcase_add_test(tcase, hostile);
	tcase_add_test(tcase, what_we_need);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
