/* SPDX-License-Identifier: MIT */
/* value and render: a record as people read it. */
#include "clients/cli/render.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/cli/value.h"

static const struct {
	const char *json;
	const char *shown;
} values[] = {
	{ "null", "None" },
	{ "true", "True" },
	{ "1.0", "1.0" },
	{ "9007199254740993", "9007199254740993" },
	{ "\"it's\"", "'it\\'s'" },
	{ "\"a\\u0000b\\ud800\"", "'a\\x00b\\ud800'" },
	{ "\"\\u001b[31m\"", "'\\x1b[31m'" },
	{ "[1,[2,\"x\"],[]]", "[1, [2, 'x'], []]" },
	{ "{\"a\":1,\"b\":{}}", "{'a': 1, 'b': {}}" },
	{ "{\"$type\":\"tuple\",\"$items\":[]}", "()" },
	{ "{\"$type\":\"tuple\",\"$items\":[1]}", "(1,)" },
	{ "{\"$type\":\"tuple\",\"$items\":[1,2]}", "(1, 2)" },
	{ "{\"$type\":\"set\",\"$items\":[]}", "set()" },
	{ "{\"$type\":\"set\",\"$items\":[1]}", "{1}" },
	{ "{\"$type\":\"frozenset\",\"$items\":[1]}", "frozenset({1})" },
	{ "{\"$type\":\"list\",\"$items\":[1],\"$truncated\":true,\"$len\":9}",
	  "[1, ...]" },
	{ "{\"$type\":\"str\",\"$value\":\"ab\",\"$truncated\":true,"
	  "\"$len\":9}",
	  "'ab'..." },
	{ "{\"$type\":\"int\",\"$repr\":\"123456789012345678901\"}",
	  "123456789012345678901" },
	{ "{\"$type\":\"float\",\"$repr\":\"nan\"}", "nan" },
	{ "{\"$type\":\"dict\",\"$pairs\":[[1,2],[\"$a\",[]]]}",
	  "{1: 2, '$a': []}" },
	{ "{\"$type\":\"bytes\",\"$base64\":\"AGEnXP8=\"}",
	  "b'\\x00a\\'\\\\\\xff'" },
	{ "{\"$type\":\"bytearray\",\"$base64\":\"eA==\"}", "bytearray(b'x')" },
	{ "{\"$type\":\"app.User\",\"$id\":\"0x7f\"}", "<app.User 0x7f>" },
	{ "{\"$type\":\"app.User\",\"$id\":\"0x7f\",\"$attrs\":{\"a\":1}}",
	  "<app.User a=1>" },
	{ "{\"$type\":\"str\",\"$redacted\":\"name\"}", "<redacted>" },
	{ "{\"$type\":\"a.N\",\"$id\":\"0x7f\",\"$items\":{\"a\":1}}",
	  "a.N({'a': 1})" },
	{ "{\"$type\":\"a.N\",\"$id\":\"0x7f\",\"$pairs\":[[1,2]]}",
	  "a.N({1: 2})" },
	{ "{\"$type\":\"a.E\",\"$id\":\"0x7f\",\"$name\":\"A\",\"$value\":1}",
	  "a.E(1)" },
	{ "{\"$type\":\"datetime.date\",\"$id\":\"0x7f\",\"$iso\":\"2024\"}",
	  "datetime.date(2024)" },
	{ "{\"$type\":\"dict\",\"$items\":{\"a\":1},\"$truncated\":true,"
	  "\"$len\":9}",
	  "{'a': 1, ...}" },
	{ "{\"$type\":\"list\",\"$truncated\":true,\"$len\":9}", "[...]" },
	{ "{\"$type\":\"dict\",\"$truncated\":true,\"$len\":9}", "{...}" },
	{ "{\"$type\":\"tuple\",\"$truncated\":true,\"$len\":9}", "(...)" },
	{ "{\"$type\":\"range\",\"$start\":0,\"$stop\":9,\"$step\":1}",
	  "range(0, 9, 1)" },
	{ "{\"$type\":\"int\",\"$bits\":99999,\"$truncated\":true}",
	  "int<99999 bits>" },
	{ "{\"$type\":\"ellipsis\"}", "Ellipsis" },
	{ "{\"$ref\":\"0x7f\"}", "<cycle 0x7f>" },
};

START_TEST(values_as_python)
{
	struct text text = TEXT_INIT;

	value_render(&text, view_of(values[_i].json, strlen(values[_i].json)));
	ck_assert_str_eq(text_string(&text), values[_i].shown);
	text_release(&text);
}
END_TEST

START_TEST(deep_values_end)
{
	static char deep[100001];
	struct text text = TEXT_INIT;

	memset(deep, '[', 50000);
	memset(deep + 50000, ']', 50000);
	value_render(&text, view_of(deep, 100000));
	ck_assert_ptr_ne(strstr(text_string(&text), "..."), NULL);
	text_release(&text);
}
END_TEST

#define HEAD                                                            \
	"{\"v\":1,\"event\":\"call\",\"pid\":5,\"probe\":3,\"seq\":1,"  \
	"\"time\":1.25,\"thread\":{\"id\":5,\"name\":\"Main\\u001b\"}," \
	"\"function\":\"m:f\",\"file\":\"/m.py\",\"line\":1,"

