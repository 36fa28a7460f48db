/* SPDX-License-Identifier: MIT */
#include "agent/hit.h"

#include "agent/armed.h"
#include "agent/budget.h"
#include "agent/debug.h"
#include "agent/execute.h"
#include "agent/frames.h"
#include "agent/hit_record.h"
#include "agent/memory.h"
#include "agent/ration.h"
#include "agent/record.h"
#include "agent/repr.h"
#include "agent/script.h"
#include "agent/signalled.h"
#include "agent/stack.h"
#include "agent/sys.h"
#include "agent/value.h"

enum {
	TEXT_FIRST = 4 << 10,	 /* most hits need no more */
	STOPS_AT_ONCE = 32,	 /* probes of one line */
	VALUE_ROOM_LEAST = 1024, /* where a value may still be cut to fit */
};

/* A breakpoint of a code object: its expressions as they are bound there. */
struct hit_plan {
	struct hit_plan *next; /* of the probe */
	struct binding bindings[SCRIPT_BINDINGS];
};

/* One probe at one place, while its actions run. */
struct hit {
	struct probe *probe;
	struct script *script;
	struct hit_plan *plan;
	struct scope scope;
	struct hit_place place;
	char *text;
	size_t room, used;
	int count;
	struct hit_piece piece[2 * LIMIT_ACTIONS];
	bool over; /* interrupted, or disarmed (in a forked child) */
	bool cut;  /* a piece of it was */
	struct debug_stop *stop; /* of all probes here */
};

bool hit_busy(void)
{
	return budget_open();
}

void hit_release_plans(struct probe *probe)
{
	while (probe->plans) {
		struct hit_plan *plan = probe->plans;

		probe->plans = plan->next;
		for (int i = 0; i < SCRIPT_BINDINGS; i++)
			binding_release(&plan->bindings[i]);
		memory_put(plan, sizeof *plan);
	}
}

/* ---- what went wrong ------------------------------------------------------
 */

static const char *const action_name[ACTION_KINDS] = {
	[ACTION_EVAL] = "eval",	  [ACTION_EXEC] = "exec",
	[ACTION_LOG] = "log",	  [ACTION_STACK] = "stack",
	[ACTION_JUMP] = "jump",	  [ACTION_CALL] = "call",
	[ACTION_DEBUG] = "debug",
};

/* Stops a probe for good, once. */
static void switch_off(struct probe *probe)
{
	static const char reason[] = "{\"reason\":\"budget\"}";

	if (probe->done)
		return;
	probe->done = true;
	record_put(RING_DONE, probe->spec.id, reason, sizeof reason - 1);
}

/* Writes `,"error":{..}}`-like pieces into the hit's text; larger room when it
 * does not fit. */
static bool grow(struct hit *hit)
{
	char *text;

	if (hit->room == LIMIT_RECORD)
		return false;
	text = memory_get_unset(LIMIT_RECORD);
	if (!text)
		return false;
	memcpy(text, hit->text, hit->used);
	memory_put(hit->text, hit->room);
	hit->text = text;
	hit->room = LIMIT_RECORD;
	return true;
}

/* What is written as one piece. */
struct content {
	enum piece_kind kind;
	const struct script_action *action;
	struct object *value;	       /* eval, log */
	const struct hit_fault *fault; /* instead of a value */
	struct repr repr;	       /* of the value, when asked for */
};

static void write_content(struct json_writer *w, const struct hit *hit,
			  const struct content *content)
{
	const struct script_action *action = content->action;
	const struct probe_limits *limits = &hit->probe->spec.limits;

	if (content->kind == PIECE_STACK) {
		stack_write(w, hit->scope.frame, (int)limits->stack);
		return;
	}
	if (content->kind == PIECE_LOG) {
		value_write(w, content->value, limits);
		return;
	}
	json_object_begin(w);
	if (content->kind == PIECE_ERROR) {
		json_key(w, "action");
		json_string(w, action_name[action->kind]);
	}
	json_key(w, content->kind == PIECE_ERROR  ? "text"
		    : content->kind == PIECE_CALL ? "function"
						  : "expr");
	json_raw(w, action->text, action->text_length);
	json_key(w, content->fault ? "error" : "value");
	w->end -= 1;
	if (content->fault)
		hit_record_fault(w, hit->probe, content->fault);
	else if (content->kind == PIECE_CALL)
		value_write(w, content->value, limits);
	else {
		value_next_repr(&content->repr);
		value_write_expression(w, action->text, action->text_length,
				       content->value, limits);
	}
	w->end += 1;
	json_object_end(w);
}

