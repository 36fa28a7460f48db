/* SPDX-License-Identifier: MIT */
#include "agent/value.h"

#include "agent/sys.h"
#include "agent/value_walk.h"

enum {
	TP_STR = 136,	     /* 3.7-3.15 */
	EXCEPTION_ARGS = 24, /* PyBaseExceptionObject.args */
	/* PyOSErrorObject.myerrno; strerror, filename and filename2 follow.
	 * 3.11 put `notes` before it. */
	OSERROR_ERRNO_7 = 64,
	OSERROR_ERRNO_11 = 72,
	OSERROR_FIELDS = 4,

	ARGUMENTS = 8,	      /* a message of more is not made */
	PLAIN_SIZE = 4096,    /* of an argument */
	MESSAGE_LEAST = 1024, /* characters, whatever the limit */
	PIECES = 2 * ARGUMENTS + 1,
};

/* An exception taken apart. instance is NULL while it is not normalised
 * (<= 3.11): then there are a type and what will be its arguments. */
struct raised {
	struct object *type;
	struct object *instance;
	int count;
	struct object *argument[ARGUMENTS]; /* borrowed */
};

static bool is_instance(const struct object *object)
{
	return object && py_type_flags(object->type) & PY_IS_EXCEPTION;
}

/* A tuple's items as arguments; more of them than fit are none. */
static void take_tuple(struct raised *raised, struct object *tuple)
{
	pyssize count = py.PyTuple_Size(tuple);

	if (count < 0 || count > ARGUMENTS)
		return;
	for (pyssize i = 0; i < count; i++)
		raised->argument[i] = py.PyTuple_GetItem(tuple, i);
	raised->count = (int)count;
}

static void take_apart(struct raised *raised, struct object *type,
		       struct object *value)
{
	struct object *args;

	*raised = (struct raised){ .type = type };
	if (is_instance(value)) {
		raised->type = value->type;
		raised->instance = value;
		args = PY_FIELD(struct object *, value, EXCEPTION_ARGS);
		if (args && py_is(args, py.PyTuple_Type))
			take_tuple(raised, args);
	} else if (value && py_is(value, py.PyTuple_Type)) {
		take_tuple(raised, value);
	} else if (value && value != py._Py_NoneStruct) {
		raised->argument[0] = value;
		raised->count = 1;
	}
}

/* Does str() or repr() of it run no user code, and in little time? */
static bool is_plain(struct object *object)
{
	const struct object *type;
	int overflow = 0;

	if (!object || object == py._Py_NoneStruct)
		return true;
	type = object->type;
	if (type == py.PyUnicode_Type)
		return py.PyUnicode_GetLength(object) <= PLAIN_SIZE;
	if (type == py.PyBytes_Type)
		return py.PyBytes_Size(object) <= PLAIN_SIZE;
	if (type == py.PyLong_Type)
		py.PyLong_AsLongLongAndOverflow(object, &overflow);
	else if (type != py.PyFloat_Type && object != py._Py_TrueStruct &&
		 object != py._Py_FalseStruct)
		return false;
	return !overflow;
}

static bool all_plain(struct object *const *objects, int count)
{
	for (int i = 0; i < count; i++)
		if (!is_plain(objects[i]))
			return false;
	return true;
}

/* Is a type's str() that of the given exception class? */
static bool str_is_of(const struct object *type, const struct object *variable)
{
	const struct object *class = *(struct object *const *)variable;

	return PY_FIELD(void *, type, TP_STR) ==
	       PY_FIELD(void *, class, TP_STR);
}

/* OSError's own str(), from four fields that the program can set. */
static struct object *os_error_message(const struct raised *raised)
{
	size_t at = py.minor >= 11 ? OSERROR_ERRNO_11 : OSERROR_ERRNO_7;
	struct object **field;

	if (!raised->instance)
		return NULL;
	field = &PY_FIELD(struct object *, raised->instance, at);
	/* Without these it falls back on the tuple of arguments, whose repr()
	 * makes a list for the thread that the collector tracks. */
	if (!field[0] || !field[1] || !all_plain(field, OSERROR_FIELDS))
		return NULL;
	return py.PyObject_Str(raised->instance);
}

/* The one str that is the message: new reference; NULL when there is none. */
static struct object *message_object(const struct raised *raised)
{
	struct object *only = raised->count ? raised->argument[0] : NULL;
	bool by_args = str_is_of(raised->type, py.PyExc_BaseException);
	struct object *message = NULL;

	if (str_is_of(raised->type, py.PyExc_OSError))
		message = os_error_message(raised);
	else if (raised->count == 1 && is_plain(only) &&
		 str_is_of(raised->type, py.PyExc_KeyError))
		return py.PyObject_Repr(only);
	if (!message && raised->count == 1 && py_is_str(only))
		message = py_ref(only);
	else if (!message && raised->count == 1 && by_args && is_plain(only))
		message = py.PyObject_Str(only);
	else if (!message && !by_args && raised->count == 2 && py_is_str(only))
		message = py_ref(only);
	return message;
}

