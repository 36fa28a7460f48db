/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proto/redact.h"

static bool known(const char *name)
{
	return redact_known(name, strlen(name));
}

static bool hides(const struct redaction *redaction, const char *name)
{
	return redact_name(redaction, name, strlen(name), known(name));
}

START_TEST(test_table)
{
	ck_assert(known("password"));
	ck_assert(known("DB_Password2"));
	ck_assert(known("\"x-api-key\":"));
	ck_assert(known("Set-Cookie"));
	ck_assert(!known(""));
	ck_assert(!known("tokenizer"));
	ck_assert(!known("user"));
}
END_TEST

START_TEST(test_lists)
{
	struct redaction redaction = { .also = " Foo-Bar*, , x?z,type:a.B",
				       .except = "my_password" };

	ck_assert(hides(&redaction, "foobarbaz"));
	ck_assert(hides(&redaction, "XYZ"));
	ck_assert(!hides(&redaction, "xyyz"));
	ck_assert(!hides(&redaction, "typeab"));
	ck_assert(hides(&redaction, "password"));
	ck_assert(!hides(&redaction, "my-Password"));
	ck_assert(redact_has_types(&redaction));
	ck_assert(redact_type(&redaction, "a.B"));
	ck_assert(!redact_type(&redaction, "a.C"));
}
END_TEST

/* Every prefix of a text that gives something away, cut or not, in a block of
 * exactly its size. */
START_TEST(test_bounds)
{
	static const char text[] = "a: \"://u:p@ -----BEGIN PRIVATE KEY bearer "
				   "4111 1111-1111 1111 1 eyJ= =pin:=";
	struct redaction redaction = { .strict = 1 };

	for (size_t from = 0; from < sizeof text; from++) {
		for (size_t length = 0; from + length < sizeof text; length++) {
			char *copy = malloc(length + !length);

			memcpy(copy, text + from, length);
			redact_text(&redaction, copy, length, length & 1);
			redact_known(copy, length);
			free(copy);
		}
	}
	ck_assert_str_eq(redact_text(&redaction, "4111111111111111", 16, false),
			 "card");
	ck_assert_ptr_null(
		redact_text(&redaction, "4111111111111112", 16, false));
	ck_assert_str_eq(redact_text(&redaction, "41111111", 8, true), "card");
	ck_assert_ptr_null(redact_text(&redaction, "41111111", 8, false));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("redact");
	TCase *tcase = tcase_create("redact");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, test_table);
	tcase_add_test(tcase, test_lists);
	tcase_add_test(tcase, test_bounds);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