/* Appends a piece; one that does not fit at all is left out and counted. */
static void add_piece(struct hit *hit, const struct content *content)
{
	struct json_writer w;
	unsigned cuts;

	if (!hit->text || hit->count == 2 * LIMIT_ACTIONS)
		return;
	if (hit->room - hit->used < VALUE_ROOM_LEAST)
		grow(hit);
	for (;;) {
		cuts = value_cuts;
		json_init(&w, hit->text + hit->used, hit->room - hit->used);
		write_content(&w, hit, content);
		/* A value that was cut for want of room may have more. */
		if ((!w.full && json_room(&w) > VALUE_ROOM_LEAST / 4) ||
		    !grow(hit))
			break;
	}
	if (w.full) {
		hit->probe->lost_size++;
		return;
	}
	hit->cut |= cuts != value_cuts;
	hit->piece[hit->count++] =
		(struct hit_piece){ content->kind, (unsigned)hit->used,
				    (unsigned)json_length(&w) };
	hit->used += json_length(&w);
}

/* The exception that an evaluation ended with, or that it was interrupted;
 * clears the indicator. The objects are the caller's to drop. */
static void take_fault(struct hit *hit, bool interrupted,
		       struct py_error *ret_error, struct hit_fault *fault)
{
	py_error_save(ret_error);
	fault->type = ret_error->type;
	fault->value = ret_error->value;
	fault->traceback = ret_error->traceback;
	if (signalled_take(ret_error)) {
		fault->message = "a signal's handler raised it: it is given to "
				 "the program";
		hit->over = true;
	} else if (interrupted)
		fault->message = "interrupted: it took longer than its budget";
	else if (!fault->type && !fault->value)
		fault->message = "no memory";
}

static void drop_error(struct py_error *error)
{
	py_drop(error->type);
	py_drop(error->value);
	py_drop(error->traceback);
	/* A destructor may have left another. */
	py.PyErr_Clear();
}

/* ---- evaluation -----------------------------------------------------------
 */

static struct object *log_of(struct hit *hit, int i)
{
	struct script_action *action = &hit->script->actions[i];
	struct object *values = expression_value(
		&action->expression, &hit->plan->bindings[SCRIPT_ACTIONS + i],
		&hit->scope);
	struct object *item[] = { py_ref(action->object), values };

	if (!values) {
		py_drop(item[0]);
		return NULL;
	}
	return expression_call("log_text", 2, item);
}

/* The program stops when all else of the hit is done. */
static int prepare_debug(struct hit *hit)
{
	const struct code *code = hit->place.code;
	struct debug_stop *stop = hit->stop;

	if (debug_prepare(stop, hit->probe->spec.id) < 0)
		return -1;
	if (!stop->wanted || stop->code)
		return 0;
	stop->code = py_ref(code->object);
	stop->seconds = hit->probe->spec.limits.debug_ms / 1000 +
			(hit->probe->spec.limits.debug_ms % 1000 > 0);
	return 0;
}

/* Does what an action says: a new reference, NULL with an exception. */
static struct object *perform(struct hit *hit, int i)
{
	struct script_action *action = &hit->script->actions[i];

	switch (action->kind) {
	case ACTION_EVAL:
		return expression_value(
			&action->expression,
			&hit->plan->bindings[SCRIPT_ACTIONS + i], &hit->scope);
	case ACTION_LOG:
		return log_of(hit, i);
	case ACTION_EXEC:
		return execute_code(&hit->scope, action->object);
	case ACTION_JUMP:
		return execute_jump(&hit->scope, action->object);
	case ACTION_DEBUG:
		if (prepare_debug(hit) < 0)
			return NULL;
		break;
	case ACTION_CALL:
		return execute_callback(&hit->scope, action->object);
	case ACTION_STACK:
	case ACTION_KINDS:
		break;
	}
	return py_ref(py._Py_NoneStruct);
}

/* Closes a budget and says whether the hit can go on. */
static bool close_budget(struct hit *hit, struct budget *budget)
{
	bool interrupted = budget_end(budget);

	if (interrupted)
		switch_off(hit->probe);
	hit->over |= interrupted || !*armed_flag;
	return interrupted;
}

static void fail_action(struct hit *hit, const struct script_action *action,
			bool interrupted)
{
	struct hit_fault fault = {
		.where = action_name[action->kind],
		.text = action->text,
		.text_length = action->text_length,
	};
	struct content content = {
		.kind = PIECE_ERROR,
		.action = action,
		.fault = &fault,
	};
	struct py_error error;

	take_fault(hit, interrupted, &error, &fault);
	if (action->kind == ACTION_EVAL)
		content.kind = PIECE_EVAL;
	else if (action->kind == ACTION_CALL)
		content.kind = PIECE_CALL;
	if (*armed_flag) {
		add_piece(hit, &content);
		if (action->kind != ACTION_EVAL || interrupted)
			hit_record_error(hit->probe, &hit->place, &fault);
	}
	drop_error(&error);
}

