/* SPDX-License-Identifier: MIT */
/* frame, probe_spec, error: what goes over the wire comes back the same. */
#include "proto/frame.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/error.h"
#include "proto/probe_spec.h"

static unsigned char buf[LIMIT_FRAME + 64], again[PROBE_SPEC_MAX];

START_TEST(frames_round_trip)
{
	struct frame frame;
	uint32_t probe = 7;
	size_t n = frame_encode(buf, sizeof buf, FRAME_PROBE_REMOVE, 42, &probe,
				sizeof probe);

	ck_assert_uint_eq(n, sizeof(struct frame_header) + 4);
	ck_assert_ptr_null(frame_decode(buf, n, &frame));
	ck_assert_int_eq(frame.type, FRAME_PROBE_REMOVE);
	ck_assert_uint_eq(frame.id, 42);
	ck_assert_uint_eq(frame.length, 4);
	ck_assert(!memcmp(frame.payload, &probe, 4));
}
END_TEST

START_TEST(frames_of_a_wrong_size_are_refused)
{
	struct frame frame;
	struct probe_stats stats = { .probe = 1 };
	size_t n = frame_encode(buf, sizeof buf, FRAME_PROBE_REMOVED, 1, &stats,
				sizeof stats);

	ck_assert_uint_ne(n, 0);
	for (size_t size = 0; size < n; size++)
		ck_assert_ptr_nonnull(frame_decode(buf, size, &frame));
	ck_assert_ptr_nonnull(frame_decode(buf, n + 1, &frame));
	n = frame_encode(buf, sizeof buf, FRAME_PROBE_REMOVED, 1, &stats, 8);
	ck_assert_ptr_nonnull(frame_decode(buf, n, &frame));
	n = frame_encode(buf, sizeof buf, (enum frame_type)99, 1, NULL, 0);
	ck_assert_ptr_nonnull(frame_decode(buf, n, &frame));
	ck_assert_uint_eq(frame_encode(buf, 10, FRAME_PING, 0, NULL, 0), 0);
	ck_assert_uint_eq(
		frame_encode(buf, sizeof buf, FRAME_PING, 0, buf, LIMIT_FRAME),
		0);
}
END_TEST

START_TEST(frames_of_the_debugger)
{
	struct frame frame;
	struct frame_debug says = { 7, 1 };
	uint32_t session = 1;
	size_t n = frame_encode(buf, sizeof buf, FRAME_DEBUG, 0, &says,
				sizeof says);

	ck_assert_ptr_null(frame_decode(buf, n, &frame));
	ck_assert_int_eq(frame.type, FRAME_DEBUG);
	n = frame_encode(buf, sizeof buf, FRAME_DEBUG, 0, &says, 4);
	ck_assert_ptr_nonnull(frame_decode(buf, n, &frame));
	n = frame_encode(buf, sizeof buf, FRAME_DEBUG_OVER, 0, &session, 4);
	ck_assert_ptr_null(frame_decode(buf, n, &frame));
	n = frame_encode(buf, sizeof buf, FRAME_DEBUG_OVER, 0, &session, 3);
	ck_assert_ptr_nonnull(frame_decode(buf, n, &frame));
}
END_TEST

START_TEST(frames_with_a_reserved_word_are_refused)
{
	struct frame frame;
	size_t n = frame_encode(buf, sizeof buf, FRAME_PING, 1, NULL, 0);

	ck_assert_ptr_null(frame_decode(buf, n, &frame));
	buf[offsetof(struct frame_header, reserved)] = 1;
	ck_assert_ptr_nonnull(frame_decode(buf, n, &frame));
}
END_TEST

static struct probe_spec sample(void)
{
	struct probe_spec spec = { .id = 9, .kind = PROBE_CALLS };

	probe_limits_default(&spec.limits);
	snprintf(spec.where.module, sizeof(spec.where.module), "%s", "pkg.mod");
	snprintf(spec.where.function, sizeof(spec.where.function), "%s",
		 "Class.meth");
	snprintf(spec.where.file, sizeof(spec.where.file), "%s", "*.py");
	spec.limits.hits = 3;
	spec.limits.min_duration_ns = 1u << 30;
	spec.limits.locals = 0;
	spec.limits.stack = 0;
	return spec;
}

