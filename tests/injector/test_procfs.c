/* SPDX-License-Identifier: MIT */
/* procfs, threads: lines whose contents the target may choose. */
#include "injector/target/procfs.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "injector/target/threads.h"

#define STAT_REST \
	" 1 2 3 4 5 4194304 7 8 9 10 11 12 13 14 15 16 17 0 19300 21 22 23\n"
#define STAT_EXITING \
	" 1 2 3 4 5 4194308 7 8 9 10 11 12 13 14 15 16 17 0 19300 21 22 23\n"

/* Fields 26 to 40. */
#define STAT_PROCESSOR " 26 27 28 29 30 31 32 33 34 35 36 37 38 3 0\n"

START_TEST(stat_names)
{
	static const char *const names[] = {
		"(python3)", "(a b)", "()", "(x) Z 1 (y)", "(((())",
	};
	struct procfs_stat stat;
	char line[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(line, sizeof(line), "12 %s S" STAT_REST, names[i]);
		ck_assert(procfs_parse_stat(line, &stat));
		ck_assert_int_eq(stat.state, 'S');
		ck_assert_int_eq(stat.parent, 1);
		ck_assert_uint_eq(stat.threads, 17);
		ck_assert_uint_eq(stat.start_time, 19300);
		ck_assert_int_eq(stat.processor, -1);
		ck_assert(!stat.exiting);
	}
	ck_assert(procfs_parse_stat("12 (x) R" STAT_EXITING, &stat));
	ck_assert(stat.exiting);
	ck_assert(
		procfs_parse_stat("12 (x) S" STAT_REST STAT_PROCESSOR, &stat));
	ck_assert_uint_eq(stat.start_time, 19300);
	ck_assert_int_eq(stat.processor, 3);
	ck_assert(!procfs_parse_stat("", &stat));
	ck_assert(!procfs_parse_stat("12 (python3) S 1 2", &stat));
	ck_assert(!procfs_parse_stat("12 python3 S" STAT_REST, &stat));
}
END_TEST

START_TEST(status_fields)
{
	static const char text[] =
		"Name:\tTracerPid: 9\nTgid:\t12\n"
		"TracerPid:\t7\nUid:\t1\t1000\t2\t3\n"
		"Gid:\t4\t1001\t5\t6\nNSpid:\t12\t7\t1\n"
		"VmSize:\t  20480 kB\nVmLck:\t  16384 kB\n"
		"CapEff:\t0000000000004000\n"
		"FDSize:\t256\nSeccomp:\t2\nSeccomp_filters:\t3\n"
		"x86_Thread_features:\tshstk wrss \n"
		"x86_Thread_features_locked:\t\n";
	struct procfs_status status;

	ck_assert(procfs_parse_status(text, &status));
	ck_assert_int_eq(status.tgid, 12);
	ck_assert_int_eq(status.tracer, 7);
	ck_assert_uint_eq(status.uid, 1000);
	ck_assert_uint_eq(status.gid, 1001);
	ck_assert_int_eq(status.seccomp, 2);
	ck_assert_uint_eq(status.filters, 3);
	ck_assert_uint_eq(status.fd_table, 256);
	ck_assert_uint_eq(status.size, 20u << 20);
	ck_assert_uint_eq(status.locked, 16u << 20);
	ck_assert(status.may_lock);
	ck_assert_uint_eq(status.names, 3);
	ck_assert_int_eq(status.name[0], 12);
	ck_assert_int_eq(status.name[2], 1);
	ck_assert(status.shadow_stack);
	ck_assert(procfs_parse_status("Tgid:\t1\nUid:\t0\t0\nGid:\t0\t0\n"
				      "x86_Thread_features:\t\n"
				      "x86_Thread_features_locked:\tshstk\n",
				      &status));
	ck_assert(!status.shadow_stack);
	ck_assert(!status.may_lock);
	ck_assert_uint_eq(status.locked, 0);
	ck_assert_uint_eq(status.names, 0);
	ck_assert(!procfs_parse_status("", &status));
	ck_assert(!procfs_parse_status("Tgid:\t1\n", &status));
}
END_TEST