static void ask_repr(const struct hit *hit, struct content *content)
{
	struct probe *probe = hit->probe;
	const char *name = "";
	size_t length;

	if (!content->value || content->action->kind != ACTION_EVAL ||
	    !*armed_flag || hit->over || !probe->spec.limits.repr)
		return;
	length = value_expression_name(content->action->text,
				       content->action->text_length, &name);
	if (!length || !redact_name(&probe->spec.limits.redaction, name, length,
				    redact_known(name, length)))
		repr_ask(&content->repr, content->value, probe);
}

static bool runs_code(enum action_kind kind)
{
	return kind == ACTION_EXEC || kind == ACTION_CALL;
}

static void run_action(struct hit *hit, int i)
{
	const struct script_action *action = &hit->script->actions[i];
	const struct probe_limits *limits = &hit->probe->spec.limits;
	struct content content = { .kind = PIECE_EVAL, .action = action };
	struct budget budget;
	bool interrupted;

	if (action->kind == ACTION_STACK) {
		content.kind = PIECE_STACK;
		add_piece(hit, &content);
		return;
	}
	budget_begin(&budget, runs_code(action->kind) ? limits->exec_ms
						      : limits->eval_ms);
	content.value = perform(hit, i);
	interrupted = close_budget(hit, &budget);
	ask_repr(hit, &content);
	if (!content.value || interrupted)
		fail_action(hit, action, interrupted);
	else if (!*armed_flag)
		hit->over = true;
	else if (action->kind == ACTION_EVAL || action->kind == ACTION_LOG ||
		 action->kind == ACTION_CALL) {
		content.kind = action->kind == ACTION_LOG    ? PIECE_LOG
			       : action->kind == ACTION_CALL ? PIECE_CALL
							     : PIECE_EVAL;
		add_piece(hit, &content);
	}
	repr_release(&content.repr);
	py_drop(content.value);
	py.PyErr_Clear();
}

static void fail_condition(struct hit *hit, const char *where,
			   struct object *text, bool interrupted)
{
	static const size_t size = 6 * LIMIT_TEXT;
	struct hit_fault fault = { .where = where };
	struct py_error error;
	struct json_writer w;
	char *quoted;

	take_fault(hit, interrupted, &error, &fault);
	quoted = *armed_flag ? memory_get(size + LIMIT_TEXT) : NULL;
	if (quoted) {
		py_text(text, quoted + size, LIMIT_TEXT);
		json_init(&w, quoted, size);
		json_string(&w, quoted + size);
		fault.text = quoted;
		fault.text_length = (unsigned)json_length(&w);
		if (!w.full)
			hit_record_error(hit->probe, &hit->place, &fault);
		memory_put(quoted, size + LIMIT_TEXT);
	}
	drop_error(&error);
}

/* Is a value true? Its __bool__ may be the program's. Takes the reference;
 * -1 with an exception. */
static int truth(struct object *value)
{
	int result = value ? py.PyObject_IsTrue(value) : -1;

	py_drop(value);
	return result;
}

/* Asks an expression of the script; an error counts as false. */
static bool ask(struct hit *hit, const struct expression *expression, int index,
		const char *where)
{
	struct binding *binding = &hit->plan->bindings[index];
	struct object *value, *item[2];
	struct budget budget;
	bool interrupted;
	int answer;

	if (!expression->text)
		return true;
	answer = index == SCRIPT_CONDITION
			 ? expression_plain_truth(expression, binding,
						  &hit->scope)
			 : -1;
	if (answer >= 0)
		return answer;
	budget_begin(&budget, hit->probe->spec.limits.eval_ms);
	value = expression_value(expression, binding, &hit->scope);
	if (value && index == SCRIPT_ONCE_PER) {
		item[0] = py_ref(hit->script->seen);
		item[1] = value;
		value = expression_call("first_time", 2, item);
	}
	answer = truth(value);
	interrupted = close_budget(hit, &budget);
	if (answer < 0 || interrupted)
		fail_condition(hit, where, expression->text, interrupted);
	return answer > 0 && !hit->over;
}

/* ---- a hit ----------------------------------------------------------------
 */

/* Everything that decides whether the actions run. */
static bool wanted(struct hit *hit)
{
	const struct script *script = hit->script;
	struct probe *probe = hit->probe;

	return probe_instance_fits(probe, hit->scope.code, hit->scope.frame) &&
	       script_thread_fits(script) &&
	       ask(hit, &script->condition, SCRIPT_CONDITION, "condition") &&
	       ask(hit, &script->once_per, SCRIPT_ONCE_PER, "once-per") &&
	       probe_turn(probe) && probe_admit(probe);
}

