/* SPDX-License-Identifier: MIT */
/* http, counters: what a scraper may ask, and what it is told. */
#include "daemon/http.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/counters.h"
#include "tests/daemon/suite.h"

static enum http_status parse(const char *head, bool *ret_bodiless)
{
	return http_parse(head, strlen(head), "/metrics", ret_bodiless);
}

START_TEST(requests_are_taken_or_refused)
{
	static const struct {
		const char *head;
		enum http_status status;
		bool bodiless;
	} cases[] = {
		{ "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", HTTP_OK, false },
		{ "GET /metrics HTTP/1.0\n\n", HTTP_OK, false },
		{ "HEAD /metrics?a=b HTTP/1.1\r\n\r\n", HTTP_OK, true },
		{ "GET / HTTP/1.1\r\n\r\n", HTTP_NOT_FOUND, false },
		{ "GET /metrics2 HTTP/1.1\r\n\r\n", HTTP_NOT_FOUND, false },
		{ "GET  HTTP/1.1\r\n\r\n", HTTP_BAD_REQUEST, false },
		{ "POST /metrics HTTP/1.1\r\n\r\n", HTTP_BAD_METHOD, false },
		{ "get /metrics HTTP/1.1\r\n\r\n", HTTP_BAD_METHOD, false },
		{ "GET /metrics HTTP/2\r\n\r\n", HTTP_BAD_REQUEST, false },
		{ "GET /metrics\r\n\r\n", HTTP_BAD_REQUEST, false },
		{ "GET /metrics HTTP/1.1 x\r\n\r\n", HTTP_BAD_REQUEST, false },
		{ "\r\n\r\n", HTTP_BAD_REQUEST, false },
		{ "\n\n", HTTP_BAD_REQUEST, false },
		{ "no line at all", HTTP_BAD_REQUEST, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool bodiless;

		ck_assert_msg(parse(cases[i].head, &bodiless) ==
				      cases[i].status,
			      "%s", cases[i].head);
		ck_assert_msg(bodiless == cases[i].bodiless, "%s",
			      cases[i].head);
	}
}
END_TEST

START_TEST(a_head_ends_with_an_empty_line)
{
	ck_assert(http_complete("GET / HTTP/1.0\r\n\r\n", 18));
	ck_assert(!http_complete("GET / HTTP/1.0\r\n\r\n", 17));
	ck_assert(http_complete("GET / HTTP/1.0\n\n", 16));
	ck_assert(!http_complete("", 0));
	ck_assert(!http_complete("a\nb\n", 4));
}
END_TEST

START_TEST(answers_carry_their_length)
{
	size_t length;
	char *text = http_answer(HTTP_OK, "abc\n", 4, false, &length);

	ck_assert_uint_eq(length, strlen(text));
	ck_assert_ptr_nonnull(strstr(text, "HTTP/1.0 200 OK\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "Content-Length: 4\r\n"));
	ck_assert_str_eq(strstr(text, "\r\n\r\n"), "\r\n\r\nabc\n");
	free(text);
	text = http_answer(HTTP_OK, "abc\n", 4, true, &length);
	ck_assert_ptr_nonnull(strstr(text, "Content-Length: 4\r\n"));
	ck_assert_str_eq(strstr(text, "\r\n\r\n"), "\r\n\r\n");
	free(text);
	text = http_answer(HTTP_BAD_METHOD, NULL, 0, false, &length);
	ck_assert_ptr_nonnull(strstr(text, "Allow: GET, HEAD\r\n"));
	free(text);
}
END_TEST

START_TEST(pauses_fall_into_classes)
{
	struct counters counters = { 0 };

	counters_attached(&counters, 0);
	counters_attached(&counters, 100);
	counters_attached(&counters, 101);
	counters_attached(&counters, 1000001);
	ck_assert_uint_eq(counters.pauses[0], 2);
	ck_assert_uint_eq(counters.pauses[1], 1);
	ck_assert_uint_eq(counters.pauses[COUNTERS_PAUSES], 1);
	ck_assert_uint_eq(counters.pause_sum_us, 1000202);
	ck_assert_uint_eq(counters.attaches, 4);
	/* Codes that are none are not counted, nor written anywhere. */
	counters_failure(&counters, (enum error_code)4711);
	counters_not_attached(&counters, (enum error_code) - 1);
	counters_not_attached(&counters, ERROR_BUSY);
	ck_assert_uint_eq(counters.not_attached[ERROR_BUSY], 1);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("http");

	tcase_add_test(tests, requests_are_taken_or_refused);
	tcase_add_test(tests, a_head_ends_with_an_empty_line);
	tcase_add_test(tests, answers_carry_their_length);
	tcase_add_test(tests, pauses_fall_into_classes);
	return suite_run("http", tests);
}
