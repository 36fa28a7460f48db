/* SPDX-License-Identifier: MIT */
/* probe, arrears, subscription: the books the daemon keeps. */
#include "daemon/probe.h"

#include "daemon/arrears.h"
#include "daemon/subscription.h"
#include "tests/daemon/suite.h"

START_TEST(ids_are_never_zero_nor_taken)
{
	static struct registry registry;
	static struct probe probes[600];

	registry_init(&registry);
	for (int i = 0; i < 600; i++) {
		probes[i].spec.id = registry_next_id(&registry);
		registry_add(&registry, &probes[i]);
	}
	ck_assert_ptr_eq(registry_find(&registry, 600), &probes[599]);
	ck_assert_ptr_null(registry_find(&registry, 601));
	ck_assert_ptr_null(registry_find(&registry, 0));
	registry.last_id = UINT32_MAX - 1;
	ck_assert_uint_eq(registry_next_id(&registry), UINT32_MAX);
	ck_assert_uint_eq(registry_next_id(&registry), 601);
	registry_remove(&registry, &probes[599]);
	ck_assert_ptr_null(registry_find(&registry, 600));
	ck_assert_uint_eq(registry.count, 599);
}
END_TEST

START_TEST(counters_only_grow)
{
	struct probe probe = { .captures = 5 };
	struct probe_stats stats = { .hits = 3, .lost_rate = 2 };

	probe_take_stats(&probe, &stats);
	ck_assert_uint_eq(probe_hits(&probe), 5);
	stats = (struct probe_stats){ .hits = 9, .lost_rate = 1 };
	probe_take_stats(&probe, &stats);
	ck_assert_uint_eq(probe_hits(&probe), 9);
	ck_assert_uint_eq(probe.stats.lost_rate, 2);
}
END_TEST

START_TEST(counts_are_written)
{
	struct probe probe = { .captures = 5,
			       .stats = { .hits = 7,
					  .lost_ring = 1,
					  .lost_rate = 2,
					  .lost_size = 3,
					  .lost_calls = 6,
					  .cut = 8 } };
	struct json_writer w;
	char buf[256] = "";

	json_init(&w, buf, sizeof(buf) - 1);
	json_object_begin(&w);
	probe_write_counts(&w, &probe, 4);
	json_object_end(&w);
	ck_assert_str_eq(buf, "{\"hits\":7,\"captures\":5,\"lost\":{\"ring\":1,"
			      "\"rate\":2,\"size\":3,\"calls\":6,"
			      "\"slow-client\":4},\"cut\":8}");
}
END_TEST

START_TEST(arrears_count_per_probe)
{
	struct arrears arrears;

	arrears_init(&arrears);
	ck_assert_ptr_null(arrears_next(&arrears));
	for (uint32_t id = 1; id <= 20; id++) {
		for (uint32_t i = 0; i < id; i++)
			ck_assert(arrears_add(&arrears, id));
	}
	ck_assert_uint_eq(arrears_find(&arrears, 20)->total, 20);
	arrears_find(&arrears, 1)->unreported = 0;
	ck_assert_ptr_ne(arrears_next(&arrears), arrears_find(&arrears, 1));
	arrears_forget(&arrears, 7);
	arrears_forget(&arrears, 7);
	ck_assert_ptr_null(arrears_find(&arrears, 7));
	ck_assert_uint_eq(arrears.count, 19);
	ck_assert_uint_eq(arrears_find(&arrears, 20)->total, 20);
	arrears_release(&arrears);
}
END_TEST

START_TEST(subscriptions_match_their_scope)
{
	struct subscriptions subs = { 0 };
	struct error err = ERROR_INIT;
	struct subscription one = { SUBSCRIBE_PROBE, 0, 4 };

	ck_assert_int_eq(subscriptions_add(&subs, &one, &err), 0);
	ck_assert_int_eq(subscriptions_add(&subs, &one, &err), 0);
	ck_assert_uint_eq(subs.count, 1);
	ck_assert(subscriptions_match(&subs, 1, 4));
	ck_assert(!subscriptions_match(&subs, 1, 5));
	one = (struct subscription){ SUBSCRIBE_TARGET, 9, 0 };
	ck_assert_int_eq(subscriptions_add(&subs, &one, &err), 0);
	ck_assert(subscriptions_match(&subs, 9, 5));
	subscriptions_drop_target(&subs, 9);
	ck_assert(!subscriptions_match(&subs, 9, 5));
	subscriptions_drop_probe(&subs, 4);
	ck_assert_uint_eq(subs.count, 0);
	for (uint32_t i = 1; i <= SUBSCRIPTION_MAX; i++) {
		one = (struct subscription){ SUBSCRIBE_PROBE, 0, i };
		ck_assert_int_eq(subscriptions_add(&subs, &one, &err), 0);
	}
	one.probe = SUBSCRIPTION_MAX + 1;
	ck_assert_int_eq(subscriptions_add(&subs, &one, &err), -1);
	ck_assert_int_eq(err.code, ERROR_LIMIT);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("probe");

	tcase_add_test(tests, ids_are_never_zero_nor_taken);
	tcase_add_test(tests, counters_only_grow);
	tcase_add_test(tests, counts_are_written);
	tcase_add_test(tests, arrears_count_per_probe);
	tcase_add_test(tests, subscriptions_match_their_scope);
	return suite_run("probe", tests);
}
