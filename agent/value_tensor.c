/* SPDX-License-Identifier: MIT */
/*
 * torch: tensors lie behind classes of C++, whose layout changes; DLPack is a
 * stable struct of C, and torch has a function of C that makes one. It runs no
 * code of the program for the classes of torch itself; what was made of these,
 * and all of them while the program dispatches their operations itself, is
 * known by its type only.
 */
#include "agent/array.h"
#include "agent/attributes.h"
#include "agent/getset.h"
#include "agent/loaded.h"
#include "agent/sys.h"
#include "agent/value_numpy.h"
#include "agent/value_walk.h"

/* DLManagedTensor begins with a DLTensor. */
struct dlpack {
	char *data;
	int device, device_id;
	int dimensions;
	unsigned char code, bits;
	unsigned short lanes;
	int64_t *shape, *strides; /* strides: in items; NULL: as in C */
	uint64_t offset;	  /* bytes */
};

enum { DEVICE_CPU = 1 };

/* "cpu", "cuda:0" */
static void add_device(struct value_whole *whole, const struct dlpack *tensor)
{
	static const char *const names[] = {
		[1] = "cpu",	    [2] = "cuda",	   [3] = "cuda-host",
		[7] = "vulkan",	    [8] = "metal",	   [10] = "rocm",
		[11] = "rocm-host", [13] = "cuda-managed", [14] = "oneapi",
	};
	struct json_writer *w = whole->walk->w;
	struct json_mark mark = json_mark(w);
	const char *name = NULL;

	if (tensor->device > 0 &&
	    tensor->device < (int)(sizeof names / sizeof *names))
		name = names[tensor->device];
	if (!name)
		name = "other";
	json_key(w, "$device");
	json_string_begin(w);
	value_append(w, name, text_length(name));
	if (tensor->device != DEVICE_CPU) {
		value_append(w, ":", 1);
		w->comma = false;
		json_int(w, tensor->device_id);
	}
	json_string_end(w);
	value_settle(whole, mark);
}

static bool read_tensor(const struct dlpack *tensor, struct array *array)
{
	static const char kinds[] = { 'i', 'u', 'f', 'V', 'B', 'c', 'b' };
	int64_t size = tensor->bits / 8;

	if (tensor->dimensions < 0 || tensor->dimensions > ARRAY_DIMENSIONS ||
	    tensor->code >= sizeof kinds || tensor->bits % 8 ||
	    tensor->lanes != 1)
		return false;
	array->dimensions = tensor->dimensions;
	array->element = (struct element){ kinds[tensor->code], false, size };
	for (int i = 0; i < array->dimensions; i++)
		array->shape[i] = tensor->shape[i];
	if (array_make_strides(array) < 0)
		return false;
	for (int i = 0; tensor->strides && i < array->dimensions; i++)
		array->strides[i] = tensor->strides[i] * size;
	array->data = NULL;
	if (tensor->device == DEVICE_CPU && tensor->data)
		array->data = tensor->data + tensor->offset;
	array_name_type(array, "");
	return true;
}

/* A function of torch's module of C, borrowed. */
static struct object *torch_function(const char *name)
{
	struct object *found = loaded_now("torch._C", name);

	return found && py_is(found, py.PyCFunction_Type) ? found : NULL;
}

/* Is it exactly one of torch's classes, which bring no code of their own? */
static bool is_plain(const struct object *object)
{
	char name[64];
	struct json_writer w;

	json_init(&w, name, sizeof name - 1);
	value_type_name(&w, object->type);
	name[json_length(&w)] = '\0';
	return text_equal(name, "\"torch.Tensor\"") ||
	       text_equal(name, "\"torch._tensor.Tensor\"") ||
	       text_equal(name, "\"torch.nn.parameter.Parameter\"");
}

/* Does the program take part in operations on tensors on this thread? */
static bool is_dispatched(void)
{
	struct object *function = torch_function("_len_torch_dispatch_stack");
	struct object *length;
	bool some;

	if (!function)
		return false;
	length = py.PyObject_CallFunction(function, NULL);
	some = !length || py.PyLong_AsLong(length) != 0;
	py_drop(length);
	py.PyErr_Clear();
	return some;
}

