/* SPDX-License-Identifier: MIT */
/* view: JSON read in place, whole or broken. */
#include "clients/cli/view.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct view of(const char *text)
{
	return view_of(text, strlen(text));
}

static const char record[] =
	" {\"a\": 1, \"b\" :\"x\\\"}]\", \"c\":[1,{\"d\":[]},3 ],"
	"\"big\":12345678901234567890, \"f\":1.0, \"t\":true, \"n\":null} ";

START_TEST(members)
{
	struct view v = of(record);

	ck_assert_int_eq(view_kind(v), VIEW_OBJECT);
	ck_assert_int_eq(view_int(view_member(v, "a"), -1), 1);
	ck_assert_int_eq(view_kind(view_member(v, "b")), VIEW_STRING);
	ck_assert_uint_eq(view_count(view_member(v, "c")), 3);
	ck_assert_int_eq(view_int(view_member(v, "big"), -1), -1);
	ck_assert_int_eq(view_int(view_member(v, "f"), -1), -1);
	ck_assert(view_double(view_member(v, "f"), -1) == 1.0);
	ck_assert(view_true(view_member(v, "t")));
	ck_assert_int_eq(view_kind(view_member(v, "n")), VIEW_NULL);
	ck_assert_int_eq(view_kind(view_member(v, "none")), VIEW_NONE);
	ck_assert_int_eq(view_kind(view_member(view_member(v, "a"), "x")),
			 VIEW_NONE);
	ck_assert_uint_eq(view_count(v), 7);
}
END_TEST

static const struct {
	const char *json;
	uint32_t chars[6];
} strings[] = {
	{ "\"ab\"", { 'a', 'b' } },
	{ "\"\\u0041\\n\\\"\\/\"", { 'A', '\n', '"', '/' } },
	{ "\"\xc3\xa9\xe6\xbc\xa2\"", { 0xe9, 0x6f22 } },
	{ "\"\\ud83d\\ude00\"", { 0x1f600 } },
	{ "\"\xf0\x9f\x98\x80\"", { 0x1f600 } },
	{ "\"\\ud83d\"", { 0xd83d } },
	{ "\"\\ud83dx\"", { 0xd83d, 'x' } },
	{ "\"\\ude00\\ud83d\"", { 0xde00, 0xd83d } },
	{ "\"\\u12\"", { 0xfffd, '1', '2' } },
	{ "\"\xff\"", { 0xfffd } },
};

START_TEST(characters)
{
	struct view_chars chars = view_chars(of(strings[_i].json));
	uint32_t c;
	size_t n = 0;

	while (view_char(&chars, &c))
		ck_assert_uint_eq(c, strings[_i].chars[n++]);
	ck_assert_uint_eq(strings[_i].chars[n], 0);
}
END_TEST

START_TEST(a_nul_is_a_character)
{
	struct view_chars chars = view_chars(of("\"\\u0000\""));
	uint32_t c = 1;

	ck_assert(view_char(&chars, &c));
	ck_assert_uint_eq(c, 0);
	ck_assert(!view_char(&chars, &c));
}
END_TEST

static const char *const broken[] = {
	"",	"{",	     "[",	"\"",	    "\"\\", "{\"a",  "{\"a\"",
	"}",	"]",	     ",",	":",	    "{]",   "[[[[",  "{\"a\":",
	"[1,",	"{1:2}",     "{\"a\"}", "{\"a\":}", "[,]",  "[}",    "{\"a\":1",
	"[\"x", "{\"a\" 1}", "\"\\u",	"-",	    "[-",   "[1 2]",
};

/* Walks all that can be reached; returns how much that was. */
static size_t visit(struct view v, unsigned depth)
{
	struct view_walk walk = view_walk(v);
	struct view_chars chars = view_chars(v);
	struct view key;
	struct view value;
	size_t seen = 0;
	uint32_t c;

	while (view_char(&chars, &c))
		seen++;
	while (depth < 20 && view_next(&walk, &key, &value))
		seen += 1 + visit(key, depth + 1) + visit(value, depth + 1);
	return seen + (view_int(v, 0) != 0);
}

/* On the heap, so that the sanitizers see one byte too many. */
static void visit_copy(const char *text, size_t length)
{
	char *copy = malloc(length ? length : 1);

	memcpy(copy, text, length);
	visit(view_of(copy, length), 0);
	free(copy);
}

START_TEST(broken_text_is_harmless)
{
	visit_copy(broken[_i], strlen(broken[_i]));
}
END_TEST

START_TEST(every_prefix_and_every_flipped_byte)
{
	char text[sizeof(record)];

	for (size_t n = 0; n < sizeof(record); n++)
		visit_copy(record, n);
	for (size_t i = 0; i + 1 < sizeof(record); i++) {
		for (unsigned byte = 0; byte < 256; byte += 3) {
			memcpy(text, record, sizeof(record));
			text[i] = (char)byte;
			visit_copy(text, sizeof(record) - 1);
		}
	}
}
END_TEST

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))

int main(void)
{
	Suite *suite = suite_create("view");
	TCase *tcase = tcase_create("view");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, members);
	tcase_add_loop_test(tcase, characters, 0, COUNT(strings));
	tcase_add_test(tcase, a_nul_is_a_character);
	tcase_add_loop_test(tcase, broken_text_is_harmless, 0, COUNT(broken));
	tcase_add_test(tcase, every_prefix_and_every_flipped_byte);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
