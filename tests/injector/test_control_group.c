/* SPDX-License-Identifier: MIT */
/* control_group: the files that tell a process's group and its mount; what is
 * made of them. */
#include "injector/target/control_group.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injector/target/freezer.h"
#include "injector/target/memory_group.h"

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
	char group[CONTROL_GROUP_PATH];

	ck_assert(control_group_parse_path(groups, "freezer", group,
					   sizeof(group)));
	ck_assert_str_eq(group, "/docker/ab:cd");
	ck_assert(control_group_parse_path(groups, NULL, group, sizeof(group)));
	ck_assert_str_eq(group, "/system.slice/shop.service");
	ck_assert(!control_group_parse_path("9:cpu:/a\n", "freezer", group,
					    sizeof(group)));
	ck_assert(!control_group_parse_path("", NULL, group, sizeof(group)));
	ck_assert(!control_group_parse_path("0:\n::\n:", NULL, group,
					    sizeof(group)));
	/* What does not fit is not cut to the name of another group. */
	ck_assert(!control_group_parse_path(groups, NULL, group, 8));
}
END_TEST

START_TEST(mount_of_a_hierarchy)
{
	char point[CONTROL_GROUP_PATH], root[CONTROL_GROUP_PATH];

	ck_assert(control_group_parse_mount(mounts, NULL, point, root));
	ck_assert_str_eq(point, "/sys/fs/cgroup/x y");
	ck_assert_str_eq(root, "/");
	ck_assert(control_group_parse_mount(mounts, "freezer", point, root));
	ck_assert_str_eq(point, "/cg/freezer");
	ck_assert_str_eq(root, "/docker");
	ck_assert(!control_group_parse_mount("1 2 3\n- cgroup2\n\n", NULL,
					     point, root));
	ck_assert(!control_group_parse_mount("", "freezer", point, root));
}
END_TEST

START_TEST(folder_of_a_group)
{
	char folder[64];

	ck_assert(control_group_folder("/a/b", "/cg", "/", folder,
				       sizeof(folder)));
	ck_assert_str_eq(folder, "/cg/a/b");
	ck_assert(control_group_folder("/a/b", "/cg", "/a", folder,
				       sizeof(folder)));
	ck_assert_str_eq(folder, "/cg/b");
	ck_assert(control_group_folder("/a", "/cg", "/a", folder,
				       sizeof(folder)));
	ck_assert_str_eq(folder, "/cg");
	ck_assert(!control_group_folder("/ab", "/cg", "/a", folder,
					sizeof(folder)));
	ck_assert(!control_group_folder("/../x", "/cg", "/", folder,
					sizeof(folder)));
	ck_assert(
		!control_group_folder("", "/cg", "/", folder, sizeof(folder)));
	ck_assert(!control_group_folder("/a/b", "/cg", "/", folder, 4));
}
END_TEST

START_TEST(not_frozen)
{
	char group[CONTROL_GROUP_PATH];

	ck_assert(!freezer_frozen(getpid(), group, sizeof(group)));
	ck_assert(!freezer_frozen(0x3fffffff, group, sizeof(group)));
}
END_TEST

START_TEST(memory_that_is_left)
{
	static const char stat[] = "anon 70\ninactive_file 10\n"
				   "active_file 5\ntotal_inactive_file 40\n"
				   "slab_reclaimable 3\nother 9";

	ck_assert_uint_eq(memory_group_count("100\n", "90\n", stat, ""), 28);
	ck_assert_uint_eq(memory_group_count("100", "90", stat, "total_"), 50);
	ck_assert_uint_eq(memory_group_count("100", "90", "", ""), 10);
	ck_assert_uint_eq(memory_group_count("100", "300", stat, ""), 0);
	ck_assert_uint_eq(memory_group_count("100", "3", stat, ""), 100);
	ck_assert_uint_eq(memory_group_count("max\n", "9", stat, ""),
			  UINT64_MAX);
	ck_assert_uint_eq(memory_group_count("", "", "", ""), UINT64_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("control_group");
	TCase *tcase = tcase_create("control_group");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, group_of_a_process);
	tcase_add_test(tcase, mount_of_a_hierarchy);
	tcase_add_test(tcase, folder_of_a_group);
	tcase_add_test(tcase, not_frozen);
	tcase_add_test(tcase, memory_that_is_left);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
