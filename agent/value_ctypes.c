/* SPDX-License-Identifier: MIT */
#include "agent/attributes.h"
#include "agent/sys.h"
#include "agent/value_buffer.h"
#include "agent/value_walk.h"

enum {
	/* CDataObject, 3.7-3.15 */
	MEMORY = 16,
	OWNED = 24, /* int: it frees its memory */
	BASE = 32,  /* whose memory it is a part of */
	SIZE = 40,
	BASES_MOST = 32,
	NESTED_MOST = 64, /* classes of a record that have fields */
};

/* Memory of its own, or of what it keeps alive? An address that the program
 * made up may lead anywhere. */
static bool is_owned(struct object *object)
{
	for (int i = 0; object && i < BASES_MOST; i++) {
		if (PY_FIELD(int, object, OWNED))
			return true;
		object = PY_FIELD(struct object *, object, BASE);
	}
	return false;
}

void value_ctypes_array(struct value_walk *walk, struct object *object)
{
	if (!value_buffer(walk, object, is_owned(object)))
		value_instance(walk, object);
}

/* An attribute of a class made in Python, borrowed. */
static struct object *of_class(struct object *type, const char *name)
{
	struct object *dict, *found;

	for (; type && type_is_python(type);
	     type = PY_FIELD(struct object *, type, TYPE_BASE)) {
		dict = PY_FIELD(struct object *, type, TYPE_DICT);
		found = dict ? py.PyDict_GetItemString(dict, name) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

/* The letter that a simple type has for itself; 0: it is none. */
static char letter_of(struct object *type)
{
	struct object *letter = of_class(type, "_type_");

	if (!py_is_str(letter) || py.PyUnicode_GetLength(letter) != 1)
		return 0;
	return (char)py.PyUnicode_ReadChar(letter, 0);
}

/* Its format as the struct module has it. */
static void element_of(char letter, int64_t size, bool swap,
		       struct element *ret_element)
{
	char format[3] = { swap ? '>' : '<', letter == 'v' ? '?' : letter };

	buffer_element(format, size, ret_element);
}

void value_ctypes_simple(struct value_walk *walk, struct object *object)
{
	struct element element;
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return;
	element_of(letter_of(object->type), PY_FIELD(pyssize, object, SIZE),
		   false, &element);
	if (is_owned(object))
		value_add_element(&whole, object, &element,
				  PY_FIELD(char *, object, MEMORY));
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}

/* A field of a record: where it is, and of what type. */
struct record_field {
	struct object *name, *type;
	int64_t offset, size;
	int bit, bits; /* bits 0: it has all of them */
};

static bool find_field(struct object *class, struct object *entry,
		       struct record_field *ret_field)
{
	struct object *dict = PY_FIELD(struct object *, class, TYPE_DICT);
	struct object *descriptor;
	long size;

	if (!py_is(entry, py.PyTuple_Type) || py.PyTuple_Size(entry) < 2)
		return false;
	ret_field->name = py.PyTuple_GetItem(entry, 0);
	ret_field->type = py.PyTuple_GetItem(entry, 1);
	if (!py_is_str(ret_field->name))
		return false;
	descriptor = py.PyDict_GetItem(dict, ret_field->name);
	if (!descriptor ||
	    !text_equal(text_tail(py_type_name(descriptor->type), '.'),
			"CField"))
		return false;
	ret_field->offset = py_attr_long(descriptor, "offset", -1);
	size = py_attr_long(descriptor, "size", -1);
	ret_field->size = size;
	ret_field->bits = py.PyTuple_Size(entry) > 2 ? (int)(size >> 16) : 0;
	ret_field->bit = (int)(size & 0xffff);
	return ret_field->offset >= 0 && size >= 0;
}

/* The bits of a bit field are told apart from the whole that they are in. */
static void write_bits(struct value_walk *walk, struct object *object,
		       const struct record_field *field,
		       const struct element *element, const char *at)
{
	struct number number;
	int unused = 64 - field->bits;
	uint64_t bits;

	array_number(element, at, &number);
	if (number.kind == NUMBER_NONE || unused < field->bit) {
		json_null(walk->w);
		return;
	}
	bits = (uint64_t)number.integer << (unused - field->bit);
	if (number.kind == NUMBER_INT && element->kind == 'i')
		value_integer(walk->w, (int64_t)bits >> unused, true);
	else
		value_integer(walk->w, (int64_t)(bits >> unused), false);
}

static int64_t letter_size(char letter)
{
	switch (letter) {
	case 'h':
	case 'H':
		return 2;
	case 'i':
	case 'I':
		return 4;
	case 'l':
	case 'L':
	case 'q':
	case 'Q':
		return 8;
	}
	return 1;
}

static void write_field(struct value_walk *walk, struct object *object,
			const struct record_field *field, bool swap)
{
	const char *memory = PY_FIELD(char *, object, MEMORY);
	int64_t room = PY_FIELD(pyssize, object, SIZE) - field->offset;
	char letter = letter_of(field->type);
	int64_t size = field->bits ? letter_size(letter) : field->size;
	struct element element;

	if (value_key_hides(walk, field->name, object)) {
		value_redacted(walk->w, field->type, "name");
		return;
	}
	if (size > room) {
		json_null(walk->w);
		return;
	}
	element_of(letter ? letter : 'V', size, swap, &element);
	/* An array of char is bytes; of other parts the bytes are shown. */
	if (!letter && letter_of(of_class(field->type, "_type_")) == 'c')
		element.kind = 'S';
	if (field->bits)
		write_bits(walk, object, field, &element,
			   memory + field->offset);
	else
		value_element(walk, object, &element, memory + field->offset);
}

/* The fields of one class of a record; false: no room for them all. */
static bool add_class(struct value_walk *walk, struct object *object,
		      struct object *class, bool swap)
{
	struct object *dict = PY_FIELD(struct object *, class, TYPE_DICT);
	struct object *list = py.PyDict_GetItemString(dict, "_fields_");
	bool is_list = list && (py_type_flags(list->type) & PY_IS_LIST);
	struct json_writer *w = walk->w;
	pyssize count = 0;

	if (is_list)
		count = py.PyList_Size(list);
	else if (list && (py_type_flags(list->type) & PY_IS_TUPLE))
		count = py.PyTuple_Size(list);
	for (pyssize i = 0; i < count; i++) {
		struct json_mark mark = json_mark(w);
		struct record_field field;

		if (!find_field(class,
				is_list ? py.PyList_GetItem(list, i)
					: py.PyTuple_GetItem(list, i),
				&field) ||
		    !value_is_member_name(walk, field.name))
			continue;
		json_string_begin(w);
		value_characters(w, field.name, SIZE_MAX);
		json_string_end(w);
		value_append(w, ":", 1);
		w->comma = false;
		write_field(walk, object, &field, swap);
		if (w->full) {
			json_rewind(w, mark);
			return false;
		}
	}
	return true;
}

/* Structures and unions: $attrs, of the bases first. */
void value_ctypes_record(struct value_walk *walk, struct object *object)
{
	bool swap = of_class(object->type, "_swappedbytes_") != NULL;
	struct object *class[NESTED_MOST], *type = object->type;
	struct value_whole whole;
	int count = 0;

	if (!value_begin(&whole, walk, object, VALUE_TREE))
		return;
	for (; type && type_is_python(type) && count < NESTED_MOST;
	     type = PY_FIELD(struct object *, type, TYPE_BASE))
		class[count++] = type;
	if (is_owned(object) && value_open_inner(&whole, "$attrs", true)) {
		while (count && !whole.cut)
			whole.cut =
				!add_class(walk, object, class[--count], swap);
		value_close_inner(&whole, true);
	}
	value_end(&whole);
}
