/* SPDX-License-Identifier: MIT */
#include "injector/stack/runtime.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "injector/target/version.h"

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

/* struct pthread of glibc has some 2300 bytes, of musl 200. */
#define PTHREAD_BYTES 2048
#define IDENTS_TRIED 64
#define TIDS_AT_ONCE 128u
#define THREADS_WALKED_MAX (1u << 20)

static const char debug_cookie[8] = { 'x', 'd', 'e', 'b', 'u', 'g', 'p', 'y' };

static bool is_thread_of(const struct remote *remote, int32_t tid)
{
	char path[64];

	if (remote->had_thread)
		return remote->had_thread(remote->arg, tid);
	snprintf(path, sizeof(path), "/proc/%d/task/%d", remote->pid, tid);
	return tid > 0 && access(path, F_OK) == 0;
}

/* Where in the main thread's struct pthread its own thread id stands: the
 * kernel's id of the main thread is the process's. 3.7-3.10 know no other way
 * from a thread state to a thread. */
static int find_ident_tid(const struct python *python, uint64_t ident)
{
	uint8_t bytes[PTHREAD_BYTES];
	size_t size;
	int32_t tid;

	if (!remote_plausible(ident))
		return -1;
	size = remote_read_some(python->remote, ident, bytes, sizeof(bytes));
	for (size_t at = 0; at + sizeof(tid) <= size; at += sizeof(tid)) {
		memcpy(&tid, bytes + at, sizeof(tid));
		if (tid == python->remote->self)
			return (int)at;
	}
	return -1;
}

static pid_t thread_tid(const struct runtime *runtime, uint64_t state,
			uint64_t ident)
{
	const struct python *python = &runtime->python;
	int32_t tid = 0;
	uint64_t at;

	if (python->offsets.ts_native_id >= 0)
		at = state + AT(ts_native_id);
	else if (runtime->ident_tid >= 0)
		at = ident + (uint64_t)runtime->ident_tid;
	else
		return 0;
	return remote_i32(python->remote, at, &tid) && tid > 0 ? tid : 0;
}

/* From the main thread, which the runtime knows, or else any that shows it. */
static void learn_ident_tid(struct runtime *runtime, uint64_t state)
{
	const struct python *python = &runtime->python;

	runtime->ident_tid =
		find_ident_tid(python, runtime_main_ident(runtime));
	for (int i = 0; i < IDENTS_TRIED && remote_plausible(state) &&
			runtime->ident_tid < 0;
	     i++) {
		runtime->ident_tid = find_ident_tid(
			python, remote_pointer(python->remote,
					       state + AT(ts_thread_id)));
		state = remote_pointer(python->remote, state + AT(ts_next));
	}
}

static bool knows_a_thread(struct runtime *runtime, uint64_t state)
{
	const struct python *python = &runtime->python;

	if (!python->remote->self)
		return true;
	if (python->offsets.ts_native_id < 0) {
		learn_ident_tid(runtime, state);
		return runtime->ident_tid >= 0;
	}
	for (int i = 0; i < IDENTS_TRIED && remote_plausible(state); i++) {
		if (is_thread_of(python->remote, thread_tid(runtime, state, 0)))
			return true;
		state = remote_pointer(python->remote, state + AT(ts_next));
	}
	return false;
}

static bool interpreter_is_sound(struct runtime *runtime, uint64_t interpreter)
{
	const struct python *python = &runtime->python;
	uint64_t state;

	if (!remote_plausible(interpreter))
		return false;
	state = remote_pointer(python->remote,
			       interpreter + AT(is_tstate_head));
	return remote_plausible(state) &&
	       remote_pointer(python->remote, state + AT(ts_interp)) ==
		       interpreter &&
	       knows_a_thread(runtime, state);
}

/* From 3.13 on a runtime begins with a description of itself. */
static bool read_description(struct runtime *runtime, uint64_t address,
			     uint32_t *version, bool *free_threaded)
{
	uint64_t words[OFFSETS_DEBUG_WORDS_MAX];
	struct remote *remote = runtime->python.remote;
	const struct python_offsets *row;
	unsigned count;

	if (!remote_read(remote, address, words, 3 * sizeof(words[0])))
		return false;
	if (memcmp(words, debug_cookie, sizeof(debug_cookie)) != 0)
		return version_minor(*version) < 13;
	*version = (uint32_t)(words[1] >> 8) & 0xffffff;
	*free_threaded = words[2] != 0;
	row = offsets_find(*version, *free_threaded);
	count = offsets_debug_words(*version);
	if (!row || !count || count > OFFSETS_DEBUG_WORDS_MAX ||
	    !remote_read(remote, address, words, count * sizeof(words[0])))
		return false;
	runtime->python.offsets = *row;
	return offsets_apply_debug(&runtime->python.offsets, *version, words,
				   count);
}

bool runtime_accept(struct runtime *runtime, struct remote *remote,
		    uint64_t address, uint32_t version, bool free_threaded)
{
	struct runtime tried = { .address = address, .ident_tid = -1 };
	const struct python_offsets *row = offsets_find(version, free_threaded);
	uint64_t interpreter;

	tried.python.remote = remote;
	if (row)
		tried.python.offsets = *row;
	if (!read_description(&tried, address, &version, &free_threaded) ||
	    !tried.python.offsets.version)
		return false;
	tried.python.version = version;
	tried.python.free_threaded = free_threaded;
	interpreter = runtime_main_interpreter(&tried);
	if (!interpreter_is_sound(&tried, interpreter))
		return false;
	tried.found_by = runtime->found_by;
	tried.module = runtime->module;
	*runtime = tried;
	return true;
}

