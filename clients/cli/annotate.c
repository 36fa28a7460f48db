/* SPDX-License-Identifier: MIT */
#include "clients/cli/annotate.h"

#include <stdio.h>
#include <string.h>

#include "proto/json_write.h"
#include "proto/limits.h"

#define LINE_MOST 200 /* bytes of a line that are shown */

/* A JSON string as UTF-8; "" when it is too long or not text. */
static void decode(struct view string, char *buf, size_t size)
{
	struct view_chars chars = view_chars(string);
	struct json_writer w;
	uint32_t c;

	/* The escapes that this writes are of characters that no path of a
	 * source has. */
	json_init(&w, buf, size - 1);
	while (view_char(&chars, &c))
		json_string_char(&w, c);
	if (w.full)
		w.next = w.start;
	*w.next = '\0';
}

/* The line that an object with `file` and `line` is at, as a JSON string;
 * false: it has none. */
static bool quote(struct source *source, const char *file, int64_t line,
		  struct json_writer *w)
{
	size_t length;
	const char *text = source_line(source, file, line, &length);

	if (!text)
		return false;
	if (length > LINE_MOST) {
		length = LINE_MOST;
		/* Not in the middle of a character. */
		while (length > LINE_MOST - 4 &&
		       ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	json_string_n(w, text, length);
	return !w->full;
}

/* Copies what stands before the brace at the end of an object, and adds the
 * source to it; returns where to go on. */
static const char *add_source(struct text *text, const char *from,
			      struct view object, struct source *source)
{
	const char *brace = object.text + object.length - 1;
	char path[LIMIT_PATH], buf[6 * LINE_MOST + 8];
	struct json_writer w;

	if (view_kind(object) != VIEW_OBJECT)
		return from;
	decode(view_member(object, "file"), path, sizeof(path));
	json_init(&w, buf, sizeof(buf));
	text_addf(text, "%.*s", (int)(brace - from), from);
	if (quote(source, path, view_int(view_member(object, "line"), 0), &w))
		text_addf(text, ",\"source\":%.*s", (int)json_length(&w), buf);
	return brace;
}

static const char *add_frames(struct text *text, const char *from,
			      struct view frames, struct source *source)
{
	struct view_walk walk = view_walk(frames);
	struct view key;
	struct view frame;

	while (view_kind(frames) == VIEW_ARRAY &&
	       view_next(&walk, &key, &frame))
		from = add_source(text, from, frame, source);
	return from;
}

struct view annotate_record(struct text *text, struct view record,
			    struct source *source)
{
	struct view stack = view_member(record, "stack");
	struct view awaiters = view_member(record, "awaiters");
	const char *from = record.text;
	char target[SOURCE_TARGET];

	if (view_kind(view_member(record, "file")) != VIEW_STRING)
		return record;
	decode(view_member(record, "target"), target, sizeof(target));
	source_of(source, target);
	/* In the order in which they stand. */
	if (awaiters.length && awaiters.text < stack.text)
		from = add_frames(text, from, awaiters, source);
	from = add_frames(text, from, stack, source);
	if (awaiters.length && awaiters.text >= from)
		from = add_frames(text, from, awaiters, source);
	from = add_source(text, from, record, source);
	text_addf(text, "%.*s", (int)(record.text + record.length - from),
		  from);
	if (text->failed)
		return record;
	return view_of(text_string(text), text->length);
}

static void annotate_frames(cJSON *frames, struct source *source)
{
	cJSON *frame;

	cJSON_ArrayForEach(frame, frames)
	{
		const cJSON *file = cJSON_GetObjectItem(frame, "file");
		const cJSON *line = cJSON_GetObjectItem(frame, "line");
		char buf[6 * LINE_MOST + 8];
		struct json_writer w;

		json_init(&w, buf, sizeof(buf) - 1);
		if (!cJSON_IsString(file) || !cJSON_IsNumber(line) ||
		    !quote(source, file->valuestring, line->valueint, &w))
			continue;
		*w.next = '\0';
		cJSON_AddRawToObject(frame, "source", buf);
	}
}

void annotate_stack(cJSON *record, struct source *source)
{
	static const char *const lists[] = { "threads", "tasks" };
	const cJSON *pid = cJSON_GetObjectItem(record, "pid");
	char target[SOURCE_TARGET];

	if (!cJSON_IsNumber(pid))
		return;
	snprintf(target, sizeof(target), "%d", pid->valueint);
	source_of(source, target);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		cJSON *one;

		cJSON_ArrayForEach(one, cJSON_GetObjectItem(record, lists[i]))
			annotate_frames(cJSON_GetObjectItem(one, "frames"),
					source);
	}
}
