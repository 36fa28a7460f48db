/* SPDX-License-Identifier: MIT */
#include "agent/script.h"

#include "agent/debug.h"
#include "agent/fault.h"
#include "agent/memory.h"
#include "agent/sys.h"
#include "agent/thread.h"
#include "proto/glob.h"
#include "proto/json_write.h"

/* The text of an action as records quote it. */
static int keep_text(struct script_action *action, const char *text,
		     struct frame_error *err)
{
	static char buf[LIMIT_CODE + LIMIT_TEXT];
	struct json_writer w;

	json_init(&w, buf, sizeof buf);
	json_string(&w, text);
	if (!w.full)
		action->text = memory_get(json_length(&w));
	if (!action->text)
		return fault_set(err, ERROR_NO_MEMORY,
				 "the agent's memory is used up", "");
	action->text_length = (unsigned)json_length(&w);
	memcpy(action->text, buf, action->text_length);
	return 0;
}

static int compile_code(struct script_action *action, const char *text,
			struct frame_error *err)
{
	struct object *item[] = { expression_text(text) };
	struct object *code = expression_call("compile_code", 1, item);

	if (!code || !py_is(code, py.PyCode_Type))
		return expression_refuse(code, ERROR_CODE, err);
	action->object = code;
	return 0;
}

/* Is what a part of a log stands for withheld? */
static bool hides(const struct redaction *redaction, struct object *part)
{
	char name[LIMIT_NAME];
	size_t length;

	if (!py_is(part, py.PyTuple_Type) || py.PyTuple_Size(part) != 3)
		return false;
	length = py_text(py.PyTuple_GetItem(part, 2), name, sizeof name);
	return length &&
	       redact_name(redaction, name, length, redact_known(name, length));
}

/* The parts with flags for their names: a new reference, or NULL. */
static struct object *hide_parts(const struct redaction *redaction,
				 struct object *parts)
{
	struct object *hidden = py.PyList_New(0), *item[2];
	pyssize count = py.PyTuple_Size(parts);

	for (pyssize i = 0; hidden && i < count; i++)
		if (py.PyList_Append(hidden, hides(redaction,
						   py.PyTuple_GetItem(parts, i))
						     ? py._Py_TrueStruct
						     : py._Py_FalseStruct) <
		    0) {
			py_drop(hidden);
			hidden = NULL;
		}
	item[0] = py_ref(parts);
	item[1] = hidden;
	return expression_call("hide_parts", 2, item);
}

/* compile_log() answers (parts, expression). */
static int compile_log(struct script_action *action, const char *text,
		       const struct redaction *redaction,
		       struct frame_error *err)
{
	struct object *item[] = { expression_text(text) };
	struct object *log = expression_call("compile_log", 1, item);
	char *source;
	int result;

	if (!log || !py_is(log, py.PyTuple_Type))
		return expression_refuse(log, ERROR_CODE, err);
	source = memory_get(LIMIT_CODE);
	if (!source) {
		py_drop(log);
		return fault_set(err, ERROR_NO_MEMORY,
				 "the agent's memory is used up", "");
	}
	py_text(py.PyTuple_GetItem(log, 1), source, LIMIT_CODE);
	result = expression_compile(&action->expression, source, ERROR_CODE,
				    err);
	memory_put(source, LIMIT_CODE);
	if (!result) {
		action->object =
			hide_parts(redaction, py.PyTuple_GetItem(log, 0));
		if (!action->object)
			result = expression_refuse(NULL, ERROR_CODE, err);
	}
	py_drop(log);
	return result;
}

static int compile_callback(struct script_action *action, const char *text,
			    struct frame_error *err)
{
	struct object *item[] = { expression_text(text) };
	struct object *answer = expression_call("check_callback", 1, item);

	if (answer != py._Py_NoneStruct)
		return expression_refuse(answer, ERROR_CODE, err);
	py_drop(answer);
	action->object = expression_text(text);
	return action->object ? 0 : expression_refuse(NULL, ERROR_CODE, err);
}

