/* SPDX-License-Identifier: MIT */
#include "proto/probe_spec.h"

#include <stdbool.h>

/* One field: u16 tag, u16 length, bytes. Numbers are little-endian u64; the
 * texts of a script bring their NUL, so that they can be used in place. */
enum tag {
	TAG_ID = 1,
	TAG_KIND,
	TAG_MODULE,
	TAG_FILE,
	TAG_FUNCTION,
	TAG_HITS,
	TAG_TIME_MS,
	TAG_RATE,
	TAG_DEPTH,
	TAG_ITEMS,
	TAG_STRING,
	TAG_STACK,
	TAG_RECORD,
	TAG_LOCALS,
	TAG_MIN_DURATION,
	TAG_ONLY_EXCEPTIONS,
	TAG_LINE_KIND,
	TAG_LINE,
	TAG_EVERY,
	TAG_AFTER,
	TAG_EVAL_MS,
	TAG_EXEC_MS,
	/* texts of the script */
	TAG_LINE_TEXT,
	TAG_CONDITION,
	TAG_THREAD,
	TAG_ONCE_PER,
	TAG_ACTION, /* + enum action_kind; in their order */
	TAG_ACTION_END = TAG_ACTION + ACTION_KINDS,
	/* values: what may be seen of them */
	TAG_REDACT = 64,
	TAG_NO_REDACT,
	TAG_STRICT,
	TAG_DEBUG_MS = 80,
	/* calls */
	TAG_YIELDS,
	/* location */
	TAG_CALLABLE,
	TAG_ARRAYS = 90,
	TAG_REPR,
	TAG_LIVE,
};

/* The numbers: tag, member, what is taken of a value that comes in. */
#define NUMBERS(X)                                                  \
	X(TAG_ID, id, clamp(value, UINT32_MAX))                     \
	X(TAG_KIND, kind, clamp(value, UINT32_MAX))                 \
	X(TAG_LINE_KIND, where.line_kind, clamp(value, UINT32_MAX)) \
	X(TAG_LINE, where.line, clamp(value, INT32_MAX))            \
	X(TAG_HITS, limits.hits, value)                             \
	X(TAG_TIME_MS, limits.time_ms, value)                       \
	X(TAG_RATE, limits.rate, value)                             \
	X(TAG_DEPTH, limits.depth, lifted(value, LIMIT_DEPTH))      \
	X(TAG_ITEMS, limits.items, lifted(value, INT32_MAX))        \
	X(TAG_STRING, limits.string, lifted(value, INT32_MAX))      \
	X(TAG_STACK, limits.stack, clamp(value, INT32_MAX))         \
	X(TAG_RECORD, limits.record, lifted(value, LIMIT_RECORD))   \
	X(TAG_LOCALS, limits.locals, value != 0)                    \
	X(TAG_MIN_DURATION, limits.min_duration_ns, value)          \
	X(TAG_ONLY_EXCEPTIONS, limits.only_exceptions, value != 0)  \
	X(TAG_YIELDS, limits.yields, value != 0)                    \
	X(TAG_EVERY, limits.every, value ? value : 1)               \
	X(TAG_AFTER, limits.after, value)                           \
	X(TAG_EVAL_MS, limits.eval_ms, clamp(value, INT32_MAX))     \
	X(TAG_EXEC_MS, limits.exec_ms, clamp(value, INT32_MAX))     \
	X(TAG_DEBUG_MS, limits.debug_ms, clamp(value, INT32_MAX))   \
	X(TAG_STRICT, limits.redaction.strict, value != 0)          \
	X(TAG_ARRAYS, limits.arrays, value != 0)                    \
	X(TAG_REPR, limits.repr, value != 0)                        \
	X(TAG_LIVE, limits.live, value != 0)

struct field_header {
	uint16_t tag;
	uint16_t length;
};

struct output {
	char *next, *end;
	bool full;
};

