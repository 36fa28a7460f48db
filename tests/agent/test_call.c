/* SPDX-License-Identifier: MIT */
/* call: entries and ends of calls are paired, whatever their order and number;
 * with frames, an interpreter and a ring of our own making. */
#include "agent/call.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/frames.h"
#include "agent/probe.h"
#include "agent/record.h"
#include "proto/ring.h"

enum { CALLS = 4096, FRAMES = 3 * CALLS, RING = 8 << 20 };

/* A frame's one argument is the int of its own number. */
static struct object long_type, ints[FRAMES];
static char frame_memory[FRAMES][16];
static struct variable variable = { .key = "\"n\":", .key_length = 4 };
static struct code code = {
	.names = { "m", "", "f" },
	.place = "\"function\":\"m:f\",\"file\":\"m.py\",\"line\":",
	.place_length = 38,
	.argument_count = 1,
	.variable_count = 1,
	.variables = &variable,
	.armed = true,
};
static struct ring_reader reader;
static char payload[LIMIT_RECORD + 1];

static void *frame_at(int number)
{
	return frame_memory[number];
}

/* ---- the interpreter ---------------------------------------------------- */

static void fake_ref(struct object *object)
{
}

static void fake_fetch(struct object **type, struct object **value,
		       struct object **traceback)
{
	*type = *value = *traceback = NULL;
}

static void fake_restore(struct object *type, struct object *value,
			 struct object *traceback)
{
}

static void fake_clear(void)
{
}

static void *fake_thread(void)
{
	static char state[512];

	return state;
}

static uint64_t fake_thread_id(void *state)
{
	return 1;
}

static struct object *fake_sys(const char *name)
{
	return NULL;
}

static long long fake_int(struct object *object, int *overflow)
{
	*overflow = 0;
	return object - ints;
}

static struct object *fake_local(void *frame, const struct code *of, int index)
{
	return &ints[((char *)frame - frame_memory[0]) / 16];
}

static void *fake_main(void)
{
	return NULL;
}

static struct object *fake_modules(void)
{
	return NULL;
}

static int fake_line(void *frame)
{
	return 7;
}

static const struct frame_ops fake_frames = { .local = fake_local,
					      .line = fake_line };

static void fake_python(void)
{
	py.minor = 11;
	py.Py_IncRef = fake_ref;
	py.Py_DecRef = fake_ref;
	py.PyErr_Fetch = fake_fetch;
	py.PyErr_Restore = fake_restore;
	py.PyErr_Clear = fake_clear;
	py.PyThreadState_Get = fake_thread;
	py.PyThreadState_GetID = fake_thread_id;
	py.PySys_GetObject = fake_sys;
	py.PyInterpreterState_Main = fake_main;
	py.PyImport_GetModuleDict = fake_modules;
	py.PyLong_AsLongLongAndOverflow = fake_int;
	py.PyLong_Type = &long_type;
	for (int i = 0; i < FRAMES; i++)
		ints[i].type = &long_type;
	frames = &fake_frames;
}

/* ---- the ring -------------------------------------------------------------
 */

static void setup(void)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	size_t size = RING_HEADER + RING;
	struct ring *ring;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert(ring != MAP_FAILED);
	ring_init(ring, RING);
	ring_reader_init(&reader, ring, RING);
	fake_python();
	ck_assert_int_eq(record_init(fd, eventfd(0, EFD_CLOEXEC), RING), 0);
	ck_assert_int_eq(call_init(), 0);
	code.probe_count = 0;
}

static void teardown(void)
{
	call_drop_all();
	ck_assert_uint_eq(code.in_flight, 0);
	record_release();
}

static struct probe *add_probe(struct probe *probe, uint32_t id)
{
	memset(probe, 0, sizeof *probe);
	probe_limits_default(&probe->spec.limits);
	probe->spec.id = id;
	probe->spec.kind = PROBE_CALLS;
	probe->spec.limits.hits = probe->spec.limits.rate = 0;
	probe->spec.limits.stack = probe->spec.limits.locals = 0;
	probe->enabled = true;
	code.probes[code.probe_count++] = probe;
	return probe;
}

/* The number of an argument or a result in a record; -1: it has none. */
static int number_of(const char *name)
{
	const char *at = strstr(payload, name);

	return at ? (int)strtol(at + strlen(name), NULL, 10) : -1;
}

/* Reads one record; false when there is none. */
static bool next_record(struct ring_item *ret_item)
{
	if (ring_read(&reader, payload, ret_item) != 1)
		return false;
	payload[ret_item->length] = '\0';
	return true;
}

