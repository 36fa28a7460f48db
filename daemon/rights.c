/* SPDX-License-Identifier: MIT */
#include "daemon/rights.h"

#include <stdio.h>
#include <string.h>

static const char *const names[RIGHT_COUNT] = {
#define X(right, name, text) [RIGHT_BIT_##right] = name,
	NOPDB_RIGHTS(X)
#undef X
};

const char *rights_name(uint32_t rights)
{
	for (unsigned bit = 0; bit < RIGHT_COUNT; bit++) {
		if (rights & 1u << bit)
			return names[bit];
	}
	return "none";
}

uint32_t rights_find(const char *name)
{
	for (unsigned bit = 0; bit < RIGHT_COUNT; bit++) {
		if (!strcmp(names[bit], name))
			return 1u << bit;
	}
	return 0;
}

void rights_write(struct json_writer *w, uint32_t rights)
{
	json_array_begin(w);
	for (unsigned bit = 0; bit < RIGHT_COUNT; bit++) {
		if (rights & 1u << bit)
			json_string(w, names[bit]);
	}
	json_array_end(w);
}

const char *rights_text(uint32_t rights, char *buf, size_t size)
{
	size_t used = 0;

	snprintf(buf, size, "%s", rights & RIGHTS_ALL ? "" : "nothing");
	for (unsigned bit = 0; bit < RIGHT_COUNT && used < size; bit++) {
		uint32_t above = rights & RIGHTS_ALL & ~((2u << bit) - 1);

		if (!(rights & 1u << bit))
			continue;
		used += (size_t)snprintf(buf + used, size - used, "%s%s",
					 !used	 ? ""
					 : above ? ", "
						 : " and ",
					 names[bit]);
	}
	return buf;
}

/* ---- what is asked for
 * ---------------------------------------------------------- */

static uint32_t of_action(uint32_t kind)
{
	switch (kind) {
	case ACTION_EVAL:
	case ACTION_LOG:
		return RIGHT_EVAL;
	case ACTION_EXEC:
	case ACTION_JUMP:
	case ACTION_CALL:
		return RIGHT_EXEC;
	case ACTION_DEBUG:
		return RIGHT_DEBUG;
	case ACTION_STACK:
	default:
		return RIGHT_CAPTURE;
	}
}

uint32_t rights_of_action(const char *name)
{
	static const struct {
		const char *name;
		uint32_t kind;
	} kinds[] = {
		{ "eval", ACTION_EVAL },   { "exec", ACTION_EXEC },
		{ "log", ACTION_LOG },	   { "stack", ACTION_STACK },
		{ "jump", ACTION_JUMP },   { "call", ACTION_CALL },
		{ "debug", ACTION_DEBUG },
	};

	for (size_t i = 0; name && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kinds[i].name, name))
			return of_action(kinds[i].kind);
	}
	/* None that exists: the method refuses it. */
	return RIGHTS_NONE;
}

static uint32_t of_actions(const cJSON *actions)
{
	uint32_t rights = RIGHTS_NONE;
	const cJSON *action;

	cJSON_ArrayForEach(action, actions)
	{
		const cJSON *member;

		cJSON_ArrayForEach(member, action) rights |=
			rights_of_action(member->string);
	}
	return rights;
}

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

uint32_t rights_of_params(const cJSON *params)
{
	static const char *const expressions[] = { "if", "callable",
						   "once_per" };
	uint32_t rights = of_actions(member(params, "actions"));

	for (size_t i = 0; i < sizeof(expressions) / sizeof(*expressions);
	     i++) {
		if (member(params, expressions[i]))
			rights |= RIGHT_EVAL;
	}
	/* A __repr__ is code of the program, run because we ask for it; and so
	 * is who takes the objects themselves. */
	if (cJSON_IsTrue(member(member(params, "limits"), "repr")) ||
	    cJSON_IsTrue(member(member(params, "limits"), "live")))
		rights |= RIGHT_EVAL;
	if (cJSON_IsTrue(member(params, "locals")))
		rights |= RIGHT_CAPTURE;
	return rights;
}

uint32_t rights_of_probe(const struct probe_spec *spec)
{
	const struct probe_script *script = &spec->script;
	uint32_t rights = RIGHT_CAPTURE;

	if (script->condition || script->callable || script->once_per ||
	    spec->limits.repr || spec->limits.live)
		rights |= RIGHT_EVAL;
	for (uint32_t i = 0; i < script->action_count; i++)
		rights |= of_action(script->actions[i].kind);
	return rights;
}