static const struct {
	const char *body;
	struct render how;
	const char *shown;
} records[] = {
	{ "\"args\":{\"x\":1,\"y\":1},\"locals\":{\"x\":1,\"y\":1,\"z\":2},"
	  "\"return\":4,\"duration_ns\":1250000}",
	  { .columns = 0 },
	  "00:00:01.250 m:f(x=1, y=1) -> 4  1.25 ms  Main\\x1b\n"
	  "    z=2\n" },
	{ "\"args\":{},\"exception\":{\"type\":\"ValueError\","
	  "\"message\":\"no\\n\"},\"duration_ns\":7}",
	  { .probe = true },
	  "00:00:01.250 #3 m:f() !ValueError: no\\n  7 ns  Main\\x1b\n" },
	{ "\"exception\":{\"type\":\"E\",\"message\":\"\"}}",
	  { .columns = 0 },
	  "00:00:01.250 m:f(...) !E  Main\\x1b\n" },
	{ "\"began\":\"before\",\"locals\":{\"i\":1},\"return\":null}",
	  { .columns = 0 },
	  "00:00:01.250 m:f(began before) -> None  Main\\x1b\n    i=1\n" },
	{ "\"args\":{\"x\":1},\"locals\":{\"x\":2},\"return\":null,"
	  "\"stack\":[{\"function\":\"m:g\",\"file\":\"/g.py\",\"line\":2},"
	  "{\"function\":\"m:f\",\"file\":\"/m.py\",\"line\":1}]}",
	  { .stack = true },
	  "00:00:01.250 m:f(x=1) -> None  Main\\x1b\n    x=2\n"
	  "    in m:g  /g.py:2\n    in m:f  /m.py:1\n" },
	{ "\"return\":null,\"stack\":[{\"function\":\"m:f\","
	  "\"file\":\"/m.py\",\"line\":1,\"source\":\"x = 'a\\u001b'\"}]}",
	  { .stack = true },
	  "00:00:01.250 m:f(...) -> None  Main\\x1b\n"
	  "    in m:f  /m.py:1\n        x = 'a\\x1b'\n" },
	{ "\"args\":{\"text\":\"0123456789012345678901234567890123456789\"},"
	  "\"return\":\"01234567890123456789012345678901234567890123\","
	  "\"duration_ns\":7}",
	  { .columns = 72 },
	  "00:00:01.250 m:f(text='0123456789... -> '012345678901...  7 ns  "
	  "Main\\x1b\n" },
};

START_TEST(records_as_lines)
{
	struct text json = TEXT_INIT;
	struct text text = TEXT_INIT;

	text_addf(&json, "%s%s", HEAD, records[_i].body);
	render_record(&text, view_of(json.data, json.length), &records[_i].how);
	ck_assert_str_eq(text_string(&text), records[_i].shown);
	text_release(&json);
	text_release(&text);
}
END_TEST

static const struct {
	const char *json;
	const char *shown;
} events[] = {
	{ "{\"event\":\"attached\",\"pid\":5,\"python\":\"3.11.2\","
	  "\"pause_us\":158}",
	  "attached to 5: Python 3.11.2, one thread paused for 158 us" },
	{ "{\"event\":\"probe\",\"probe\":2,\"state\":\"pending\"}",
	  "probe 2 pending" },
	{ "{\"event\":\"probe\",\"probe\":2,\"state\":\"armed\","
	  "\"locations\":[{\"function\":\"m:f\",\"file\":\"m.py\",\"line\":3}]"
	  "}",
	  "probe 2 armed: m:f (m.py:3)" },
	{ "{\"event\":\"probe\",\"probe\":2,\"state\":\"disabled\","
	  "\"reason\":\"hits\"}",
	  "probe 2 disabled: hits" },
	{ "{\"event\":\"probe\",\"probe\":2,\"state\":\"armed\","
	  "\"locations\":[],\"interpreters\":[{\"id\":0,\"watched\":true},"
	  "{\"watched\":false,\"reason\":\"why\"}]}",
	  "probe 2 armed; not in every interpreter: why" },
	{ "{\"event\":\"lost\",\"count\":3,\"reason\":\"ring\"}",
	  "3 records lost: ring" },
	{ "{\"event\":\"target_exit\",\"pid\":5}", "process 5 ended" },
};

START_TEST(events_in_words)
{
	struct text text = TEXT_INIT;

	ck_assert(render_event(
		&text, view_of(events[_i].json, strlen(events[_i].json))));
	ck_assert_str_eq(text_string(&text), events[_i].shown);
	text_release(&text);
}
END_TEST

START_TEST(yields_as_lines)
{
	static const char json[] =
		"{\"event\":\"yield\",\"time\":1.25,\"thread\":{\"id\":5,"
		"\"name\":\"T\"},\"function\":\"m:f\",\"line\":7,"
		"\"value\":[1,\"a\"],\"suspensions\":3}";
	struct text text = TEXT_INIT;
	struct render how = { .probe = false };

	render_record(&text, view_of(json, sizeof(json) - 1), &how);
	ck_assert_str_eq(text_string(&text),
			 "00:00:01.250 m:f:7 yields [1, 'a']  T\n");
	text_release(&text);
}
END_TEST

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))

int main(void)
{
	Suite *suite = suite_create("render");
	TCase *tcase = tcase_create("render");
	SRunner *runner = srunner_create(suite);
	int failed;

	setenv("TZ", "UTC", 1);
	tzset();
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, values_as_python, 0, COUNT(values));
	tcase_add_test(tcase, deep_values_end);
	tcase_add_loop_test(tcase, records_as_lines, 0, COUNT(records));
	tcase_add_test(tcase, yields_as_lines);
	tcase_add_loop_test(tcase, events_in_words, 0, COUNT(events));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
