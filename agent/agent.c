/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"

#include "agent/armed.h"
#include "agent/attributes.h"
#include "agent/bootstrap.h"
#include "agent/call.h"
#include "agent/code.h"
#include "agent/context.h"
#include "agent/control.h"
#include "agent/debug.h"
#include "agent/engine/engine.h"
#include "agent/evaluation.h"
#include "agent/fault.h"
#include "agent/fork_guard.h"
#include "agent/fork_warning.h"
#include "agent/gil.h"
#include "agent/memory.h"
#include "agent/probe.h"
#include "agent/ration.h"
#include "agent/record.h"
#include "agent/selftest.h"
#include "agent/serve.h"
#include "agent/signalled.h"
#include "agent/stack.h"
#include "agent/sys.h"
#include "agent/watch.h"

enum {
	START_MS = 10000, /* the daemon speaks first, and soon */
};

/* Everything that holds objects of the program, or memory. */
static void release_python(void)
{
	call_drop_all();
	code_release_all();
	stack_release();
	debug_release();
	context_release();
	fork_warning_end();
	bootstrap_release();
	probe_free_all();
}

/* Takes the agent out of the interpreter. Says whether its code can still be
 * entered afterwards (enum boot_leave). */
static enum boot_leave leave_python(void)
{
	bool gone = true;

	sys_thread_name(BOOT_THREAD_LEAVING);
	/* Without the GIL already: callbacks that start now do nothing. */
	armed_set(false);
	if (!gil_take())
		return BOOT_STAY;
	debug_end(0);
	evaluation_abandon_all();
	if (engine)
		engine->stop();
	if (watch_drain(NULL) < 0 || !signalled_settle()) {
		gil_leave();
		return BOOT_STAY;
	}
	if (engine)
		gone = engine->finish() && !ration_stuck();
	engine = NULL;
	release_python();
	armed_release();
	gil_leave();
	record_release();
	memory_release();
	return gone ? BOOT_UNLOAD : BOOT_STAY;
}

/* Without the sample, attributes that have no dict are not read. */
static void prove_attributes(void)
{
	struct object *function = bootstrap_function("sample");
	struct object *sample =
		function ? py.PyObject_CallObject(function, NULL) : NULL;

	if (sample)
		attributes_prove(sample);
	py.PyErr_Clear();
	py_drop(sample);
}

/* Inside the interpreter, in the order in which leave_python() undoes it. */
static int enter_python(struct frame_error *err)
{
	if (bootstrap_run(err) < 0)
		return -1;
	gil_entered();
	fork_warning_begin();
	prove_attributes();
	if (call_init() < 0 || stack_init() < 0)
		return fault_set(err, ERROR_NO_MEMORY,
				 "no memory for the agent", "");
	if (engine_start(err) < 0)
		return -1;
	armed_set(true);
	return selftest_run(err);
}

/* Checks START and takes the descriptors that came with it. */
static int take_start(const struct control_input *in, struct frame_start *start,
		      struct frame_error *err)
{
	__builtin_memcpy(start, in->frame.payload, sizeof *start);
	if (start->version != NOPDB_AGENT_ABI)
		return fault_set(err, ERROR_AGENT,
				 "daemon and agent are of different versions",
				 "");
	if (in->fds[0] < 0 || in->fds[1] < 0)
		return fault_set(err, ERROR_AGENT,
				 "the ring did not come with the start", "");
	return 0;
}

/* In a child of the program: what it has of ours, and would keep open. */
static void close_channels(void)
{
	control_release();
	record_close();
}

/* Before an interpreter is, or when it is no more, its parts are not there. */
static int check_initialized(struct frame_error *err)
{
	if (py.Py_IsInitialized())
		return 0;
	fault_set(err, ERROR_FINALIZING,
		  "the interpreter is not initialized: the program begins or "
		  "ends",
		  "");
	return fault_remedy(err, "try again");
}

/* From START to READY. On failure everything is undone but the socket. */
static int start(const struct boot *boot, struct control_input *in,
		 struct frame_start *ret_start, enum boot_leave *ret_leave,
		 struct frame_error *err)
{
	if (python_load(boot, err) < 0 || take_start(in, ret_start, err) < 0 ||
	    check_initialized(err) < 0) {
		control_close_fds(in);
		return -1;
	}
	if (record_init(in->fds[0], in->fds[1], ret_start->ring_size) < 0)
		return fault_set(err, ERROR_AGENT, "the ring cannot be mapped",
				 "");
	if (armed_init() < 0) {
		record_release();
		fault_set(err, ERROR_ENGINE,
			  "this kernel cannot disarm probes in forked children",
			  "");
		return fault_remedy(err, "Linux 4.14 or later is needed");
	}
	fork_guard_begin(close_channels);
	if (!gil_take()) {
		armed_release();
		record_release();
		return fault_finalizing(err);
	}
	if (enter_python(err) < 0) {
		gil_give();
		*ret_leave = leave_python();
		return -1;
	}
	gil_give();
	return 0;
}

/* Waits for START, which brings descriptors; anything else ends the agent
 * before it began. */
static bool meet(struct control_input *in)
{
	control_wait(START_MS);
	sys_await_standard_fds();
	if (control_receive(in, START_MS) != CONTROL_FRAME)
		return false;
	if (in->frame.type == FRAME_START)
		return true;
	control_close_fds(in);
	return false;
}

int nopdb_agent_main(struct boot *boot)
{
	enum boot_leave leave = BOOT_UNLOAD;
	struct frame_start begin;
	struct frame_error err;
	struct control_input in;
	uint32_t id;

	if (boot->magic != BOOT_MAGIC || boot->version != NOPDB_AGENT_ABI ||
	    boot->size != sizeof *boot)
		return BOOT_UNLOAD;
	sys_lift_from(boot->fds_from);
	/* Ours from here on: the boot stub closes what it finds there. */
	control_init(boot->agent_socket);
	boot->agent_socket = -1;
	if (meet(&in)) {
		sys_thread_name(BOOT_THREAD_LIVE);
		id = in.frame.id;
		if (start(boot, &in, &begin, &leave, &err) < 0) {
			if (!fork_guard_end())
				leave = BOOT_STAY;
			control_send_error(id, &err);
		} else {
			serve_ready(id);
			id = serve(begin.silence_ms);
			leave = leave_python();
			if (!fork_guard_end())
				leave = BOOT_STAY;
			serve_leaving(id, leave);
		}
	}
	control_release();
	return leave;
}