/* A new reference to what a function of torch makes of a tensor, or NULL. */
static struct object *ask(struct object *function, struct object *object)
{
	struct object *answer =
		function ? py.PyObject_CallFunction(function, "O", object)
			 : NULL;

	py.PyErr_Clear();
	return answer;
}

/* The same for a method of the class of C, one without arguments: it needs no
 * tuple, and so no collector. */
static struct object *ask_method(struct object *object, const char *name)
{
	struct object *native = type_native(object->type);
	struct object *dict = PY_FIELD(struct object *, native, TYPE_DICT);

	return ask(dict ? py.PyDict_GetItemString(dict, name) : NULL, object);
}

static bool is_so(struct object *object, const char *name)
{
	struct object *answer = ask_method(object, name);

	py_drop(answer); /* a singleton */
	return answer == py._Py_TrueStruct;
}

/* Does it mean something else than what lies in its memory? These forms come
 * about without a copy, by conj() and the imaginary part of that. */
static bool is_stored_otherwise(struct object *object)
{
	return is_so(object, "is_conj") || is_so(object, "is_neg");
}

/* By an array of numpy that shares the memory: old versions have no DLPack of
 * bool. Returns the owner, new. */
static struct object *by_numpy(struct object *object, struct array *array)
{
	struct object *owner = ask_method(object, "numpy");

	if (owner && value_numpy_read(owner, array))
		return owner;
	py_drop(owner);
	return NULL;
}

/* A member from what an attribute says of itself in text: that of a type of
 * torch, whose str() is of C. */
static void add_told(struct value_whole *whole, struct object *object,
		     const char *key, const char *name)
{
	struct object *value = getset_read(object, name);
	struct object *text = value ? py.PyObject_Str(value) : NULL;

	if (!text)
		py.PyErr_Clear();
	value_add_str(whole, key, text);
	py_drop(text);
	py_drop(value);
}

/* "$shape": torch makes a tuple of it, which the collector sees: 3.9 and older
 * cannot keep that one from running code of the program meanwhile. */
static void add_shape(struct value_whole *whole, struct object *object)
{
	struct object *shape;
	int enabled;

	if (!py.PyGC_Disable)
		return;
	enabled = py.PyGC_Disable();
	shape = getset_read(object, "shape");
	if (enabled)
		py.PyGC_Enable();
	if (shape && py_type_flags(shape->type) & PY_IS_TUPLE)
		value_add_sizes(whole, "$shape", shape);
	py_drop(shape);
}

/* One whose memory is not to be had. */
static void write_form(struct value_walk *walk, struct object *object)
{
	struct value_whole whole;

	if (!value_begin(&whole, walk, object, VALUE_LEAF))
		return;
	add_told(&whole, object, "$device", "device");
	add_told(&whole, object, "$dtype", "dtype");
	add_shape(&whole, object);
	value_end(&whole);
}

/* Finds its memory; returns the owner, new, or NULL. */
static struct object *find_memory(struct object *object, struct array *array,
				  struct dlpack *ret_tensor)
{
	struct object *owner = ask(torch_function("_to_dlpack"), object);
	const struct dlpack *tensor;

	if (!owner) {
		*ret_tensor = (struct dlpack){ .device = DEVICE_CPU };
		return by_numpy(object, array);
	}
	tensor = py.PyCapsule_GetPointer(owner, "dltensor");
	py.PyErr_Clear();
	if (tensor && read_tensor(tensor, array)) {
		*ret_tensor = *tensor;
		return owner;
	}
	py_drop(owner);
	return NULL;
}

void value_tensor(struct value_walk *walk, struct object *object)
{
	struct object *owner = NULL;
	struct value_whole whole;
	struct dlpack tensor;
	struct array array;

	if (!is_plain(object) || is_dispatched()) {
		value_identity(walk, object);
		return;
	}
	if (!is_stored_otherwise(object))
		owner = find_memory(object, &array, &tensor);
	if (!owner) {
		write_form(walk, object);
	} else if (value_begin(&whole, walk, object, VALUE_LEAF)) {
		add_device(&whole, &tensor);
		value_add_array(&whole, object, &array, NULL);
		value_end(&whole);
	}
	py_drop(owner);
}
