/* SPDX-License-Identifier: MIT */
#include "injector/stack/wait_object.h"

#include <string.h>

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

#define FRAMES_SEARCHED 3u
#define HEAD (python->free_threaded ? 32u : 16u) /* of an object */

/* SemLockObject of _multiprocessing, the same in 3.7 to 3.15: the handle, a
 * sem_t's address; then who locked it last, how often, its greatest value and
 * its kind. */
#define SEM_LAST_THREAD 8u
#define SEM_COUNT 16u
#define SEM_MOST 20u
#define SEM_KIND 24u
#define SEM_RECURSIVE 0

/* Until 3.12 a SimpleQueue begins with its lock, then a thread parks at a
 * byte inside of it. */
static bool queue_waits(const struct python *python, uint64_t object,
			uint64_t futex, uint64_t parked)
{
	int64_t size;

	if (!object_is(python, object, "_queue.SimpleQueue"))
		return false;
	size = object_type_basicsize(python, object_type(python, object));
	return remote_pointer(python->remote, object + HEAD) == futex ||
	       (parked > object && size > 0 &&
		parked - object < (uint64_t)size);
}

static bool semaphore_waits(const struct python *python, uint64_t object,
			    uint64_t futex)
{
	return object_is(python, object, "_multiprocessing.SemLock") &&
	       remote_pointer(python->remote, object + HEAD) == futex;
}

/* The process counts what its own threads locked: a recursive lock that it
 * counts is held by the last of them. Of others only this is known: that no
 * thread of this process has one that it does not count. */
static void tell_semaphore(struct explain *explain, size_t thread,
			   uint64_t object, struct wait_draft *draft)
{
	const struct python *python = explain->python;
	uint64_t at = object + HEAD, ident;
	int32_t count, most, kind;

	draft->what = "semaphore";
	if (!remote_i32(python->remote, at + SEM_COUNT, &count) ||
	    !remote_i32(python->remote, at + SEM_MOST, &most) ||
	    !remote_i32(python->remote, at + SEM_KIND, &kind))
		return;
	if (most == 1)
		draft->what = kind == SEM_RECURSIVE ? "rlock" : "lock";
	explain->about[thread].inner = false;
	if (count == 0 && most == 1)
		draft_text(draft, "owner_process", "another");
	if (kind != SEM_RECURSIVE || count < 1)
		return;
	ident = remote_pointer(python->remote, at + SEM_LAST_THREAD);
	draft->owner = reader_find_ident(explain->reader, ident);
	if (draft->owner != STACK_NO_THREAD)
		draft->proof = STACK_PROVEN;
}

static bool tell(struct explain *explain, size_t thread, uint64_t object,
		 uint64_t futex, uint64_t parked, struct wait_draft *draft)
{
	const struct python *python = explain->python;
	bool queue = queue_waits(python, object, futex, parked);

	if (!queue && !semaphore_waits(python, object, futex))
		return false;
	explain->about[thread].object = object;
	draft->object = object_describe(explain, thread, object);
	if (queue) {
		draft->what = "queue";
		explain->about[thread].inner = true;
	} else {
		tell_semaphore(explain, thread, object, draft);
	}
	return true;
}

/* A slot holds the object, or a method of it that is bound to it. */
static bool tell_slot(struct explain *explain, size_t thread, uint64_t value,
		      uint64_t futex, uint64_t parked, struct wait_draft *draft)
{
	const struct python *python = explain->python;

	if (!value)
		return false;
	if (object_is(python, value, "builtin_function_or_method") ||
	    object_is(python, value, "builtin_method"))
		value = remote_pointer(python->remote, value + AT(cfunc_self));
	return tell(explain, thread, value, futex, parked, draft);
}

bool wait_of_object(struct explain *explain, size_t thread, uint64_t futex,
		    uint64_t parked, struct wait_draft *draft)
{
	const struct python *python = explain->python;
	const struct python_frames *frames = explain_frames(explain, thread);

	for (size_t i = 0; i < frames->count && i < FRAMES_SEARCHED; i++) {
		const struct python_frame *frame = &frames->list[i];
		int count = frame->code->slots + frame->code->stack_size;

		for (int k = 0; k < count; k++) {
			uint64_t value = object_untag(
				python,
				remote_pointer(python->remote,
					       frame->slots + (uint64_t)k * 8));

			if (tell_slot(explain, thread, value, futex, parked,
				      draft))
				return true;
		}
	}
	return false;
}