static int compile_action(struct script_action *action, const char *text,
			  const struct redaction *redaction,
			  struct frame_error *err)
{
	if (keep_text(action, text, err) < 0)
		return -1;
	switch (action->kind) {
	case ACTION_EVAL:
		return expression_compile(&action->expression, text, ERROR_CODE,
					  err);
	case ACTION_EXEC:
		return compile_code(action, text, err);
	case ACTION_LOG:
		return compile_log(action, text, redaction, err);
	case ACTION_JUMP:
		action->object = expression_text(text);
		return action->object
			       ? 0
			       : expression_refuse(NULL, ERROR_CODE, err);
	case ACTION_DEBUG:
		return debug_load(err);
	case ACTION_CALL:
		return compile_callback(action, text, err);
	case ACTION_STACK:
	case ACTION_KINDS:
		break;
	}
	return 0;
}

static int compile_conditions(struct script *script,
			      const struct probe_script *given,
			      struct frame_error *err)
{
	if (given->condition &&
	    expression_compile(&script->condition, given->condition,
			       ERROR_CONDITION, err) < 0)
		return -1;
	if (given->once_per &&
	    expression_compile(&script->once_per, given->once_per,
			       ERROR_CONDITION, err) < 0)
		return -1;
	if (given->once_per)
		script->seen = expression_call("new_set", 0, NULL);
	if (given->thread)
		script->thread = expression_text(given->thread);
	if ((given->once_per && !script->seen) ||
	    (given->thread && !script->thread))
		return expression_refuse(NULL, ERROR_CONDITION, err);
	return 0;
}

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Without surrounding space, as lines are compared. */
static void take_line(struct script *script, const char *text)
{
	size_t length;

	while (blank(*text))
		text++;
	text_copy(script->line, sizeof script->line, text);
	length = text_length(script->line);
	while (length && blank(script->line[length - 1]))
		script->line[--length] = '\0';
}

static int compile_line(struct script *script, const struct probe_spec *spec,
			struct frame_error *err)
{
	struct object *item[1];

	if (spec->where.line_kind == LINE_TEXT)
		take_line(script, spec->script.line);
	if (spec->where.line_kind != LINE_PATTERN)
		return 0;
	item[0] = expression_text(spec->script.line);
	script->pattern = expression_call("compile_pattern", 1, item);
	if (script->pattern && !py_is_str(script->pattern))
		return 0;
	item[0] = script->pattern;
	script->pattern = NULL;
	return expression_refuse(item[0], ERROR_LOCATION, err);
}

static void release_action(struct script_action *action)
{
	struct script_action old = *action;

	*action = (struct script_action){ 0 };
	expression_release(&old.expression);
	py_drop(old.object);
	memory_put(old.text, old.text_length);
}

int script_add(struct script *script, const struct probe_script *given,
	       const struct redaction *redaction, struct frame_error *err)
{
	int before = script->action_count, end = before;
	int result = 0;

	if (before + (int)given->action_count > LIMIT_ACTIONS)
		return fault_set(err, ERROR_LIMIT, "too many actions", "");
	for (uint32_t i = 0; !result && i < given->action_count; i++) {
		script->actions[end].kind = given->actions[i].kind;
		result = compile_action(&script->actions[end++],
					given->actions[i].text, redaction, err);
	}
	/* A hit that is in progress sees them all, or none. */
	if (!result)
		script->action_count = end;
	while (result && end > before)
		release_action(&script->actions[--end]);
	return result;
}

int script_compile(struct script *script, const struct probe_spec *spec,
		   struct frame_error *err)
{
	int result = compile_line(script, spec, err);

	if (!result)
		result = compile_conditions(script, &spec->script, err);
	if (!result)
		result = script_add(script, &spec->script,
				    &spec->limits.redaction, err);
	if (result < 0)
		script_release(script);
	return result;
}

bool script_thread_fits(const struct script *script)
{
	char pattern[LIMIT_NAME], name[LIMIT_NAME];

	if (!script->thread)
		return true;
	py_text(script->thread, pattern, sizeof pattern);
	thread_name(name, sizeof name);
	if (text_equal(pattern, name))
		return true;
	if (pattern[0] == '!')
		return !glob_match(pattern + 1, name);
	return glob_match(pattern, name);
}

void script_release(struct script *script)
{
	struct script old = *script;

	*script = (struct script){ 0 };
	expression_release(&old.condition);
	expression_release(&old.once_per);
	py_drop(old.pattern);
	py_drop(old.seen);
	py_drop(old.thread);
	for (int i = 0; i < old.action_count; i++)
		release_action(&old.actions[i]);
}