/* A message as it is written: pieces, and how much of them was. */
struct message {
	struct json_writer *w;
	size_t left; /* characters that may still come */
	size_t length, written;
};

static void add_text(struct message *message, const char *text, size_t length)
{
	struct json_writer *w = message->w;

	message->length += length;
	if (w->full || length > message->left || length > json_room(w)) {
		message->left = 0;
		return;
	}
	value_append(w, text, length);
	message->left -= length;
	message->written += length;
}

static void add_str(struct message *message, struct object *str)
{
	size_t length = (size_t)py.PyUnicode_GetLength(str);
	size_t shown;

	message->length += length;
	shown = length < message->left ? length : message->left;
	shown = value_characters(message->w, str, shown);
	message->w->full = false;
	message->written += shown;
	message->left = shown < length ? 0 : message->left - shown;
}

/* str() of a tuple: what BaseException gives for several arguments. */
static void add_tuple(struct message *message, const struct raised *raised)
{
	add_text(message, "(", 1);
	for (int i = 0; i < raised->count; i++) {
		struct object *text = py.PyObject_Repr(raised->argument[i]);

		if (i)
			add_text(message, ", ", 2);
		if (text)
			add_str(message, text);
		else
			py.PyErr_Clear();
		py_drop(text);
	}
	add_text(message, ")", 1);
}

static void add_message(struct message *message, const struct raised *raised)
{
	struct object *object = message_object(raised);

	if (object) {
		add_str(message, object);
		py_drop(object);
		return;
	}
	py.PyErr_Clear();
	if (raised->count > 1 &&
	    (str_is_of(raised->type, py.PyExc_BaseException) ||
	     str_is_of(raised->type, py.PyExc_OSError)) &&
	    all_plain(raised->argument, raised->count))
		add_tuple(message, raised);
}

/* Replaces a message that gives something away. */
static void withhold_message(struct json_writer *w, char *from,
			     const struct probe_limits *limits)
{
	const char *reason = redact_text(&limits->redaction, from,
					 (size_t)(w->next - from), true);

	if (!reason)
		return;
	w->next = from;
	value_append(w, "<redacted: ", 11);
	value_append(w, reason, text_length(reason));
	value_append(w, ">", 1);
}

static void write_message(struct json_writer *w, const struct raised *raised,
			  const struct probe_limits *limits)
{
	struct message message = { .w = w, .left = SIZE_MAX };
	char *from;

	if (limits->string)
		message.left = limits->string > MESSAGE_LEAST ? limits->string
							      : MESSAGE_LEAST;
	json_key(w, "message");
	json_string_begin(w);
	/* What comes after it must find room: the value, and that it is cut. */
	if (w->full || json_room(w) < 2 * VALUE_RESERVE) {
		w->full = true;
		return;
	}
	w->end -= 2 * VALUE_RESERVE;
	from = w->next;
	add_message(&message, raised);
	if (limits->redaction.strict)
		withhold_message(w, from, limits);
	w->end += 2 * VALUE_RESERVE;
	value_append(w, "\"", 1);
	if (message.written == message.length)
		return;
	value_truncated(w);
	json_key(w, "$len");
	json_uint(w, message.length);
}

/* What a value of this type would say, without an object yet. */
static void write_unborn(struct json_writer *w, struct object *type,
			 struct object *traceback, uint32_t most)
{
	bool whole;

	json_object_begin(w);
	json_key(w, "$type");
	value_type_name(w, type);
	if (w->full || json_room(w) < VALUE_RESERVE) {
		w->full = true;
		return;
	}
	w->end -= VALUE_RESERVE;
	whole = value_traceback(w, traceback, most);
	w->end += VALUE_RESERVE;
	if (!whole)
		value_truncated(w);
	json_object_end(w);
}

void value_write_exception(struct json_writer *w, struct object *type,
			   struct object *value, struct object *traceback,
			   const struct probe_limits *limits)
{
	static const char unknown[] = "{\"type\":null,\"message\":null,"
				      "\"value\":null}";
	struct raised raised;
	struct json_mark mark;

	take_apart(&raised, type, value);
	if (!raised.type) {
		json_raw(w, unknown, sizeof unknown - 1);
		return;
	}
	json_object_begin(w);
	json_key(w, "type");
	value_type_name(w, raised.type);
	write_message(w, &raised, limits);
	json_key(w, "value");
	mark = json_mark(w);
	value_next_traceback(raised.instance ? traceback : NULL);
	if (raised.instance)
		value_write(w, raised.instance, limits);
	else
		write_unborn(w, raised.type, traceback, limits->stack);
	if (w->full && mark.next + sizeof "null}" <= w->end) {
		json_rewind(w, mark);
		json_null(w);
	}
	json_object_end(w);
}