void probe_limits_default(struct probe_limits *limits)
{
	*limits = (struct probe_limits){
		.hits = DEFAULT_HITS,
		.time_ms = DEFAULT_TIME_MS,
		.rate = DEFAULT_RATE,
		.depth = DEFAULT_DEPTH,
		.items = DEFAULT_ITEMS,
		.string = DEFAULT_STRING,
		.stack = DEFAULT_STACK,
		.record = LIMIT_RECORD,
		.locals = 1,
		.every = 1,
		.eval_ms = DEFAULT_EVAL_MS,
		.exec_ms = DEFAULT_EXEC_MS,
		.debug_ms = DEFAULT_DEBUG_MS,
	};
}

static void put_field(struct output *out, enum tag tag, const void *bytes,
		      size_t length)
{
	struct field_header header = { (uint16_t)tag, (uint16_t)length };

	if (out->full ||
	    (size_t)(out->end - out->next) < sizeof header + length) {
		out->full = true;
		return;
	}
	__builtin_memcpy(out->next, &header, sizeof header);
	__builtin_memcpy(out->next + sizeof header, bytes, length);
	out->next += sizeof header + length;
}

static void put_number(struct output *out, enum tag tag, uint64_t value)
{
	put_field(out, tag, &value, sizeof value);
}

static void put_text(struct output *out, enum tag tag, const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	if (length)
		put_field(out, tag, text, length);
}

static void put_script_text(struct output *out, unsigned tag, const char *text)
{
	size_t length = 0;

	if (!text)
		return;
	while (length < LIMIT_CODE && text[length])
		length++;
	if (length == LIMIT_CODE)
		out->full = true;
	else
		put_field(out, (enum tag)tag, text, length + 1);
}

static void put_script(struct output *out, const struct probe_script *script)
{
	put_script_text(out, TAG_LINE_TEXT, script->line);
	put_script_text(out, TAG_CONDITION, script->condition);
	put_script_text(out, TAG_THREAD, script->thread);
	put_script_text(out, TAG_ONCE_PER, script->once_per);
	put_script_text(out, TAG_CALLABLE, script->callable);
	for (uint32_t i = 0; i < script->action_count; i++)
		put_script_text(out, TAG_ACTION + script->actions[i].kind,
				script->actions[i].text);
}

size_t probe_spec_encode(const struct probe_spec *spec, void *buf, size_t size)
{
	struct output out = { buf, (char *)buf + size, false };

#define PUT(tag, member, taken) put_number(&out, tag, spec->member);
	NUMBERS(PUT)
#undef PUT
	put_text(&out, TAG_MODULE, spec->where.module);
	put_text(&out, TAG_FILE, spec->where.file);
	put_text(&out, TAG_FUNCTION, spec->where.function);
	put_text(&out, TAG_REDACT, spec->limits.redaction.also);
	put_text(&out, TAG_NO_REDACT, spec->limits.redaction.except);
	put_script(&out, &spec->script);
	return out.full ? 0 : (size_t)(out.next - (char *)buf);
}

/* A text field: bounded, no NUL inside. */
static bool get_text(char *to, size_t size, const char *bytes, size_t length)
{
	if (length >= size)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!bytes[i])
			return false;
	__builtin_memcpy(to, bytes, length);
	to[length] = '\0';
	return true;
}

static uint32_t clamp(uint64_t value, uint32_t most)
{
	return value > most ? most : (uint32_t)value;
}

/* A number's field; 0 lifts a limit, which here means its upper bound. */
static uint32_t lifted(uint64_t value, uint32_t most)
{
	return value ? clamp(value, most) : most;
}

static bool set_number(struct probe_spec *spec, unsigned tag, uint64_t value)
{
	switch (tag) {
#define TAKE(tag, member, taken)        \
	case tag:                       \
		spec->member = (taken); \
		return true;
		NUMBERS(TAKE)
#undef TAKE
	default:
		return false;
	}
}

/* A text of a script: not empty, the only NUL at its end. */
static const char *check_text(const char *bytes, size_t length, size_t most)
{
	if (!length || bytes[length - 1])
		return "a text without an end";
	if (length > most)
		return "a text is too long";
	for (size_t i = 0; i < length - 1; i++)
		if (!bytes[i])
			return "a text with a NUL inside";
	return NULL;
}

