/* SPDX-License-Identifier: MIT */
/* line_buffer: lines out of any cuts, bounded. */
#include "daemon/line_buffer.h"

#include <string.h>

#include "proto/limits.h"
#include "tests/daemon/suite.h"

static struct line_buffer lines;
static struct error err;

static void setup(void)
{
	line_buffer_init(&lines);
	error_clear(&err);
}

static void teardown(void)
{
	line_buffer_release(&lines);
}

static void feed(const char *bytes, size_t size)
{
	while (size > 0) {
		size_t room;
		char *data;

		ck_assert_int_eq(line_buffer_room(&lines, &data, &room, &err),
				 0);
		ck_assert_uint_gt(room, 0);
		if (room > size)
			room = size;
		memcpy(data, bytes, room);
		line_buffer_filled(&lines, room);
		bytes += room;
		size -= room;
	}
}

static void expect(const char *expected)
{
	const char *line;
	size_t length;

	ck_assert_int_eq(line_buffer_next(&lines, &line, &length, &err), 1);
	ck_assert_uint_eq(length, strlen(expected));
	ck_assert_mem_eq(line, expected, length);
}

static void expect_none(void)
{
	const char *line;
	size_t length;

	ck_assert_int_eq(line_buffer_next(&lines, &line, &length, &err), 0);
}

START_TEST(lines_come_out_of_any_cuts)
{
	static const char text[] = "one\n\ntwo\r\nthree\n";

	for (size_t cut = 0; cut < sizeof(text) - 1; cut++) {
		feed(text, cut);
		feed(text + cut, sizeof(text) - 1 - cut);
		expect("one");
		expect("");
		expect("two");
		expect("three");
		expect_none();
	}
}
END_TEST

START_TEST(a_part_waits_for_its_rest)
{
	feed("ab", 2);
	expect_none();
	feed("c", 1);
	expect_none();
	feed("\nd", 2);
	expect("abc");
	expect_none();
	feed("\n", 1);
	expect("d");
}
END_TEST

START_TEST(the_longest_line_passes)
{
	static char text[LIMIT_LINE + 2];
	const char *line;
	size_t length;

	memset(text, 'x', LIMIT_LINE);
	text[LIMIT_LINE] = '\n';
	feed(text, LIMIT_LINE + 1);
	ck_assert_int_eq(line_buffer_next(&lines, &line, &length, &err), 1);
	ck_assert_uint_eq(length, LIMIT_LINE);
	text[LIMIT_LINE] = 'x';
	text[LIMIT_LINE + 1] = '\n';
	feed(text, LIMIT_LINE + 2);
	ck_assert_int_eq(line_buffer_next(&lines, &line, &length, &err), -1);
	ck_assert_int_eq(err.code, ERROR_LIMIT);
}
END_TEST

START_TEST(a_line_without_end_is_refused)
{
	size_t fed = 0, room;
	char *data;

	while (!line_buffer_room(&lines, &data, &room, &err)) {
		memset(data, 'x', room);
		line_buffer_filled(&lines, room);
		fed += room;
		expect_none();
		ck_assert_uint_le(fed, LIMIT_LINE + 2);
	}
	ck_assert_int_eq(err.code, ERROR_LIMIT);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("line_buffer");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, lines_come_out_of_any_cuts);
	tcase_add_test(tests, a_part_waits_for_its_rest);
	tcase_add_test(tests, the_longest_line_passes);
	tcase_add_test(tests, a_line_without_end_is_refused);
	return suite_run("line_buffer", tests);
}
