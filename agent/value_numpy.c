/* SPDX-License-Identifier: MIT */
/*
 * numpy by its layout, which is part of its ABI: the buffer protocol has no
 * form for times, and leaves a description in the array.
 */
#include "agent/value_numpy.h"

#include "agent/array.h"
#include "agent/array_fields.h"
#include "agent/attributes.h"
#include "agent/loaded.h"
#include "agent/sys.h"
#include "agent/value_buffer.h"
#include "agent/value_walk.h"

enum {
	/* PyArrayObject_fields, numpy 1.7 to 2.x */
	ARRAY_DATA = 16,
	ARRAY_ND = 24,
	ARRAY_SHAPE = 32,
	ARRAY_STRIDES = 40,
	ARRAY_BASE = 48,
	ARRAY_DESCR = 56,
	/* PyArray_Descr, the part that numpy 1 and 2 share */
	DESCR_KIND = 24,
	DESCR_ORDER = 26,
	DESCR_NUMBER = 28, /* int */
	NUMBER_VOID = 20,
	NUMBER_KNOWN = 24, /* and more are of users and new kinds */
	/* NpyAuxData, then a unit and how many of it */
	AUX_UNIT = 32,
	/* scalars */
	SCALAR_VALUE = 16,
	SCALAR_UNIT = 24,
	BASES_MOST = 16,
	NAME_SIZE = 16,
};

/* The rest of PyArray_Descr (of its legacy form in numpy 2), by the major
 * version: the size is an int in 1, a word in 2. */
static const struct layout {
	short size, fields, names, metadata;
} layouts[] = { { 32, 48, 56, 80 }, { 40, 96, 104, 112 } };

/* Of the numpy that the program imported; NULL: there is none, or it is not
 * known how its types lie. */
static const struct layout *layout(void)
{
	struct object *version = loaded_now("numpy", "__version__");

	if (!py_is_str(version) || py.PyUnicode_GetLength(version) < 2 ||
	    py.PyUnicode_ReadChar(version, 1) != '.')
		return NULL;
	switch (py.PyUnicode_ReadChar(version, 0)) {
	case '1':
		return &layouts[0];
	case '2':
		return &layouts[1];
	}
	return NULL;
}

static int64_t size_of(const struct layout *at, struct object *descr)
{
	if (at == &layouts[0])
		return PY_FIELD(int, descr, at->size);
	return PY_FIELD(int64_t, descr, at->size);
}

/* "[ns]", "[25s]", or "". */
static void unit_text(const int *unit, char text[NAME_SIZE])
{
	static const char *const names[] = { "Y",  "M",	 NULL, "D",  "h",
					     "m",  "s",	 "ms", "us", "ns",
					     "ps", "fs", "as" };
	static const char week[] = "W";
	int base = unit[0], count = unit[1];
	const char *name = NULL;
	struct json_writer w;

	text[0] = '\0';
	if (base == 2)
		name = week;
	else if (base >= 0 && base < 2)
		name = names[base];
	else if (base >= 4 && base <= 13)
		name = names[base - 1];
	if (!name || count < 1)
		return;
	json_init(&w, text, NAME_SIZE - 1);
	value_append(&w, "[", 1);
	w.comma = false;
	if (count > 1)
		json_int(&w, count);
	value_append(&w, name, text_length(name));
	value_append(&w, "]", 1);
	text[w.full ? 0 : json_length(&w)] = '\0';
}

static bool is_size(const struct element *element)
{
	int64_t size = element->size;

	switch (element->kind) {
	case 'b':
		return size == 1;
	case 'i':
	case 'u':
		return size == 1 || size == 2 || size == 4 || size == 8;
	case 'f':
		return size == 2 || size == 4 || size == 8 || size == 16;
	case 'c':
		return size == 8 || size == 16 || size == 32;
	case 'm':
	case 'M':
	case 'O':
		return size == 8;
	case 'S':
	case 'V':
		return size >= 0;
	case 'U':
		return size >= 0 && size % 4 == 0;
	}
	return false;
}

/* A type of items. False: one that is not known here. */
static bool read_descr(const struct layout *at, struct object *descr,
		       struct array *array)
{
	int number = PY_FIELD(int, descr, DESCR_NUMBER);
	struct element *element = &array->element;
	const char *metadata;
	char unit[NAME_SIZE] = "";

	if (number < 0 || number >= NUMBER_KNOWN)
		return false;
	metadata = PY_FIELD(char *, descr, at->metadata);
	element->kind = PY_FIELD(char, descr, DESCR_KIND);
	element->swap = PY_FIELD(char, descr, DESCR_ORDER) == '>';
	element->size = size_of(at, descr);
	if (!is_size(element))
		return false;
	if ((element->kind == 'm' || element->kind == 'M') && metadata)
		unit_text((const int *)(metadata + AUX_UNIT), unit);
	array_name_type(array, unit);
	return true;
}

static void read_field(struct value_walk *walk, const struct layout *at,
		       struct object *name, struct object *entry,
		       struct array_fields *fields)
{
	struct array_field *field = &fields->field[fields->count];
	struct object *descr = py.PyTuple_GetItem(entry, 0);
	struct array one;

	if (!read_descr(at, descr, &one)) {
		fields->cut = true;
		return;
	}
	field->name[value_copy_text(name, field->name, FIELD_NAME - 1)] = '\0';
	text_copy(field->type, sizeof field->type, one.type);
	field->element = one.element;
	field->offset = py.PyLong_AsLong(py.PyTuple_GetItem(entry, 1));
	/* A value there is a secret whatever it is: `descr` stands for it. */
	field->hidden = value_key_hides(walk, name, descr);
	fields->count++;
}

