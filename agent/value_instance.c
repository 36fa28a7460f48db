/* SPDX-License-Identifier: MIT */
#include "agent/attributes.h"
#include "agent/sys.h"
#include "agent/value_walk.h"

/* PyBaseExceptionObject; 3.11 put `notes` before the traceback. */
enum { EXCEPTION_ARGS = 24, EXCEPTION_CONTEXT = 40, NOTES_SIZE = 8 };

/* An attribute of a class made in Python, borrowed, from its own dict or a
 * base's. */
static struct object *class_attribute(struct object *type, const char *name)
{
	while (type && type_is_python(type)) {
		struct object *dict =
			PY_FIELD(struct object *, type, TYPE_DICT);
		struct object *found =
			dict ? py.PyDict_GetItemString(dict, name) : NULL;

		if (found)
			return found;
		type = PY_FIELD(struct object *, type, TYPE_BASE);
	}
	return NULL;
}

/* Was its class made by enum's metaclass? */
static bool is_enum(const struct object *object)
{
	struct object *meta = object->type->type;

	while (meta && type_is_python(meta)) {
		const char *name = py_type_name(meta);

		if (text_equal(name, "EnumMeta") ||
		    text_equal(name, "EnumType"))
			return true;
		meta = PY_FIELD(struct object *, meta, TYPE_BASE);
	}
	return false;
}

/* {"$type":"app.Color","$id":..,"$name":"RED","$value":1} */
static bool write_enum(struct value_walk *walk, struct object *object)
{
	struct object *name = attributes_find(object, "_name_");
	struct object *value = attributes_find(object, "_value_");
	struct value_whole whole;

	if (!py_is_str(name) || !value)
		return false;
	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return true;
	value_add_str(&whole, "$name", name);
	value_add(&whole, "$value", value);
	value_end(&whole);
	return true;
}

/* The names of a named tuple's fields, borrowed; NULL: it is none. */
static struct object *field_names(struct object *object)
{
	struct object *fields = class_attribute(object->type, "_fields");
	pyssize count;

	if (!fields || !py_is(fields, py.PyTuple_Type))
		return NULL;
	count = py.PyTuple_Size(fields);
	if (count != py.PyTuple_Size(object))
		return NULL;
	for (pyssize i = 0; i < count; i++)
		if (!py_is_str(py.PyTuple_GetItem(fields, i)))
			return NULL;
	return fields;
}

static bool has_content(const struct object *object,
			const struct object *native)
{
	return (py_type_flags(object->type) &
		(PY_IS_LIST | PY_IS_TUPLE | PY_IS_DICT)) ||
	       native == py.PySet_Type || native == py.PyFrozenSet_Type;
}

/* What a class made of a built-in type holds besides its attributes. */
static void add_content(struct value_whole *whole, struct object *object)
{
	unsigned long flags = py_type_flags(object->type);
	const struct object *native = type_native(object->type);
	struct object *fields = NULL;

	if (flags & PY_IS_TUPLE)
		fields = field_names(object);
	if (fields)
		value_add_fields(whole, object, fields);
	else if (has_content(object, native))
		value_add_content(whole, object);
	else if (flags & PY_IS_STR)
		value_add_as(whole, "$value", object, value_str);
	else if (flags & PY_IS_BYTES)
		value_add_as(whole, "$value", object, value_bytes);
	else if (flags & PY_IS_INT)
		value_add_as(whole, "$value", object, value_int);
	else if (native == py.PyFloat_Type)
		value_add_as(whole, "$value", object, value_float);
	else if (native == py.PyComplex_Type)
		value_add_as(whole, "$value", object, value_complex);
	else if (native == py.PyByteArray_Type)
		value_add_as(whole, "$value", object, value_bytearray);
}

/* One without content and attributes is empty; text and numbers are leaves. */
static enum value_shape shape_of(struct object *object)
{
	const struct object *native = type_native(object->type);
	struct attribute attribute;
	struct attributes walk;

	if ((py_type_flags(object->type) &
	     (PY_IS_STR | PY_IS_BYTES | PY_IS_INT)) ||
	    (native != object->type &&
	     (native == py.PyFloat_Type || native == py.PyComplex_Type ||
	      native == py.PyByteArray_Type)))
		return VALUE_LEAF;
	attributes_begin(&walk, object);
	if (has_content(object, native) || attributes_next(&walk, &attribute))
		return VALUE_TREE;
	return VALUE_EMPTY;
}

void value_instance(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if ((is_enum(object) && write_enum(walk, object)) ||
	    value_pandas(walk, object))
		return;
	if (!value_begin(&whole, walk, object, shape_of(object)))
		return;
	add_content(&whole, object);
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}

/* {"$type":..,"$id":..,"$args":[..],"$cause":..,"$context":..,"$notes":[..],
 * "$traceback":[..]} */
void value_exception(struct value_walk *walk, struct object *object)
{
	struct object *traceback = walk->traceback;
	size_t context = EXCEPTION_CONTEXT + (py.minor >= 11 ? NOTES_SIZE : 0);
	struct value_whole whole;
	struct object *cause;

	walk->traceback = NULL;
	if (!value_begin(&whole, walk, object, VALUE_TREE))
		return;
	value_add(&whole, "$args",
		  PY_FIELD(struct object *, object, EXCEPTION_ARGS));
	value_add(&whole, "$notes", attributes_find(object, "__notes__"));
	if (!traceback)
		traceback = value_traceback_of(object);
	if (!value_traceback(walk->w, traceback, walk->limits->stack))
		whole.cut = true;
	/* Cause and a flag follow the context. */
	cause = PY_FIELD(struct object *, object, context + 8);
	value_add(&whole, "$cause", cause);
	if (!cause && !PY_FIELD(char, object, context + 16))
		value_add(&whole, "$context",
			  PY_FIELD(struct object *, object, context));
	value_add_attributes(&whole, object, "__notes__");
	value_end(&whole);
}
