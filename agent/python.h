/* SPDX-License-Identifier: MIT */
/*
 * python: the C-API of the interpreter we live in, as a table of addresses
 * that the injector resolved. One struct, `py`, filled once at start.
 *
 * Unless it says otherwise, everything in the agent that touches an object
 * runs with the GIL held. Objects are opaque but for their first two words
 * (GIL builds, CPython 3.7-3.15).
 */
#ifndef NOPDB_AGENT_PYTHON_H
#define NOPDB_AGENT_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/boot.h"
#include "proto/frame.h"

struct object {
	intptr_t refcount;
	struct object *type;
};

struct method_def {
	const char *name;
	void *function;
	int flags;
	const char *doc;
};

/* PyMemAllocatorEx, 3.5+ */
struct py_allocator {
	void *context;
	void *(*malloc)(void *context, size_t size);
	void *(*calloc)(void *context, size_t count, size_t size);
	void *(*realloc)(void *context, void *block, size_t size);
	void (*free)(void *context, void *block);
};

/* Py_buffer, stable since 3.3 */
struct py_buffer {
	void *data;
	struct object *object;
	intptr_t length, item_size;
	int read_only, dimensions;
	char *format;
	intptr_t *shape, *strides, *suboffsets;
	void *internal;
};

#define METHOD_FASTCALL 0x80 /* METH_FASTCALL, 3.7+ */

typedef intptr_t pyssize;
typedef int py_visit(struct object *object, void *arg);
typedef int py_tracefunc(struct object *self, struct object *frame, int what,
			 struct object *arg);

