/* SPDX-License-Identifier: MIT */
/*
 * offsets_probe: prints one row of injector/stack/offsets_table.h, compiled
 * against the headers of one version by scripts/offsets-generate. What a
 * version has no header for (3.7-3.10: the keys of a dict, the object of a
 * module) is written as a figure, from that version's C files.
 */
#define Py_BUILD_CORE 1
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "Python.h"
#include "frameobject.h"

#define V (PY_VERSION_HEX >> 16)

#if V < 0x0308
#include "internal/pystate.h"
#else
#include "internal/pycore_gil.h"
#include "internal/pycore_pystate.h"
#endif
#if V >= 0x0309
#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#endif
#if V >= 0x030b
#include "internal/pycore_code.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_genobject.h"
#endif

#define PUT(name, value) printf("\t\t.%s = %ld,\n", #name, (long)(value))
#define AT(name, type, field) PUT(name, offsetof(type, field))

#if V < 0x030b
#define FRAME PyFrameObject
#else
#define FRAME _PyInterpreterFrame
#endif

static void runtime(void)
{
	AT(rt_interp_head, _PyRuntimeState, interpreters.head);
	AT(rt_interp_main, _PyRuntimeState, interpreters.main);
	PUT(rt_size, sizeof(_PyRuntimeState));
#if V < 0x0309
	AT(rt_finalizing, _PyRuntimeState, finalizing);
	AT(rt_gc, _PyRuntimeState, gc);
#else
	AT(rt_finalizing, _PyRuntimeState, _finalizing);
	PUT(rt_gc, -1);
#endif
#if V < 0x0308
	AT(rt_main_thread, _PyRuntimeState, ceval.pending.main_thread);
#else
	AT(rt_main_thread, _PyRuntimeState, main_thread);
#endif
#if V < 0x030c
	AT(rt_tstate_current, _PyRuntimeState, gilstate.tstate_current);
	AT(rt_gil, _PyRuntimeState, ceval.gil);
#else
	PUT(rt_tstate_current, -1);
	PUT(rt_gil, -1);
#endif
}

static void gil(void)
{
	AT(gil_interval, struct _gil_runtime_state, interval);
	AT(gil_last_holder, struct _gil_runtime_state, last_holder);
	AT(gil_locked, struct _gil_runtime_state, locked);
	AT(gil_switch, struct _gil_runtime_state, switch_number);
	AT(gil_cond, struct _gil_runtime_state, cond);
	PUT(gil_size, sizeof(struct _gil_runtime_state));
	AT(gc_collecting, struct _gc_runtime_state, collecting);
}

static void interpreter(void)
{
	AT(is_next, PyInterpreterState, next);
	AT(is_id, PyInterpreterState, id);
#if V < 0x0309
	PUT(is_gc, -1);
#else
	AT(is_gc, PyInterpreterState, gc);
#endif
#if V < 0x030b
	AT(is_tstate_head, PyInterpreterState, tstate_head);
#else
	AT(is_tstate_head, PyInterpreterState, threads.head);
#endif
#if V < 0x030c
	PUT(is_gil, -1);
	AT(is_modules, PyInterpreterState, modules);
#else
	AT(is_gil, PyInterpreterState, ceval.gil);
	AT(is_modules, PyInterpreterState, imports.modules);
#endif
}

static void thread(void)
{
	AT(ts_next, PyThreadState, next);
	AT(ts_interp, PyThreadState, interp);
	AT(ts_thread_id, PyThreadState, thread_id);
	AT(ts_id, PyThreadState, id);
#if V < 0x030b
	AT(ts_frame, PyThreadState, frame);
#elif V < 0x030d
	PUT(ts_frame, -1);
#else
	AT(ts_frame, PyThreadState, current_frame);
#endif
#if V == 0x030b || V == 0x030c
	AT(ts_cframe, PyThreadState, cframe);
	AT(cf_frame, _PyCFrame, current_frame);
	AT(cf_previous, _PyCFrame, previous);
#else
	PUT(ts_cframe, -1);
	PUT(cf_frame, -1);
	PUT(cf_previous, -1);
#endif
#if V < 0x030b
	PUT(ts_native_id, -1);
	PUT(ts_chunk, -1);
#else
	AT(ts_native_id, PyThreadState, native_thread_id);
	AT(ts_chunk, PyThreadState, datastack_chunk);
#endif
}

