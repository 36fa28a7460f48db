/* SPDX-License-Identifier: MIT */
/* version: from the text of Py_GetVersion(), and from names of files. */
#include "injector/target/version.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	uint32_t version;
} texts[] = {
	{ "3.9.18 (main, Jan  1 2024, 00:00:00) \n[GCC 12.2.0]", 0x030912 },
	{ "3.10.13+ (heads/x:1, Jan 1 2024, 0:0:0) \n[Clang 15]", 0x030a0d },
	{ "3.10.13 (main, Jan  1 2024, 00:00:00) [GCC 12.2.0]", 0x030a0d },
	{ "3.14.0rc1 (main, Jan 1 2024, 00:00:00) \n[GCC 12]", 0x030e00 },
	{ "pi is 3.14159 (about) 3.8.1 (x) \n[", 0x030801 },
	{ "3.9.18 (main, Jan  1 2024, 00:00:00)", 0 },
	{ "3.9 (main) \n[GCC]", 0 },
	{ "3.", 0 },
	{ "3.9.", 0 },
	{ "3.9999.1 (x) \n[", 0 },
	{ "", 0 },
};

static const struct {
	const char *path;
	uint32_t version;
} paths[] = {
	{ "/usr/lib/libpython3.9.so.1.0", 0x030900 },
	{ "/usr/bin/python3.11", 0x030b00 },
	{ "/opt/python3.7/bin/app", 0 },
	{ "/opt/libpython3.13t.so.1.0", 0x030d00 },
	{ "/usr/bin/python3", 0 },
	{ "python3.", 0 },
	{ "", 0 },
};

START_TEST(in_text)
{
	ck_assert_uint_eq(
		version_in_text(texts[_i].text, strlen(texts[_i].text)),
		texts[_i].version);
}
END_TEST

START_TEST(in_path)
{
	ck_assert_uint_eq(version_in_path(paths[_i].path), paths[_i].version);
}
END_TEST

START_TEST(supported)
{
	ck_assert(!version_supported(0));
	ck_assert(!version_supported(0x03060f));
	ck_assert(version_supported(0x030700));
	ck_assert(version_supported(0x030f01));
	ck_assert(!version_supported(0x031000));
	ck_assert_uint_eq(version_minor(0x030b02), 11);
	ck_assert_uint_eq(version_micro(0x030b02), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("version");
	TCase *tcase = tcase_create("version");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, in_text, 0,
			    sizeof(texts) / sizeof(texts[0]));
	tcase_add_loop_test(tcase, in_path, 0,
			    sizeof(paths) / sizeof(paths[0]));
	tcase_add_test(tcase, supported);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
