/* SPDX-License-Identifier: MIT */
/* audit_sink: files that do not grow, lines that are whole, trouble that is
 * counted. */
#include "daemon/audit_sink.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/daemon/suite.h"

#define MOST 1000

static char root[64], path[100];
static struct audit_sink sink;
static struct error err;

static void setup(void)
{
	snprintf(root, sizeof(root), "/tmp/nopdb-test-audit.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/audit", root);
	error_clear(&err);
	signal(SIGXFSZ, SIG_IGN);
}

static void teardown(void)
{
	char name[128];

	audit_sink_close(&sink);
	for (int i = 0; i <= AUDIT_KEPT + 1; i++) {
		snprintf(name, sizeof(name), i ? "%s.%d" : "%s", path, i);
		unlink(name);
	}
	rmdir(root);
}

static void open_sink(void)
{
	ck_assert_msg(!audit_sink_open(&sink, path, MOST, &err), "%s", err.msg);
}

static bool put(const char *line)
{
	return audit_sink_write(&sink, line, strlen(line), false);
}

static off_t size_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) ? -1 : st.st_size;
}

static char *content(const char *name)
{
	static char text[8192];
	int fd = open(name, O_RDONLY);
	ssize_t got = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return text;
}

START_TEST(lines_are_appended_to_a_private_file)
{
	struct stat st;

	open_sink();
	ck_assert(put("{\"a\":1}\n"));
	audit_sink_close(&sink);
	open_sink();
	ck_assert(put("{\"b\":2}\n"));
	ck_assert_str_eq(content(path), "{\"a\":1}\n{\"b\":2}\n");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(full_files_are_kept_up_to_a_number)
{
	char line[101], name[128];

	memset(line, 'x', sizeof(line));
	line[99] = '\n';
	line[100] = '\0';
	open_sink();
	for (int i = 0; i < 10 * (AUDIT_KEPT + 3); i++) {
		line[0] = (char)('a' + i / 10);
		ck_assert(put(line));
		ck_assert_int_le(size_of(path), MOST);
	}
	for (int i = 1; i <= AUDIT_KEPT; i++) {
		snprintf(name, sizeof(name), "%s.%d", path, i);
		ck_assert_int_eq(size_of(name), MOST);
		/* In order: the newest first. */
		ck_assert_int_eq(content(name)[0], 'a' + AUDIT_KEPT + 2 - i);
	}
	snprintf(name, sizeof(name), "%s.%d", path, AUDIT_KEPT + 1);
	ck_assert_int_eq(size_of(name), -1);
	ck_assert_uint_eq(sink.lost, 0);
}
END_TEST

START_TEST(a_full_disk_costs_whole_lines)
{
	struct rlimit before, tight = { 20, 20 };

	open_sink();
	ck_assert(put("0123456789\n"));
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight.rlim_max = before.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
	/* The first fits in part, the second not at all. */
	ck_assert(!put("abcdefghij\n"));
	ck_assert(put("01234567\n"));
	ck_assert(!put("more\n"));
	ck_assert_uint_eq(sink.lost, 2);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert(put("again\n"));
	ck_assert_str_eq(content(path), "0123456789\n01234567\nagain\n");
}
END_TEST

START_TEST(a_moved_file_is_left_when_told)
{
	char moved[128];

	open_sink();
	ck_assert(put("one\n"));
	snprintf(moved, sizeof(moved), "%s.1", path);
	ck_assert_int_eq(rename(path, moved), 0);
	ck_assert(put("two\n"));
	ck_assert_int_eq(audit_sink_reopen(&sink, &err), 0);
	ck_assert(put("three\n"));
	ck_assert_str_eq(content(moved), "one\ntwo\n");
	ck_assert_str_eq(content(path), "three\n");
	/* One that was removed comes back by itself. */
	unlink(path);
	ck_assert(put("four\n"));
	ck_assert_str_eq(content(path), "four\n");
}
END_TEST

START_TEST(what_others_could_write_is_refused)
{
	char other[128];

	snprintf(other, sizeof(other), "%s.1", path);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_int_eq(audit_sink_open(&sink, path, MOST, &err), -1);
	ck_assert_int_eq(err.code, ERROR_NOT_PERMITTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "symbolic link"));
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(audit_sink_open(&sink, path, MOST, &err), -1);
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(link(path, other), 0);
	ck_assert_int_eq(audit_sink_open(&sink, path, MOST, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "other names"));
	unlink(other);
	ck_assert_int_eq(chmod(path, 0620), 0);
	ck_assert_int_eq(audit_sink_open(&sink, path, MOST, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "others may write to it"));
	ck_assert_int_eq(chmod(path, 0600), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(path, 61101, 0), 0);
		ck_assert_int_eq(audit_sink_open(&sink, path, MOST, &err), -1);
		ck_assert_ptr_nonnull(strstr(err.msg, "another user"));
	}
	unlink(path);
	ck_assert_int_eq(chmod(root, 01777), 0);
	ck_assert_int_eq(audit_sink_open(&sink, path, MOST, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.msg, "folder"));
	ck_assert_ptr_nonnull(strstr(err.msg, path));
}
END_TEST