static void run_actions(struct hit *hit)
{
	struct probe *probe = hit->probe;

	probe->running++;
	hit->text = memory_get_unset(TEXT_FIRST);
	hit->room = TEXT_FIRST;
	for (int i = 0; i < hit->script->action_count && !hit->over; i++)
		run_action(hit, i);
	if (*armed_flag && probe->enabled && !hit->text)
		probe->lost_ring++;
	else if (*armed_flag && probe->enabled &&
		 hit_record_write(probe, &hit->place, hit->text, hit->piece,
				  hit->count, hit->cut))
		probe_captured(probe);
	memory_put(hit->text, hit->room);
	probe->running--;
}

static void run_probe(struct probe *probe, struct hit_plan *plan,
		      struct code *code, void *frame, int line,
		      struct debug_stop *stop)
{
	struct hit hit = {
		.probe = probe,
		.script = probe->script,
		.plan = plan,
		.scope = { code, frame, frames->globals(frame), NULL },
		.place = { code, line ? line : frames->line(frame),
			   sys_realtime() },
		.stop = stop,
	};

	if (!hit.scope.globals)
		return;
	if (!(code->flags & CODE_OPTIMIZED))
		hit.scope.locals = frames->name_space(frame);
	if (wanted(&hit))
		run_actions(&hit);
	py_drop(hit.scope.locals);
	py_drop(hit.scope.globals);
	py.PyErr_Clear();
}

/* The probe's plan for a code object; made at its first hit there. */
static struct hit_plan *plan_of(struct code *code, struct code_stop *stop)
{
	struct probe *probe = stop->probe;

	for (int i = 0; i < code->stop_count && !stop->plan; i++)
		if (code->stops[i].probe == probe)
			stop->plan = code->stops[i].plan;
	if (stop->plan)
		return stop->plan;
	stop->plan = memory_get(sizeof *stop->plan);
	if (stop->plan) {
		stop->plan->next = probe->plans;
		probe->plans = stop->plan;
	} else {
		probe->lost_ring++;
	}
	return stop->plan;
}

struct due {
	struct probe *probe;
	struct hit_plan *plan;
};

/* Does its condition say no, as C can tell? Then nothing has to be made ready
 * for code that runs. */
static bool is_plainly_false(const struct due *due, const struct code *code,
			     void *frame)
{
	const struct expression *condition = &due->probe->script->condition;
	const struct scope scope = { .code = code, .frame = frame };

	return code->flags & CODE_OPTIMIZED && condition->text &&
	       !expression_plain_truth(condition,
				       &due->plan->bindings[SCRIPT_CONDITION],
				       &scope);
}

/* The probes that stop at a line, all at once: while one runs, the stops may
 * change. The probes themselves stay (armed_inside). */
static int gather(struct code *code, void *frame, int line,
		  struct due due[STOPS_AT_ONCE])
{
	int count = 0;

	for (int i = 0; i < code->stop_count && count < STOPS_AT_ONCE; i++) {
		struct code_stop *stop = &code->stops[i];

		if (stop->line != line || !stop->probe->enabled ||
		    stop->probe->done)
			continue;
		due[count].probe = stop->probe;
		due[count].plan = plan_of(code, stop);
		count += due[count].plan != NULL &&
			 !is_plainly_false(&due[count], code, frame);
	}
	return count;
}

static void run_all(struct code *code, void *frame, int line)
{
	struct due due[STOPS_AT_ONCE];
	struct py_error saved;
	struct budget whole;
	struct debug_stop stop = { .fd = -1, .line = line > 0 };
	int count;

	if (budget_open())
		return;
	count = gather(code, frame, line, due);
	if (!count)
		return;
	py_error_save(&saved);
	budget_begin(&whole, 0);
	ration_begin();
	for (int i = 0; i < count && *armed_flag; i++)
		if (due[i].probe->enabled && !due[i].probe->done)
			run_probe(due[i].probe, due[i].plan, code, frame, line,
				  &stop);
	ration_end();
	budget_end(&whole);
	if (*armed_flag)
		stack_trim();
	py_error_restore(&saved);
	/* Nothing of a probe is touched any more: it may go meanwhile. */
	if (stop.wanted)
		debug_run(&stop, frame);
}

void hit_line(struct code *code, void *frame, int line)
{
	run_all(code, frame, line);
}

void hit_call(struct code *code, void *frame)
{
	run_all(code, frame, 0);
}
