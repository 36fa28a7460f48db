/* SPDX-License-Identifier: MIT */
#include "agent/serve.h"

#include "agent/budget.h"
#include "agent/control.h"
#include "agent/debug.h"
#include "agent/engine/engine.h"
#include "agent/evaluation.h"
#include "agent/fault.h"
#include "agent/fork_warning.h"
#include "agent/gil.h"
#include "agent/interpreters.h"
#include "agent/lines.h"
#include "agent/probe.h"
#include "agent/record.h"
#include "agent/script.h"
#include "agent/sys.h"
#include "agent/watch.h"
#include "proto/json_write.h"

_Static_assert(LIMIT_PROBES * sizeof(struct probe_stats) <= FRAME_PAYLOAD,
	       "the counters of all probes fit into one PONG");

/* What a request answers: filled by its handler with the GIL held, sent
 * without it. */
static struct answer {
	enum frame_type type; /* 0: it is answered later */
	uint32_t length;
	char bytes[FRAME_PAYLOAD];
} answer;

typedef int serve_handler(const struct frame *request, struct frame_error *err);

static void answer_json(enum frame_type type, const struct json_writer *w)
{
	answer.type = type;
	answer.length = (uint32_t)json_length(w);
}

/* The probe a request names. */
static struct probe *named(const struct frame *request, struct frame_error *err)
{
	struct probe *probe;
	uint32_t id;

	__builtin_memcpy(&id, request->payload, sizeof id);
	probe = probe_find(id);
	if (!probe)
		fault_set(err, ERROR_NO_PROBE, "no such probe", "");
	return probe;
}

static int decode_spec(const struct frame *request, struct probe_spec *ret_spec,
		       struct frame_error *err)
{
	const char *reason =
		probe_spec_decode(request->payload, request->length, ret_spec);
	const struct location *where = &ret_spec->where;

	if (reason)
		return fault_set(err, ERROR_PARAMS, reason, "");
	if (where->module[0] || where->file[0] || where->function[0] ||
	    ret_spec->script.callable)
		return 0;
	return fault_set(err, ERROR_LOCATION, "a location with no part", "");
}

static int answer_state(struct probe *probe)
{
	struct json_writer w;

	json_init(&w, answer.bytes, sizeof answer.bytes);
	watch_state(probe, &w);
	answer_json(FRAME_PROBE_STATE, &w);
	return 0;
}

static int add(const struct probe_spec *spec,
	       const struct watch_callable *callable, struct frame_error *err)
{
	struct probe *probe = watch_add(spec, callable, err);

	return probe ? answer_state(probe) : -1;
}

/* outcome: see evaluation_resolve(). */
static struct watch_callable callable_of(struct object *outcome)
{
	struct watch_callable callable = {
		.function = py.PyTuple_GetItem(outcome, 0),
	};

	if (py.PyTuple_GetItem(outcome, 1) == py._Py_TrueStruct)
		callable.instance = py.PyTuple_GetItem(outcome, 2);
	return callable;
}

static void answer_later(struct evaluation_answer *ret_answer)
{
	*ret_answer = (struct evaluation_answer){ answer.type, answer.bytes,
						  answer.length };
}

static int add_resolved(const struct frame *request, struct object *outcome,
			struct evaluation_answer *ret_answer,
			struct frame_error *err)
{
	const struct watch_callable callable = callable_of(outcome);
	static struct probe_spec spec;

	if (decode_spec(request, &spec, err) < 0 ||
	    add(&spec, &callable, err) < 0)
		return -1;
	answer_later(ret_answer);
	return 0;
}

static int resolve(const struct frame *request, const struct probe_spec *spec,
		   evaluation_done *done, struct frame_error *err)
{
	answer.type = 0;
	return evaluation_resolve(request, spec, done, err);
}

static int serve_add(const struct frame *request, struct frame_error *err)
{
	static struct probe_spec spec;

	if (decode_spec(request, &spec, err) < 0)
		return -1;
	if (!spec.id)
		return fault_set(err, ERROR_PARAMS, "a probe needs an id", "");
	if (spec.script.callable)
		return resolve(request, &spec, add_resolved, err);
	return add(&spec, NULL, err);
}

static int serve_enable(const struct frame *request, struct frame_error *err)
{
	struct probe *probe = named(request, err);

	if (!probe || watch_enable(probe, err) < 0)
		return -1;
	return answer_state(probe);
}

