/* SPDX-License-Identifier: MIT */
/* region: where it is put between the mappings of a program. */
#include "injector/hijack/region.h"

#include <check.h>
#include <stdlib.h>

#define GIB (1ull << 30)
#define TOP 0x7ffffffff000ull

/* As in any program: the executable, libraries below the stack. */
static struct mapping usual[] = {
	{ .low = 0x555555554000, .high = 0x555556000000 },
	{ .low = 0x7ffff7c00000, .high = 0x7ffff7fff000 },
	{ .low = 0x7ffffffde000, .high = TOP },
};

static bool is_free(const struct maps *maps, uint64_t low, uint64_t high)
{
	for (size_t i = 0; i < maps->count; i++)
		if (low < maps->list[i].high && high > maps->list[i].low)
			return false;
	return high <= TOP;
}

START_TEST(in_the_highest_wide_gap)
{
	static const uint64_t chances[] = { 0, 1, 12345678901234567ull,
					    UINT64_MAX };
	const struct maps maps = { .list = usual, .count = 3 };
	uint64_t spot = region_spot(&maps, chances[_i]);

	ck_assert_uint_eq(spot % 4096, 0);
	/* Far from the neighbours above and below. */
	ck_assert(is_free(&maps, spot - 8 * GIB, spot + 8 * GIB));
	ck_assert_uint_gt(spot, usual[0].high);
	ck_assert_uint_lt(spot, usual[1].low);
}
END_TEST

START_TEST(chance_decides)
{
	const struct maps maps = { .list = usual, .count = 3 };

	ck_assert_uint_ne(region_spot(&maps, 1ull << 35),
			  region_spot(&maps, 1ull << 36));
}
END_TEST

START_TEST(no_room)
{
	struct mapping all[] = {
		{ .low = 0x10000, .high = 32 * GIB },
		{ .low = 60 * GIB, .high = TOP },
	};
	struct maps maps = { .list = all, .count = 2 };
	uint64_t spot;

	ck_assert_uint_eq(region_spot(&maps, 7), 0);
	/* Below the first mapping is room, too. */
	all[0].low = all[1].low = 300 * GIB;
	all[0].high = 301 * GIB;
	all[1].low = 302 * GIB;
	spot = region_spot(&maps, 7);
	ck_assert_uint_gt(spot, 0);
	ck_assert(is_free(&maps, spot, spot + 0x20000));
}
END_TEST

START_TEST(nothing_is_mapped)
{
	const struct maps maps = { .count = 0 };
	uint64_t spot = region_spot(&maps, 0);

	ck_assert(spot > 0 && spot + 0x20000 < TOP);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("region");
	TCase *tcase = tcase_create("region");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, in_the_highest_wide_gap, 0, 4);
	tcase_add_test(tcase, chance_decides);
	tcase_add_test(tcase, no_room);
	tcase_add_test(tcase, nothing_is_mapped);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