static void frame(void)
{
#if V < 0x030b
	AT(f_previous, FRAME, f_back);
	AT(f_code, FRAME, f_code);
	AT(f_instr, FRAME, f_lasti);
	AT(f_locals_plus, FRAME, f_localsplus);
	PUT(f_owner, -1);
#if V < 0x030a
	AT(f_stacktop, FRAME, f_stacktop);
#else
	AT(f_stacktop, FRAME, f_stackdepth);
#endif
	AT(f_iblock, FRAME, f_iblock);
	AT(f_blockstack, FRAME, f_blockstack);
	AT(f_valuestack, FRAME, f_valuestack);
#else
	AT(f_previous, FRAME, previous);
	AT(f_locals_plus, FRAME, localsplus);
	AT(f_owner, FRAME, owner);
	PUT(f_iblock, -1);
	PUT(f_blockstack, -1);
	PUT(f_valuestack, -1);
#if V < 0x030d
	AT(f_code, FRAME, f_code);
	AT(f_instr, FRAME, prev_instr);
#else
	AT(f_code, FRAME, f_executable);
	AT(f_instr, FRAME, instr_ptr);
#endif
#if V < 0x030e
	AT(f_stacktop, FRAME, stacktop);
#else
	AT(f_stacktop, FRAME, stackpointer);
#endif
#endif
	AT(f_globals, FRAME, f_globals);
	PUT(f_size, sizeof(FRAME));
#if V == 0x030b
	AT(f_is_entry, FRAME, is_entry);
#else
	PUT(f_is_entry, -1);
#endif
#if V >= 0x030e && defined(Py_GIL_DISABLED)
	AT(f_tlbc_index, FRAME, tlbc_index);
#else
	PUT(f_tlbc_index, -1);
#endif
}

static void code(void)
{
	AT(co_filename, PyCodeObject, co_filename);
	AT(co_name, PyCodeObject, co_name);
	AT(co_firstlineno, PyCodeObject, co_firstlineno);
	AT(co_argcount, PyCodeObject, co_argcount);
	AT(co_flags, PyCodeObject, co_flags);
	AT(co_stacksize, PyCodeObject, co_stacksize);
	AT(co_nlocals, PyCodeObject, co_nlocals);
#if V < 0x030a
	AT(co_linetable, PyCodeObject, co_lnotab);
#else
	AT(co_linetable, PyCodeObject, co_linetable);
#endif
#if V < 0x030b
	PUT(co_qualname, -1);
	PUT(co_exctable, -1);
	AT(co_varnames, PyCodeObject, co_varnames);
	AT(co_cellvars, PyCodeObject, co_cellvars);
	AT(co_freevars, PyCodeObject, co_freevars);
	PUT(co_localspluskinds, -1);
	AT(co_code, PyCodeObject, co_code);
	PUT(co_code_adaptive, -1);
	PUT(co_nlocalsplus, -1);
#else
	AT(co_qualname, PyCodeObject, co_qualname);
	AT(co_exctable, PyCodeObject, co_exceptiontable);
	AT(co_varnames, PyCodeObject, co_localsplusnames);
	PUT(co_cellvars, -1);
	PUT(co_freevars, -1);
	AT(co_localspluskinds, PyCodeObject, co_localspluskinds);
	PUT(co_code, -1);
	AT(co_code_adaptive, PyCodeObject, co_code_adaptive);
	AT(co_nlocalsplus, PyCodeObject, co_nlocalsplus);
#endif
#if V >= 0x030e && defined(Py_GIL_DISABLED)
	AT(co_tlbc, PyCodeObject, co_tlbc);
#else
	PUT(co_tlbc, -1);
#endif
	PUT(co_size, sizeof(PyCodeObject));
}

