/* SPDX-License-Identifier: MIT */
/*
 * offsets: where the fields of CPython's structures lie, for each minor
 * version and build. The table is generated from each version's own headers
 * by injector/stack/offsets-generate; from 3.13 on, what the target's
 * _Py_DebugOffsets says takes its place where it has it.
 */
#ifndef NOPDB_INJECTOR_STACK_OFFSETS_H
#define NOPDB_INJECTOR_STACK_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

/* Each is a distance in bytes, a size, or -1: this version has no such field.
 *
 * rt: _PyRuntimeState, is: PyInterpreterState, ts: PyThreadState, cf:
 * _PyCFrame, f: a frame, co: PyCodeObject, tp: PyTypeObject, dk:
 * PyDictKeysObject, lk: the object of _thread.lock, rk: of _thread.RLock. */
#define PYTHON_OFFSETS(X)     \
	X(rt_interp_head)     \
	X(rt_interp_main)     \
	X(rt_size)            \
	X(rt_finalizing)      \
	X(rt_main_thread)     \
	X(rt_tstate_current)  \
	X(rt_gil)             \
	X(rt_gc)              \
	X(is_gil)             \
	X(gil_interval)       \
	X(gil_last_holder)    \
	X(gil_locked)         \
	X(gil_switch)         \
	X(gil_cond)           \
	X(gil_size)           \
	X(is_gc)              \
	X(gc_collecting)      \
	X(is_next)            \
	X(is_tstate_head)     \
	X(is_id)              \
	X(is_modules)         \
	X(ts_next)            \
	X(ts_interp)          \
	X(ts_frame)           \
	X(ts_cframe)          \
	X(cf_frame)           \
	X(cf_previous)        \
	X(ts_native_id)       \
	X(ts_thread_id)       \
	X(ts_id)              \
	X(ts_chunk)           \
	X(f_previous)         \
	X(f_code)             \
	X(f_instr)            \
	X(f_globals)          \
	X(f_locals_plus)      \
	X(f_owner)            \
	X(f_is_entry)         \
	X(f_stacktop)         \
	X(f_tlbc_index)       \
	X(f_size)             \
	X(f_iblock)           \
	X(f_blockstack)       \
	X(f_valuestack)       \
	X(co_filename)        \
	X(co_name)            \
	X(co_qualname)        \
	X(co_firstlineno)     \
	X(co_argcount)        \
	X(co_flags)           \
	X(co_stacksize)       \
	X(co_linetable)       \
	X(co_exctable)        \
	X(co_varnames)        \
	X(co_cellvars)        \
	X(co_freevars)        \
	X(co_localspluskinds) \
	X(co_code)            \
	X(co_code_adaptive)   \
	X(co_nlocals)         \
	X(co_nlocalsplus)     \
	X(co_tlbc)            \
	X(co_size)            \
	X(ob_type)            \
	X(ob_size)            \
	X(tp_name)            \
	X(tp_flags)           \
	X(tp_basicsize)       \
	X(tp_itemsize)        \
	X(tp_dictoffset)      \
	X(tp_dict)            \
	X(tp_mro)             \
	X(ht_cached_keys)     \
	X(ht_qualname)        \
	X(tuple_item)         \
	X(list_item)          \
	X(bytes_val)          \
	X(bytearray_start)    \
	X(float_val)          \
	X(long_digit)         \
	X(long_tag)           \
	X(str_len)            \
	X(str_state)          \
	X(str_kind_bit)       \
	X(str_ascii)          \
	X(str_compact)        \
	X(dict_used)          \
	X(dict_keys)          \
	X(dict_values)        \
	X(dk_size)            \
	X(dk_log2_size)       \
	X(dk_log2_index)      \
	X(dk_kind)            \
	X(dk_nentries)        \
	X(dk_indices)         \
	X(dv_values)          \
	X(set_used)           \
	X(set_table)          \
	X(set_mask)           \
	X(gen_frame)          \
	X(gen_iframe)         \
	X(gen_frame_state)    \
	X(cfunc_self)         \
	X(cfunc_ml)           \
	X(cfunc_module)       \
	X(method_func)        \
	X(method_self)        \
	X(weakref_obj)        \
	X(cell_ref)           \
	X(module_dict)        \
	X(func_qualname)      \
	X(func_code)

struct python_offsets {
	uint32_t version; /* 0x030b; the minor only */
	bool free_threaded;
#define X(name) int32_t name;
	PYTHON_OFFSETS(X)
#undef X
};

/* The row of a version (0x030b02); NULL: none. */
const struct python_offsets *offsets_find(uint32_t version, bool free_threaded);

/* Corrects a copy of a row by the words of the target's _Py_DebugOffsets
 * (from the cookie on). False when they contradict what must hold. */
bool offsets_apply_debug(struct python_offsets *offsets, uint32_t version,
			 const uint64_t *words, unsigned count);

/* How many words _Py_DebugOffsets of this version has; 0: it has none. */
unsigned offsets_debug_words(uint32_t version);

#define OFFSETS_DEBUG_WORDS_MAX 256u

#endif
