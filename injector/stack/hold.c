/* SPDX-License-Identifier: MIT */
/*
 * hold: the locks that threads hold by `with` blocks. A frame keeps what
 * leaves its blocks on its value stack: the lock's __exit__, below the depth
 * to which an exception would unwind the stack; from 3.14 on __exit__ and the
 * lock itself. Those slots change only when the frame leaves the block.
 */
#include <stdlib.h>
#include <string.h>

#include "injector/stack/explain.h"

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

#define HOLDS_MAX 65536u
#define BLOCKS_MAX 20	/* CO_MAXBLOCKS before 3.11 */
#define BLOCK_BYTES 12u /* PyTryBlock: type, handler, level */

static bool is_lock(const struct python *python, uint64_t object)
{
	return object_is(python, object, "_thread.lock") ||
	       object_is(python, object, "_thread.RLock");
}

/* The lock that an object locks when it is entered: itself, or a
 * Condition's. 0: none. */
static uint64_t lock_of(const struct python *python, uint64_t object)
{
	uint64_t lock;

	if (is_lock(python, object))
		return object;
	if (!object_is(python, object, "Condition"))
		return 0;
	lock = attribute_get(python, object, "_lock");
	return is_lock(python, lock) ? lock : 0;
}

/* The lock that a bound __exit__ would release. */
static uint64_t lock_of_exit(const struct python *python, uint64_t value)
{
	if (object_is(python, value, "builtin_function_or_method"))
		return lock_of(python, remote_pointer(python->remote,
						      value + AT(cfunc_self)));
	if (object_is(python, value, "method"))
		return lock_of(python, remote_pointer(python->remote,
						      value + AT(method_self)));
	return 0;
}

static void add_hold(struct explain *explain, uint64_t lock, size_t thread,
		     size_t frame)
{
	struct hold *list;
	size_t room;

	if (!lock)
		return;
	if (explain->hold_count == explain->hold_room) {
		room = explain->hold_room ? explain->hold_room * 2 : 64;
		list = room > HOLDS_MAX ? NULL
					: arena_array(explain->arena, room,
						      sizeof(*list));
		if (!list)
			return;
		if (explain->hold_count)
			memcpy(list, explain->holds,
			       explain->hold_count * sizeof(*list));
		explain->holds = list;
		explain->hold_room = room;
	}
	explain->holds[explain->hold_count++] =
		(struct hold){ .lock = lock, .thread = thread, .frame = frame };
}

/* ---- 3.7-3.10: a stack of blocks
 * -------------------------------------------------- */

static void add_of_blocks(struct explain *explain, size_t thread, size_t index)
{
	const struct python *python = explain->python;
	struct remote *remote = python->remote;
	const struct python_frame *frame =
		&explain->reader->inside[thread].frames.list[index];
	uint64_t values =
		remote_pointer(remote, frame->address + AT(f_valuestack));
	int32_t blocks, level;

	if (!values ||
	    !remote_i32(remote, frame->address + AT(f_iblock), &blocks) ||
	    blocks < 0 || blocks > BLOCKS_MAX)
		return;
	for (int32_t i = 0; i < blocks; i++) {
		uint64_t block = frame->address + AT(f_blockstack) +
				 (uint64_t)i * BLOCK_BYTES;

		if (!remote_i32(remote, block + 8, &level) || level < 1 ||
		    level > frame->code->stack_size)
			continue;
		add_hold(explain,
			 lock_of_exit(
				 python,
				 remote_pointer(remote,
						values + (uint64_t)(level - 1) *
								 8)),
			 thread, index);
	}
}

/* ---- 3.11+: a table of what an exception does
 * ---------------------------------------- */

/* A number of the table: six bits a byte, the first the highest; bit 6 says
 * that more follow. */
