/* SPDX-License-Identifier: MIT */
/*
 * symbols: the C-API functions and objects of CPython that the agent uses, by
 * name, with the minor versions of Python 3 that must have them. The injector
 * resolves them from the target's ELF files, the agent casts them.
 *
 * X(name, first, last): required for 3.first .. 3.last; outside of that range
 * the address may be 0. X(name, 0, 0) is optional everywhere.
 * Presence per version was measured with nm on CPython 3.7-3.15.
 */
#ifndef NOPDB_PROTO_SYMBOLS_H
#define NOPDB_PROTO_SYMBOLS_H

#define SYMBOL_ANY 7, 99

/* C library functions that the agent itself calls. */
#define NOPDB_LIBC_SYMBOLS(X)        \
	X(clock_gettime, SYMBOL_ANY) \
	X(__register_atfork, 0, 0)   \
	X(__cxa_finalize, 0, 0)

#define NOPDB_PYTHON_FUNCTIONS(X)                       \
	X(Py_IsInitialized, SYMBOL_ANY)                 \
	X(Py_GetVersion, SYMBOL_ANY)                    \
	X(PyGILState_Ensure, SYMBOL_ANY)                \
	X(PyGILState_Release, SYMBOL_ANY)               \
	X(PyGILState_GetThisThreadState, 0, 0)          \
	X(PyEval_SaveThread, SYMBOL_ANY)                \
	X(PyEval_RestoreThread, SYMBOL_ANY)             \
	X(Py_AddPendingCall, SYMBOL_ANY)                \
	X(PyRun_SimpleString, SYMBOL_ANY)               \
	X(Py_CompileString, SYMBOL_ANY)                 \
	X(PyEval_EvalCode, SYMBOL_ANY)                  \
	X(PyEval_GetBuiltins, SYMBOL_ANY)               \
	X(PySys_GetObject, SYMBOL_ANY)                  \
	X(PySys_SetObject, SYMBOL_ANY)                  \
	X(Py_IncRef, SYMBOL_ANY)                        \
	X(Py_DecRef, SYMBOL_ANY)                        \
	X(PyErr_Occurred, SYMBOL_ANY)                   \
	X(PyErr_Clear, SYMBOL_ANY)                      \
	X(PyErr_Fetch, SYMBOL_ANY)                      \
	X(PyErr_Restore, SYMBOL_ANY)                    \
	X(PyErr_GetRaisedException, 12, 99)             \
	X(PyErr_SetRaisedException, 12, 99)             \
	X(PyObject_GetAttrString, SYMBOL_ANY)           \
	X(PyObject_SetAttrString, SYMBOL_ANY)           \
	X(PyObject_GenericGetAttr, SYMBOL_ANY)          \
	X(PyObject_SetItem, SYMBOL_ANY)                 \
	X(PyObject_DelItem, SYMBOL_ANY)                 \
	X(PyObject_IsTrue, SYMBOL_ANY)                  \
	X(PyObject_CallMethod, SYMBOL_ANY)              \
	X(PyObject_CallObject, SYMBOL_ANY)              \
	X(PyObject_CallFunction, SYMBOL_ANY)            \
	X(PyObject_CallFunctionObjArgs, SYMBOL_ANY)     \
	X(PyObject_Repr, SYMBOL_ANY)                    \
	X(PyObject_Str, SYMBOL_ANY)                     \
	X(PyType_GetQualName, 11, 99)                   \
	X(_PyType_Lookup, 0, 0)                         \
	X(PyCFunction_NewEx, SYMBOL_ANY)                \
	X(PyLong_AsLong, SYMBOL_ANY)                    \
	X(PyLong_AsLongLongAndOverflow, SYMBOL_ANY)     \
	X(PyLong_FromLong, SYMBOL_ANY)                  \
	X(PyNumber_ToBase, SYMBOL_ANY)                  \
	X(_PyLong_NumBits, 0, 0)                        \
	X(PyFloat_AsDouble, SYMBOL_ANY)                 \
	X(PyComplex_RealAsDouble, SYMBOL_ANY)           \
	X(PyComplex_ImagAsDouble, SYMBOL_ANY)           \
	X(PyOS_double_to_string, SYMBOL_ANY)            \
	X(PyMem_Free, SYMBOL_ANY)                       \
	X(PyMem_GetAllocator, SYMBOL_ANY)               \
	X(PyMem_SetAllocator, SYMBOL_ANY)               \
	X(PyUnicode_GetLength, SYMBOL_ANY)              \
	X(PyUnicode_ReadChar, SYMBOL_ANY)               \
	X(PyUnicode_AsUCS4, SYMBOL_ANY)                 \
	X(PyUnicode_Substring, SYMBOL_ANY)              \
	X(PyUnicode_CompareWithASCIIString, SYMBOL_ANY) \
	X(PyUnicode_DecodeUTF8, SYMBOL_ANY)             \
	X(PyUnicode_InternFromString, SYMBOL_ANY)       \
	X(PyUnicode_FromKindAndData, SYMBOL_ANY)        \
	X(PyBytes_FromStringAndSize, SYMBOL_ANY)        \
	X(PyObject_GetBuffer, SYMBOL_ANY)               \
	X(PyBuffer_Release, SYMBOL_ANY)                 \
	X(PyCapsule_GetPointer, SYMBOL_ANY)             \
	X(PyBytes_AsString, SYMBOL_ANY)                 \
	X(PyBytes_Size, SYMBOL_ANY)                     \
	X(PyByteArray_AsString, SYMBOL_ANY)             \
	X(PyByteArray_Size, SYMBOL_ANY)                 \
	X(PyList_Size, SYMBOL_ANY)                      \
	X(PyList_GetItem, SYMBOL_ANY)                   \
	X(PyList_New, SYMBOL_ANY)                       \
	X(PyList_Append, SYMBOL_ANY)                    \
	X(PyList_Insert, SYMBOL_ANY)                    \
	X(PyList_SetSlice, SYMBOL_ANY)                  \
	X(PyTuple_Size, SYMBOL_ANY)                     \
	X(PyTuple_GetItem, SYMBOL_ANY)                  \
	X(PyTuple_New, SYMBOL_ANY)                      \
	X(PyTuple_SetItem, SYMBOL_ANY)                  \
	X(PyDict_New, SYMBOL_ANY)                       \
	X(PyDict_Next, SYMBOL_ANY)                      \
	X(PyDict_Size, SYMBOL_ANY)                      \
	X(PyDict_GetItem, SYMBOL_ANY)                   \
	X(PyDict_GetItemString, SYMBOL_ANY)             \
	X(PyDict_SetItemString, SYMBOL_ANY)             \
	X(PyDict_SetItem, SYMBOL_ANY)                   \
	X(PyDict_DelItemString, SYMBOL_ANY)             \
	X(PyDict_Values, SYMBOL_ANY)                    \
	X(PySet_Size, SYMBOL_ANY)                       \
	X(_PySet_NextEntry, 0, 0)                       \
	X(PyObject_GetIter, SYMBOL_ANY)                 \
	X(PyIter_Next, SYMBOL_ANY)                      \
	X(PyModule_GetDict, SYMBOL_ANY)                 \
	X(PyImport_GetModuleDict, SYMBOL_ANY)           \
	X(PyCell_Get, SYMBOL_ANY)                       \
	X(PyFunction_GetCode, SYMBOL_ANY)               \
	X(PyFunction_GetGlobals, SYMBOL_ANY)            \
	X(PyFunction_GetClosure, SYMBOL_ANY)            \
	X(PyCode_Addr2Line, SYMBOL_ANY)                 \
	X(PyCode_Addr2Location, 11, 99)                 \
	X(PyCode_GetVarnames, 11, 99)                   \
	X(PyCode_GetFreevars, 11, 99)                   \
	X(PyCode_GetCellvars, 11, 99)                   \
	X(PyEval_GetFrame, SYMBOL_ANY)                  \
	X(PyFrame_GetLineNumber, SYMBOL_ANY)            \
	X(PyFrame_GetCode, 9, 99)                       \
	X(PyFrame_GetBack, 9, 99)                       \
	X(PyFrame_GetGlobals, 11, 99)                   \
	X(PyFrame_GetLasti, 11, 99)                     \
	X(PyFrame_GetLocals, 11, 99)                    \
	X(PyFrame_GetVar, 12, 99)                       \
	X(PyFrame_LocalsToFast, 12, 12)                 \
	X(PyThreadState_SetAsyncExc, SYMBOL_ANY)        \
	X(PyThreadState_Get, SYMBOL_ANY)                \
	X(PyThreadState_GetID, 9, 99)                   \
	X(PyThreadState_GetFrame, 9, 99)                \
	X(PyThreadState_GetDict, SYMBOL_ANY)            \
	X(PyThreadState_Next, SYMBOL_ANY)               \
	X(PyThreadState_Swap, SYMBOL_ANY)               \
	X(_PyThreadState_UncheckedGet, 7, 12)           \
	X(PyThreadState_GetUnchecked, 13, 99)           \
	X(PyThread_get_stacksize, 0, 0)                 \
	X(Py_GetRecursionLimit, SYMBOL_ANY)             \
	X(PyThread_get_thread_ident, SYMBOL_ANY)        \
	X(PyThread_get_thread_native_id, 8, 99)         \
	X(PyInterpreterState_Get, 9, 99)                \
	X(PyThreadState_New, SYMBOL_ANY)                \
	X(PyInterpreterState_GetID, SYMBOL_ANY)         \
	X(PyInterpreterState_Main, SYMBOL_ANY)          \
	X(PyInterpreterState_Head, SYMBOL_ANY)          \
	X(PyInterpreterState_Next, SYMBOL_ANY)          \
	X(PyInterpreterState_ThreadHead, SYMBOL_ANY)    \
	X(PyEval_SetTrace, SYMBOL_ANY)                  \
	X(_PyEval_EvalFrameDefault, 7, 11)              \
	X(_PyInterpreterState_SetEvalFrameFunc, 9, 11)  \
	X(_PyInterpreterState_GetEvalFrameFunc, 9, 11)  \
	X(PyUnstable_GC_VisitObjects, 12, 99)           \
	X(PyGC_Disable, 10, 99)                         \
	X(PyGC_Enable, 10, 99)                          \
	X(PyGen_GetCode, 0, 0)                          \
	X(PyUnstable_InterpreterFrame_GetLine, 0, 0)

