/* SPDX-License-Identifier: MIT */
/* source, annotate: lines of files, whatever is at the path. */
#include "clients/cli/annotate.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT "one\n\n  \tthree \r\nf\xc3\xbcnf\xff\"quote\nlast"

static char folder[] = "/tmp/nopdb-source-XXXXXX";
static struct source source;

static const char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text, size_t length)
{
	int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, length), (ssize_t)length);
	close(fd);
}

static void setup(void)
{
	char pid[16];

	snprintf(folder, sizeof(folder), "/tmp/nopdb-source-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	put("a.py", TEXT, sizeof(TEXT) - 1);
	ck_assert_int_eq(chdir(folder), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	source_init(&source);
	source_of(&source, pid);
}

static void teardown(void)
{
	static const char *const names[] = { "a.py",  "pipe",  "link",
					     "link2", "large", "long" };

	source_release(&source);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	ck_assert_int_eq(rmdir(folder), 0);
}

static void check_line(const char *path, int64_t line, const char *expected)
{
	size_t length;
	const char *text = source_line(&source, path, line, &length);

	if (!expected) {
		ck_assert_ptr_null(text);
		return;
	}
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(length, strlen(expected));
	ck_assert_int_eq(memcmp(text, expected, length), 0);
}

START_TEST(lines_without_space_around)
{
	const char *path = in_folder("a.py");

	check_line(path, 1, "one");
	check_line(path, 2, "");
	check_line(path, 3, "three");
	check_line(path, 5, "last");
	check_line(path, 6, NULL);
	check_line(path, 0, NULL);
	check_line(path, -1, NULL);
	check_line(path, INT64_MAX, NULL);
	check_line("a.py", 1, "one");
	check_line("./a.py", 5, "last");
}
END_TEST

/* Nothing waits, nothing is opened that is no file, nothing is left. */
START_TEST(hostile_paths)
{
	char longer[2000];
	size_t length;

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(mkfifo(in_folder("pipe"), 0600), 0);
	ck_assert_int_eq(symlink("/etc/passwd", in_folder("link")), 0);
	check_line(in_folder("pipe"), 1, NULL);
	check_line("/dev/zero", 1, NULL);
	check_line("/dev/tty", 1, NULL);
	check_line(folder, 1, NULL);
	check_line("/proc/self/fd/0", 1, NULL);
	check_line("/nonexistent", 1, NULL);
	check_line("", 1, NULL);
	check_line(longer, 1, NULL);
	check_line("<string>", 1, NULL);
	/* Relative to the working directory, and not out of it. */
	check_line("link", 1, NULL);
	check_line("../../etc/passwd", 1, NULL);
	/* The program's root is ours. */
	ck_assert_ptr_nonnull(
		source_line(&source, in_folder("link"), 1, &length));
}
END_TEST

START_TEST(large_files_are_left_alone)
{
	int fd = open(in_folder("large"), O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(ftruncate(fd, (4 << 20) + 1), 0);
	close(fd);
	check_line(in_folder("large"), 1, NULL);
}
END_TEST

START_TEST(another_process_has_no_files)
{
	char target[64];

	snprintf(target, sizeof(target), "%d.1", (int)getpid());
	source_of(&source, target);
	check_line(in_folder("a.py"), 1, NULL);
	source_of(&source, "4194999.5");
	check_line(in_folder("a.py"), 1, NULL);
	source_of(&source, "evil/../1");
	check_line(in_folder("a.py"), 1, NULL);
	snprintf(target, sizeof(target), "%d", (int)getpid());
	source_of(&source, target);
	check_line(in_folder("a.py"), 1, "one");
}
END_TEST

START_TEST(records_get_the_text_of_their_lines)
{
	static const char form[] =
		"{\"event\":\"call\",\"target\":\"%d\",\"file\":\"a.py\","
		"\"line\":1,\"big\":12345678901234567890,\"s\":\"\\ud800\","
		"\"stack\":[{\"file\":\"a.py\",\"line\":3},{\"file\":\"no\","
		"\"line\":1}],\"awaiters\":[{\"file\":\"a.py\",\"line\":4}]}";
	static const char expected[] =
		"{\"event\":\"call\",\"target\":\"%d\",\"file\":\"a.py\","
		"\"line\":1,\"big\":12345678901234567890,\"s\":\"\\ud800\","
		"\"stack\":[{\"file\":\"a.py\",\"line\":3,"
		"\"source\":\"three\"},{\"file\":\"no\",\"line\":1}],"
		"\"awaiters\":[{\"file\":\"a.py\",\"line\":4,\"source\":"
		"\"f\xc3\xbcnf\xef\xbf\xbd\\\"quote\"}],\"source\":\"one\"}";
	char before[512], after[512];
	struct text text = TEXT_INIT;
	struct view view;

	snprintf(before, sizeof(before), form, (int)getpid());
	snprintf(after, sizeof(after), expected, (int)getpid());
	view = annotate_record(&text, view_of(before, strlen(before)), &source);
	ck_assert_uint_eq(view.length, strlen(after));
	ck_assert_int_eq(memcmp(view.text, after, view.length), 0);
	text_release(&text);
}
END_TEST

START_TEST(long_lines_are_cut_between_characters)
{
	char line[402], record[512];
	struct text text = TEXT_INIT;
	struct view view;

	line[0] = 'a';
	for (size_t i = 1; i < sizeof(line) - 1; i += 2)
		memcpy(line + i, "\xc3\xbc", 2);
	put("long", line, sizeof(line) - 1);
	snprintf(record, sizeof(record),
		 "{\"target\":\"%d\",\"file\":\"long\",\"line\":1}",
		 (int)getpid());
	view = annotate_record(&text, view_of(record, strlen(record)), &source);
	view = view_member(view, "source");
	ck_assert_uint_eq(view.length, 2 + 199);
	ck_assert_int_eq(memcmp(view.text + 1, line, 199), 0);
	text_release(&text);
}
END_TEST

START_TEST(broken_records_are_harmless)
{
	static const char *const broken[] = {
		"{}",
		"{\"file\":1}",
		"{\"file\":\"a.py\",\"stack\":7}",
		"{\"file\":\"a.py\",\"stack\":[1,[],null]}",
		"{\"file\":\"\\u0000a.py\",\"line\":1}",
		"{\"file\":\"a.py\",\"line\":1e400,\"target\":{}}"
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct text text = TEXT_INIT;
		struct view view = annotate_record(
			&text, view_of(broken[i], strlen(broken[i])), &source);

		ck_assert_uint_eq(view.length, strlen(broken[i]));
		ck_assert_int_eq(memcmp(view.text, broken[i], view.length), 0);
		text_release(&text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("source");
	TCase *tcase = tcase_create("source");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, lines_without_space_around);
	tcase_add_test(tcase, hostile_paths);
	tcase_add_test(tcase, large_files_are_left_alone);
	tcase_add_test(tcase, another_process_has_no_files);
	tcase_add_test(tcase, records_get_the_text_of_their_lines);
	tcase_add_test(tcase, long_lines_are_cut_between_characters);
	tcase_add_test(tcase, broken_records_are_harmless);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
