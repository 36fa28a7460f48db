/* SPDX-License-Identifier: MIT */
/* elf_image: files of a target, whole, cut short and damaged. */
#include "injector/target/elf_image.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "injector/owned.h"

#define LIBC "/lib/x86_64-linux-gnu/libc.so.6"
#define DAMAGES 300

static const char *const names[] = { "malloc", "no_such_symbol" };

static uint8_t *libc_bytes;
static size_t libc_size;

static void set_up(void)
{
	owned_fd fd =
		open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);
	struct stat file;

	if (fd < 0 || fstat(fd, &file))
		return;
	libc_bytes = malloc((size_t)file.st_size);
	ck_assert_ptr_nonnull(libc_bytes);
	ck_assert_int_eq(read(fd, libc_bytes, (size_t)file.st_size),
			 file.st_size);
	libc_size = (size_t)file.st_size;
}

static void tear_down(void)
{
	free(libc_bytes);
}

/* Loads what is in a file; whatever it is, this comes back. */
static bool try_file(int fd)
{
	struct elf_image image;
	struct elf_probe probe;
	bool probed = elf_probe(fd, names, 2, &probe);
	bool loaded = elf_image_load(fd, &image);

	ck_assert(probed || !loaded);
	if (!loaded)
		return false;
	ck_assert(elf_image_index(&image));
	for (size_t i = 0; i < image.count; i++)
		(void)strlen(image.symbols[i].name);
	(void)elf_image_find(&image, "malloc");
	(void)elf_image_at(&image, image.entry);
	elf_image_release(&image);
	return true;
}

static int make_file(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

START_TEST(whole)
{
	owned_fd fd = make_file(libc_bytes, libc_size);
	struct elf_image image;
	struct elf_probe probe;
	const struct elf_symbol *found;
	ptrdiff_t at;

	ck_assert(elf_image_load(fd, &image));
	found = elf_image_find(&image, "malloc");
	ck_assert_ptr_nonnull(found);
	ck_assert(found->function);
	ck_assert_ptr_null(elf_image_find(&image, "no_such_symbol"));
	ck_assert_uint_ne(image.eh_frame_hdr, 0);
	ck_assert_uint_lt(image.eh_frame, image.eh_frame_end);
	ck_assert_int_eq(elf_image_at(&image, found->address), -1);
	ck_assert(elf_image_index(&image));
	at = elf_image_at(&image, found->address + 1);
	ck_assert_int_ge(at, 0);
	ck_assert_uint_eq(image.by_address[at]->address, found->address);
	ck_assert_int_eq(elf_image_at(&image, 0), -1);
	ck_assert_int_eq(elf_image_at(&image, ~0ull), -1);

	ck_assert(elf_probe(fd, names, 2, &probe));
	ck_assert_uint_eq(probe.found, 1);
	ck_assert_uint_eq(probe.address[0], found->address);
	ck_assert_uint_eq(probe.low, image.low);
	elf_image_release(&image);
}
END_TEST

START_TEST(no_elf)
{
	owned_fd empty = make_file((const uint8_t *)"", 0);
	owned_fd text = make_file((const uint8_t *)"#!/bin/sh\n", 10);
	owned_fd magic = make_file((const uint8_t *)"\177ELF\2\1\1", 7);

	ck_assert(!try_file(empty));
	ck_assert(!try_file(text));
	ck_assert(!try_file(magic));
	ck_assert(!try_file(-1));
}
END_TEST

START_TEST(cut_short)
{
	for (size_t size = 1; size < libc_size; size += size / 4 + 1) {
		owned_fd fd = make_file(libc_bytes, size);

		(void)try_file(fd);
	}
}
END_TEST

/* Headers, sections and symbols with wrong numbers in them. */
START_TEST(damaged)
{
	owned_fd fd = make_file(libc_bytes, libc_size);
	size_t sections;

	memcpy(&sections, libc_bytes + 0x28, sizeof(sections));
	srand(1);
	for (int i = 0; i < DAMAGES; i++) {
		size_t places[3] = {
			(size_t)rand() % 0x400,
			sections + (size_t)rand() % 0x1000,
			(size_t)rand() % 0x20000,
		};

		for (int k = 0; k < 3; k++) {
			uint8_t byte = (uint8_t)rand();

			if (places[k] < libc_size)
				ck_assert_int_eq(
					pwrite(fd, &byte, 1, (off_t)places[k]),
					1);
		}
		(void)try_file(fd);
		if (i % 4 == 3)
			ck_assert_int_eq(pwrite(fd, libc_bytes, libc_size, 0),
					 (ssize_t)libc_size);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf_image");
	TCase *tcase = tcase_create("elf_image");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	/* Another system may have its libc elsewhere. */
	if (access(LIBC, R_OK))
		return EXIT_SUCCESS;
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, whole);
	tcase_add_test(tcase, no_elf);
	tcase_add_test(tcase, cut_short);
	tcase_add_test(tcase, damaged);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
