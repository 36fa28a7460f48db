/* SPDX-License-Identifier: MIT */
/* inject, preflight, process: entering, and every reason not to. */
#include "injector/injector.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/injector/python.h"

#define WAIT_MS 10000

static const char idle[] = "import time; print(1, flush=True)\n"
			   "while True: time.sleep(100)";

static struct python list[PYTHONS];
static const struct python *python;
static int agent_fd = -1;

static int enter(pid_t pid, struct inject_report *report, struct error *err)
{
	struct inject_options options = INJECT_OPTIONS_DEFAULT;
	struct process_id id;
	int result;

	options.agent_fd = agent_fd;
	options.search_ms = 500;
	if (process_open(pid, &id, err))
		return -1;
	result = inject_agent(&id, &options, report, err);
	process_close(&id);
	return result;
}

/* What attach refuses, preflight says beforehand. */
static void refused(pid_t pid, enum error_code code)
{
	struct error err = ERROR_INIT;
	struct check checks[CHECK_MAX];
	struct inject_report report;
	int made;

	ck_assert_int_eq(enter(pid, &report, &err), -1);
	ck_assert_msg(err.code == code, "%s: %s", error_name(err.code),
		      err.msg);
	ck_assert_str_ne(err.msg, "");
	made = preflight(pid, PREFLIGHT_STOP, checks);
	error_clear(&err);
	ck_assert_int_eq(preflight_verdict(checks, made, &err), -1);
	ck_assert_int_eq(err.code, code);
}

static void entered(pid_t pid)
{
	struct inject_report report;
	struct error err = ERROR_INIT;
	struct pollfd ready = { .events = POLLIN };
	struct process_id id;
	char word = 0;

	ck_assert_msg(!enter(pid, &report, &err), "%s: %s [%s]",
		      error_name(err.code), err.msg, err.remedy);
	ready.fd = report.control_fd;
	ck_assert_int_eq(poll(&ready, 1, WAIT_MS), 1);
	ck_assert_int_eq(recv(report.control_fd, &word, 1, 0), 1);
	ck_assert_int_eq(word, 'Y');
	ck_assert_uint_gt(report.pause_ns, 0);
	ck_assert_uint_ge(report.tries, 1);
	close(report.control_fd);
	ck_assert_int_eq(process_open(pid, &id, &err), 0);
	ck_assert_int_eq(inject_wait_gone(&id, &report, WAIT_MS, &err), 0);
	process_close(&id);
}

START_TEST(enters)
{
	struct check checks[CHECK_MAX];
	struct error err = ERROR_INIT;
	pid_t pid = python_start(python, idle);
	int made = preflight(pid, PREFLIGHT_STOP, checks);

	ck_assert_int_gt(made, 8);
	ck_assert_msg(!preflight_verdict(checks, made, &err), "%s", err.msg);
	for (int i = 0; i < 5; i++)
		entered(pid);
	program_end(pid);
}
END_TEST

START_TEST(machine)
{
	struct check checks[CHECK_MAX];

	ck_assert_int_ge(preflight(0, PREFLIGHT_READ, checks), 1);
	ck_assert_int_eq(checks[0].result, CHECK_OK);
}
END_TEST

START_TEST(refuses_none)
{
	refused(0x3fffffff, ERROR_NO_PROCESS);
}
END_TEST

START_TEST(refuses_other_programs)
{
	const char *const argv[] = { "/bin/sleep", "100", NULL };
	pid_t pid = program_start(argv, 100);

	refused(pid, ERROR_NOT_PYTHON);
	program_end(pid);
}
END_TEST

START_TEST(refuses_stopped)
{
	pid_t pid = python_start(python, idle);

	kill(pid, SIGSTOP);
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	refused(pid, ERROR_STOPPED);
	kill(pid, SIGCONT);
	usleep(10000);
	entered(pid);
	program_end(pid);
}
END_TEST

START_TEST(refuses_traced)
{
	pid_t pid = python_start(python, idle);

	ck_assert_int_eq(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	refused(pid, ERROR_TRACED);
	program_end(pid);
}
END_TEST

START_TEST(refuses_zombie)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	usleep(100000);
	refused(pid, ERROR_ZOMBIE);
	program_end(pid);
}
END_TEST

