/* SPDX-License-Identifier: MIT */
/* safepoint: call chains over modules made for it. */
#include "injector/hijack/safepoint.h"

#include <check.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define LD 0x10000u
#define LIBC 0x20000u
#define PYTHON 0x30000u
#define PROGRAM 0x40000u
#define JEMALLOC 0x50000u
#define VDSO 0x60000u
#define SIZE 0x1000u

/* Functions of the libc below: 0x100 bytes each. */
#define POLL (LIBC + 0x100)
#define MALLOC (LIBC + 0x200)
#define COND_WAIT (LIBC + 0x300)
#define LOCAL (LIBC + 0x400)
#define START_THREAD (LIBC + 0x500)
#define RESTORER (LIBC + 0x700)
#define START (PROGRAM + 0x20)
#define EVAL (PYTHON + 0x80)

static struct elf_symbol libc_symbols[] = {
	{ 0x100, 0x100, "__poll", true },
	{ 0x100, 0x100, "poll", true },
	{ 0x200, 0x100, "malloc", true },
	{ 0x300, 0x100, "pthread_cond_wait", true },
};
static struct elf_symbol *libc_order[] = {
	&libc_symbols[0],
	&libc_symbols[1],
	&libc_symbols[2],
	&libc_symbols[3],
};
static struct module list[6];
static const struct modules modules = { list, 6 };

static void set_module(unsigned index, uint64_t low, unsigned traits)
{
	struct module *module = &list[index];

	memset(module, 0, sizeof(*module));
	module->low = module->bias = low;
	module->high = low + SIZE;
	module->traits = traits;
	module->texts = 1;
	module->text[0].low = low;
	module->text[0].high = low + SIZE;
	module->loaded = true;
	module->image.eh_frame_hdr = 8;
	module->image.entry = 0x10;
}

static void set_up(void)
{
	set_module(0, LD, MODULE_LD);
	set_module(1, LIBC, MODULE_LIBC | MODULE_MALLOC | MODULE_PTHREAD);
	set_module(2, PYTHON, MODULE_PYTHON);
	set_module(3, PROGRAM, MODULE_EXECUTABLE);
	set_module(4, JEMALLOC, MODULE_MALLOC);
	set_module(5, VDSO, MODULE_VDSO);
	list[1].image.symbols = libc_symbols;
	list[1].image.by_address = libc_order;
	list[1].image.count = 4;
}

static bool allocates; /* what the last judgement said of that */

static enum safety judge(long syscall, unsigned futex, const uint64_t *chain,
			 size_t count)
{
	struct safepoint point = {
		.modules = &modules,
		.counters = chain,
		.count = count,
		.syscall = syscall,
		.futex_operation = futex,
		.restorer = RESTORER,
	};
	enum safety safety = safepoint_judge(&point);

	ck_assert((safety == SAFE) == (point.why[0] == '\0'));
	ck_assert(!point.allocates || safety == UNSAFE);
	allocates = point.allocates;
	return safety;
}

#define JUDGE(syscall, futex, ...)                               \
	judge(syscall, futex, (const uint64_t[]){ __VA_ARGS__ }, \
	      sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))
#define BITSET (FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)

START_TEST(running_in_python)
{
	ck_assert_int_eq(JUDGE(-1, 0, EVAL, EVAL, LIBC + 0x600, START), SAFE);
	ck_assert_int_eq(JUDGE(-1, 0, EVAL, START_THREAD), SAFE);
	/* The bottom was not reached: perhaps a callback of libc. */
	ck_assert_int_eq(JUDGE(-1, 0, EVAL, EVAL), SAFE_INCOMPLETE);
	/* Code without a file is as good as any, if the rest is seen. */
	ck_assert_int_eq(JUDGE(-1, 0, 0x999000, EVAL, START_THREAD), SAFE);
}
END_TEST