/* X(result, name, parameters), every function of proto/symbols.h */
#define PYTHON_FUNCTIONS(X)                                                    \
	X(int, Py_IsInitialized, (void))                                       \
	X(const char *, Py_GetVersion, (void))                                 \
	X(int, PyGILState_Ensure, (void))                                      \
	X(void, PyGILState_Release, (int))                                     \
	X(void *, PyGILState_GetThisThreadState, (void))                       \
	X(void *, PyEval_SaveThread, (void))                                   \
	X(void, PyEval_RestoreThread, (void *))                                \
	X(int, Py_AddPendingCall, (int (*)(void *), void *))                   \
	X(int, PyRun_SimpleString, (const char *))                             \
	X(struct object *, Py_CompileString,                                   \
	  (const char *, const char *, int))                                   \
	X(struct object *, PyEval_EvalCode,                                    \
	  (struct object *, struct object *, struct object *))                 \
	X(struct object *, PyEval_GetBuiltins, (void))                         \
	X(struct object *, PySys_GetObject, (const char *))                    \
	X(int, PySys_SetObject, (const char *, struct object *))               \
	X(void, Py_IncRef, (struct object *))                                  \
	X(void, Py_DecRef, (struct object *))                                  \
	X(struct object *, PyErr_Occurred, (void))                             \
	X(void, PyErr_Clear, (void))                                           \
	X(void, PyErr_Fetch,                                                   \
	  (struct object **, struct object **, struct object **))              \
	X(void, PyErr_Restore,                                                 \
	  (struct object *, struct object *, struct object *))                 \
	X(struct object *, PyErr_GetRaisedException, (void))                   \
	X(void, PyErr_SetRaisedException, (struct object *))                   \
	X(struct object *, PyObject_GetAttrString,                             \
	  (struct object *, const char *))                                     \
	X(int, PyObject_SetAttrString,                                         \
	  (struct object *, const char *, struct object *))                    \
	X(int, PyObject_SetItem,                                               \
	  (struct object *, struct object *, struct object *))                 \
	X(int, PyObject_DelItem, (struct object *, struct object *))           \
	X(int, PyObject_IsTrue, (struct object *))                             \
	X(struct object *, PyObject_GenericGetAttr,                            \
	  (struct object *, struct object *))                                  \
	X(struct object *, PyObject_CallMethod,                                \
	  (struct object *, const char *, const char *, ...))                  \
	X(struct object *, PyObject_CallObject,                                \
	  (struct object *, struct object *))                                  \
	X(struct object *, PyObject_CallFunction,                              \
	  (struct object *, const char *, ...))                                \
	X(struct object *, PyObject_CallFunctionObjArgs,                       \
	  (struct object *, ...))                                              \
	X(struct object *, PyObject_Repr, (struct object *))                   \
	X(struct object *, PyObject_Str, (struct object *))                    \
	X(struct object *, PyType_GetQualName, (struct object *))              \
	X(struct object *, _PyType_Lookup, (struct object *, struct object *)) \
	X(struct object *, PyCFunction_NewEx,                                  \
	  (struct method_def *, struct object *, struct object *))             \
	X(long, PyLong_AsLong, (struct object *))                              \
	X(long long, PyLong_AsLongLongAndOverflow, (struct object *, int *))   \
	X(struct object *, PyLong_FromLong, (long))                            \
	X(struct object *, PyNumber_ToBase, (struct object *, int))            \
	X(size_t, _PyLong_NumBits, (struct object *))                          \
	X(double, PyFloat_AsDouble, (struct object *))                         \
	X(double, PyComplex_RealAsDouble, (struct object *))                   \
	X(double, PyComplex_ImagAsDouble, (struct object *))                   \
	X(char *, PyOS_double_to_string, (double, char, int, int, int *))      \
	X(void, PyMem_Free, (void *))                                          \
	X(void, PyMem_GetAllocator, (int, struct py_allocator *))              \
	X(void, PyMem_SetAllocator, (int, struct py_allocator *))              \
	X(pyssize, PyUnicode_GetLength, (struct object *))                     \
	X(uint32_t, PyUnicode_ReadChar, (struct object *, pyssize))            \
	X(uint32_t *, PyUnicode_AsUCS4,                                        \
	  (struct object *, uint32_t *, pyssize, int))                         \
	X(struct object *, PyUnicode_Substring,                                \
	  (struct object *, pyssize, pyssize))                                 \
	X(int, PyUnicode_CompareWithASCIIString,                               \
	  (struct object *, const char *))                                     \
	X(struct object *, PyUnicode_DecodeUTF8,                               \
	  (const char *, pyssize, const char *))                               \
	X(struct object *, PyUnicode_InternFromString, (const char *))         \
	X(struct object *, PyUnicode_FromKindAndData,                          \
	  (int, const void *, pyssize))                                        \
	X(struct object *, PyBytes_FromStringAndSize, (const char *, pyssize)) \
	X(int, PyObject_GetBuffer, (struct object *, struct py_buffer *, int)) \
	X(void, PyBuffer_Release, (struct py_buffer *))                        \
	X(void *, PyCapsule_GetPointer, (struct object *, const char *))       \
	X(char *, PyBytes_AsString, (struct object *))                         \
	X(pyssize, PyBytes_Size, (struct object *))                            \
	X(char *, PyByteArray_AsString, (struct object *))                     \
	X(pyssize, PyByteArray_Size, (struct object *))                        \
	X(pyssize, PyList_Size, (struct object *))                             \
	X(struct object *, PyList_GetItem, (struct object *, pyssize))         \
	X(struct object *, PyList_New, (pyssize))                              \
	X(int, PyList_Append, (struct object *, struct object *))              \
	X(int, PyList_Insert, (struct object *, long, struct object *))        \
	X(int, PyList_SetSlice,                                                \
	  (struct object *, long, long, struct object *))                      \
	X(pyssize, PyTuple_Size, (struct object *))                            \
	X(struct object *, PyTuple_GetItem, (struct object *, pyssize))        \
	X(struct object *, PyTuple_New, (pyssize))                             \
	X(int, PyTuple_SetItem, (struct object *, pyssize, struct object *))   \
	X(struct object *, PyDict_New, (void))                                 \
	X(int, PyDict_Next,                                                    \
	  (struct object *, pyssize *, struct object **, struct object **))    \
	X(pyssize, PyDict_Size, (struct object *))                             \
	X(struct object *, PyDict_GetItem, (struct object *, struct object *)) \
	X(struct object *, PyDict_GetItemString,                               \
	  (struct object *, const char *))                                     \
	X(int, PyDict_SetItemString,                                           \
	  (struct object *, const char *, struct object *))                    \
	X(int, PyDict_SetItem,                                                 \
	  (struct object *, struct object *, struct object *))                 \
	X(int, PyDict_DelItemString, (struct object *, const char *))          \
	X(struct object *, PyDict_Values, (struct object *))                   \
	X(pyssize, PySet_Size, (struct object *))                              \
	X(int, _PySet_NextEntry,                                               \
	  (struct object *, pyssize *, struct object **, intptr_t *))          \
	X(struct object *, PyObject_GetIter, (struct object *))                \
	X(struct object *, PyIter_Next, (struct object *))                     \
	X(struct object *, PyModule_GetDict, (struct object *))                \
	X(struct object *, PyImport_GetModuleDict, (void))                     \
	X(struct object *, PyCell_Get, (struct object *))                      \
	X(struct object *, PyFunction_GetCode, (struct object *))              \
	X(struct object *, PyFunction_GetGlobals, (struct object *))           \
	X(struct object *, PyFunction_GetClosure, (struct object *))           \
	X(int, PyCode_Addr2Line, (struct object *, int))                       \
	X(int, PyCode_Addr2Location,                                           \
	  (struct object *, int, int *, int *, int *, int *))                  \
	X(struct object *, PyCode_GetVarnames, (struct object *))              \
	X(struct object *, PyCode_GetFreevars, (struct object *))              \
	X(struct object *, PyCode_GetCellvars, (struct object *))              \
	X(struct object *, PyEval_GetFrame, (void))                            \
	X(int, PyFrame_GetLineNumber, (struct object *))                       \
	X(struct object *, PyFrame_GetCode, (struct object *))                 \
	X(struct object *, PyFrame_GetBack, (struct object *))                 \
	X(struct object *, PyFrame_GetGlobals, (struct object *))              \
	X(int, PyFrame_GetLasti, (struct object *))                            \
	X(struct object *, PyFrame_GetLocals, (struct object *))               \
	X(struct object *, PyFrame_GetVar, (struct object *, struct object *)) \
	X(void, PyFrame_LocalsToFast, (struct object *, int))                  \
	X(int, PyThreadState_SetAsyncExc, (unsigned long, struct object *))    \
	X(void *, PyThreadState_Get, (void))                                   \
	X(uint64_t, PyThreadState_GetID, (void *))                             \
	X(struct object *, PyThreadState_GetFrame, (void *))                   \
	X(struct object *, PyThreadState_GetDict, (void))                      \
	X(void *, PyThreadState_Next, (void *))                                \
	X(void *, PyThreadState_Swap, (void *))                                \
	X(void *, _PyThreadState_UncheckedGet, (void))                         \
	X(void *, PyThreadState_GetUnchecked, (void))                          \
	X(size_t, PyThread_get_stacksize, (void))                              \
	X(int, Py_GetRecursionLimit, (void))                                   \
	X(unsigned long, PyThread_get_thread_ident, (void))                    \
	X(unsigned long, PyThread_get_thread_native_id, (void))                \
	X(void *, PyInterpreterState_Get, (void))                              \
	X(void *, PyThreadState_New, (void *))                                 \
	X(int64_t, PyInterpreterState_GetID, (void *))                         \
	X(void *, PyInterpreterState_Main, (void))                             \
	X(void *, PyInterpreterState_Head, (void))                             \
	X(void *, PyInterpreterState_Next, (void *))                           \
	X(void *, PyInterpreterState_ThreadHead, (void *))                     \
	X(void, PyEval_SetTrace, (py_tracefunc *, struct object *))            \
	X(void *, _PyEval_EvalFrameDefault, (void *, void *, int))             \
	X(void, _PyInterpreterState_SetEvalFrameFunc, (void *, void *))        \
	X(void *, _PyInterpreterState_GetEvalFrameFunc, (void *))              \
	X(void, PyUnstable_GC_VisitObjects, (py_visit *, void *))              \
	X(int, PyGC_Disable, (void))                                           \
	X(int, PyGC_Enable, (void))                                            \
	X(struct object *, PyGen_GetCode, (struct object *))                   \
	X(int, PyUnstable_InterpreterFrame_GetLine, (void *))