static int serve_disable(const struct frame *request, struct frame_error *err)
{
	struct probe *probe = named(request, err);

	if (!probe || watch_disable(probe, err) < 0)
		return -1;
	return answer_state(probe);
}

/* Adds actions to a breakpoint that is set. */
static int serve_actions(const struct frame *request, struct frame_error *err)
{
	static struct probe_spec spec;
	const char *reason =
		probe_spec_decode(request->payload, request->length, &spec);
	struct probe *probe = reason ? NULL : probe_find(spec.id);

	if (reason)
		return fault_set(err, ERROR_PARAMS, reason, "");
	if (!probe)
		return fault_set(err, ERROR_NO_PROBE, "no such probe", "");
	if (probe->spec.kind != PROBE_BREAK)
		return fault_set(err, ERROR_PARAMS, "calls have no actions",
				 "");
	if (script_add(probe->script, &spec.script,
		       &probe->spec.limits.redaction, err) < 0)
		return -1;
	return answer_state(probe);
}

static int serve_remove(const struct frame *request, struct frame_error *err)
{
	struct probe *probe = named(request, err);

	if (!probe)
		return -1;
	answer.type = FRAME_PROBE_REMOVED;
	answer.length = sizeof(struct probe_stats);
	return watch_remove(probe, (struct probe_stats *)answer.bytes, err);
}

static int answer_lines(const struct probe_spec *spec, struct object *function,
			struct frame_error *err)
{
	struct json_writer w;

	json_init(&w, answer.bytes, sizeof answer.bytes);
	if (lines_write(spec, function, &w, err) < 0)
		return -1;
	answer_json(FRAME_LINES_ANSWER, &w);
	return 0;
}

static int lines_resolved(const struct frame *request, struct object *outcome,
			  struct evaluation_answer *ret_answer,
			  struct frame_error *err)
{
	static struct probe_spec spec;

	if (decode_spec(request, &spec, err) < 0 ||
	    answer_lines(&spec, callable_of(outcome).function, err) < 0)
		return -1;
	answer_later(ret_answer);
	return 0;
}

static int serve_lines(const struct frame *request, struct frame_error *err)
{
	static struct probe_spec spec;

	if (decode_spec(request, &spec, err) < 0)
		return -1;
	if (spec.script.callable)
		return resolve(request, &spec, lines_resolved, err);
	return answer_lines(&spec, NULL, err);
}

static int serve_evaluate(const struct frame *request, struct frame_error *err)
{
	static struct probe_spec spec;
	struct frame_evaluate how;
	const char *reason;

	__builtin_memcpy(&how, request->payload, sizeof how);
	reason = probe_spec_decode((const char *)request->payload + sizeof how,
				   request->length - sizeof how, &spec);
	if (!reason && (spec.script.action_count != 1 ||
			spec.script.actions[0].kind > ACTION_EXEC ||
			!how.time_ms || how.time_ms > LIMIT_EVALUATION_MS))
		reason = "neither an expression nor statements";
	if (reason)
		return fault_set(err, ERROR_PARAMS, reason, "");
	answer.type = 0;
	return evaluation_begin(request->id, &how, &spec, err);
}

/* The counters, read without the GIL: they are single words, and only this
 * thread adds and removes probes. */
static void serve_ping(uint32_t id)
{
	struct probe_stats *stats = (struct probe_stats *)answer.bytes;
	int count = probe_count();

	for (int i = 0; i < count; i++)
		probe_stats(probe_at(i), &stats[i]);
	control_send(FRAME_PONG, id, stats, (uint32_t)count * sizeof *stats);
}

/* The program made an interpreter, or forked: there are not many occasions to
 * notice. */
static void look_around(void)
{
	bool grown = probe_count() && interpreters_changed();

	if ((!grown && !fork_warning_due()) || !gil_take())
		return;
	if (grown)
		interpreters_follow();
	if (fork_warning_due())
		fork_warning_settle();
	gil_give();
}

static serve_handler *handler_of(enum frame_type type)
{
	switch (type) {
	case FRAME_PROBE_ADD:
		return serve_add;
	case FRAME_PROBE_REMOVE:
		return serve_remove;
	case FRAME_PROBE_ENABLE:
		return serve_enable;
	case FRAME_PROBE_DISABLE:
		return serve_disable;
	case FRAME_LINES:
		return serve_lines;
	case FRAME_EVALUATE:
		return serve_evaluate;
	case FRAME_PROBE_ACTIONS:
		return serve_actions;
	default:
		return NULL;
	}
}

