/* SPDX-License-Identifier: MIT */
/* permission, access: what the kernel answers to whom, and what that means. */
#include "daemon/permission.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/access.h"
#include "tests/daemon/suite.h"

#define ALICE 61101
#define BOB 61102

static struct error err;
static struct permission permission;
static struct process_id id;
static pid_t target;

static void setup(void)
{
	error_clear(&err);
	permission = (struct permission)PERMISSION_INIT;
	id = (struct process_id){ .pidfd = -1 };
	target = -1;
}

static void teardown(void)
{
	permission_close(&permission);
	process_close(&id);
	if (target > 0) {
		kill(target, SIGKILL);
		waitpid(target, NULL, 0);
	}
}

static bool privileged(void)
{
	return geteuid() == 0 && permission_possible();
}

/* A process of that user that does nothing; ready when this returns. */
static void start(uid_t uid, bool dumpable)
{
	int ends[2];
	char ready;

	ck_assert_int_eq(pipe(ends), 0);
	target = fork();
	if (target == 0) {
		if (uid &&
		    (syscall(SYS_setgroups, 0, NULL) ||
		     setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
			_exit(1);
		prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
		if (write(ends[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &ready, 1), 1);
	close(ends[0]);
	ck_assert_msg(!process_open(target, &id, &err), "%s", err.msg);
}

static struct permission_answer ask_as(const struct peer *peer)
{
	const struct process_id *ids[] = { &id };
	struct permission_answer answer;

	permission_close(&permission);
	ck_assert_msg(!permission_open(peer, ids, 1, false, &permission, &err),
		      "%s", err.msg);
	ck_assert_msg(!permission_ask(&permission, 0, &answer, NULL, &err),
		      "%s", err.msg);
	return answer;
}

static const struct peer alice = { .pid = 1, .uid = ALICE, .gid = ALICE };
static const struct peer bob = { .pid = 1, .uid = BOB, .gid = BOB };

START_TEST(a_user_may_trace_its_own)
{
	if (!privileged())
		return;
	start(ALICE, true);
	ck_assert_int_eq(ask_as(&alice).attach, 0);
	ck_assert_int_eq(ask_as(&alice).read, 0);
}
END_TEST

START_TEST(nobody_may_trace_another_s)
{
	struct peer half = { .pid = 1, .uid = ALICE, .gid = BOB };

	if (!privileged())
		return;
	start(ALICE, true);
	ck_assert_int_ne(ask_as(&bob).attach, 0);
	ck_assert_int_ne(ask_as(&bob).read, 0);
	/* The group counts as well: ptrace(2). */
	ck_assert_int_ne(ask_as(&half).attach, 0);
}
END_TEST

START_TEST(not_dumpable_is_no)
{
	if (!privileged())
		return;
	start(ALICE, false);
	ck_assert_int_ne(ask_as(&alice).attach, 0);
	ck_assert_int_ne(ask_as(&alice).read, 0);
}
END_TEST

START_TEST(root_is_as_able_as_its_capabilities)
{
	struct peer root = { .pid = 1 };

	if (!privileged())
		return;
	start(ALICE, true);
	ck_assert_int_ne(ask_as(&root).attach, 0);
	root.capabilities = ~0ull;
	ck_assert_int_eq(ask_as(&root).attach, 0);
	root.capabilities = ~(1ull << CAP_SYS_PTRACE);
	ck_assert_int_ne(ask_as(&root).attach, 0);
}
END_TEST

START_TEST(the_daemon_s_own_capabilities_do_not_help)
{
	if (!privileged())
		return;
	/* root's process has capabilities that a peer without lacks. */
	start(0, true);
	ck_assert_int_ne(ask_as(&alice).attach, 0);
	ck_assert_int_ne(ask_as(&(struct peer){ .pid = 1 }).attach, 0);
}
END_TEST

START_TEST(a_dead_process_is_gone_whoever_has_its_id)
{
	const struct process_id *ids[] = { &id };
	struct peer own = { .pid = 1, .uid = geteuid(), .gid = getegid() };
	struct permission_answer answer;

	start(privileged() ? ALICE : 0, true);
	if (privileged())
		own = alice;
	ck_assert_int_eq(
		permission_open(&own, ids, 1, false, &permission, &err), 0);
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
	/* The id is anybody's now: as if another process had it. */
	id.pid = getpid();
	ck_assert_int_eq(permission_ask(&permission, 0, &answer, NULL, &err),
			 0);
	ck_assert_int_eq(answer.attach, ESRCH);
	ck_assert_int_eq(answer.read, ESRCH);
	target = -1;
}
END_TEST

START_TEST(an_answer_about_another_is_none)
{
	struct process_id other = { .pidfd = -1 };
	const struct process_id *ids[] = { &other };
	struct permission_answer answer;
	pid_t first;

	if (!privileged())
		return;
	/* Bob's process by its pidfd, with the id of Alice's. */
	start(BOB, true);
	other = id;
	id.pidfd = -1;
	first = target;
	start(ALICE, true);
	other.pid = target;
	ck_assert_int_eq(
		permission_open(&alice, ids, 1, false, &permission, &err), 0);
	ck_assert_int_eq(permission_ask(&permission, 0, &answer, NULL, &err),
			 0);
	ck_assert_int_eq(answer.attach, EPERM);
	process_close(&other);
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
}
END_TEST

START_TEST(memory_is_that_which_was_asked_about)
{
	static int word = 42;
	const struct process_id *ids[] = { &id };
	struct permission_answer answer;
	int memory = -1, found = 0;

	if (!privileged())
		return;
	start(ALICE, true);
	ck_assert_int_eq(
		permission_open(&alice, ids, 1, false, &permission, &err), 0);
	ck_assert_int_eq(permission_ask(&permission, 0, &answer, &memory, &err),
			 0);
	ck_assert_int_ge(memory, 0);
	/* A child of ours has it where we have it. */
	ck_assert_int_eq(
		pread(memory, &found, sizeof(found), (off_t)(uintptr_t)&word),
		sizeof(found));
	ck_assert_int_eq(found, 42);
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
	target = -1;
	ck_assert_int_le(
		pread(memory, &found, sizeof(found), (off_t)(uintptr_t)&word),
		0);
	close(memory);
	permission_close(&permission);
	/* Of what is refused there is none. */
	process_close(&id);
	start(ALICE, true);
	memory = 7;
	ck_assert_int_eq(
		permission_open(&bob, ids, 1, false, &permission, &err), 0);
	ck_assert_int_eq(permission_ask(&permission, 0, &answer, &memory, &err),
			 0);
	ck_assert_int_eq(memory, -1);
}
END_TEST

/* Where there is no Yama to override it must change nothing: neither for what
 * is another's, nor for what the rest of the kernel's rule protects. */
START_TEST(to_override_yama_opens_nothing_else)
{
	const struct process_id *ids[] = { &id };
	struct permission_answer answer;

	if (!privileged())
		return;
	for (int i = 0; i < 3; i++) {
		int memory = -1;

		start(i == 2 ? BOB : ALICE, i != 1);
		ck_assert_int_eq(permission_open(&alice, ids, 1, true,
						 &permission, &err),
				 0);
		ck_assert_int_eq(
			permission_ask(&permission, 0, &answer, &memory, &err),
			0);
		ck_assert_int_eq(answer.read == 0, i == 0);
		ck_assert_int_eq(memory >= 0, i == 0);
		close(memory);
		permission_close(&permission);
		process_close(&id);
		kill(target, SIGKILL);
		waitpid(target, NULL, 0);
	}
	target = -1;
}
END_TEST

/* Who stops or ends the child that asks for them gets no answer. */
START_TEST(a_peer_cannot_hold_us_up)
{
	const struct process_id *ids[] = { &id };
	struct permission_answer answer;

	start(privileged() ? ALICE : 0, true);
	ck_assert_int_eq(
		permission_open(&alice, ids, 1, false, &permission, &err), 0);
	kill(permission.child, SIGSTOP);
	ck_assert_int_eq(permission_ask(&permission, 0, &answer, NULL, &err),
			 -1);
	ck_assert_int_eq(err.code, ERROR_NOT_PERMITTED);
	ck_assert_int_eq(permission.fd, -1);
	ck_assert_int_eq(permission_ask(&permission, 0, &answer, NULL, &err),
			 -1);
	ck_assert_int_eq(
		permission_open(&alice, ids, 1, false, &permission, &err), 0);
	kill(permission.child, SIGKILL);
	ck_assert_int_eq(permission_ask(&permission, 0, &answer, NULL, &err),
			 -1);
}
END_TEST

START_TEST(the_child_keeps_nothing_open)
{
	const struct process_id *ids[] = { &id };
	struct permission_answer answer;
	int ends[2];
	char byte;

	start(privileged() ? ALICE : 0, true);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(
		permission_open(&alice, ids, 1, false, &permission, &err), 0);
	(void)!permission_ask(&permission, 0, &answer, NULL, &err);
	close(ends[1]);
	/* Its end would still be open there. */
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}
END_TEST

/* ---- what it means
 * ----------------------------------------------------------------------- */

START_TEST(yama_is_overridden_for_one_s_own_alone)
{
	static const struct {
		struct permission_case asked;
		bool granted;
	} cases[] = {
		{ { { 0, 0 }, 0, false, false }, true },
		{ { { 0, EPERM }, 1, false, false }, true },
		{ { { EPERM, 0 }, 1, false, true }, false },
		{ { { EPERM, 0 }, 1, true, true }, true },
		{ { { EACCES, 0 }, 2, true, true }, true },
		/* The rest of the kernel's rule said no. */
		{ { { EPERM, EPERM }, 1, true, true }, false },
		{ { { EPERM, EACCES }, 1, true, true }, false },
		/* Not one's own. */
		{ { { EPERM, 0 }, 1, true, false }, false },
		/* Yama is off, or final: it was another's word, or its last. */
		{ { { EPERM, 0 }, 0, true, true }, false },
		{ { { EPERM, 0 }, 3, true, true }, false },
		/* No answer at all. */
		{ { { ENOENT, 0 }, 1, true, true }, false },
		{ { { EMFILE, 0 }, 1, true, true }, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_msg(permission_granted(&cases[i].asked) ==
				      cases[i].granted,
			      "case %zu", i);
}
END_TEST

START_TEST(refusals_say_whose_word_it_is)
{
	struct verdict verdict = {
		.granted = true,
		.rights = RIGHT_SEE,
		.decision = { RIGHT_SEE, -1, -1 },
	};
	struct rulebook book = { .source = "/etc/nopdb/policy.json" };

	access_refuse(&verdict, &book, &alice, 42, RIGHT_EXEC, &err);
	ck_assert_int_eq(err.code, ERROR_NOT_PERMITTED);
	ck_assert_str_eq(err.msg, "no rule of the policy lets user 61101 "
				  "'exec' process 42");
	verdict.granted = false;
	verdict.kernel.answer = (struct permission_answer){ EACCES, EACCES };
	access_refuse(&verdict, &book, &alice, 42, RIGHT_EXEC, &err);
	ck_assert_str_eq(err.msg, "the kernel does not let user 61101 trace "
				  "process 42");
	ck_assert_str_eq(err.remedy, "run as that user, or as root");
	verdict.kernel = (struct permission_case){ .answer = { EPERM, 0 },
						   .yama = 1,
						   .own = true };
	access_refuse(&verdict, &book, &alice, 42, RIGHT_EXEC, &err);
	ck_assert_ptr_nonnull(strstr(err.remedy, "\"yama\": \"own\""));
	verdict.gone = true;
	access_refuse(&verdict, &book, &alice, 42, RIGHT_EXEC, &err);
	ck_assert_int_eq(err.code, ERROR_NO_PROCESS);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("permission");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_user_may_trace_its_own);
	tcase_add_test(tests, nobody_may_trace_another_s);
	tcase_add_test(tests, not_dumpable_is_no);
	tcase_add_test(tests, root_is_as_able_as_its_capabilities);
	tcase_add_test(tests, the_daemon_s_own_capabilities_do_not_help);
	tcase_add_test(tests, a_dead_process_is_gone_whoever_has_its_id);
	tcase_add_test(tests, an_answer_about_another_is_none);
	tcase_add_test(tests, memory_is_that_which_was_asked_about);
	tcase_add_test(tests, to_override_yama_opens_nothing_else);
	tcase_add_test(tests, a_peer_cannot_hold_us_up);
	tcase_add_test(tests, the_child_keeps_nothing_open);
	tcase_add_test(tests, yama_is_overridden_for_one_s_own_alone);
	tcase_add_test(tests, refusals_say_whose_word_it_is);
	return suite_run("permission", tests);
}
