/* SPDX-License-Identifier: MIT */
#include "daemon/record.h"

#include <stdbool.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "proto/json_check.h"

static const char *const reserved[] = { "v",	 "event", "target", "pid",
					"probe", "seq",	  NULL };

const char *record_check(const char *body, size_t length)
{
	const char *why;

	if (length > LIMIT_RECORD)
		return "too long";
	why = json_check(body, length, reserved, NULL);
	if (why)
		return why;
	/* Spliced by cutting the braces off, so they must be the ends. */
	if (body[0] != '{' || body[length - 1] != '}')
		return "space around the object";
	return NULL;
}

void record_string(const char *body, size_t length, const char *name, char *buf,
		   size_t size)
{
	cJSON *root = cJSON_ParseWithLength(body, length);
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, name);

	buf[0] = '\0';
	if (cJSON_IsString(item) && strlen(item->valuestring) < size)
		memcpy(buf, item->valuestring, strlen(item->valuestring) + 1);
	cJSON_Delete(root);
}

const char *record_event(enum ring_kind kind)
{
	switch (kind) {
	case RING_CALL:
		return "call";
	case RING_HIT:
		return "hit";
	case RING_PROBE:
		return "probe";
	case RING_ERROR:
		return "error";
	case RING_YIELD:
		return "yield";
	case RING_DONE:
		break;
	}
	return NULL;
}

/* Has the checked body no member, "{}" with or without blanks? */
static bool is_empty(const char *body)
{
	return body[1 + strspn(body + 1, " \t")] == '}';
}

void record_splice(struct json_writer *w, const char *body, size_t length)
{
	if (!is_empty(body))
		json_raw(w, body + 1, length - 2);
}

void record_head_write(struct json_writer *w, const struct record_head *head)
{
	json_key(w, "v");
	json_uint(w, 1);
	json_key(w, "event");
	json_string(w, head->event);
	json_key(w, "target");
	json_string(w, head->target);
	json_key(w, "pid");
	json_int(w, head->pid);
	if (head->probe) {
		json_key(w, "probe");
		json_uint(w, head->probe);
	}
	if (head->seq) {
		json_key(w, "seq");
		json_uint(w, head->seq);
	}
}

size_t record_line(char *buf, size_t size, const struct record_head *head,
		   const char *body, size_t body_length)
{
	static const char opening[] = "{\"jsonrpc\":\"2.0\","
				      "\"method\":\"record\",\"params\":{";
	struct json_writer w;

	json_init(&w, buf, size - 1);
	json_raw(&w, opening, sizeof opening - 1);
	w.comma = false;
	record_head_write(&w, head);
	record_splice(&w, body, body_length);
	json_object_end(&w);
	json_object_end(&w);
	if (w.full)
		return 0;
	buf[json_length(&w)] = '\n';
	return json_length(&w) + 1;
}