/* Runs a request under the GIL and sends its answer or its error. */
static void serve_request(serve_handler *handler, const struct frame *request)
{
	struct frame_error err = { 0 };
	int result;

	if (!gil_take()) {
		fault_finalizing(&err);
		control_send_error(request->id, &err);
		return;
	}
	result = handler(request, &err);
	gil_give();
	if (result < 0)
		control_send_error(request->id, &err);
	else if (answer.type)
		control_send(answer.type, request->id, answer.bytes,
			     answer.length);
}

/* A debugger's session is over. It may have taken the engine's trace function
 * along. */
static void serve_debug_over(const struct frame *frame)
{
	uint32_t session;

	__builtin_memcpy(&session, frame->payload, sizeof session);
	if (!session || !gil_take())
		return;
	debug_end(session);
	if (engine->settle)
		engine->settle();
	gil_give();
}

/* Serves one frame; false ends the agent. */
static bool serve_frame(const struct frame *frame)
{
	serve_handler *handler = handler_of(frame->type);

	if (handler == serve_add)
		record_warm();
	if (handler)
		serve_request(handler, frame);
	else if (frame->type == FRAME_PING)
		serve_ping(frame->id);
	else if (frame->type == FRAME_DEBUG_OVER)
		serve_debug_over(frame);
	else
		return false;
	look_around();
	return true;
}

/* May something have to be done before the next frame comes? */
static bool is_restless(void)
{
	return budget_watched() || debug_ending() || evaluation_any();
}

/* So much later than asked for: this thread did not run meanwhile. */
enum { STOOD_STILL_MS = 1000 };

/* Was the silence one of a machine, or of a container, that stood still? Then
 * the daemon may have as well, and gets as long again. */
static bool stood_still(uint64_t end)
{
	return sys_monotonic() > end + STOOD_STILL_MS * 1000000ull;
}

/* Waits for the next frame; while code of ours runs in the program, looks after
 * its budget. */
static enum control_result receive(struct control_input *in,
				   uint32_t silence_ms)
{
	uint64_t end = sys_monotonic() + (uint64_t)silence_ms * 1000000;

	for (;;) {
		uint64_t now = sys_monotonic();
		uint32_t left =
			now < end ? (uint32_t)((end - now) / 1000000) : 0;
		uint32_t slice = is_restless() && left > BUDGET_TICK_MS
					 ? BUDGET_TICK_MS
					 : left;
		enum control_result result = control_receive(in, slice);

		if (evaluation_any())
			evaluation_turn();
		if (result == CONTROL_SILENCE && stood_still(end)) {
			end = sys_monotonic() + (uint64_t)silence_ms * 1000000;
			continue;
		}
		if (result != CONTROL_SILENCE || slice == left)
			return result;
		if ((budget_wanted() || debug_ending()) && gil_take()) {
			budget_enforce();
			if (debug_ending())
				debug_enforce();
			gil_give();
		}
	}
}

uint32_t serve(uint32_t silence_ms)
{
	struct control_input in;
	struct frame_error err;

	for (;;) {
		switch (receive(&in, silence_ms)) {
		case CONTROL_FRAME:
			break;
		case CONTROL_MALFORMED:
			fault_set(&err, ERROR_AGENT,
				  "not a frame: ", in.reason);
			control_send_error(0, &err);
			return 0;
		default:
			return 0;
		}
		control_close_fds(&in);
		if (in.frame.type == FRAME_LEAVE)
			return in.frame.id;
		if (serve_frame(&in.frame))
			continue;
		fault_set(&err, ERROR_AGENT,
			  "a frame that the daemon does not send", "");
		control_send_error(0, &err);
		return 0;
	}
}

void serve_ready(uint32_t id)
{
	char text[128], version[32];
	struct json_writer w;
	size_t length;

	text_copy(version, sizeof version, py.Py_GetVersion());
	for (length = 0; version[length] && version[length] != ' '; length++)
		;
	json_init(&w, text, sizeof text);
	json_object_begin(&w);
	json_key(&w, "python");
	json_string_n(&w, version, length);
	json_key(&w, "engine");
	json_string(&w, engine->name);
	json_object_end(&w);
	control_send(FRAME_READY, id, text, (uint32_t)json_length(&w));
}

void serve_leaving(uint32_t id, enum boot_leave leave)
{
	uint32_t result = leave;

	control_send(FRAME_LEAVING, id, &result, sizeof result);
}