#define NOPDB_PYTHON_OBJECTS(X)            \
	X(_PyRuntime, SYMBOL_ANY)          \
	X(Py_Version, 11, 99)              \
	X(_Py_NoneStruct, SYMBOL_ANY)      \
	X(_Py_TrueStruct, SYMBOL_ANY)      \
	X(_Py_FalseStruct, SYMBOL_ANY)     \
	X(_Py_EllipsisObject, SYMBOL_ANY)  \
	X(PyLong_Type, SYMBOL_ANY)         \
	X(PyFloat_Type, SYMBOL_ANY)        \
	X(PyComplex_Type, SYMBOL_ANY)      \
	X(PyUnicode_Type, SYMBOL_ANY)      \
	X(PyBytes_Type, SYMBOL_ANY)        \
	X(PyByteArray_Type, SYMBOL_ANY)    \
	X(PyList_Type, SYMBOL_ANY)         \
	X(PyTuple_Type, SYMBOL_ANY)        \
	X(PyDict_Type, SYMBOL_ANY)         \
	X(PySet_Type, SYMBOL_ANY)          \
	X(PyFrozenSet_Type, SYMBOL_ANY)    \
	X(PyRange_Type, SYMBOL_ANY)        \
	X(PySlice_Type, SYMBOL_ANY)        \
	X(PyExc_BaseException, SYMBOL_ANY) \
	X(PyExc_KeyError, SYMBOL_ANY)      \
	X(PyExc_SystemExit, SYMBOL_ANY)    \
	X(PyExc_OSError, SYMBOL_ANY)       \
	X(PyCell_Type, SYMBOL_ANY)         \
	X(PyModule_Type, SYMBOL_ANY)       \
	X(PyType_Type, SYMBOL_ANY)         \
	X(PyFunction_Type, SYMBOL_ANY)     \
	X(PyCFunction_Type, SYMBOL_ANY)    \
	X(PyMethod_Type, SYMBOL_ANY)       \
	X(PyClassMethod_Type, SYMBOL_ANY)  \
	X(PyStaticMethod_Type, SYMBOL_ANY) \
	X(PyProperty_Type, SYMBOL_ANY)     \
	X(PyCode_Type, SYMBOL_ANY)         \
	X(PyFrame_Type, SYMBOL_ANY)        \
	X(PyGen_Type, SYMBOL_ANY)          \
	X(PyCoro_Type, SYMBOL_ANY)         \
	X(PyAsyncGen_Type, SYMBOL_ANY)

#define NOPDB_SYMBOLS(X)          \
	NOPDB_LIBC_SYMBOLS(X)     \
	NOPDB_PYTHON_FUNCTIONS(X) \
	NOPDB_PYTHON_OBJECTS(X)

enum boot_symbol {
#define X(name, ...) SYM_##name,
	NOPDB_SYMBOLS(X)
#undef X
		SYM_COUNT
};

#endif
