/* SPDX-License-Identifier: MIT */
/* maps and modules: /proc/PID/maps as it is, and as it should not be. */
#include "injector/target/maps.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injector/target/modules.h"

static const char sample[] =
	"00400000-00401000 r--p 00000000 fe:01 77      /bin/prog\n"
	"00401000-00402000 r-xp 00001000 fe:01 77      /bin/prog\n"
	"00403000-00404000 rw-p 00002000 fe:01 77      /bin/prog\n"
	"00404000-00500000 rw-p 00000000 00:00 0       [heap]\n"
	"7f0000000000-7f0000001000 r--s 00000000 fe:01 99   /a b (deleted)\n"
	"7f0000002000-7f0000003000 r--p 00000000 fe:01 88   /lib/x.so\n"
	"7f0000003000-7f0000004000 r-xp 00001000 fe:01 88   /lib/x.so\n"
	"7f0000004000-7f0000005000 r--p 00000000 fe:01 88   /lib/x.so\n"
	"7f0000005000-7f0000006000 r-xp 00001000 fe:01 88   /lib/x.so\n"
	"7fff00000000-7fff00001000 r-xp 00000000 00:00 0    [vdso]\n";

static struct maps parse(const char *text)
{
	struct error err = ERROR_INIT;
	struct maps maps;

	ck_assert_int_eq(maps_parse(strdup(text), &maps, &err), 0);
	return maps;
}

START_TEST(parses_lines)
{
	struct maps maps = parse(sample);
	const struct mapping *mapping;

	ck_assert_uint_eq(maps.count, 10);
	mapping = maps_find(&maps, 0x401fff);
	ck_assert_ptr_nonnull(mapping);
	ck_assert_uint_eq(mapping->rights, MAPPING_READ | MAPPING_EXEC);
	ck_assert_uint_eq(mapping->offset, 0x1000);
	ck_assert_uint_eq(mapping->inode, 77);
	ck_assert_uint_eq(mapping->device_major, 0xfe);
	ck_assert_str_eq(mapping->path, "/bin/prog");
	ck_assert_str_eq(maps.list[4].path, "/a b (deleted)");
	ck_assert_ptr_null(maps_find(&maps, 0x402000));
	ck_assert_ptr_null(maps_find(&maps, 0x3fffff));
	maps_release(&maps);
}
END_TEST

START_TEST(passes_over_rubbish)
{
	struct maps maps = parse("\n\nxyz\n1000-0 r-xp 0 0:0 1 /a\n"
				 "1000-2000 r\n"
				 "ffffffffffffffffffff-1 r--p 0 0:0 0\n"
				 "1000-2000 r--p 0 0:0 0");

	ck_assert_uint_le(maps.count, 1);
	maps_release(&maps);
	maps = parse("");
	ck_assert_uint_eq(maps.count, 0);
	ck_assert_ptr_null(maps_find(&maps, 0));
	maps_release(&maps);
	maps_release(&maps);
}
END_TEST

START_TEST(groups_modules)
{
	struct maps maps = parse(sample);
	struct error err = ERROR_INIT;
	struct modules modules;

	ck_assert_int_eq(modules_group(&maps, &modules, &err), 0);
	/* The second copy of x.so is a module of its own; a data file none. */
	ck_assert_uint_eq(modules.count, 4);
	ck_assert_str_eq(modules.list[0].path, "/bin/prog");
	ck_assert_uint_eq(modules.list[0].high, 0x404000);
	ck_assert_uint_eq(modules.list[1].low, 0x7f0000002000);
	ck_assert_uint_eq(modules.list[2].low, 0x7f0000004000);
	ck_assert_uint_eq(modules.list[3].traits, MODULE_VDSO);
	ck_assert_ptr_eq(modules_at(&modules, 0x401000), &modules.list[0]);
	ck_assert_ptr_null(modules_at(&modules, 0x400000));
	ck_assert_ptr_eq(modules_covering(&modules, 0x400000),
			 &modules.list[0]);
	ck_assert_ptr_null(modules_covering(&modules, 0x450000));
	modules_release(&modules);
	maps_release(&maps);
}
END_TEST

START_TEST(reads_itself)
{
	struct error err = ERROR_INIT;
	struct modules modules;
	const struct module *libc, *self;

	ck_assert_int_eq(modules_read(getpid(), &modules, &err), 0);
	libc = modules_with(&modules, MODULE_LIBC);
	ck_assert_ptr_nonnull(libc);
	ck_assert_uint_eq(module_symbol(libc, "getpid"),
			  (uint64_t)(uintptr_t)getpid);
	ck_assert_uint_eq(module_symbol(libc, "no_such_symbol"), 0);
	self = modules_with(&modules, MODULE_EXECUTABLE);
	ck_assert_ptr_nonnull(self);
	ck_assert_ptr_eq(modules_at(&modules, (uint64_t)(uintptr_t)parse),
			 self);
	ck_assert_ptr_null(modules_with(&modules, MODULE_PYTHON));
	modules_release(&modules);
}
END_TEST

START_TEST(no_such_process)
{
	struct error err = ERROR_INIT;
	struct maps maps;

	ck_assert_int_eq(maps_read(0x3fffffff, &maps, &err), -1);
	ck_assert_int_eq(err.code, ERROR_NO_PROCESS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("maps");
	TCase *tcase = tcase_create("maps");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, parses_lines);
	tcase_add_test(tcase, passes_over_rubbish);
	tcase_add_test(tcase, groups_modules);
	tcase_add_test(tcase, reads_itself);
	tcase_add_test(tcase, no_such_process);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