START_TEST(running_in_libc)
{
	ck_assert_int_eq(JUDGE(-1, 0, MALLOC, EVAL, START_THREAD), UNSAFE);
	ck_assert_int_eq(JUDGE(-1, 0, LOCAL, EVAL, START_THREAD), UNSAFE);
	ck_assert_int_eq(JUDGE(-1, 0, LD + 8, EVAL, START_THREAD), UNSAFE);
	ck_assert_int_eq(JUDGE(-1, 0, JEMALLOC + 8, EVAL, START_THREAD),
			 UNSAFE);
	ck_assert_int_eq(JUDGE(-1, 0, VDSO + 8, EVAL, START_THREAD), UNSAFE);
}
END_TEST

START_TEST(waiting)
{
	ck_assert_int_eq(JUDGE(SYS_poll, 0, POLL + 8, EVAL, START_THREAD),
			 SAFE);
	ck_assert_int_eq(JUDGE(SYS_poll, 0, LOCAL, POLL + 8, EVAL, START),
			 SAFE);
	/* A call that a stop may cut short, or that is not poll's. */
	ck_assert_int_eq(JUDGE(SYS_write, 0, POLL + 8, EVAL, START_THREAD),
			 UNSAFE);
	ck_assert_int_eq(JUDGE(SYS_poll, 0, MALLOC + 8, EVAL, START_THREAD),
			 UNSAFE);
	ck_assert_int_eq(JUDGE(SYS_poll, 0, LOCAL, EVAL, START_THREAD), UNSAFE);
	ck_assert_int_eq(JUDGE(SYS_poll, 0, LD + 8, EVAL, START_THREAD),
			 UNSAFE);
}
END_TEST

START_TEST(waiting_for_futex)
{
	ck_assert_int_eq(JUDGE(SYS_futex, BITSET, LOCAL, EVAL, START_THREAD),
			 SAFE);
	ck_assert_int_eq(
		JUDGE(SYS_futex, FUTEX_WAIT, LOCAL, EVAL, START_THREAD),
		UNSAFE);
	ck_assert_int_eq(
		JUDGE(SYS_futex, FUTEX_WAIT, COND_WAIT + 8, EVAL, START_THREAD),
		SAFE);
	ck_assert_int_eq(
		JUDGE(SYS_restart_syscall, 0, LOCAL, EVAL, START_THREAD), SAFE);
	/* Even so: inside malloc, or inside a foreign allocator. */
	ck_assert_int_eq(
		JUDGE(SYS_futex, BITSET, LOCAL, MALLOC + 8, EVAL, START_THREAD),
		UNSAFE);
	ck_assert_int_eq(JUDGE(SYS_futex, BITSET, LOCAL, JEMALLOC + 8, EVAL,
			       START_THREAD),
			 UNSAFE);
}
END_TEST

START_TEST(in_a_handler)
{
	/* The number is that of the call which the signal interrupted. */
	ck_assert_int_eq(JUDGE(SYS_poll, 0, LOCAL, POLL + 9, EVAL, START),
			 SAFE);
	ck_assert_int_eq(
		JUDGE(SYS_poll, 0, LOCAL, RESTORER, POLL + 9, EVAL, START),
		UNSAFE);
	ck_assert_int_eq(JUDGE(SYS_futex, BITSET, LOCAL, LOCAL + 9, RESTORER,
			       COND_WAIT, EVAL, START),
			 UNSAFE);
}
END_TEST

START_TEST(called_from_libc)
{
	ck_assert_int_eq(
		JUDGE(-1, 0, EVAL, LIBC + 0x700, PROGRAM + 0x800, START_THREAD),
		UNSAFE);
	ck_assert_int_eq(JUDGE(-1, 0, EVAL, LD + 8, EVAL, START_THREAD),
			 UNSAFE);
	ck_assert_int_eq(JUDGE(SYS_poll, 0, POLL + 8, EVAL, LIBC + 0x700, EVAL,
			       LIBC + 0x600, START),
			 UNSAFE);
}
END_TEST

