/* SPDX-License-Identifier: MIT */
/* remote: the cache of a target's pages, on pages of our own. */
#include "injector/stack/remote.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES 3000u /* the cache's table grows more than once */
#define HOLE 1234u  /* a page that cannot be read */

static uint8_t *pages;
static struct remote remote;

static uint64_t page_at(size_t index)
{
	return (uint64_t)(uintptr_t)pages + index * REMOTE_PAGE;
}

/* Each page begins and ends with its number and a mark. */
static void fill(uint32_t mark)
{
	uint64_t word;

	for (size_t i = 0; i < PAGES; i++) {
		word = (uint64_t)mark << 32 | i;
		if (i == HOLE)
			continue;
		memcpy(pages + i * REMOTE_PAGE, &word, sizeof(word));
		memcpy(pages + (i + 1) * REMOTE_PAGE - sizeof(word), &word,
		       sizeof(word));
	}
}

static void check_pages(uint32_t mark)
{
	for (size_t i = 0; i < PAGES; i++) {
		uint64_t word = (uint64_t)mark << 32 | i, found = 0;
		uint64_t last = page_at(i + 1) - sizeof(word);

		if (i == HOLE) {
			ck_assert(!remote_u64(&remote, page_at(i), &found));
			continue;
		}
		ck_assert_uint_eq(remote_pointer(&remote, page_at(i)), word);
		ck_assert_uint_eq(remote_pointer(&remote, last), word);
	}
}

static void setup(void)
{
	struct error err = ERROR_INIT;

	pages = mmap(NULL, (size_t)PAGES * REMOTE_PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(pages, MAP_FAILED);
	fill(1);
	ck_assert_int_eq(
		mprotect(pages + HOLE * REMOTE_PAGE, REMOTE_PAGE, PROT_NONE),
		0);
	ck_assert_int_eq(remote_init(&remote, getpid(), &err), 0);
}

static void teardown(void)
{
	remote_release(&remote);
	munmap(pages, (size_t)PAGES * REMOTE_PAGE);
}

/* What is cached stays as it was, while the cache grows, until it is
 * forgotten. */
START_TEST(is_of_one_moment)
{
	remote_reserve(&remote, 100);
	check_pages(1);
	fill(2);
	check_pages(1);
	remote_forget(&remote);
	check_pages(2);
}
END_TEST

/* Making ready does not touch what is there. */
START_TEST(reserves_behind_what_is_cached)
{
	check_pages(1);
	fill(2);
	remote_reserve(&remote, PAGES * 2);
	check_pages(1);
}
END_TEST

START_TEST(fetches_many)
{
	uint64_t addresses[PAGES], reads;

	for (size_t i = 0; i < PAGES; i++)
		addresses[i] = page_at(i) + i % REMOTE_PAGE;
	remote_fetch(&remote, addresses, PAGES);
	reads = remote.reads;
	ck_assert_uint_lt(reads, 40);
	ck_assert(remote_cached(&remote, page_at(PAGES - 1)));
	ck_assert(!remote_cached(&remote, page_at(HOLE)));
	/* A call ends at the hole: the rest of its pages are read singly. */
	check_pages(1);
	ck_assert_uint_lt(remote.reads - reads, 260);
}
END_TEST

START_TEST(gathers_past_what_cannot_be_read)
{
	uint64_t addresses[PAGES];
	int32_t values[PAGES];

	for (size_t i = 0; i < PAGES; i++)
		addresses[i] = page_at(i);
	addresses[0] = 0;
	addresses[PAGES - 1] = UINT64_MAX - 1;
	remote_gather(&remote, addresses, PAGES, values);
	for (size_t i = 0; i < PAGES; i++) {
		bool none = i == HOLE || i == PAGES - 1;

		ck_assert_int_eq(values[i], none ? 0 : (int32_t)i);
	}
}
END_TEST

START_TEST(views_and_copies)
{
	uint8_t buf[64];
	uint64_t border = page_at(8) - 32;
	const void *seen;

	seen = remote_view(&remote, page_at(7), buf, sizeof(buf));
	ck_assert_ptr_nonnull(seen);
	ck_assert_ptr_ne(seen, buf);
	ck_assert_mem_eq(seen, pages + 7 * REMOTE_PAGE, sizeof(buf));
	ck_assert_ptr_eq(remote_view(&remote, border, buf, sizeof(buf)), buf);
	ck_assert_mem_eq(buf, pages + 8 * REMOTE_PAGE - 32, sizeof(buf));
	border = page_at(HOLE) - 32;
	ck_assert_ptr_null(remote_view(&remote, border, buf, sizeof(buf)));
	ck_assert_ptr_null(
		remote_view(&remote, page_at(HOLE), buf, sizeof(buf)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("remote");
	TCase *tcase = tcase_create("remote");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, is_of_one_moment);
	tcase_add_test(tcase, reserves_behind_what_is_cached);
	tcase_add_test(tcase, fetches_many);
	tcase_add_test(tcase, gathers_past_what_cannot_be_read);
	tcase_add_test(tcase, views_and_copies);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