/* Reads all records, each of which must belong to one call; their number. */
static int check_records(void)
{
	struct ring_item item;
	int count = 0;

	for (; next_record(&item); count++) {
		ck_assert_ptr_null(strstr(payload, "\"began\""));
		ck_assert_int_eq(number_of("\"args\":{\"n\":"),
				 number_of("\"return\":"));
	}
	return count;
}

static void end_call_of(int number)
{
	call_return(&code, frame_at(number), &ints[number]);
}

static void shuffle(int *numbers, int count)
{
	for (int i = count - 1; i > 0; i--) {
		int other = rand() % (i + 1), swap = numbers[i];

		numbers[i] = numbers[other];
		numbers[other] = swap;
	}
}

/* ---- tests ------------------------------------------------------------------
 */

START_TEST(ends_find_their_entries)
{
	static int order[CALLS];
	struct probe probe;

	srand(1);
	add_probe(&probe, 1);
	for (int i = 0; i < CALLS; i++)
		order[i] = i * 3;
	for (int round = 0; round < 5; round++) {
		shuffle(order, CALLS);
		for (int i = 0; i < CALLS; i++)
			call_begin(&code, frame_at(order[i]));
		ck_assert_uint_eq(code.in_flight, CALLS);
		shuffle(order, CALLS);
		for (int i = 0; i < CALLS; i++)
			end_call_of(order[i]);
		ck_assert_uint_eq(code.in_flight, 0);
		ck_assert_int_eq(check_records(), CALLS);
	}
	ck_assert_uint_eq(probe.lost_ring, 0);
	ck_assert_uint_eq(probe.captures, 5 * CALLS);
}
END_TEST

/* Beginnings and ends in a mix, against a list of what is in flight. */
START_TEST(any_mix_is_paired)
{
	static bool runs[FRAMES];
	struct probe one, two;
	unsigned in_flight = 0;
	int ended = 0;

	srand(2);
	memset(runs, 0, sizeof runs);
	add_probe(&one, 1);
	add_probe(&two, 2);
	for (int i = 0; i < 100000; i++) {
		int number = rand() % 2000;

		if (runs[number]) {
			end_call_of(number);
			ended += 2;
			in_flight -= 2;
		} else {
			call_begin(&code, frame_at(number));
			in_flight += 2;
		}
		runs[number] = !runs[number];
		ck_assert_uint_eq(code.in_flight, in_flight);
		if (i % 1000 == 0) {
			ck_assert_int_eq(check_records(), ended);
			ended = 0;
		}
	}
	ck_assert_int_eq(check_records(), ended);
}
END_TEST

START_TEST(a_frame_used_again_is_another_call)
{
	struct probe probe;

	add_probe(&probe, 1);
	for (int i = 0; i < 3; i++)
		call_begin(&code, frame_at(7));
	ck_assert_uint_eq(code.in_flight, 1);
	call_forget(frame_at(8));
	ck_assert_uint_eq(code.in_flight, 1);
	end_call_of(7);
	ck_assert_int_eq(check_records(), 1);
	call_begin(&code, frame_at(7));
	call_forget(frame_at(7));
	ck_assert_uint_eq(code.in_flight, 0);
}
END_TEST

START_TEST(too_many_are_lost_and_counted)
{
	struct probe probe;

	add_probe(&probe, 1);
	for (int i = 0; i < CALLS + 900; i++)
		call_begin(&code, frame_at(i));
	ck_assert_uint_eq(code.in_flight, CALLS);
	ck_assert_uint_eq(probe.lost_calls, 900);
	/* Those without an entry do not look like calls that began before. */
	for (int i = CALLS + 899; i >= 0; i--)
		end_call_of(i);
	ck_assert_int_eq(check_records(), CALLS);
	ck_assert_uint_eq(probe.hits, CALLS + 900);
}
END_TEST

START_TEST(an_end_without_entry_began_before)
{
	struct ring_item item;
	struct probe probe;

	add_probe(&probe, 5);
	end_call_of(3);
	ck_assert(next_record(&item));
	ck_assert_uint_eq(item.probe, 5);
	ck_assert_ptr_nonnull(strstr(payload, "\"began\":\"before\""));
	ck_assert_ptr_null(strstr(payload, "duration_ns"));
	ck_assert_int_eq(number_of("\"args\":{\"n\":"), -1);
	ck_assert_int_eq(number_of("\"return\":"), 3);
	probe.spec.limits.min_duration_ns = 1;
	end_call_of(3);
	ck_assert(!next_record(&item));
}
END_TEST