static void type(void)
{
	AT(ob_type, PyObject, ob_type);
	AT(ob_size, PyVarObject, ob_size);
	AT(tp_name, PyTypeObject, tp_name);
	AT(tp_flags, PyTypeObject, tp_flags);
	AT(tp_basicsize, PyTypeObject, tp_basicsize);
	AT(tp_itemsize, PyTypeObject, tp_itemsize);
	AT(tp_dictoffset, PyTypeObject, tp_dictoffset);
	AT(tp_dict, PyTypeObject, tp_dict);
	AT(tp_mro, PyTypeObject, tp_mro);
	AT(ht_cached_keys, PyHeapTypeObject, ht_cached_keys);
	AT(ht_qualname, PyHeapTypeObject, ht_qualname);
}

static void containers(void)
{
	AT(tuple_item, PyTupleObject, ob_item);
	AT(list_item, PyListObject, ob_item);
	AT(dict_used, PyDictObject, ma_used);
	AT(dict_keys, PyDictObject, ma_keys);
	AT(dict_values, PyDictObject, ma_values);
#if V < 0x030b
	PUT(dk_size, 8);
	PUT(dk_log2_size, -1);
	PUT(dk_log2_index, -1);
	PUT(dk_kind, -1);
	PUT(dk_nentries, 32);
	PUT(dk_indices, 40);
	PUT(dv_values, 0);
#else
	PUT(dk_size, -1);
	AT(dk_log2_size, struct _dictkeysobject, dk_log2_size);
	AT(dk_log2_index, struct _dictkeysobject, dk_log2_index_bytes);
	AT(dk_kind, struct _dictkeysobject, dk_kind);
	AT(dk_nentries, struct _dictkeysobject, dk_nentries);
	AT(dk_indices, struct _dictkeysobject, dk_indices);
	AT(dv_values, struct _dictvalues, values);
#endif
	AT(set_used, PySetObject, used);
	AT(set_table, PySetObject, table);
	AT(set_mask, PySetObject, mask);
}

/* Where the bits of a str's kind begin in its state. */
static int kind_bit(void)
{
	PyASCIIObject object;
	unsigned state;

	memset(&object, 0, sizeof(object));
	object.state.kind = 1;
	memcpy(&state, &object.state, sizeof(state));
	return __builtin_ctz(state);
}

static void scalars(void)
{
	PUT(str_kind_bit, kind_bit());
	AT(bytes_val, PyBytesObject, ob_sval);
	AT(bytearray_start, PyByteArrayObject, ob_start);
	AT(float_val, PyFloatObject, ob_fval);
#if V < 0x030c
	AT(long_digit, struct _longobject, ob_digit);
	PUT(long_tag, -1);
#else
	AT(long_digit, struct _longobject, long_value.ob_digit);
	AT(long_tag, struct _longobject, long_value.lv_tag);
#endif
	AT(str_len, PyASCIIObject, length);
	AT(str_state, PyASCIIObject, state);
	PUT(str_ascii, sizeof(PyASCIIObject));
	PUT(str_compact, sizeof(PyCompactUnicodeObject));
}

static void callables(void)
{
#if V < 0x030b
	AT(gen_frame, PyGenObject, gi_frame);
	PUT(gen_iframe, -1);
	PUT(gen_frame_state, -1);
#else
	PUT(gen_frame, -1);
	AT(gen_iframe, PyGenObject, gi_iframe);
	AT(gen_frame_state, PyGenObject, gi_frame_state);
#endif
	AT(cfunc_self, PyCFunctionObject, m_self);
	AT(cfunc_ml, PyCFunctionObject, m_ml);
	AT(cfunc_module, PyCFunctionObject, m_module);
	AT(method_func, PyMethodObject, im_func);
	AT(method_self, PyMethodObject, im_self);
	AT(weakref_obj, PyWeakReference, wr_object);
	AT(cell_ref, PyCellObject, ob_ref);
	PUT(module_dict, sizeof(PyObject));
	AT(func_qualname, PyFunctionObject, func_qualname);
	AT(func_code, PyFunctionObject, func_code);
}