START_TEST(specs_round_trip)
{
	struct probe_spec spec = sample(), back;
	size_t n = probe_spec_encode(&spec, buf, sizeof buf);

	ck_assert_uint_ne(n, 0);
	ck_assert_ptr_null(probe_spec_decode(buf, n, &back));
	ck_assert_uint_eq(probe_spec_encode(&back, again, sizeof again), n);
	ck_assert(!memcmp(buf, again, n));
	ck_assert_uint_eq(back.limits.min_duration_ns, 1u << 30);
	ck_assert_str_eq(back.where.module, "pkg.mod");
	ck_assert_str_eq(back.where.function, "Class.meth");
	ck_assert_str_eq(back.where.file, "*.py");
	ck_assert_uint_eq(back.id, 9);
}
END_TEST

START_TEST(zero_lifts_a_limit_to_its_bound)
{
	struct probe_spec spec = sample(), back;
	size_t n;

	spec.limits.depth = 0;
	spec.limits.record = 0;
	spec.limits.hits = 0;
	n = probe_spec_encode(&spec, buf, sizeof buf);
	ck_assert_ptr_null(probe_spec_decode(buf, n, &back));
	ck_assert_uint_eq(back.limits.depth, LIMIT_DEPTH);
	ck_assert_uint_eq(back.limits.record, LIMIT_RECORD);
	ck_assert_uint_eq(back.limits.hits, 0);
}
END_TEST

START_TEST(the_longest_spec_fits)
{
	struct probe_spec spec = sample(), back;
	size_t n;

	memset(spec.where.module, 'm', LIMIT_NAME - 1);
	memset(spec.where.function, 'f', LIMIT_NAME - 1);
	memset(spec.where.file, 'p', LIMIT_PATH - 1);
	n = probe_spec_encode(&spec, buf, PROBE_SPEC_MAX);
	ck_assert_uint_ne(n, 0);
	ck_assert_ptr_null(probe_spec_decode(buf, n, &back));
}
END_TEST

START_TEST(cut_and_foreign_specs_are_refused)
{
	struct probe_spec spec = sample(), back;
	size_t n = probe_spec_encode(&spec, buf, sizeof buf);

	for (size_t size = 1; size < 12; size++)
		ck_assert_ptr_nonnull(probe_spec_decode(buf, size, &back));
	ck_assert_ptr_nonnull(probe_spec_decode("\x63\x00\x01\x00x", 5, &back));
	buf[n] = 0x7f;
	buf[n + 1] = buf[n + 2] = buf[n + 3] = 0;
	ck_assert_ptr_nonnull(probe_spec_decode(buf, n + 4, &back));
}
END_TEST

START_TEST(errors_know_their_exit_status)
{
	struct error err = ERROR_INIT;

	ck_assert_int_eq(error_set(&err, ERROR_STOPPED, "pid %d: stopped", 5),
			 -1);
	error_wrap(&err, "attach");
	error_remedy(&err, "send SIGCONT");
	ck_assert_str_eq(err.msg, "attach: pid 5: stopped");
	ck_assert_str_eq(err.remedy, "send SIGCONT");
	ck_assert_int_eq(error_exit_status(err.code), 6);
	ck_assert_int_eq(error_from_name("stopped"), ERROR_STOPPED);
	ck_assert_int_eq(error_from_name("?"), ERROR_INTERNAL);
	ck_assert_str_eq(error_name((enum error_code)999), "internal");
	for (int i = 0; i < 20; i++)
		error_wrap(&err, "a context that is rather long %d", i);
	ck_assert_uint_lt(strlen(err.msg), sizeof err.msg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frame");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, frames_round_trip);
	tcase_add_test(tc, frames_of_a_wrong_size_are_refused);
	tcase_add_test(tc, frames_of_the_debugger);
	tcase_add_test(tc, frames_with_a_reserved_word_are_refused);
	tcase_add_test(tc, specs_round_trip);
	tcase_add_test(tc, zero_lifts_a_limit_to_its_bound);
	tcase_add_test(tc, the_longest_spec_fits);
	tcase_add_test(tc, cut_and_foreign_specs_are_refused);
	tcase_add_test(tc, errors_know_their_exit_status);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
