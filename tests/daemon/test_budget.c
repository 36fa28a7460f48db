/* SPDX-License-Identifier: MIT */
/* budget: what may be refused is refused first, nobody gets all, and who holds
 * next to nothing always finds room. */
#include "daemon/budget.h"

#include <stdlib.h>

#include "daemon/line_buffer.h"
#include "daemon/outbox.h"
#include "tests/daemon/suite.h"

#define MIB ((size_t)1 << 20)

static struct budget budget;
static char block[65536];

static void setup(void)
{
	budget = (struct budget){ 0 };
}

/* Takes as much as one client gets; how much that is. */
static size_t take_all(void)
{
	size_t own = 0;

	while (budget_spares(&budget, own, sizeof(block))) {
		budget_take(&budget, sizeof(block));
		own += sizeof(block);
		ck_assert_uint_lt(own, 100 * MIB);
	}
	return own;
}

START_TEST(nobody_gets_all)
{
	size_t first = take_all(), second = take_all(), third = take_all();

	ck_assert_uint_ge(first, 2 * MIB);
	ck_assert_uint_ge(second, MIB / 4);
	ck_assert_uint_gt(first, second);
	ck_assert_uint_gt(second, third);
	ck_assert_uint_le(first + second + third, 3 * MIB);
}
END_TEST

START_TEST(a_target_adds_its_share)
{
	size_t without = take_all();

	budget = (struct budget){ .targets = 10 };
	ck_assert_uint_ge(take_all(), without + 8 * MIB);
}
END_TEST

START_TEST(what_must_be_sent_has_a_reserve)
{
	while (take_all() > 0)
		;
	ck_assert(!budget_spares(&budget, 1u << 20, sizeof(block)));
	ck_assert(budget_fits(&budget, 1u << 20, 2 * MIB));
	ck_assert(!budget_over(&budget));
	budget_take(&budget, 4 * MIB);
	ck_assert(!budget_fits(&budget, 1u << 20, 1));
	/* But for who holds next to nothing. */
	ck_assert(budget_fits(&budget, 0, 4096));
	ck_assert(budget_over(&budget));
}
END_TEST

START_TEST(it_is_over_when_targets_go)
{
	budget.targets = 20;
	budget_take(&budget, 20 * MIB);
	ck_assert(!budget_over(&budget));
	budget.targets = 2;
	ck_assert(budget_over(&budget));
	budget_give(&budget, 20 * MIB);
	ck_assert(!budget_over(&budget));
}
END_TEST

START_TEST(queues_give_back_what_they_took)
{
	struct line_buffer lines;
	struct outbox outbox;
	struct error err = ERROR_INIT;
	size_t length, room;
	char *data;

	line_buffer_init(&lines);
	outbox_init(&outbox);
	lines.budget = outbox.budget = &budget;
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(
			outbox_put_record(&outbox, block, sizeof(block)),
			OUTBOX_QUEUED);
	free(outbox_take(&outbox, &length));
	ck_assert_int_eq(outbox_put_answer(&outbox, block, 1), OUTBOX_QUEUED);
	ck_assert_uint_eq(budget.used, 20 * sizeof(block) + 1);
	outbox_written(&outbox);
	ck_assert_uint_eq(budget.used, 1);
	while (!line_buffer_room(&lines, &data, &room, &err))
		line_buffer_filled(&lines, room);
	ck_assert_int_eq(err.code, ERROR_LIMIT);
	ck_assert_uint_gt(budget.used, MIB);
	line_buffer_release(&lines);
	outbox_release(&outbox);
	ck_assert_uint_eq(budget.used, 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("budget");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, nobody_gets_all);
	tcase_add_test(tests, a_target_adds_its_share);
	tcase_add_test(tests, what_must_be_sent_has_a_reserve);
	tcase_add_test(tests, it_is_over_when_targets_go);
	tcase_add_test(tests, queues_give_back_what_they_took);
	return suite_run("budget", tests);
}
