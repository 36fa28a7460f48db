/* SPDX-License-Identifier: MIT */
/*
 * wait_futex: why a thread waits at an address: for the GIL, for a Python
 * lock and what that lock is part of, for a mutex of the C library.
 */
#include <string.h>
#include <time.h>

#include "injector/stack/explain.h"
#include "injector/stack/wait_object.h"
#include "injector/stack/wait_role.h"

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

#define FRAMES_SEARCHED 3u /* for the lock that is waited for */

/* linux/futex.h names the operations; these bits go with them. */
#define OPERATION_MASK 0x7fu
#define OPERATION_REALTIME 0x100u
#define OPERATION_WAIT 0u
#define OPERATION_LOCK_PI 6u
#define OPERATION_WAIT_BITSET 9u
#define OPERATION_LOCK_PI2 13u

#define MUTEX_LOCKED 2u /* glibc: locked, and somebody waits */

static bool is_lock(const struct python *python, uint64_t object)
{
	return object_is(python, object, "_thread.lock") ||
	       object_is(python, object, "_thread.RLock");
}

/* ---- which lock
 * ------------------------------------------------------------------ */

struct futex {
	uint64_t address;
	uint64_t parked; /* 3.13+: the PyMutex of who waits at address */
};

/* A lock is a pointer to a semaphore, which is waited at, or (3.13+, by
 * version) a PyMutex in the object or behind the pointer. */
static bool waits_in(const struct python *python, const struct futex *futex,
		     uint64_t object)
{
	uint64_t at = object + AT(ob_size), word;

	if (!is_lock(python, object))
		return false;
	word = remote_pointer(python->remote, at);
	return word == futex->address ||
	       (futex->parked &&
		(word == futex->parked || at == futex->parked));
}

/* The lock that a slot holds, or holds a bound method of. */
static uint64_t lock_in_slot(const struct python *python,
			     const struct futex *futex, uint64_t value)
{
	if (waits_in(python, futex, value))
		return value;
	if (object_is(python, value, "builtin_function_or_method"))
		value = remote_pointer(python->remote, value + AT(cfunc_self));
	else if (object_is(python, value, "method"))
		value = remote_pointer(python->remote, value + AT(method_self));
	else
		return 0;
	return waits_in(python, futex, value) ? value : 0;
}

static uint64_t lock_in_frame(const struct python *python,
			      const struct futex *futex,
			      const struct python_frame *frame)
{
	int count = frame->code->slots + frame->code->stack_size;
	uint64_t lock;

	for (int i = 0; i < count; i++) {
		lock = lock_in_slot(
			python, futex,
			object_untag(python,
				     remote_pointer(python->remote,
						    frame->slots +
							    (uint64_t)i * 8)));
		if (lock)
			return lock;
	}
	return 0;
}

/* 3.13+: what the thread that waits at a futex parked for; 0: nothing. */
static uint64_t parked_for(const struct explain *explain, uint64_t futex)
{
	const struct python *python = explain->python;

	return python_minor(python) >= 13
		       ? remote_pointer(python->remote, futex - 8)
		       : 0;
}

/* The lock that a thread waits for; 0: none that we know. A thread that parks
 * (3.13+) has the address of the PyMutex on its C stack, below the futex. */
static uint64_t find_lock(const struct explain *explain, size_t thread,
			  uint64_t address)
{
	const struct python *python = explain->python;
	const struct python_frames *frames =
		&explain->reader->inside[thread].frames;
	struct futex futex = { .address = address };
	uint64_t lock = 0;

	if (python_minor(python) >= 13) {
		futex.parked = parked_for(explain, address);
		lock = futex.parked - AT(ob_size);
		if (futex.parked && waits_in(python, &futex, lock))
			return lock;
		lock = 0;
	}
	for (size_t i = 0; i < frames->count && i < FRAMES_SEARCHED && !lock;
	     i++)
		lock = lock_in_frame(python, &futex, &frames->list[i]);
	return lock;
}

/* ---- who has it
 * ------------------------------------------------------------------- */

/* rlock_owner, behind the pointer or the PyMutex: threading's ident. */
static void owner_of_rlock(struct explain *explain, size_t thread,
			   uint64_t lock, struct wait_draft *draft)
{
	const struct python *python = explain->python;
	uint64_t ident = remote_pointer(python->remote, lock + AT(ob_size) + 8);

	if (!ident)
		return;
	draft->owner = reader_find_ident(explain->reader, ident);
	draft->proof = STACK_PROVEN;
	explain->about[thread].ended = draft->owner == STACK_NO_THREAD;
	if (draft->owner == STACK_NO_THREAD)
		draft_text(draft, "owner_state", "ended");
}

static void owner_of_lock(struct explain *explain, uint64_t lock,
			  struct wait_draft *draft)
{
	const struct hold *hold;
	const struct python_frame *frame;
	size_t owner = hold_find(explain, lock, &hold);
	struct code_place place;

