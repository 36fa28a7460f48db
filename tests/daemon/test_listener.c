/* SPDX-License-Identifier: MIT */
/* listener, peer, config: who may start, where, and who may come in. */
#include "daemon/listener.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/peer.h"
#include "tests/daemon/suite.h"

static char root[64], dir[80], path[100];
static struct listener listener;
static struct error err;

static void setup(void)
{
	snprintf(root, sizeof(root), "/tmp/nopdb-test-listener.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(dir, sizeof(dir), "%s/dir", root);
	snprintf(path, sizeof(path), "%s/sock", dir);
	error_clear(&err);
}

static void teardown(void)
{
	unlink(path);
	rmdir(dir);
	rmdir(root);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(name, &st), 0);
	return st.st_mode & 07777;
}

START_TEST(makes_a_private_place_and_leaves_none)
{
	ck_assert_int_eq(listener_open(&listener, path, &err), 0);
	ck_assert_uint_eq(mode_of(dir), 0700);
	ck_assert_uint_eq(mode_of(path), 0600);
	listener_close(&listener);
	ck_assert_int_ne(access(path, F_OK), 0);
	/* The lock file, too: the directory is empty. */
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	ck_assert_int_eq(listener_open(&listener, path, &err), 0);
	listener_close(&listener);
}
END_TEST

START_TEST(a_served_path_is_busy)
{
	struct listener second;

	ck_assert_int_eq(listener_open(&listener, path, &err), 0);
	ck_assert_int_eq(listener_open(&second, path, &err), -1);
	ck_assert_int_eq(err.code, ERROR_BUSY);
	/* The loser took nothing from the winner. */
	ck_assert_int_eq(access(path, F_OK), 0);
	listener_close(&listener);
	ck_assert_int_eq(listener_open(&second, path, &err), 0);
	listener_close(&second);
}
END_TEST

START_TEST(other_files_are_left_alone)
{
	FILE *file;

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_assert_int_eq(listener_open(&listener, path, &err), -1);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(an_open_directory_is_refused)
{
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(chmod(dir, 0777), 0);
	ck_assert_int_eq(listener_open(&listener, path, &err), -1);
	ck_assert_int_eq(err.code, ERROR_NOT_PERMITTED);
	/* As /tmp: others can add, but not replace. */
	ck_assert_int_eq(chmod(dir, 01777), 0);
	ck_assert_int_eq(listener_open(&listener, path, &err), 0);
	listener_close(&listener);
}
END_TEST

START_TEST(a_foreign_directory_is_refused)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(chown(dir, 65534, 65534), 0);
	ck_assert_int_eq(listener_open(&listener, path, &err), -1);
	ck_assert_int_eq(err.code, ERROR_NOT_PERMITTED);
}
END_TEST

START_TEST(long_paths_are_refused)
{
	char text[300];

	snprintf(text, sizeof(text), "/tmp/%0200d", 0);
	ck_assert_int_eq(listener_open(&listener, text, &err), -1);
	ck_assert_int_eq(err.code, ERROR_USAGE);
	ck_assert_int_eq(listener_open(&listener, "", &err), -1);
}
END_TEST

START_TEST(peers_are_our_user_or_root)
{
	struct peer peer;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(peer_read(pair[0], &peer, &err), 0);
	ck_assert_uint_eq(peer.uid, geteuid());
	ck_assert_int_eq(peer.pid, getpid());
	peer.uid = 1000;
	ck_assert_int_eq(peer_permit(&peer, 1000, &err), 0);
	ck_assert_int_eq(peer_permit(&peer, 1001, &err), -1);
	ck_assert_int_eq(err.code, ERROR_NOT_PERMITTED);
	ck_assert_int_eq(peer_permit(&peer, 0, &err), -1);
	peer.uid = 0;
	ck_assert_int_eq(peer_permit(&peer, 1001, &err), 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

static int parse(struct config *config, const char *one, const char *two)
{
	char *argv[] = { (char *)"nopdbd", (char *)"--socket=/s", (char *)one,
			 (char *)two, NULL };

	error_clear(&err);
	return config_parse(config, one ? (two ? 4 : 3) : 2, argv, &err);
}

START_TEST(options_are_checked)
{
	struct config config;
	char *none[] = { (char *)"nopdbd", NULL };

	ck_assert_int_eq(parse(&config, NULL, NULL), 0);
	ck_assert_uint_eq(config.idle_s, 60);
	ck_assert(!config.foreground);
	ck_assert_int_eq(parse(&config, "--idle", "0"), 0);
	ck_assert_uint_eq(config.idle_s, 0);
	ck_assert_int_eq(parse(&config, "--idle", "-1"), -1);
	ck_assert_int_eq(parse(&config, "--idle", "1s"), -1);
	ck_assert_int_eq(parse(&config, "--idle", "99999999999999999999"), -1);
	ck_assert_int_eq(parse(&config, "--idle", NULL), -1);
	ck_assert_int_eq(parse(&config, "--wrong", NULL), -1);
	ck_assert_int_eq(err.code, ERROR_USAGE);
	ck_assert_ptr_nonnull(strstr(err.msg, "--wrong"));
	ck_assert_int_eq(parse(&config, "extra", NULL), -1);
	/* The socket may come from a service manager. */
	ck_assert_int_eq(config_parse(&config, 1, none, &err), 0);
	ck_assert_ptr_null(config.socket);
	ck_assert_int_eq(parse(&config, "--metrics", "/m"), 0);
	ck_assert_str_eq(config.metrics, "/m");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("listener");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, makes_a_private_place_and_leaves_none);
	tcase_add_test(tests, a_stale_socket_is_replaced);
	tcase_add_test(tests, a_served_path_is_busy);
	tcase_add_test(tests, other_files_are_left_alone);
	tcase_add_test(tests, an_open_directory_is_refused);
	tcase_add_test(tests, a_foreign_directory_is_refused);
	tcase_add_test(tests, long_paths_are_refused);
	tcase_add_test(tests, peers_are_our_user_or_root);
	tcase_add_test(tests, options_are_checked);
	return suite_run("listener", tests);
}