/* A yield is a record of its own where it is wanted, and is counted where it
 * is not. */
START_TEST(yields_and_suspensions)
{
	struct ring_item item;
	struct probe loud, silent;

	add_probe(&loud, 1);
	add_probe(&silent, 2);
	loud.spec.limits.yields = 1;
	code.flags = CODE_GENERATOR;
	code.wants = CODE_WANTS_CALLS | CODE_WANTS_YIELDS;
	call_begin(&code, frame_at(3));
	for (int i = 1; i <= 2; i++) {
		call_suspend(&code, frame_at(3), &ints[i]);
		call_resume(&code, frame_at(3));
		ck_assert(next_record(&item));
		ck_assert_int_eq(item.kind, RING_YIELD);
		ck_assert_uint_eq(item.probe, 1);
		ck_assert_int_eq(number_of("\"value\":"), i);
		ck_assert_int_eq(number_of("\"suspensions\":"), i);
		ck_assert_int_eq(number_of("\"line\":"), 7);
	}
	end_call_of(3);
	for (int i = 1; i <= 2; i++) {
		ck_assert(next_record(&item));
		ck_assert_int_eq(item.kind, RING_CALL);
		ck_assert_int_eq(number_of("\"suspensions\":"), 2);
	}
	ck_assert(!next_record(&item));
	/* One that began before does not know how often. */
	call_suspend(&code, frame_at(4), &ints[4]);
	ck_assert(next_record(&item));
	ck_assert_int_eq(number_of("\"suspensions\":"), -1);
	loud.enabled = false;
	call_suspend(&code, frame_at(4), &ints[4]);
	ck_assert(!next_record(&item));
	code.flags = 0;
	code.wants = 0;
}
END_TEST

START_TEST(a_probe_takes_its_calls_along)
{
	struct ring_item item;
	struct probe one, two;

	add_probe(&one, 1);
	add_probe(&two, 2);
	for (int i = 0; i < 1000; i++)
		call_begin(&code, frame_at(i));
	call_drop_probe(&one);
	code.probes[0] = &two;
	code.probe_count = 1;
	ck_assert_uint_eq(code.in_flight, 1000);
	for (int i = 0; i < 1000; i++)
		end_call_of(i);
	for (int i = 0; i < 1000; i++) {
		ck_assert(next_record(&item));
		ck_assert_uint_eq(item.probe, 2);
	}
	ck_assert(!next_record(&item));
	ck_assert_uint_eq(one.captures, 0);
}
END_TEST

/* Generators that nobody goes on with make room for others in the end. */
START_TEST(abandoned_calls_make_room)
{
	struct probe probe;

	add_probe(&probe, 1);
	for (int i = 0; i < CALLS; i++) {
		call_begin(&code, frame_at(i));
		call_suspend(&code, frame_at(i), NULL);
	}
	call_resume(&code, frame_at(0));
	for (int i = 0; i < 2 * CALLS; i++) {
		call_begin(&code, frame_at(CALLS));
		call_forget(frame_at(CALLS));
	}
	/* Some of the oldest went, and those that found no room meanwhile. */
	ck_assert_uint_le(probe.lost_calls, CALLS / 4);
	ck_assert_uint_lt(code.in_flight, CALLS);
	call_begin(&code, frame_at(CALLS));
	end_call_of(CALLS);
	end_call_of(0);
	ck_assert_int_eq(check_records(), 2);
}
END_TEST

START_TEST(a_disabled_probe_captures_nothing)
{
	struct ring_item item;
	struct probe probe;

	add_probe(&probe, 1)->enabled = false;
	call_begin(&code, frame_at(1));
	probe.enabled = true;
	end_call_of(1);
	ck_assert(!next_record(&item));
	ck_assert_uint_eq(probe.hits, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("call");
	TCase *tests = tcase_create("call");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, ends_find_their_entries);
	tcase_add_test(tests, any_mix_is_paired);
	tcase_add_test(tests, a_frame_used_again_is_another_call);
	tcase_add_test(tests, too_many_are_lost_and_counted);
	tcase_add_test(tests, an_end_without_entry_began_before);
	tcase_add_test(tests, yields_and_suspensions);
	tcase_add_test(tests, a_probe_takes_its_calls_along);
	tcase_add_test(tests, abandoned_calls_make_room);
	tcase_add_test(tests, a_disabled_probe_captures_nothing);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
