/* SPDX-License-Identifier: MIT */
/* beginning: modules made for it, of this process, whose exec is long over. */
#include "injector/target/beginning.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "injector/injector.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct module linker = { .traits = MODULE_LD, .loaded = true };
static const struct module libc = { .traits = MODULE_LIBC | MODULE_MALLOC,
				    .loaded = true };
static const struct module program = { .traits = MODULE_EXECUTABLE,
				       .loaded = true };
static const struct module vdso = { .traits = MODULE_VDSO };
static const struct module unread = { .traits = 0 };
static const struct module musl = { .traits = MODULE_LD | MODULE_LIBC,
				    .loaded = true };

static bool begins(pid_t pid, uint64_t mark, const struct module *list,
		   size_t count)
{
	struct module copy[4];
	const struct modules modules = { copy, count };
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < count; i++)
		copy[i] = list[i];
	error_set(&err, ERROR_UNSUPPORTED, "no such thing");
	ck_assert_int_eq(beginning_lacks(pid, mark, &modules, &err), -1);
	ck_assert(err.code == ERROR_BUSY || err.code == ERROR_UNSUPPORTED);
	return err.code == ERROR_BUSY;
}

#define BEGINS(...)                                    \
	begins(getpid(), process_program(getpid()),    \
	       (const struct module[]){ __VA_ARGS__ }, \
	       COUNT(((const struct module[]){ __VA_ARGS__ })))

START_TEST(program_changed)
{
	const struct module all[] = { program, linker, libc, vdso };
	uint64_t mark = process_program(getpid());

	ck_assert(mark != 0 && mark == process_program(getpid()));
	ck_assert(!begins(getpid(), mark, all, COUNT(all)));
	ck_assert(begins(getpid(), mark + 1, all, COUNT(all)));
	/* It could not be told before, or cannot be now. */
	ck_assert(!begins(getpid(), 0, all, COUNT(all)));
	ck_assert(!begins(-1, mark, all, COUNT(all)));
}
END_TEST

START_TEST(mapped_by_the_linker)
{
	ck_assert(BEGINS(program, linker, vdso));
	ck_assert(!BEGINS(program, linker, libc, vdso));
	ck_assert(!BEGINS(program, musl, vdso));
	/* It may be the C library. */
	ck_assert(!BEGINS(program, linker, unread, vdso));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("beginning");
	TCase *tcase = tcase_create("beginning");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, program_changed);
	tcase_add_test(tcase, mapped_by_the_linker);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
