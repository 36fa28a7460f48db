/* SPDX-License-Identifier: MIT */
/* ring: order, wrap, loss, many writers; and a writer that lies. */
#include "proto/ring.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = LIMIT_RING_MIN, WRITERS = 4, EACH = 20000 };

static _Alignas(4096) char memory[RING_HEADER + SIZE];
static char payload[LIMIT_RECORD];
static struct ring *ring = (struct ring *)memory;
static struct ring_reader reader;

static void setup(void)
{
	memset(memory, 0, sizeof memory);
	ring_init(ring, SIZE);
	ring_reader_init(&reader, ring, SIZE);
}

static void put_number(uint32_t probe, uint32_t number, uint32_t length,
		       enum ring_put expected)
{
	static char text[LIMIT_RECORD + 1];

	memcpy(text, &number, sizeof number);
	ck_assert_int_eq(ring_put(ring, RING_CALL, probe, text, length),
			 expected);
}

static uint32_t get_number(struct ring_item *ret_item)
{
	uint32_t number;

	ck_assert_int_eq(ring_read(&reader, payload, ret_item), 1);
	memcpy(&number, payload, sizeof number);
	return number;
}

START_TEST(records_come_out_as_they_went_in)
{
	struct ring_item item;

	ck_assert(ring_valid(ring, sizeof memory));
	ck_assert_int_eq(ring_read(&reader, payload, &item), 0);
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t length = 4 + i * 7 % 5000;

		put_number(i, i * 3, length, RING_PUT_OK);
		ck_assert_uint_eq(get_number(&item), i * 3);
		ck_assert_uint_eq(item.probe, i);
		ck_assert_uint_eq(item.length, length);
		ck_assert_int_eq(item.kind, RING_CALL);
	}
}
END_TEST

START_TEST(a_full_ring_drops_and_recovers)
{
	struct ring_item item;
	uint32_t written = 0, read = 0;

	for (int round = 0; round < 50; round++) {
		char text[1000] = "";

		memcpy(text, &written, sizeof written);
		while (ring_put(ring, RING_HIT, 1, text, sizeof text) ==
		       RING_PUT_OK) {
			written++;
			memcpy(text, &written, sizeof written);
		}
		ck_assert_uint_ge(written - read, SIZE / 1100);
		while (read < written)
			ck_assert_uint_eq(get_number(&item), read++);
		ck_assert_int_eq(ring_read(&reader, payload, &item), 0);
	}
}
END_TEST

START_TEST(too_long_is_refused)
{
	put_number(1, 1, LIMIT_RECORD + 1, RING_PUT_SIZE);
}
END_TEST

START_TEST(only_a_sleeper_is_woken)
{
	struct ring_item item;

	put_number(1, 1, 4, RING_PUT_OK);
	ck_assert(!ring_sleep(&reader));
	get_number(&item);
	ck_assert(ring_sleep(&reader));
	put_number(1, 2, 4, RING_PUT_WAKE);
	put_number(1, 3, 4, RING_PUT_OK);
}
END_TEST

static void *writer(void *arg)
{
	uint32_t probe = (uint32_t)(uintptr_t)arg;

	for (uint32_t i = 0; i < EACH;) {
		char text[300] = "";

		memcpy(text, &i, sizeof i);
		if (ring_put(ring, RING_CALL, probe, text,
			     (uint32_t)(4 + i % 290)) < RING_PUT_FULL)
			i++;
	}
	return NULL;
}

START_TEST(many_writers_lose_nothing)
{
	pthread_t thread[WRITERS];
	uint32_t next[WRITERS] = { 0 }, total = 0;

	for (uintptr_t i = 0; i < WRITERS; i++)
		pthread_create(&thread[i], NULL, writer, (void *)i);
	while (total < WRITERS * EACH) {
		struct ring_item item;
		uint32_t number;
		int got = ring_read(&reader, payload, &item);

		ck_assert_int_ge(got, 0);
		if (!got)
			continue;
		memcpy(&number, payload, sizeof number);
		ck_assert_uint_lt(item.probe, WRITERS);
		ck_assert_uint_eq(number, next[item.probe]++);
		total++;
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(thread[i], NULL);
}
END_TEST

/* Random content: any answer is fine, reading outside is not (asan). */
START_TEST(garbage_never_leads_outside)
{
	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct ring_item item;
		uint32_t *words = (uint32_t *)(memory + RING_HEADER);

		for (int i = 0; i < SIZE / 4; i += 1 + rand() % 64)
			words[i] = (uint32_t)rand() << (rand() % 20);
		words[(reader.tail & (SIZE - 1)) / 4] =
			(uint32_t)(rand() % 6) * 16 |
			(rand() % 8 ? 0 : RING_SKIP);
		for (int i = 0; i < 10; i++)
			if (ring_read(&reader, payload, &item) <= 0)
				break;
		reader.tail += RING_ALIGN;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ring");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, records_come_out_as_they_went_in);
	tcase_add_test(tc, a_full_ring_drops_and_recovers);
	tcase_add_test(tc, too_long_is_refused);
	tcase_add_test(tc, only_a_sleeper_is_woken);
	tcase_add_test(tc, many_writers_lose_nothing);
	tcase_add_test(tc, garbage_never_leads_outside);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