static const char *add_action(struct probe_script *script, unsigned kind,
			      const char *bytes, size_t length)
{
	size_t most = kind == ACTION_EXEC ? LIMIT_CODE : LIMIT_TEXT;
	const char *fault = check_text(bytes, length, most);

	if (fault)
		return fault;
	if (script->action_count == LIMIT_ACTIONS)
		return "too many actions";
	script->actions[script->action_count].kind = kind;
	script->actions[script->action_count++].text = bytes;
	return NULL;
}

/* The member of the script that a tag names; NULL: another kind of field. */
static const char **script_text(struct probe_script *script, unsigned tag)
{
	switch (tag) {
	case TAG_LINE_TEXT:
		return &script->line;
	case TAG_CONDITION:
		return &script->condition;
	case TAG_THREAD:
		return &script->thread;
	case TAG_ONCE_PER:
		return &script->once_per;
	case TAG_CALLABLE:
		return &script->callable;
	}
	return NULL;
}

static const char *set_text(const char **text, const char *bytes, size_t length)
{
	const char *fault = check_text(bytes, length, LIMIT_TEXT);

	if (!fault)
		*text = bytes;
	return fault;
}

static const char *set_field(struct probe_spec *spec, unsigned tag,
			     const char *bytes, size_t length)
{
	struct redaction *redaction = &spec->limits.redaction;
	const char **text = script_text(&spec->script, tag);
	struct location *where = &spec->where;
	uint64_t number;
	bool fits;

	if (text)
		return set_text(text, bytes, length);
	if (tag > TAG_ACTION && tag < TAG_ACTION_END)
		return add_action(&spec->script, tag - TAG_ACTION, bytes,
				  length);

	switch (tag) {
	case TAG_MODULE:
		fits = get_text(where->module, sizeof where->module, bytes,
				length);
		return fits ? NULL : "module pattern too long";
	case TAG_FILE:
		fits = get_text(where->file, sizeof where->file, bytes, length);
		return fits ? NULL : "file pattern too long";
	case TAG_FUNCTION:
		fits = get_text(where->function, sizeof where->function, bytes,
				length);
		return fits ? NULL : "function pattern too long";
	case TAG_REDACT:
		fits = get_text(redaction->also, LIMIT_REDACT, bytes, length);
		return fits ? NULL : "list of names too long";
	case TAG_NO_REDACT:
		fits = get_text(redaction->except, LIMIT_REDACT, bytes, length);
		return fits ? NULL : "list of names too long";
	}
	if (length != sizeof number)
		return "a number of the wrong size";
	__builtin_memcpy(&number, bytes, sizeof number);
	return set_number(spec, tag, number) ? NULL : "unknown field";
}

/* Does what was given belong together? */
static const char *check_kind(const struct probe_spec *spec)
{
	const struct probe_script *script = &spec->script;
	uint32_t line_kind = spec->where.line_kind;

	if (spec->kind != PROBE_CALLS && spec->kind != PROBE_BREAK)
		return "unknown kind of probe";
	if (line_kind > LINE_PATTERN)
		return "unknown kind of line";
	if ((line_kind >= LINE_TEXT) != (script->line != NULL))
		return "the text of a line is missing or too much";
	if (line_kind == LINE_NUMBER && !spec->where.line)
		return "lines count from 1";
	if (spec->kind == PROBE_CALLS &&
	    (script->condition || script->once_per || script->action_count))
		return "calls have no script";
	return NULL;
}

const char *probe_spec_decode(const void *buf, size_t size,
			      struct probe_spec *ret_spec)
{
	const char *next = buf, *end = next + size;

	if (size > PROBE_SPEC_MAX)
		return "the probe is too long";
	__builtin_memset(ret_spec, 0, sizeof *ret_spec);
	probe_limits_default(&ret_spec->limits);
	while (next < end) {
		struct field_header header;
		const char *fault;

		if ((size_t)(end - next) < sizeof header)
			return "a field is cut";
		__builtin_memcpy(&header, next, sizeof header);
		next += sizeof header;
		if ((size_t)(end - next) < header.length)
			return "a field is cut";
		fault = set_field(ret_spec, header.tag, next, header.length);
		if (fault)
			return fault;
		next += header.length;
	}
	return check_kind(ret_spec);
}