START_TEST(reads_itself)
{
	struct procfs_status status;
	struct procfs_stat stat;
	size_t size;
	char *text;

	ck_assert(procfs_status(getpid(), &status));
	ck_assert_int_eq(status.tgid, getpid());
	ck_assert_uint_eq(status.uid, geteuid());
	ck_assert(procfs_stat(getpid(), &stat));
	ck_assert_int_eq(stat.state, 'R');
	text = procfs_read_all(getpid(), "maps", 1u << 20, &size);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(strlen(text), size);
	free(text);
	text = procfs_read_all(getpid(), "maps", 10, &size);
	ck_assert(!text || size <= 65536);
	free(text);
}
END_TEST

START_TEST(ranks)
{
	char text[64];

	snprintf(text, sizeof(text), "%d 0x1 0x2", SYS_poll);
	ck_assert_int_eq(thread_rank('S', text), THREAD_BLOCKED);
	snprintf(text, sizeof(text), "%d 0x1 0x2", SYS_futex);
	ck_assert_int_eq(thread_rank('S', text), THREAD_FUTEX);
	snprintf(text, sizeof(text), "%d 0x1 0x2", SYS_restart_syscall);
	ck_assert_int_eq(thread_rank('S', text), THREAD_FUTEX);
	snprintf(text, sizeof(text), "%d 0x1 0x2", SYS_epoll_wait);
	ck_assert_int_eq(thread_rank('S', text), THREAD_EPOLL);
	snprintf(text, sizeof(text), "%d 0x1 0x2", SYS_write);
	ck_assert_int_eq(thread_rank('S', text), THREAD_CALLING);
	ck_assert_int_ge(THREAD_CALLING, THREAD_SKIP);
	snprintf(text, sizeof(text), "%d 0x1 0x2 0x3 0x100", SYS_recvfrom);
	ck_assert_int_eq(thread_rank('S', text), THREAD_CALLING);
	snprintf(text, sizeof(text), "%d 0x1 0x2 0x3 0x0", SYS_recvfrom);
	ck_assert_int_eq(thread_rank('S', text), THREAD_BLOCKED);
	snprintf(text, sizeof(text), "%d 0x1 0x2 0x100 0x0", SYS_recvmsg);
	ck_assert_int_eq(thread_rank('S', text), THREAD_CALLING);
	snprintf(text, sizeof(text), "%d 0x1 0x2", SYS_poll);
	ck_assert_int_eq(thread_rank('R', text), THREAD_RUNNING);
	ck_assert_int_eq(thread_rank('S', "running\n"), THREAD_RUNNING);
	ck_assert_int_eq(thread_rank('S', NULL), THREAD_UNKNOWN);
	ck_assert_int_ge(thread_rank('D', text), THREAD_SKIP);
	ck_assert_int_ge(thread_rank('T', text), THREAD_SKIP);
	ck_assert_int_ge(thread_rank('t', text), THREAD_SKIP);
	ck_assert_int_ge(thread_rank('Z', text), THREAD_SKIP);
}
END_TEST

START_TEST(lists_threads)
{
	struct error err = ERROR_INIT;
	struct threads threads;

	ck_assert_int_eq(threads_read(getpid(), &threads, &err), 0);
	ck_assert_uint_ge(threads.count, 1);
	threads_release(&threads);
	ck_assert_int_eq(threads_read(0x3fffffff, &threads, &err), -1);
	ck_assert_int_eq(err.code, ERROR_NO_PROCESS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("procfs");
	TCase *tcase = tcase_create("procfs");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, stat_names);
	tcase_add_test(tcase, status_fields);
	tcase_add_test(tcase, reads_itself);
	tcase_add_test(tcase, ranks);
	tcase_add_test(tcase, lists_threads);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
