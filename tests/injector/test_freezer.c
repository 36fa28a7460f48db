/* SPDX-License-Identifier: MIT */
/* freezer: the files that tell a process's control group and its mount. */
#include "injector/target/freezer.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char groups[] = "11:cpu,cpuacct:/no\n"
			     "9:freezer:/docker/ab:cd\n"
			     "8:name=freezer:/no\n"
			     "0::/system.slice/shop.service\n";
static const char mounts[] =
	"24 1 8:1 / / rw - ext4 /dev/vda rw\n"
	"30 24 0:26 / /sys/fs/cgroup/x\\040y ro shared:1 master:2 - cgroup2 "
	"cgroup2 rw\n"
	"31 24 0:27 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
	"32 24 0:28 /docker /cg/freezer rw - cgroup cgroup rw,freezer\n";

START_TEST(group_of_a_process)
{
	char group[FREEZER_PATH];

	ck_assert(
		freezer_parse_group(groups, FREEZER_V1, group, sizeof(group)));
	ck_assert_str_eq(group, "/docker/ab:cd");
	ck_assert(
		freezer_parse_group(groups, FREEZER_V2, group, sizeof(group)));
	ck_assert_str_eq(group, "/system.slice/shop.service");
	ck_assert(!freezer_parse_group("9:cpu:/a\n", FREEZER_V1, group,
				       sizeof(group)));
	ck_assert(!freezer_parse_group("", FREEZER_V2, group, sizeof(group)));
	ck_assert(!freezer_parse_group("0:\n::\n:", FREEZER_V2, group,
				       sizeof(group)));
	/* What does not fit is not cut to the name of another group. */
	ck_assert(!freezer_parse_group(groups, FREEZER_V2, group, 8));
}
END_TEST

START_TEST(mount_of_a_hierarchy)
{
	char point[FREEZER_PATH], root[FREEZER_PATH];

	ck_assert(freezer_parse_mount(mounts, FREEZER_V2, point, root));
	ck_assert_str_eq(point, "/sys/fs/cgroup/x y");
	ck_assert_str_eq(root, "/");
	ck_assert(freezer_parse_mount(mounts, FREEZER_V1, point, root));
	ck_assert_str_eq(point, "/cg/freezer");
	ck_assert_str_eq(root, "/docker");
	ck_assert(!freezer_parse_mount("1 2 3\n- cgroup2\n\n", FREEZER_V2,
				       point, root));
	ck_assert(!freezer_parse_mount("", FREEZER_V1, point, root));
}
END_TEST

START_TEST(folder_of_a_group)
{
	char folder[64];

	ck_assert(freezer_folder("/a/b", "/cg", "/", folder, sizeof(folder)));
	ck_assert_str_eq(folder, "/cg/a/b");
	ck_assert(freezer_folder("/a/b", "/cg", "/a", folder, sizeof(folder)));
	ck_assert_str_eq(folder, "/cg/b");
	ck_assert(freezer_folder("/a", "/cg", "/a", folder, sizeof(folder)));
	ck_assert_str_eq(folder, "/cg");
	ck_assert(!freezer_folder("/ab", "/cg", "/a", folder, sizeof(folder)));
	ck_assert(!freezer_folder("/../x", "/cg", "/", folder, sizeof(folder)));
	ck_assert(!freezer_folder("", "/cg", "/", folder, sizeof(folder)));
	ck_assert(!freezer_folder("/a/b", "/cg", "/", folder, 4));
}
END_TEST

START_TEST(not_frozen)
{
	char group[FREEZER_PATH];

	ck_assert(!freezer_frozen(getpid(), group, sizeof(group)));
	ck_assert(!freezer_frozen(0x3fffffff, group, sizeof(group)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("freezer");
	TCase *tcase = tcase_create("freezer");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, group_of_a_process);
	tcase_add_test(tcase, mount_of_a_hierarchy);
	tcase_add_test(tcase, folder_of_a_group);
	tcase_add_test(tcase, not_frozen);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
