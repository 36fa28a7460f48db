/* SPDX-License-Identifier: MIT */
#include "daemon/script.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/params.h"

static const char *const action_names[ACTION_KINDS] = {
	[ACTION_EVAL] = "eval",	  [ACTION_EXEC] = "exec",
	[ACTION_LOG] = "log",	  [ACTION_STACK] = "stack",
	[ACTION_JUMP] = "jump",	  [ACTION_CALL] = "call",
	[ACTION_DEBUG] = "debug",
};

/* "+3": 3; -1 for any other text. */
static long offset_of(const char *text)
{
	size_t digits = strspn(text + 1, "0123456789");

	if (*text != '+' || !digits || digits > 7 || text[1 + digits])
		return -1;
	return strtol(text + 1, NULL, 10);
}

static int take_text(const char *text, const char **ret_text, const char *name,
		     struct error *err)
{
	if (text && strlen(text) >= LIMIT_TEXT)
		return error_set(err, ERROR_PARAMS,
				 "'%s' is longer than %d bytes", name,
				 LIMIT_TEXT - 1);
	*ret_text = text;
	return 0;
}

static int set_line(struct location *where, enum line_kind kind, double line,
		    struct error *err)
{
	if (where->line_kind != LINE_NONE)
		return error_set(err, ERROR_LOCATION,
				 "location: the line is given twice");
	where->line_kind = kind;
	where->line = (uint32_t)line;
	return 0;
}

/* A number, "+N", or the text of a line. */
static int take_line(const cJSON *line, struct probe_spec *spec,
		     struct error *err)
{
	long offset;

	if (!line)
		return 0;
	if (cJSON_IsNumber(line))
		return set_line(&spec->where, LINE_NUMBER, line->valuedouble,
				err);
	offset = offset_of(line->valuestring);
	if (offset >= 0)
		return set_line(&spec->where, LINE_OFFSET, (double)offset, err);
	if (take_text(line->valuestring, &spec->script.line, "line", err))
		return -1;
	return set_line(&spec->where, LINE_TEXT, 0, err);
}

static int take_pattern(const char *pattern, struct probe_spec *spec,
			struct error *err)
{
	if (!pattern)
		return 0;
	if (take_text(pattern, &spec->script.line, "line_regex", err))
		return -1;
	return set_line(&spec->where, LINE_PATTERN, 0, err);
}

static uint32_t action_kind(const char *name)
{
	for (uint32_t kind = 1; kind < ACTION_KINDS; kind++)
		if (!strcmp(name, action_names[kind]))
			return kind;
	return 0;
}

/* Has an action no text? {"stack": true} */
static bool is_bare(uint32_t kind)
{
	return kind == ACTION_STACK || kind == ACTION_DEBUG;
}

/* {"eval": "x"}: one member, whose name is the kind. */
static int take_action(const cJSON *given, struct probe_script *script,
		       struct error *err)
{
	const cJSON *member = cJSON_IsObject(given) ? given->child : NULL;
	struct probe_action *action = &script->actions[script->action_count];
	size_t most;

	if (script->action_count == LIMIT_ACTIONS)
		return error_set(err, ERROR_PARAMS, "more than %d actions",
				 LIMIT_ACTIONS);
	action->kind =
		member && !member->next ? action_kind(member->string) : 0;
	if (!action->kind)
		return error_set(err, ERROR_PARAMS,
				 "an action is an object with one member: "
				 "eval, exec, log, jump, call, stack or debug");
	most = action->kind == ACTION_EXEC ? LIMIT_CODE : LIMIT_TEXT;
	action->text = cJSON_GetStringValue(member);
	if (is_bare(action->kind))
		action->text = cJSON_IsTrue(member) ? "" : NULL;
	if (!action->text || strlen(action->text) >= most)
		return error_set(err, ERROR_PARAMS,
				 "action '%s': not a text of less than %zu "
				 "bytes",
				 action_names[action->kind], most);
	script->action_count++;
	return 0;
}

/* What cannot work together. */
static int check(const struct probe_spec *spec, struct error *err)
{
	const struct probe_script *script = &spec->script;

	if (spec->where.line_kind == LINE_OFFSET && !spec->where.function[0] &&
	    !script->callable) {
		error_set(err, ERROR_LOCATION,
			  "location: +N counts from a function's first line");
		return error_remedy(err, "name the function as well");
	}
	for (uint32_t i = 0; i < script->action_count; i++)
		if (script->actions[i].kind == ACTION_JUMP &&
		    spec->where.line_kind == LINE_NONE)
			return error_set(err, ERROR_LOCATION,
					 "a jump is possible from a line only");
	return 0;
}

int script_take_actions(const cJSON *params, struct probe_spec *spec,
			struct error *err)
{
	const cJSON *action;

	cJSON_ArrayForEach(action, params_object(params, "actions"))
	{
		if (take_action(action, &spec->script, err))
			return -1;
	}
	return check(spec, err);
}

int script_take(const cJSON *params, struct probe_spec *spec, struct error *err)
{
	struct probe_script *script = &spec->script;

	if (take_line(params_object(params, "line"), spec, err) ||
	    take_pattern(params_string(params, "line_regex"), spec, err) ||
	    take_text(params_string(params, "if"), &script->condition, "if",
		      err) ||
	    take_text(params_string(params, "callable"), &script->callable,
		      "callable", err) ||
	    take_text(params_string(params, "thread"), &script->thread,
		      "thread", err) ||
	    take_text(params_string(params, "once_per"), &script->once_per,
		      "once_per", err))
		return -1;
	return script_take_actions(params, spec, err);
}

static void write_text(struct json_writer *w, const char *name,
		       const char *text)
{
	if (!text)
		return;
	json_key(w, name);
	json_string(w, text);
}

static void write_line(struct json_writer *w, const struct probe_spec *spec)
{
	const struct location *where = &spec->where;
	char text[16];

	switch (where->line_kind) {
	case LINE_NUMBER:
		json_key(w, "line");
		json_uint(w, where->line);
		break;
	case LINE_OFFSET:
		snprintf(text, sizeof(text), "+%" PRIu32, where->line);
		write_text(w, "line", text);
		break;
	case LINE_TEXT:
		write_text(w, "line", spec->script.line);
		break;
	case LINE_PATTERN:
		write_text(w, "line_regex", spec->script.line);
		break;
	default:
		break;
	}
}

void script_write(struct json_writer *w, const struct probe_spec *spec)
{
	const struct probe_script *script = &spec->script;

	write_line(w, spec);
	write_text(w, "if", script->condition);
	write_text(w, "callable", script->callable);
	write_text(w, "thread", script->thread);
	write_text(w, "once_per", script->once_per);
	if (spec->kind != PROBE_BREAK)
		return;
	json_key(w, "actions");
	json_array_begin(w);
	for (uint32_t i = 0; i < script->action_count; i++) {
		const struct probe_action *action = &script->actions[i];

		json_object_begin(w);
		json_key(w, action_names[action->kind]);
		if (is_bare(action->kind))
			json_bool(w, true);
		else
			json_string(w, action->text);
		json_object_end(w);
	}
	json_array_end(w);
}
