/* SPDX-License-Identifier: MIT */
/* core_file: a small core, whole, cut short and damaged. The fuzzer's seed
 * serves as the sample: a thread, a signal, three mapped parts of two files. */
#include "injector/target/core_file.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "injector/owned.h"

#define SAMPLE "tests/fuzz/seeds/core/small"
#define NO_ROOT "/nonexistent"
#define PID 4242

static uint8_t sample[8192];
static size_t sample_size;

static void set_up(void)
{
	owned_fd fd = open(SAMPLE, O_RDONLY | O_CLOEXEC);
	ssize_t got = read(fd, sample, sizeof(sample));

	ck_assert_int_gt(got, 64);
	sample_size = (size_t)got;
}

/* Opens the first size bytes of some. */
static int open_bytes(const uint8_t *bytes, size_t size, struct core_file *core,
		      struct error *err)
{
	int fd = memfd_create("core", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	return core_open(fd, NO_ROOT, core, err);
}

START_TEST(the_whole_tells_all)
{
	struct error err = ERROR_INIT;
	struct core_file core;
	struct maps maps;
	char bytes[64];

	ck_assert_msg(!open_bytes(sample, sample_size, &core, &err), "%s",
		      err.msg);
	ck_assert_int_eq(core.pid, PID);
	ck_assert_str_eq(core.name, "python3");
	ck_assert_int_eq(core.signal, SIGSEGV);
	ck_assert_uint_eq(core.fault, 0x10);
	ck_assert_uint_eq(core.program_headers, 0x400040);
	ck_assert_uint_eq(core.thread_count, 1);
	ck_assert_ptr_nonnull(core_thread(&core, PID));
	ck_assert_ptr_null(core_thread(&core, 1));
	ck_assert_uint_eq(core.file_count, 2);
	ck_assert_uint_eq(core.files_missing, 2);
	ck_assert(!core.cut);
	/* 64 bytes are in the core, and the file is not there. */
	ck_assert_uint_eq(core_read(&core, 0x400000, bytes, 64), 64);
	ck_assert(!memcmp(bytes, "\177ELFxxxx", 8));
	ck_assert_uint_eq(core_read(&core, 0x40003c, bytes, 64), 4);
	ck_assert_uint_eq(core_read(&core, 0x10, bytes, 64), 0);
	ck_assert(!core_maps(&core, &maps, &err));
	ck_assert_uint_eq(maps.count, 4);
	ck_assert_str_eq(maps_find(&maps, 0x400000)->path,
			 NO_ROOT "/usr/bin/python3");
	ck_assert_str_eq(maps_find(&maps, 0x600010)->path, "");
	ck_assert_uint_eq(maps_find(&maps, 0x401000)->offset, 4096);
	maps_release(&maps);
	core_release(&core);
}
END_TEST

/* Whatever is taken ends within what is there. */
static void try_bytes(const uint8_t *bytes, size_t size)
{
	struct error err = ERROR_INIT;
	struct core_file core;
	uint8_t room[4096];

	if (open_bytes(bytes, size, &core, &err)) {
		ck_assert(err.code != ERROR_NONE && err.msg[0]);
		return;
	}
	for (size_t i = 0; i < core.segment_count; i++)
		ck_assert_uint_le(core_read(&core, core.segments[i].low, room,
					    sizeof(room)),
				  sizeof(room));
	core_release(&core);
}

START_TEST(cut_at_every_byte)
{
	struct error err = ERROR_INIT;
	struct core_file core;

	for (size_t size = 0; size < sample_size; size++)
		try_bytes(sample, size);
	ck_assert(!open_bytes(sample, sample_size - 1, &core, &err));
	ck_assert(core.cut);
	core_release(&core);
}
END_TEST

START_TEST(damaged_at_every_byte)
{
	static const uint8_t with[] = { 0x00, 0x7f, 0xff };

	for (size_t at = 0; at < sample_size; at++)
		for (size_t i = 0; i < sizeof(with); i++) {
			uint8_t before = sample[at];

			sample[at] = with[i];
			try_bytes(sample, sample_size);
			sample[at] = before;
		}
}
END_TEST

START_TEST(what_is_no_core_is_refused)
{
	struct error err = ERROR_INIT;
	struct core_file core;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(core_open(fd, "", &core, &err), -1);
	ck_assert_int_eq(err.code, ERROR_NOT_PYTHON);
	error_clear(&err);
	ck_assert_int_eq(open_bytes((const uint8_t *)"text", 4, &core, &err),
			 -1);
	ck_assert_int_eq(err.code, ERROR_NOT_PYTHON);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core_file");
	TCase *tc = tcase_create("core_file");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, the_whole_tells_all);
	tcase_add_test(tc, cut_at_every_byte);
	tcase_add_test(tc, damaged_at_every_byte);
	tcase_add_test(tc, what_is_no_core_is_refused);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
