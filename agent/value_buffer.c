/* SPDX-License-Identifier: MIT */
#include "agent/value_buffer.h"

#include "agent/attributes.h"
#include "agent/sys.h"

enum {
	FULL_RO = 0x11c,   /* PyBUF_FULL_RO */
	MAPPING_DATA = 16, /* mmap_object */
	MAPPING_SIZE = 24,
};

/* The kind of an item by its format, as in the struct module; formats of more
 * than one item are V. */
static char kind_of(const char *format, int64_t size)
{
	char c = *format++;

	while (c >= '0' && c <= '9')
		c = *format++;
	if (c == 'Z' && (*format == 'f' || *format == 'd' || *format == 'g'))
		return format[1] ? 'V' : 'c';
	if (*format)
		return 'V';
	switch (c) {
	case '?':
		return 'b';
	case 'b':
	case 'h':
	case 'i':
	case 'l':
	case 'q':
	case 'n':
		return 'i';
	case 'B':
	case 'H':
	case 'I':
	case 'L':
	case 'Q':
	case 'N':
	case 'P':
	case 'z':
	case 'Z':
		return 'u';
	case 'e':
	case 'f':
	case 'd':
	case 'g':
		return 'f';
	case 'c':
	case 's':
		return 'S';
	case 'u':
	case 'w':
		return size == 4 ? 'U' : 'V';
	}
	return 'V';
}

void buffer_element(const char *format, int64_t size,
		    struct element *ret_element)
{
	bool swap = false;

	if (!format)
		format = "B";
	if (*format == '>' || *format == '!')
		swap = true;
	if (*format == '@' || *format == '=' || *format == '<' ||
	    *format == '>' || *format == '!' || *format == '^')
		format++;
	*ret_element = (struct element){ kind_of(format, size),
					 swap && size > 1, size };
}

/* Without a shape it is a row; without strides it is laid out as in C. */
static bool fill(struct array *array, const struct py_buffer *view)
{
	bool ok = true;

	array->dimensions = view->shape ? view->dimensions : 1;
	buffer_element(view->format, view->item_size, &array->element);
	array_name_type(array, "");
	array->shape[0] =
		view->item_size > 0 ? view->length / view->item_size : 0;
	for (int i = 0; view->shape && i < array->dimensions; i++)
		array->shape[i] = view->shape[i];
	if (!view->strides)
		ok = array_make_strides(array) >= 0;
	for (int i = 0; view->strides && i < array->dimensions; i++)
		array->strides[i] = view->strides[i];
	array->data = view->suboffsets ? NULL : view->data;
	return ok && array_count(array) >= 0;
}

bool value_buffer(struct value_walk *walk, struct object *object, bool readable)
{
	struct py_buffer view;
	struct array array;
	struct value_whole whole;

	memset(&view, 0, sizeof view);
	if (py.PyObject_GetBuffer(object, &view, FULL_RO) < 0) {
		py.PyErr_Clear();
		return false;
	}
	if (view.dimensions < 0 || view.dimensions > ARRAY_DIMENSIONS ||
	    view.item_size < 0 || !fill(&array, &view)) {
		py.PyBuffer_Release(&view);
		return false;
	}
	if (!readable)
		array.data = NULL;
	if (value_begin(&whole, walk, object, VALUE_LEAF)) {
		value_add_array(&whole, object, &array, NULL);
		value_add_attributes(&whole, object, NULL);
		value_end(&whole);
	}
	py.PyBuffer_Release(&view);
	return true;
}

bool buffer_is_mapped(struct object *object)
{
	struct object *of;
	bool mapped;

	if (text_equal(py_type_name(type_native(object->type)), "mmap.mmap"))
		return true;
	if (!text_equal(py_type_name(object->type), "memoryview"))
		return false;
	of = py_attr(object, "obj");
	mapped = of && of != object && buffer_is_mapped(of);
	py_drop(of);
	return mapped;
}

void value_array_array(struct value_walk *walk, struct object *object)
{
	if (!value_buffer(walk, object, true))
		value_instance(walk, object);
}

/* What lies in a mapped file is not read: the file may be shorter by now, and
 * the program would die of it. */
void value_memoryview(struct value_walk *walk, struct object *object)
{
	if (!value_buffer(walk, object, !buffer_is_mapped(object)))
		value_instance(walk, object);
}

void value_mmap(struct value_walk *walk, struct object *object)
{
	bool open = PY_FIELD(void *, object, MAPPING_DATA) != NULL;
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return;
	if (open)
		value_add_int(&whole, "$len",
			      PY_FIELD(pyssize, object, MAPPING_SIZE));
	else
		value_add_text(&whole, "$state", "closed");
	value_add_attributes(&whole, object, NULL);
	value_end(&whole);
}