struct python {
	int minor;	  /* 3.minor */
	uint32_t version; /* 0x030b02 */
#define X(result, name, parameters) result(*name) parameters;
	PYTHON_FUNCTIONS(X)
#undef X
	/* Type objects, singletons, _PyRuntime: their addresses. */
#define X(name, ...) struct object *name;
	NOPDB_PYTHON_OBJECTS(X)
#undef X
};

extern struct python py;

/* Fills `py` from the boot table. Does not need the GIL. Fails with the name
 * of the first symbol that this version must have and the table lacks. */
int python_load(const struct boot *boot, struct frame_error *err);

static inline bool py_is(const struct object *object, const struct object *type)
{
	return object->type == type;
}

static inline bool py_is_str(const struct object *object)
{
	return object && object->type == py.PyUnicode_Type;
}

static inline struct object *py_ref(struct object *object)
{
	py.Py_IncRef(object);
	return object;
}

/* NULL is fine. May run a destructor when the last reference goes, and with
 * it the GIL: never call it between reading and using borrowed state. */
static inline void py_drop(struct object *object)
{
	if (object)
		py.Py_DecRef(object);
}

/* A new reference to an attribute, or NULL with the error cleared. For objects
 * whose attribute access runs no user code: code objects, modules, frames. */
struct object *py_attr(struct object *object, const char *name);

/* An int attribute of such an object; `missing` when there is none. */
long py_attr_long(struct object *object, const char *name, long missing);

/* The UTF-8 of a str, cut to size-1 bytes at a character; "" for what is not
 * an exact str. Surrogates become '?'. Leaves no UTF-8 cache in the object.
 * Returns the bytes written without the NUL. */
size_t py_text(struct object *str, char *buf, size_t size);

/* Calls and discards: drops the result or clears the error. true: no error. */
bool py_done(struct object *result);

/* The error indicator of the thread, put aside and put back around what may
 * set one. Works on every version, un-normalised states included. */
struct py_error {
	struct object *type, *value, *traceback;
};
void py_error_save(struct py_error *saved);
void py_error_restore(struct py_error *saved);

/* PyTypeObject.tp_name, tp_flags and tp_dictoffset sit after ob_base and
 * ob_size at the same offsets in 3.7-3.15 GIL builds (24, 168, 288). */
const char *py_type_name(const struct object *type);
unsigned long py_type_flags(const struct object *type);

/* tp_flags, 3.7-3.15: is it, or a class made of it? */
enum {
	PY_IS_INT = 1 << 24,
	PY_IS_LIST = 1 << 25,
	PY_IS_TUPLE = 1 << 26,
	PY_IS_BYTES = 1 << 27,
	PY_IS_STR = 1 << 28,
	PY_IS_DICT = 1 << 29,
	PY_IS_EXCEPTION = 1 << 30,
};
#define PY_IS_TYPE (1ul << 31)

/* Memory inside an object whose layout is in a table. */
#define PY_FIELD(T, object, offset) (*(T *)((char *)(object) + (offset)))

#endif
