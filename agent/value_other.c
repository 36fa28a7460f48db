/* SPDX-License-Identifier: MIT */
#include "agent/attributes.h"
#include "agent/sys.h"
#include "agent/value_numpy.h"
#include "agent/value_walk.h"

enum { KNOWN = 64 /* a power of two */ };

typedef void write_value(struct value_walk *walk, struct object *object);

/* Types of C, by name; what was made of one in Python is an instance. size: of
 * the object, where its layout is relied on; 0: it is not. */
struct kind {
	const char *name;
	short size;
	bool bases; /* a class made of it shows it as well */
	write_value *write;
};

static const struct kind kinds[] = {
	{ "object", 0, false, value_instance },
	{ "function", 0, false, value_function },
	{ "builtin_function_or_method", 0, false, value_builtin },
	{ "method", 0, false, value_method },
	{ "module", 0, true, value_module },
	{ "code", 0, false, value_code },
	{ "frame", 0, false, value_frame },
	{ "generator", 0, false, value_generator },
	{ "coroutine", 0, false, value_generator },
	{ "async_generator", 0, false, value_generator },
	{ "mappingproxy", 24, false, value_mappingproxy },
	{ "weakref", 0, false, value_weakref },
	{ "weakref.ReferenceType", 0, false, value_weakref },
	{ "collections.deque", 0, true, value_deque },
	{ "collections.defaultdict", 0, true, value_defaultdict },
	{ "frozendict", 0, true, value_frozendict },
	{ "functools.partial", 0, false, value_partial },
	{ "datetime.date", 32, true, value_date },
	{ "datetime.time", 40, true, value_time },
	{ "datetime.datetime", 48, true, value_datetime },
	{ "datetime.timedelta", 40, true, value_timedelta },
	{ "datetime.timezone", 32, true, value_timezone },
	{ "decimal.Decimal", 104, true, value_decimal },
	{ "array.array", 0, true, value_array_array },
	{ "memoryview", 0, false, value_memoryview },
	{ "mmap.mmap", 0, true, value_mmap },
	{ "_ctypes.Array", 0, true, value_ctypes_array },
	{ "_ctypes._SimpleCData", 0, true, value_ctypes_simple },
	{ "_ctypes.Structure", 0, true, value_ctypes_record },
	{ "_ctypes.Union", 0, true, value_ctypes_record },
	{ "numpy.ndarray", 0, true, value_ndarray },
	{ "torch._C._TensorBase", 0, true, value_tensor },
	{ "torch._C.TensorBase", 0, true, value_tensor },
};

static const struct kind number_of_numpy = { "", 0, true, value_numpy_scalar };

/* What was found for a type lately. The name is compared as well: another type
 * may come to have the address. */
static struct known {
	const struct object *type;
	const char *name;
	const struct kind *kind;
} known[KNOWN];

static const struct kind *find(const struct object *native)
{
	const char *name = py_type_name(native);
	pyssize size = PY_FIELD(pyssize, native, TYPE_BASICSIZE);

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (text_equal(name, kinds[i].name) &&
		    (!kinds[i].size || kinds[i].size == size))
			return &kinds[i];
	return value_numpy_is_scalar(name) ? &number_of_numpy : NULL;
}

static const struct kind *kind_of(const struct object *native)
{
	struct known *entry = &known[((uintptr_t)native >> 5) & (KNOWN - 1)];

	if (entry->type != native || entry->name != py_type_name(native)) {
		entry->type = native;
		entry->name = py_type_name(native);
		entry->kind = find(native);
	}
	return entry->kind;
}

void value_other(struct value_walk *walk, struct object *object)
{
	struct object *native = type_native(object->type);
	unsigned long flags = py_type_flags(object->type);
	const struct kind *kind = native ? kind_of(native) : NULL;

	if (flags & PY_IS_TYPE)
		value_class(walk, object);
	else if (flags & PY_IS_EXCEPTION)
		value_exception(walk, object);
	else if (kind && (native == object->type || kind->bases))
		kind->write(walk, object);
	else
		value_instance(walk, object);
}
