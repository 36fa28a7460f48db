/* SPDX-License-Identifier: MIT */
#include "agent/selftest.h"

#include "agent/bootstrap.h"
#include "agent/code.h"
#include "agent/engine/engine.h"
#include "agent/fault.h"
#include "agent/probe.h"
#include "agent/record.h"
#include "agent/sys.h"
#include "agent/watch.h"
#include "proto/ring.h"

#define MODULE "nopdb agent"
#define FUNCTION "probed" /* of agent/python/bootstrap.py */

enum { BYTES = RING_HEADER + LIMIT_RING_MIN, EXPECTED = 8 };

/* A call of probed(first, 2, 5), and what its record must say. */
struct trial {
	const char *name;
	bool raises; /* first is None, else 1 */
	const char *expected[EXPECTED];
};

static const struct trial trials[] = {
	{ "return",
	  false,
	  { "\"function\":\"" MODULE ":" FUNCTION "\"",
	    "\"args\":{\"first\":1,\"second\":2,\"keyword\":3,\"rest\":",
	    "{\"$type\":\"tuple\",\"$items\":[5]},\"others\":{}}",
	    "\"local\":6", "\"return\":[6,\"nopdb\"]", "\"stack\":[{" } },
	{ "exception",
	  true,
	  { "\"args\":{\"first\":null,\"second\":2,\"keyword\":3,",
	    "\"exception\":{\"type\":\"TypeError\"", "\"stack\":[{" } },
};

enum { TRIALS = sizeof trials / sizeof *trials };

/* Is `part` somewhere in the text? */
static bool has(const char *text, size_t length, const char *part)
{
	size_t size = text_length(part);

	for (size_t i = 0; i + size <= length; i++)
		if (memcmp(text + i, part, size) == 0)
			return true;
	return false;
}

/* (first, 2, 5), a new reference. */
static struct object *new_arguments(const struct trial *trial)
{
	struct object *tuple = py.PyTuple_New(3);
	struct object *item[] = {
		trial->raises ? py_ref(py._Py_NoneStruct)
			      : py.PyLong_FromLong(1),
		py.PyLong_FromLong(2),
		py.PyLong_FromLong(5),
	};
	bool made = tuple != NULL;

	/* SetItem takes the reference over, also when it fails. */
	for (int i = 0; i < 3; i++) {
		if (!tuple)
			py_drop(item[i]);
		else if (py.PyTuple_SetItem(tuple, i, item[i]) < 0 || !item[i])
			made = false;
	}
	if (made)
		return tuple;
	py.PyErr_Clear();
	py_drop(tuple);
	return NULL;
}

/* Makes the calls, on this thread; each must end as it is meant to. */
static int call_all(struct object *function, struct frame_error *err)
{
	for (int i = 0; i < TRIALS; i++) {
		struct object *arguments = new_arguments(&trials[i]);
		bool returned;

		if (!arguments)
			return fault_set(err, ERROR_NO_MEMORY,
					 "no memory for the self-test", "");
		returned = py_done(py.PyObject_CallObject(function, arguments));
		py_drop(arguments);
		if (returned == trials[i].raises)
			return fault_set(err, ERROR_ENGINE,
					 "self-test: the call was disturbed: ",
					 trials[i].name);
	}
	return 0;
}

/* Compares one record with what it must say. */
static int judge(const struct ring_record *record, const struct trial *trial,
		 struct frame_error *err)
{
	const char *text = (const char *)(record + 1);

	if (!record->word)
		return fault_set(
			err, ERROR_ENGINE,
			"self-test: a call was not noticed: ", trial->name);
	if (record->kind != RING_CALL)
		return fault_set(err, ERROR_ENGINE,
				 "self-test: not the record of a call", "");
	for (int i = 0; i < EXPECTED && trial->expected[i]; i++)
		if (!has(text, record->length, trial->expected[i]))
			return fault_set(err, ERROR_ENGINE,
					 "self-test: the capture lacks ",
					 trial->expected[i]);
	return 0;
}

static int judge_all(const struct ring *ring, struct frame_error *err)
{
	const char *at = (const char *)ring + RING_HEADER;

	for (int i = 0; i < TRIALS; i++) {
		const struct ring_record *record = (const void *)at;

		if (judge(record, &trials[i], err) < 0)
			return -1;
		at += record->word;
	}
	return 0;
}

/* Sets a probe of its own on the function, calls it, takes the probe away. */
static int probe_calls(struct object *function, struct frame_error *err)
{
	/* Of no module there is: other threads run meanwhile, and what they
	 * run is asked about. */
	static struct probe_spec spec = {
		.kind = PROBE_CALLS,
		.where = { .module = MODULE },
	};
	const struct code_names names = { MODULE, "", FUNCTION };
	struct probe *probe;
	struct code *code;
	int result;

	probe_limits_default(&spec.limits);
	probe = probe_add(&spec, err);
	if (!probe)
		return -1;
	code = code_add(py.PyFunction_GetCode(function), &names);
	if (!code || !code_add_probe(code, probe)) {
		result = fault_set(err, ERROR_NO_MEMORY,
				   "no memory for the self-test", "");
	} else {
		watch_arm(code);
		result = call_all(function, err);
	}
	if (watch_disable(probe, result < 0 ? NULL : err) < 0)
		return -1;
	probe_free(probe);
	return result;
}

int selftest_run(struct frame_error *err)
{
	struct object *function = bootstrap_function(FUNCTION);
	struct ring *ring = sys_map(BYTES), *real;
	int result;

	if (!function || !ring) {
		sys_unmap(ring, BYTES);
		return fault_set(err, ERROR_NO_MEMORY,
				 "no memory for the self-test", "");
	}
	ring_init(ring, LIMIT_RING_MIN);
	real = record_divert(ring);
	result = probe_calls(function, err);
	record_divert(real);
	if (!result)
		result = judge_all(ring, err);
	sys_unmap(ring, BYTES);
	if (result)
		fault_remedy(err, "this Python is not as the agent knows it: "
				  "please report its version");
	return result;
}
