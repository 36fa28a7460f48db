/* SPDX-License-Identifier: MIT */
#include "agent/sys.h"
#include "agent/value_walk.h"

enum {
	KEY_SIZE = 256,	 /* of a key that may be a name */
	TYPE_SIZE = 512, /* of a type's name, as JSON */
	ASKED = 512,	 /* names remembered; a power of two */
	ASKED_TEXT = 26,
};

/* What redact_known() said lately: the same few names come again and again. */
static struct asked {
	char text[ASKED_TEXT];
	unsigned char length; /* 0: free */
	bool known;
} asked[ASKED];

bool value_name_known(const char *name, size_t length)
{
	uint32_t hash = 2166136261u;
	struct asked *entry;

	if (!length || length > ASKED_TEXT)
		return redact_known(name, length);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	entry = &asked[(hash ^ hash >> 16) & (ASKED - 1)];
	if (entry->length != length || memcmp(entry->text, name, length) != 0) {
		memcpy(entry->text, name, length);
		entry->length = (unsigned char)length;
		entry->known = redact_known(name, length);
	}
	return entry->known;
}

bool value_is_secret(const struct object *object)
{
	return object && object != py._Py_NoneStruct &&
	       object != py._Py_TrueStruct && object != py._Py_FalseStruct;
}

bool value_hides(const struct value_walk *walk, const char *name, size_t length,
		 const struct object *value)
{
	return value_is_secret(value) &&
	       redact_name(walk->redaction, name, length,
			   value_name_known(name, length));
}

static size_t key_text(struct object *key, char text[KEY_SIZE])
{
	size_t length;

	if (py_type_flags(key->type) & PY_IS_STR)
		return value_copy_text(key, text, KEY_SIZE);
	if (!(py_type_flags(key->type) & PY_IS_BYTES))
		return 0;
	length = (size_t)py.PyBytes_Size(key);
	if (length > KEY_SIZE)
		length = KEY_SIZE;
	memcpy(text, py.PyBytes_AsString(key), length);
	return length;
}

bool value_key_hides(const struct value_walk *walk, struct object *key,
		     const struct object *value)
{
	char text[KEY_SIZE];
	size_t length;

	if (!key || !value_is_secret(value))
		return false;
	length = key_text(key, text);
	return length && value_hides(walk, text, length, value);
}

bool value_key_gives_away(const struct value_walk *walk, struct object *key)
{
	char text[KEY_SIZE];
	size_t length = key_text(key, text);

	return redact_text(walk->redaction, text, length, length == KEY_SIZE) !=
	       NULL;
}

void value_redacted(struct json_writer *w, const struct object *object,
		    const char *reason)
{
	json_object_begin(w);
	json_key(w, "$type");
	value_type_name(w, object->type);
	json_key(w, "$redacted");
	json_string(w, reason);
	json_object_end(w);
}

bool value_type_hidden(struct value_walk *walk, const struct object *object)
{
	char text[TYPE_SIZE];
	struct json_writer w;

	json_init(&w, text, sizeof text - 1);
	value_type_name(&w, object->type);
	if (w.full || json_length(&w) < 2)
		return false;
	w.next[-1] = '\0';
	if (!redact_type(walk->redaction, text + 1))
		return false;
	value_redacted(walk->w, object, "type");
	return true;
}

void value_strict(struct value_walk *walk, struct json_mark mark,
		  const struct object *object, bool cut)
{
	const char *reason;

	if (walk->w->full)
		return;
	reason = redact_text(walk->redaction, mark.next,
			     (size_t)(walk->w->next - mark.next), cut);
	if (!reason)
		return;
	json_rewind(walk->w, mark);
	value_redacted(walk->w, object, reason);
}

bool value_bytes_strict(struct value_walk *walk, const struct object *object,
			const char *bytes, size_t shown, bool cut)
{
	const char *reason = redact_text(walk->redaction, bytes, shown, cut);

	if (reason)
		value_redacted(walk->w, object, reason);
	return reason != NULL;
}
