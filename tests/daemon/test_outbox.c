/* SPDX-License-Identifier: MIT */
/* outbox: captures are dropped before answers, and both are bounded. */
#include "daemon/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "tests/daemon/suite.h"

static struct outbox outbox;
static char block[1u << 20];

static void setup(void)
{
	outbox_init(&outbox);
	memset(block, 'x', sizeof(block));
}

static void teardown(void)
{
	outbox_release(&outbox);
}

START_TEST(lines_leave_in_order_one_write_at_a_time)
{
	size_t length;
	char *data;

	ck_assert_ptr_null(outbox_take(&outbox, &length));
	ck_assert_int_eq(outbox_put_answer(&outbox, "a\n", 2), OUTBOX_QUEUED);
	ck_assert_int_eq(outbox_put_record(&outbox, "b\n", 2), OUTBOX_QUEUED);
	data = outbox_take(&outbox, &length);
	ck_assert_uint_eq(length, 4);
	ck_assert_mem_eq(data, "a\nb\n", 4);
	free(data);
	ck_assert_int_eq(outbox_put_record(&outbox, "c\n", 2), OUTBOX_QUEUED);
	ck_assert_uint_eq(outbox_size(&outbox), 6);
	ck_assert_ptr_null(outbox_take(&outbox, &length));
	outbox_written(&outbox);
	ck_assert_uint_eq(outbox_size(&outbox), 2);
	data = outbox_take(&outbox, &length);
	ck_assert_mem_eq(data, "c\n", 2);
	free(data);
}
END_TEST

START_TEST(captures_are_dropped_answers_are_not)
{
	size_t length;
	char *data;

	while (outbox_put_record(&outbox, block, sizeof(block)) ==
	       OUTBOX_QUEUED)
		ck_assert_uint_le(outbox_size(&outbox), LIMIT_CLIENT_QUEUE);
	ck_assert_int_eq(outbox_put_record(&outbox, block, sizeof(block)),
			 OUTBOX_DROPPED);
	ck_assert(!outbox_recovered(&outbox));
	while (outbox_put_answer(&outbox, block, sizeof(block)) ==
	       OUTBOX_QUEUED)
		ck_assert_uint_le(outbox_size(&outbox), OUTBOX_HARD_LIMIT);
	ck_assert_int_eq(outbox_put_answer(&outbox, block, sizeof(block)),
			 OUTBOX_OVERFLOW);
	/* What is being written counts until it is written. */
	data = outbox_take(&outbox, &length);
	free(data);
	ck_assert_int_eq(outbox_put_record(&outbox, block, 1), OUTBOX_DROPPED);
	outbox_written(&outbox);
	ck_assert(outbox_recovered(&outbox));
	ck_assert_int_eq(outbox_put_record(&outbox, block, 1), OUTBOX_QUEUED);
}
END_TEST

START_TEST(absurd_lengths_do_not_wrap)
{
	ck_assert_int_eq(outbox_put_record(&outbox, block, SIZE_MAX),
			 OUTBOX_DROPPED);
	ck_assert_int_eq(outbox_put_answer(&outbox, block, SIZE_MAX),
			 OUTBOX_OVERFLOW);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("outbox");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, lines_leave_in_order_one_write_at_a_time);
	tcase_add_test(tests, captures_are_dropped_answers_are_not);
	tcase_add_test(tests, absurd_lengths_do_not_wrap);
	return suite_run("outbox", tests);
}