uint64_t runtime_main_interpreter(const struct runtime *runtime)
{
	const struct python *python = &runtime->python;
	uint64_t head = remote_pointer(python->remote,
				       runtime->address + AT(rt_interp_head));
	uint64_t interpreter = head;

	/* New interpreters are put in front: the first made is the last. */
	for (unsigned i = 0; i < RUNTIME_INTERPRETERS_MAX; i++) {
		uint64_t next;

		if (!remote_plausible(interpreter))
			return 0;
		next = remote_pointer(python->remote,
				      interpreter + AT(is_next));
		if (!next)
			return interpreter;
		interpreter = next;
	}
	return 0;
}

uint64_t runtime_main_ident(const struct runtime *runtime)
{
	const struct python *python = &runtime->python;

	return remote_pointer(python->remote,
			      runtime->address + AT(rt_main_thread));
}

/* ---- thread states
 * ----------------------------------------------------------- */

struct listing {
	struct runtime_thread *list;
	size_t max, count, unread;
};

static bool list_interpreter(struct runtime *runtime, uint64_t interpreter,
			     struct listing *listing)
{
	const struct python *python = &runtime->python;
	struct remote *remote = python->remote;
	uint64_t id = remote_pointer(remote, interpreter + AT(is_id));
	uint64_t state =
		remote_pointer(remote, interpreter + AT(is_tstate_head));

	while (state) {
		struct runtime_thread *thread;

		if (!remote_plausible(state) ||
		    remote_pointer(remote, state + AT(ts_interp)) !=
			    interpreter ||
		    listing->count + listing->unread >= THREADS_WALKED_MAX)
			return false;
		if (listing->count == listing->max) {
			listing->unread++;
		} else {
			thread = &listing->list[listing->count++];
			thread->state = state;
			thread->ident = remote_pointer(
				remote, state + AT(ts_thread_id));
			thread->interpreter = interpreter;
			thread->interpreter_id = (int64_t)id;
		}
		state = remote_pointer(remote, state + AT(ts_next));
	}
	return true;
}

/* 3.7-3.10 keep a thread's id on the pages of its stack. */
static void gather_tids(const struct runtime *runtime,
			struct runtime_thread *list, size_t count)
{
	uint64_t at[TIDS_AT_ONCE];
	int32_t tid[TIDS_AT_ONCE];

	for (size_t i = 0; i < count; i++)
		at[i] = list[i].ident + (uint64_t)runtime->ident_tid;
	remote_gather(runtime->python.remote, at, count, tid);
	for (size_t i = 0; i < count; i++)
		list[i].tid = tid[i] > 0 ? tid[i] : 0;
}

static void fill_tids(const struct runtime *runtime, struct listing *listing)
{
	bool apart = runtime->python.offsets.ts_native_id < 0 &&
		     runtime->ident_tid >= 0;

	for (size_t i = 0; !apart && i < listing->count; i++) {
		struct runtime_thread *thread = &listing->list[i];

		thread->tid = thread_tid(runtime, thread->state, thread->ident);
	}
	for (size_t i = 0; apart && i < listing->count; i += TIDS_AT_ONCE)
		gather_tids(runtime, &listing->list[i],
			    listing->count - i < TIDS_AT_ONCE
				    ? listing->count - i
				    : TIDS_AT_ONCE);
}

int runtime_threads(struct runtime *runtime, struct runtime_thread *list,
		    size_t max, size_t *ret_count, size_t *ret_unread,
		    struct error *err)
{
	const struct python *python = &runtime->python;
	struct listing listing = { .list = list, .max = max };
	uint64_t interpreter = remote_pointer(
		python->remote, runtime->address + AT(rt_interp_head));

	for (unsigned i = 0; interpreter && i < RUNTIME_INTERPRETERS_MAX; i++) {
		if (!remote_plausible(interpreter) ||
		    !list_interpreter(runtime, interpreter, &listing))
			return error_set(err, ERROR_SYSTEM,
					 "the list of Python's threads makes "
					 "no sense");
		interpreter = remote_pointer(python->remote,
					     interpreter + AT(is_next));
	}
	if (!listing.count)
		return error_set(err, ERROR_SYSTEM,
				 "Python has no thread; it begins or ends");
	fill_tids(runtime, &listing);
	*ret_count = listing.count;
	*ret_unread = listing.unread;
	return 0;
}

/* ---- the GIL, garbage
 * ----------------------------------------------------------- */

uint64_t runtime_gil(const struct runtime *runtime, uint64_t interpreter)
{
	const struct python *python = &runtime->python;

	if (python->free_threaded)
		return 0;
	if (python->offsets.is_gil < 0)
		return runtime->address + AT(rt_gil);
	return remote_pointer(python->remote, interpreter + AT(is_gil));
}

bool runtime_collecting(const struct runtime *runtime, uint64_t interpreter)
{
	const struct python *python = &runtime->python;
	uint64_t gc = python->offsets.is_gc >= 0 ? interpreter + AT(is_gc)
						 : runtime->address + AT(rt_gc);
	int32_t collecting = 0;

	return remote_i32(python->remote, gc + AT(gc_collecting),
			  &collecting) &&
	       collecting == 1;
}