/* The fields of a structured type; false: it has none. */
static bool read_fields(struct value_walk *walk, struct object *descr,
			const struct element *whole,
			struct array_fields *fields)
{
	const struct layout *at = layout();
	struct object *dict, *names;
	pyssize count;

	fields->count = 0;
	fields->cut = false;
	if (!at || whole->kind != 'V' ||
	    PY_FIELD(int, descr, DESCR_NUMBER) != NUMBER_VOID)
		return false;
	dict = PY_FIELD(struct object *, descr, at->fields);
	names = PY_FIELD(struct object *, descr, at->names);
	if (!dict || !names || !py_is(dict, py.PyDict_Type) ||
	    !py_is(names, py.PyTuple_Type))
		return false;
	count = py.PyTuple_Size(names);
	for (pyssize i = 0; i < count && fields->count < FIELDS_MOST; i++) {
		struct object *name = py.PyTuple_GetItem(names, i);
		struct object *entry = py.PyDict_GetItem(dict, name);

		if (entry && py_is(entry, py.PyTuple_Type) &&
		    py.PyTuple_Size(entry) >= 2)
			read_field(walk, at, name, entry, fields);
	}
	fields->cut |= fields->count < count;
	py.PyErr_Clear();
	for (int i = 0; i < fields->count; i++)
		if (fields->field[i].offset < 0 ||
		    fields->field[i].offset + fields->field[i].element.size >
			    whole->size)
			return false;
	return true;
}

static bool is_ndarray(const struct object *object)
{
	struct object *native = type_native(object->type);

	return native && text_equal(py_type_name(native), "numpy.ndarray");
}

/* Does what it is a view of lie in a mapped file? See value_memoryview(). */
static bool is_mapped(struct object *object)
{
	for (int i = 0; i < BASES_MOST; i++) {
		object = PY_FIELD(struct object *, object, ARRAY_BASE);
		if (!object)
			return false;
		if (!is_ndarray(object))
			return buffer_is_mapped(object);
	}
	return true;
}

static bool read_array(struct object *object, struct array *array)
{
	const struct layout *at = layout();
	const int64_t *shape = PY_FIELD(int64_t *, object, ARRAY_SHAPE);
	const int64_t *strides = PY_FIELD(int64_t *, object, ARRAY_STRIDES);
	int count = PY_FIELD(int, object, ARRAY_ND);

	if (!at || count < 0 || count > ARRAY_DIMENSIONS)
		return false;
	array->dimensions = count;
	for (int i = 0; i < count; i++) {
		array->shape[i] = shape[i];
		array->strides[i] = strides[i];
	}
	array->data =
		is_mapped(object) ? NULL : PY_FIELD(char *, object, ARRAY_DATA);
	return read_descr(at, PY_FIELD(struct object *, object, ARRAY_DESCR),
			  array) &&
	       array_count(array) >= 0;
}

bool value_numpy_read(struct object *object, struct array *ret_array)
{
	return is_ndarray(object) && read_array(object, ret_array);
}

void value_ndarray(struct value_walk *walk, struct object *object)
{
	static struct array_fields fields;
	struct value_whole whole;
	struct array array;
	bool structured;

	if (!read_array(object, &array)) {
		value_instance(walk, object);
		return;
	}
	structured = read_fields(walk,
				 PY_FIELD(struct object *, object, ARRAY_DESCR),
				 &array.element, &fields);
	if (!value_begin(&whole, walk, object,
			 array.element.kind == 'O' ? VALUE_TREE : VALUE_LEAF))
		return;
	value_add_array(&whole, object, &array, structured ? &fields : NULL);
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}

/* ---- scalars --------------------------------------------------------------
 */

static const struct {
	const char *name;
	char kind, size;
} scalars[] = {
	{ "bool_", 'b', 1 },	   { "bool", 'b', 1 },
	{ "int8", 'i', 1 },	   { "int16", 'i', 2 },
	{ "int32", 'i', 4 },	   { "int64", 'i', 8 },
	{ "intc", 'i', 4 },	   { "longlong", 'i', 8 },
	{ "uint8", 'u', 1 },	   { "uint16", 'u', 2 },
	{ "uint32", 'u', 4 },	   { "uint64", 'u', 8 },
	{ "uintc", 'u', 4 },	   { "ulonglong", 'u', 8 },
	{ "float16", 'f', 2 },	   { "float32", 'f', 4 },
	{ "float64", 'f', 8 },	   { "longdouble", 'f', 16 },
	{ "float128", 'f', 16 },   { "complex64", 'c', 8 },
	{ "complex128", 'c', 16 }, { "clongdouble", 'c', 32 },
	{ "complex256", 'c', 32 }, { "datetime64", 'M', 8 },
	{ "timedelta64", 'm', 8 },
};

static int scalar_of(const char *name)
{
	const char *prefix = "numpy.";

	for (; *prefix; prefix++, name++)
		if (*name != *prefix)
			return -1;
	for (int i = 0; i < (int)(sizeof scalars / sizeof *scalars); i++)
		if (text_equal(scalars[i].name, name))
			return i;
	return -1;
}

bool value_numpy_is_scalar(const char *name)
{
	return scalar_of(name) >= 0;
}

void value_numpy_scalar(struct value_walk *walk, struct object *object)
{
	int i = scalar_of(py_type_name(type_native(object->type)));
	struct value_whole whole;
	char unit[NAME_SIZE] = "";
	struct array array = {
		.element = { scalars[i].kind, false, scalars[i].size },
	};

	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return;
	if (scalars[i].kind == 'm' || scalars[i].kind == 'M')
		unit_text((const int *)((char *)object + SCALAR_UNIT), unit);
	array_name_type(&array, unit);
	value_add_text(&whole, "$dtype", array.type);
	value_add_element(&whole, object, &array.element,
			  (const char *)object + SCALAR_VALUE);
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}