START_TEST(refuses_threads)
{
	struct error err = ERROR_INIT;
	struct process_id id;
	char remedy[32];
	char path[64];
	pid_t tid;
	pid_t pid = python_start(
		python, "import threading, time\n"
			"threading.Thread(target=time.sleep, args=(100,), "
			"daemon=True).start()\n"
			"print(1, flush=True)\ntime.sleep(100)");

	for (tid = pid + 1; tid < pid + 1000; tid++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, tid);
		if (!access(path, F_OK))
			break;
	}
	ck_assert_int_lt(tid, pid + 1000);
	ck_assert_int_eq(process_open(tid, &id, &err), -1);
	ck_assert_int_eq(err.code, ERROR_NO_PROCESS);
	snprintf(remedy, sizeof(remedy), "%d", pid);
	ck_assert_ptr_nonnull(strstr(err.remedy, remedy));
	program_end(pid);
}
END_TEST

/* A program that filters one call, and then is our Python. */
static pid_t start_filtered(long number, uint32_t action)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { 4, filter };

	return python_start_filtered(python, idle, &program);
}

START_TEST(examines_filters)
{
	struct error err = ERROR_INIT;
	struct inject_report report;
	pid_t pid = start_filtered(SYS_socketpair, SECCOMP_RET_KILL_PROCESS);

	if (geteuid() == 0) {
		ck_assert_int_eq(enter(pid, &report, &err), -1);
		ck_assert_int_eq(err.code, ERROR_SECCOMP);
		ck_assert_ptr_nonnull(strstr(err.msg, "socketpair"));
	} else {
		refused(pid, ERROR_SECCOMP);
	}
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	program_end(pid);
	if (geteuid() != 0)
		return;
	pid = start_filtered(SYS_reboot, SECCOMP_RET_KILL_PROCESS);
	entered(pid);
	program_end(pid);
	/* No memfd: the file in /tmp serves. */
	pid = start_filtered(SYS_memfd_create, SECCOMP_RET_ERRNO | EPERM);
	entered(pid);
	program_end(pid);
}
END_TEST

START_TEST(identity)
{
	struct error err = ERROR_INIT;
	struct process_id id = { .pidfd = -1 };
	pid_t pid = python_start(python, idle);

	ck_assert_int_eq(process_open(pid, &id, &err), 0);
	ck_assert(process_same(&id));
	id.start_time++;
	ck_assert(!process_same(&id));
	id.start_time--;
	kill(pid, SIGKILL);
	usleep(50000);
	ck_assert(!process_same(&id));
	process_close(&id);
	process_close(&id);
	ck_assert(!process_same(&id));
	program_end(pid);
}
END_TEST

/* The agent's file is no library: the target's dlopen says so, and the target
 * goes on without a trace. */
START_TEST(survives_a_bad_agent)
{
	struct inject_report report;
	struct error err = ERROR_INIT;
	int good = agent_fd;
	pid_t pid = python_start(python, idle);
	char path[64];

	agent_fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(enter(pid, &report, &err), -1);
	ck_assert_int_eq(err.code, ERROR_AGENT);
	ck_assert_ptr_nonnull(strstr(err.msg, "dlopen"));
	close(agent_fd);
	agent_fd = good;
	entered(pid);
	snprintf(path, sizeof(path), "/proc/%d/fd/6", pid);
	ck_assert_int_ne(access(path, F_OK), 0);
	program_end(pid);
}
END_TEST

static void *enter_often(void *arg)
{
	for (int i = 0; i < 5; i++)
		entered(*(pid_t *)arg);
	return NULL;
}

START_TEST(enters_two_at_once)
{
	pid_t pids[2] = { python_start(python, idle),
			  python_start(python, idle) };
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, enter_often,
						&pids[i]),
				 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	program_end(pids[0]);
	program_end(pids[1]);
}
END_TEST

static void set_up(void)
{
	char path[512];

	beside_test("empty_agent.so", path, sizeof(path));
	agent_fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(agent_fd, 0);
}

static void tear_down(void)
{
	close(agent_fd);
}

int main(void)
{
	Suite *suite = suite_create("inject");
	TCase *tcase = tcase_create("inject");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	for (size_t i = python_list(list); i > 0 && !python; i--)
		if (list[i - 1].supported)
			python = &list[i - 1];
	if (!python)
		return EXIT_SUCCESS;
	tcase_add_test(tcase, enters);
	tcase_add_test(tcase, enters_two_at_once);
	tcase_add_test(tcase, machine);
	tcase_add_test(tcase, refuses_none);
	tcase_add_test(tcase, refuses_other_programs);
	tcase_add_test(tcase, refuses_stopped);
	tcase_add_test(tcase, refuses_traced);
	tcase_add_test(tcase, refuses_zombie);
	tcase_add_test(tcase, refuses_threads);
	tcase_add_test(tcase, examines_filters);
	tcase_add_test(tcase, identity);
	tcase_add_test(tcase, survives_a_bad_agent);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
