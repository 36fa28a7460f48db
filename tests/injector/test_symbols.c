/* SPDX-License-Identifier: MIT */
/* symbols, interpreter, facts: every interpreter here offers what is needed. */
#include "injector/target/symbols.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "injector/injector.h"
#include "injector/target/interpreter.h"
#include "injector/target/version.h"
#include "tests/injector/python.h"

static const char sleeper[] = "import time; print(1, flush=True)\n"
			      "while True: time.sleep(100)";

static struct python list[PYTHONS];
static size_t count;

START_TEST(resolves)
{
	const struct python *python = &list[_i];
	struct error err = ERROR_INIT;
	struct interpreter target;
	pid_t pid = python_start(python, sleeper);

	ck_assert_int_eq(interpreter_open(&target, pid, &err), 0);
	ck_assert_uint_eq(version_minor(target.version), python->minor);
	ck_assert(!target.musl && !target.free_threaded);
	if (!python->supported) {
		ck_assert_int_eq(interpreter_check_version(&target, &err), -1);
		ck_assert_int_eq(err.code, ERROR_UNSUPPORTED);
	} else {
		ck_assert_int_eq(interpreter_check_version(&target, &err), 0);
		ck_assert_msg(!interpreter_resolve(&target, &err), "%s",
			      err.msg);
		ck_assert_uint_eq(target.symbols.table.count, SYM_COUNT);
	}
	interpreter_release(&target);
	program_end(pid);
}
END_TEST

/* The version of a file name alone has no micro part: it must come from the
 * interpreter, and agree with what that says itself. */
START_TEST(inspects)
{
	const struct python *python = &list[_i];
	struct error err = ERROR_INIT;
	struct process_facts facts;
	char source[256], cut[16];
	pid_t pid = python_start(python, sleeper);

	ck_assert_int_eq(process_inspect(pid, &facts, &err), 0);
	ck_assert(facts.python && facts.readable);
	ck_assert(facts.supported == python->supported);
	ck_assert(!facts.musl && !facts.foreign_root && !facts.free_threaded);
	ck_assert_uint_eq(facts.threads, 1);
	ck_assert_ptr_nonnull(strstr(facts.executable, "python3"));
	ck_assert_ptr_nonnull(strstr(facts.command, " -c import time"));
	program_end(pid);

	snprintf(cut, sizeof(cut), "%u.%u", version_minor(facts.version),
		 version_micro(facts.version));
	snprintf(source, sizeof(source),
		 "import sys, time\n"
		 "assert '%%d.%%d' %% sys.version_info[1:3] == '%s'\n"
		 "print(1, flush=True)\ntime.sleep(100)",
		 cut);
	pid = python_start(python, source);
	ck_assert_int_eq(process_inspect(pid, &facts, &err), 0);
	ck_assert(facts.state == 'S' || facts.state == 'R');
	program_end(pid);
}
END_TEST

static int count_visit(const struct process_facts *facts, void *arg)
{
	pid_t *pid = arg;

	if (facts->pid == *pid)
		*pid = 0;
	return 0;
}

static int stop_visit(const struct process_facts *facts, void *arg)
{
	return 42;
}

START_TEST(finds_it_among_all)
{
	struct error err = ERROR_INIT;
	pid_t pid, wanted;

	if (!count)
		return;
	wanted = pid = python_start(&list[0], sleeper);
	ck_assert_int_eq(process_each(count_visit, &wanted, &err), 0);
	ck_assert_int_eq(wanted, 0);
	ck_assert_int_eq(process_each(stop_visit, NULL, &err), 42);
	program_end(pid);
}
END_TEST

START_TEST(not_python)
{
	const char *const argv[] = { "/bin/sleep", "100", NULL };
	struct error err = ERROR_INIT;
	struct process_facts facts;
	struct interpreter target;
	pid_t pid = program_start(argv, 100);

	ck_assert_int_eq(interpreter_open(&target, pid, &err), -1);
	ck_assert_int_eq(err.code, ERROR_NOT_PYTHON);
	ck_assert_int_eq(process_inspect(pid, &facts, &err), 0);
	ck_assert(facts.readable && !facts.python && !facts.version);
	program_end(pid);
	ck_assert_int_eq(process_inspect(0x3fffffff, &facts, &err), -1);
	ck_assert_int_eq(err.code, ERROR_NO_PROCESS);
}
END_TEST

START_TEST(names_and_ranges)
{
	ck_assert_str_eq(symbol_name(SYM_clock_gettime), "clock_gettime");
	ck_assert_str_eq(symbol_name(SYM_PyCode_Type), "PyCode_Type");
	ck_assert_str_eq(symbol_name(SYM_COUNT), "");
	ck_assert(symbol_required(SYM_Py_Version, 11));
	ck_assert(!symbol_required(SYM_Py_Version, 10));
	ck_assert(!symbol_required(SYM_PyGen_GetCode, 12));
	ck_assert(symbol_required(SYM_PyList_New, 7));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("symbols");
	TCase *tcase = tcase_create("symbols");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 30);
	count = python_list(list);
	tcase_add_loop_test(tcase, resolves, 0, (int)count);
	tcase_add_loop_test(tcase, inspects, 0, (int)count);
	tcase_add_test(tcase, finds_it_among_all);
	tcase_add_test(tcase, not_python);
	tcase_add_test(tcase, names_and_ranges);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