	if (owner == STACK_NO_THREAD)
		return;
	frame = &explain->reader->inside[owner].frames.list[hold->frame];
	place = code_place_at(explain->python, frame->code, frame->instruction);
	draft->owner = owner;
	draft->proof = STACK_PROVEN;
	draft_text(draft, "held_at",
		   arena_printf(explain->arena, "%s at %s:%d",
				frame->code->name, frame->code->file,
				place.line));
}

static void wait_of_lock(struct explain *explain, size_t thread, uint64_t lock,
			 struct wait_draft *draft)
{
	bool reentrant = object_is(explain->python, lock, "_thread.RLock");

	draft->what = reentrant ? "rlock" : "lock";
	draft->object = object_describe(explain, thread, lock);
	explain->about[thread].object = lock;
	explain->about[thread].inner = true;
	if (reentrant)
		owner_of_rlock(explain, thread, lock, draft);
	else
		owner_of_lock(explain, lock, draft);
}

/* ---- the GIL, the C library
 * --------------------------------------------------------- */

static bool wait_of_gil(struct explain *explain, size_t thread,
			uint64_t address, struct wait_draft *draft)
{
	const struct python *python = explain->python;
	const struct runtime_thread *state =
		&explain->reader->inside[thread].python;
	uint64_t gil = state->state ? runtime_gil(&explain->reader->runtime,
						  state->interpreter)
				    : explain->reader->picture->gil.address;

	if (!gil || address - gil >= AT(gil_size))
		return false;
	draft->what = "gil";
	draft->object = "the GIL";
	draft->owner = explain_gil_holder(explain, gil);
	if (draft->owner == thread)
		draft->owner = STACK_NO_THREAD;
	draft->proof =
		draft->owner == STACK_NO_THREAD ? STACK_UNKNOWN : STACK_PROVEN;
	return true;
}

/* struct pthread_mutex_t of glibc: lock, count, owner's thread id, users,
 * kind. Its waiters wait for the word to differ from 2. */
static bool wait_of_mutex(struct explain *explain, size_t thread,
			  const uint64_t *argument, struct wait_draft *draft)
{
	uint32_t operation = (uint32_t)argument[1] & OPERATION_MASK;
	bool inheriting = operation == OPERATION_LOCK_PI ||
			  operation == OPERATION_LOCK_PI2;
	uint32_t word[5];
	size_t owner;

	if (!remote_read(explain->python->remote, argument[0], word,
			 sizeof(word)) ||
	    (!inheriting &&
	     (argument[2] != MUTEX_LOCKED || word[0] != MUTEX_LOCKED)) ||
	    word[2] > INT32_MAX || word[3] > INT32_MAX || word[4] > 0x1ff)
		return false;
	owner = explain_thread_of(explain, (pid_t)word[2]);
	if (owner == STACK_NO_THREAD)
		return false;
	draft->what = "mutex";
	draft->object =
		arena_printf(explain->arena, "mutex of the C library at 0x%llx",
			     (unsigned long long)argument[0]);
	draft->owner = owner;
	draft->proof = STACK_PROVEN;
	explain->about[thread].object = argument[0];
	explain->about[thread].inner = true;
	return true;
}

/* FUTEX_WAIT has a relative time, the others an absolute one. */
static void time_left(struct explain *explain, size_t thread,
		      const uint64_t *argument, struct wait_draft *draft)
{
	uint32_t operation = (uint32_t)argument[1] & OPERATION_MASK;
	int clock = CLOCK_MONOTONIC;

	if (operation == OPERATION_WAIT)
		clock = -1;
	else if (operation == OPERATION_LOCK_PI ||
		 argument[1] & OPERATION_REALTIME)
		clock = CLOCK_REALTIME;
	wait_until(explain, thread, argument[3], clock, draft);
}

void wait_of_futex(struct explain *explain, size_t thread,
		   struct wait_draft *draft)
{
	const uint64_t *argument =
		explain->reader->inside[thread].kernel.argument;
	uint64_t lock;

	/* The GIL's waiters come back every 5 ms: no time limit of theirs. */
	if (wait_of_gil(explain, thread, argument[0], draft))
		return;
	lock = find_lock(explain, thread, argument[0]);
	if (!wait_of_role(explain, thread, lock, draft)) {
		if (lock)
			wait_of_lock(explain, thread, lock, draft);
		else if (!wait_of_object(explain, thread, argument[0],
					 parked_for(explain, argument[0]),
					 draft))
			(void)wait_of_mutex(explain, thread, argument, draft);
	}
	if (!draft->what) {
		draft->what = "futex";
		draft->object = arena_printf(explain->arena, "0x%llx",
					     (unsigned long long)argument[0]);
	}
	time_left(explain, thread, argument, draft);
}