#if V >= 0x030d
#define WORD(name, field) \
	printf("\t\t.%s = %zu,\n", #name, offsetof(_Py_DebugOffsets, field) / 8)

/* Which word of _Py_DebugOffsets tells which field. */
static void debug_offsets(void)
{
	PUT(rt_size, sizeof(_Py_DebugOffsets) / 8); /* how many words */
	WORD(rt_finalizing, runtime_state.finalizing);
	WORD(rt_interp_head, runtime_state.interpreters_head);
	WORD(is_id, interpreter_state.id);
	WORD(is_next, interpreter_state.next);
	WORD(is_tstate_head, interpreter_state.threads_head);
	WORD(is_gc, interpreter_state.gc);
	WORD(is_modules, interpreter_state.imports_modules);
	WORD(is_gil, interpreter_state.ceval_gil);
	WORD(ts_next, thread_state.next);
	WORD(ts_interp, thread_state.interp);
	WORD(ts_frame, thread_state.current_frame);
	WORD(ts_thread_id, thread_state.thread_id);
	WORD(ts_native_id, thread_state.native_thread_id);
	WORD(ts_chunk, thread_state.datastack_chunk);
	WORD(f_previous, interpreter_frame.previous);
	WORD(f_code, interpreter_frame.executable);
	WORD(f_instr, interpreter_frame.instr_ptr);
	WORD(f_locals_plus, interpreter_frame.localsplus);
	WORD(f_owner, interpreter_frame.owner);
	WORD(co_filename, code_object.filename);
	WORD(co_name, code_object.name);
	WORD(co_qualname, code_object.qualname);
	WORD(co_linetable, code_object.linetable);
	WORD(co_firstlineno, code_object.firstlineno);
	WORD(co_argcount, code_object.argcount);
	WORD(co_varnames, code_object.localsplusnames);
	WORD(co_localspluskinds, code_object.localspluskinds);
	WORD(co_code_adaptive, code_object.co_code_adaptive);
	WORD(ob_type, pyobject.ob_type);
	WORD(tp_name, type_object.tp_name);
	WORD(tp_flags, type_object.tp_flags);
	WORD(tuple_item, tuple_object.ob_item);
	WORD(list_item, list_object.ob_item);
	WORD(dict_keys, dict_object.ma_keys);
	WORD(dict_values, dict_object.ma_values);
	WORD(float_val, float_object.ob_fval);
	WORD(long_tag, long_object.lv_tag);
	WORD(long_digit, long_object.ob_digit);
	WORD(bytes_val, bytes_object.ob_sval);
	WORD(str_state, unicode_object.state);
	WORD(str_len, unicode_object.length);
	WORD(str_ascii, unicode_object.asciiobject_size);
	WORD(gc_collecting, gc.collecting);
}
#endif

static void begin(void)
{
#ifdef Py_GIL_DISABLED
	const char *free_threaded = "true";
#else
	const char *free_threaded = "false";
#endif

	printf("\t{\n\t\t.version = 0x%04x,\n\t\t.free_threaded = %s,\n",
	       (unsigned)V, free_threaded);
}

int main(int argc, char **argv)
{
	begin();
	if (argc > 1) {
#if V >= 0x030d
		debug_offsets();
#endif
	} else {
		runtime();
		gil();
		interpreter();
		thread();
		frame();
		code();
		type();
		containers();
		scalars();
		callables();
	}
	printf("\t},\n");
	return 0;
}
