/* SPDX-License-Identifier: MIT */
/* Core files: whatever they are, what is taken of one can be read and listed
 * within bounds. None of the files that they name is opened. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "injector/target/core_file.h"
#include "tests/fuzz/fuzz.h"

#define NO_ROOT "/nonexistent"

static int keep_bytes(const uint8_t *data, size_t size)
{
	int fd = memfd_create("core", MFD_CLOEXEC);

	fuzz_check(fd >= 0);
	fuzz_check(write(fd, data, size) == (ssize_t)size);
	return fd;
}

/* The start and the end of each segment, and across it. */
static void read_segments(struct core_file *core)
{
	static uint8_t bytes[8192];

	for (size_t i = 0; i < core->segment_count; i++) {
		const struct core_segment *segment = &core->segments[i];

		fuzz_check(segment->low < segment->high);
		fuzz_check(segment->filled <= segment->high - segment->low);
		fuzz_check(core_read(core, segment->low, bytes, 16) <= 16);
		fuzz_check(core_read(core, segment->high - 8, bytes, 16) <= 16);
		fuzz_check(core_read(core, segment->low, bytes,
				     sizeof(bytes)) <= sizeof(bytes));
	}
}

static void check_maps(const struct core_file *core)
{
	struct error err = ERROR_INIT;
	struct maps maps;

	if (core_maps(core, &maps, &err))
		return;
	fuzz_check(maps.count <= core->segment_count);
	for (size_t i = 0; i < maps.count; i++)
		fuzz_check(maps.list[i].path != NULL);
	maps_release(&maps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct core_file core;

	if (core_open(keep_bytes(data, size), NO_ROOT, &core, &err)) {
		fuzz_check(err.code != ERROR_NONE && err.msg[0]);
		return 0;
	}
	fuzz_check(core.thread_count > 0);
	fuzz_check(core.files_missing == core.file_count);
	fuzz_check(core_thread(&core, core.threads[0].tid) != NULL);
	for (size_t i = 0; i < core.file_count; i++)
		(void)core_is_program(&core, i);
	read_segments(&core);
	check_maps(&core);
	core_release(&core);
	return 0;
}