/* The dynamic linker relocates (resolvers of indirect functions), or calls
 * constructors, before the program's own start, or destructors at its end. */
START_TEST(called_from_linker)
{
	ck_assert_int_eq(JUDGE(-1, 0, EVAL, LD + 0x100), UNSAFE);
	ck_assert_int_eq(JUDGE(-1, 0, EVAL, LD + 0x100, LD + 0x20), UNSAFE);
	ck_assert_int_eq(JUDGE(SYS_poll, 0, POLL, EVAL, LD + 0x100), UNSAFE);
	ck_assert_int_eq(JUDGE(-1, 0, EVAL, LD + 0x100, LIBC + 0x600, START),
			 UNSAFE);
	/* The C library may be the linker, as musl's. */
	list[0].traits |= MODULE_LIBC | MODULE_MALLOC | MODULE_PTHREAD;
	ck_assert_int_eq(JUDGE(-1, 0, EVAL, LD + 0x100), SAFE);
}
END_TEST

START_TEST(without_unwind_tables)
{
	list[1].image.eh_frame_hdr = 0;
	ck_assert_int_eq(JUDGE(SYS_poll, 0, POLL + 8), SAFE);
	ck_assert_int_eq(JUDGE(SYS_futex, BITSET, LOCAL), SAFE);
	ck_assert_int_eq(JUDGE(SYS_read, 0, LOCAL), UNSAFE);
	ck_assert_int_eq(JUDGE(SYS_futex, FUTEX_WAIT, LOCAL), UNSAFE);
	ck_assert_int_eq(JUDGE(-1, 0, LOCAL), UNSAFE);
}
END_TEST

START_TEST(allocator_in_the_interpreter)
{
	list[2].traits |= MODULE_MALLOC;
	ck_assert_int_eq(JUDGE(-1, 0, EVAL, START_THREAD), UNSAFE);
	ck_assert_int_eq(JUDGE(SYS_poll, 0, POLL + 8, EVAL, START_THREAD),
			 SAFE);
}
END_TEST

/* Where a pending call may be added: nowhere that Python may have the lock of
 * these, or that is called from the C library or the loader. */
START_TEST(in_an_allocator)
{
	JUDGE(-1, 0, MALLOC + 8, EVAL, START_THREAD);
	ck_assert(allocates);
	JUDGE(-1, 0, LOCAL, MALLOC + 8, EVAL, START_THREAD);
	ck_assert(allocates);
	JUDGE(-1, 0, JEMALLOC + 8, EVAL, START_THREAD);
	ck_assert(allocates);
	JUDGE(SYS_futex, FUTEX_WAIT, LOCAL, JEMALLOC + 8, EVAL, START_THREAD);
	ck_assert(allocates);
	JUDGE(-1, 0, LOCAL, EVAL, START_THREAD);
	ck_assert(!allocates);
	JUDGE(-1, 0, MALLOC + 8, LOCAL, EVAL, START_THREAD);
	ck_assert(!allocates);
	JUDGE(-1, 0, MALLOC + 8, LD + 8, EVAL, START_THREAD);
	ck_assert(!allocates);
	JUDGE(-1, 0, EVAL, START_THREAD);
	ck_assert(!allocates);
}
END_TEST

START_TEST(no_chain)
{
	ck_assert_int_eq(judge(-1, 0, NULL, 0), UNSAFE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("safepoint");
	TCase *tcase = tcase_create("safepoint");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, running_in_python);
	tcase_add_test(tcase, running_in_libc);
	tcase_add_test(tcase, waiting);
	tcase_add_test(tcase, waiting_for_futex);
	tcase_add_test(tcase, in_a_handler);
	tcase_add_test(tcase, called_from_libc);
	tcase_add_test(tcase, called_from_linker);
	tcase_add_test(tcase, without_unwind_tables);
	tcase_add_test(tcase, allocator_in_the_interpreter);
	tcase_add_test(tcase, in_an_allocator);
	tcase_add_test(tcase, no_chain);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