static bool next_number(const struct code *code, size_t *at, uint32_t *ret)
{
	uint32_t value = 0;

	while (*at < code->exceptions_size) {
		uint8_t byte = code->exceptions[(*at)++];

		value = value << 6 | (byte & 63);
		if (!(byte & 64)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* How much of the value stack an exception at this instruction would leave;
 * ranges do not overlap, starts and lengths count units of two bytes. */
static uint32_t kept_depth(const struct code *code, int instruction)
{
	uint32_t start, length, target, depth;
	size_t at = 0;

	while (next_number(code, &at, &start) &&
	       next_number(code, &at, &length) &&
	       next_number(code, &at, &target) &&
	       next_number(code, &at, &depth))
		if (instruction >= 0 && (uint32_t)instruction / 2 >= start &&
		    (uint32_t)instruction / 2 - start < length)
			return depth >> 1;
	return 0;
}

static void add_of_table(struct explain *explain, size_t thread, size_t index)
{
	const struct python *python = explain->python;
	const struct python_frame *frame =
		&explain->reader->inside[thread].frames.list[index];
	uint32_t depth = kept_depth(frame->code, frame->instruction);
	uint64_t at = frame->slots + (uint64_t)frame->code->slots * 8;

	if (depth > (uint32_t)frame->code->stack_size)
		return;
	for (uint32_t i = 0; i < depth; i++, at += 8) {
		uint64_t value = object_untag(
			python, remote_pointer(python->remote, at));
		uint64_t lock = 0;

		if (!value)
			continue;
		lock = python_minor(python) >= 14 && i > 0
			       ? lock_of(python, value)
			       : lock_of_exit(python, value);
		add_hold(explain, lock, thread, index);
	}
}

/* ---- what is held indeed
 * ------------------------------------------------------------ */

/* A frame still is where it was when it was walked. */
static bool frame_is_there(const struct explain *explain,
			   const struct python_frame *frame)
{
	const struct python *python = explain->python;
	uint64_t code = object_untag(
		python,
		remote_pointer(python->remote, frame->address + AT(f_code)));
	uint64_t place;
	int32_t index;

	if (code != frame->code->address)
		return false;
	if (python_minor(python) < 11) {
		if (!remote_i32(python->remote, frame->address + AT(f_instr),
				&index))
			return false;
		return (python_minor(python) == 10 ? index * 2 : index) ==
		       frame->instruction;
	}
	place = remote_pointer(python->remote, frame->address + AT(f_instr));
	return python->free_threaded ||
	       (int64_t)(place - frame->code->start) == frame->instruction;
}

static bool named(const struct code *code, const char *name)
{
	const char *last = strrchr(code->name, '.');

	return !strcmp(last ? last + 1 : code->name, name);
}

/* Condition.wait gives the lock back for as long as it waits; that it ended
 * shows when the thread waits for that very lock. */
static bool is_given_back(const struct explain *explain,
			  const struct hold *hold)
{
	const struct python *python = explain->python;
	const struct python_frames *frames =
		&explain->reader->inside[hold->thread].frames;

	for (size_t i = 0; i < hold->frame && i < frames->count; i++) {
		const struct python_frame *frame = &frames->list[i];
		uint64_t self;

		if (!named(frame->code, "wait") ||
		    frame->code->argument_count < 1)
			continue;
		self = object_untag(
			python, remote_pointer(python->remote, frame->slots));
		if (lock_of(python, self) == hold->lock)
			return true;
	}
	return false;
}

static void find_holds(struct explain *explain)
{
	const struct python *python = explain->python;
	size_t kept = 0;

	explain->holds_known = true;
	for (size_t i = 0; i < explain->reader->count; i++) {
		const struct reader_thread *thread =
			&explain->reader->inside[i];

		for (size_t k = 0; k < thread->frames.count; k++)
			if (python_minor(python) < 11)
				add_of_blocks(explain, i, k);
			else
				add_of_table(explain, i, k);
	}
	remote_forget(python->remote);
	for (size_t i = 0; i < explain->hold_count; i++) {
		const struct hold *hold = &explain->holds[i];
		const struct python_frames *frames =
			&explain->reader->inside[hold->thread].frames;

		if (frame_is_there(explain, &frames->list[hold->frame]) &&
		    !is_given_back(explain, hold))
			explain->holds[kept++] = *hold;
	}
	explain->hold_count = kept;
}

size_t hold_find(struct explain *explain, uint64_t lock,
		 const struct hold **ret_hold)
{
	if (!explain->holds_known)
		find_holds(explain);
	for (size_t i = 0; i < explain->hold_count; i++)
		if (explain->holds[i].lock == lock) {
			*ret_hold = &explain->holds[i];
			return explain->holds[i].thread;
		}
	return STACK_NO_THREAD;
}