START_TEST(a_swapped_file_is_not_followed)
{
	open_sink();
	ck_assert(put("one\n"));
	unlink(path);
	ck_assert_int_eq(symlink("/tmp/nopdb-test-nowhere", path), 0);
	ck_assert_int_eq(audit_sink_reopen(&sink, &err), -1);
	ck_assert(!put("two\n"));
	ck_assert_uint_eq(sink.lost, 1);
	ck_assert_int_eq(access("/tmp/nopdb-test-nowhere", F_OK), -1);
}
END_TEST

static int listen_syslog(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	return fd;
}

START_TEST(syslog_gets_lines_and_may_restart)
{
	char where[128], text[256] = "", head[64];
	int fd = -1;

	snprintf(where, sizeof(where), "syslog:%s", path);
	ck_assert_int_eq(audit_sink_open(&sink, where, MOST, &err), 0);
	ck_assert(!put("nobody is there\n"));
	ck_assert_uint_eq(sink.lost, 1);
	for (int i = 0; i < 2; i++) {
		fd = listen_syslog();
		ck_assert(put("{\"a\":1}\n"));
		ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
		snprintf(head, sizeof(head), "<86>nopdbd[%d]: {\"a\":1}",
			 (int)getpid());
		ck_assert_str_eq(text, head);
		close(fd);
		unlink(path);
		memset(text, 0, sizeof(text));
	}
	ck_assert_uint_eq(sink.lost, 1);
}
END_TEST

START_TEST(a_syslog_that_does_not_read_holds_nobody_up)
{
	char where[128];
	int fd = listen_syslog();
	bool lost = false;

	snprintf(where, sizeof(where), "syslog:%s", path);
	ck_assert_int_eq(audit_sink_open(&sink, where, MOST, &err), 0);
	for (int i = 0; i < 10000 && !lost; i++)
		lost = !put("{\"a\":1}\n");
	ck_assert(lost);
	ck_assert_uint_eq(sink.lost, 1);
	close(fd);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("audit_sink");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, lines_are_appended_to_a_private_file);
	tcase_add_test(tests, full_files_are_kept_up_to_a_number);
	tcase_add_test(tests, a_full_disk_costs_whole_lines);
	tcase_add_test(tests, a_moved_file_is_left_when_told);
	tcase_add_test(tests, what_others_could_write_is_refused);
	tcase_add_test(tests, a_swapped_file_is_not_followed);
	tcase_add_test(tests, syslog_gets_lines_and_may_restart);
	tcase_add_test(tests, a_syslog_that_does_not_read_holds_nobody_up);
	return suite_run("audit_sink", tests);
}
