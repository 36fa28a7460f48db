/* SPDX-License-Identifier: MIT */
#include "injector/stack/coroutine.h"

#include <string.h>

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

/* Of an awaitable that stands for another object, the first field is it:
 * cw_coroutine, ags_gen, agt_gen, wrapped. The same in all versions, but for
 * the size of an object's head. */
#define FIRST_FIELD (python->free_threaded ? 32u : 16u)

#define YIELD_FROM 72		  /* opcode of 3.7 to 3.10 */
#define RESUME_AFTER_YIELD_FROM 2 /* and 3, after await: 3.11+ */
#define RESUME_MASK 3

enum kind { KIND_OTHER, KIND_COROUTINE, KIND_GENERATOR, KIND_WRAPPER };

static enum kind kind_of(const struct python *python, uint64_t object)
{
	static const struct {
		const char *type;
		enum kind kind;
	} kinds[] = {
		{ "coroutine", KIND_COROUTINE },
		{ "generator", KIND_GENERATOR },
		{ "async_generator", KIND_GENERATOR },
		{ "coroutine_wrapper", KIND_WRAPPER },
		{ "async_generator_asend", KIND_WRAPPER },
		{ "async_generator_athrow", KIND_WRAPPER },
		{ "anext_awaitable", KIND_WRAPPER },
		{ "_asyncio.FutureIter", KIND_WRAPPER },
	};
	char name[OBJECT_TYPE_NAME];

	if (!object_type_name(python, object_type(python, object), name,
			      sizeof(name)))
		return KIND_OTHER;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(name, kinds[i].type))
			return kinds[i].kind;
	return KIND_OTHER;
}

enum state { STATE_CREATED, STATE_SUSPENDED, STATE_RUNNING, STATE_ENDED };

/* gi_frame_state: its numbers were given anew in 3.15. */
static enum state state_of(const struct python *python, uint64_t generator)
{
	bool renumbered = python_minor(python) >= 15;
	int executing = renumbered ? 4 : 0;
	uint8_t byte;
	int8_t state;

	if (!remote_u8(python->remote, generator + AT(gen_frame_state), &byte))
		return STATE_ENDED;
	state = (int8_t)byte;
	if (state == executing)
		return STATE_RUNNING;
	if (state > executing)
		return STATE_ENDED;
	if (renumbered)
		return state == 0 ? STATE_CREATED : STATE_SUSPENDED;
	return state == (python_minor(python) >= 13 ? -3 : -2)
		       ? STATE_CREATED
		       : STATE_SUSPENDED;
}

/* Where the value stack ends; 0: the frame runs, or the stack is empty. */
static uint64_t stack_end(const struct python *python,
			  const struct python_frame *frame)
{
	uint64_t slots = (uint64_t)frame->code->slots;
	uint64_t bottom = frame->slots + slots * 8, end;
	uint64_t at = frame->address + AT(f_stacktop);
	int32_t depth = 0;

	if (python_minor(python) < 10 || python_minor(python) >= 14) {
		end = remote_pointer(python->remote, at);
	} else {
		if (!remote_i32(python->remote, at, &depth) || depth < 0)
			return 0;
		end = python_minor(python) == 10
			      ? bottom + (uint64_t)depth * 8
			      : frame->slots + (uint64_t)depth * 8;
	}
	if (end <= bottom || end & 7 ||
	    end > bottom + (uint64_t)frame->code->stack_size * 8)
		return 0;
	return end;
}

/* What lies on top; in 3.15 an index or NULL may lie above it. */
static uint64_t stack_top(const struct python *python,
			  const struct python_frame *frame)
{
	uint64_t end = stack_end(python, frame);
	uint64_t value,
		bottom = frame->slots + (uint64_t)frame->code->slots * 8;

	if (!end)
		return 0;
	value = remote_pointer(python->remote, end - 8);
	if (python_minor(python) >= 15 && end - 8 > bottom &&
	    (!object_untag(python, value) || value & 2))
		value = remote_pointer(python->remote, end - 16);
	return object_untag(python, value);
}

/* A generator that yields to its caller may have anything on its stack: only
 * one that delegates awaits what lies there. */
static bool delegates(const struct python *python, uint64_t generator,
		      const struct python_frame *frame)
{
	uint64_t code = frame->code->start;
	uint8_t byte;

	if (python_minor(python) >= 13) {
		if (!remote_u8(python->remote, generator + AT(gen_frame_state),
			       &byte))
			return false;
		return python_minor(python) >= 15 ? byte == 2 || byte == 3
						  : (int8_t)byte == -1;
	}
	if (frame->instruction < 0)
		return false;
	if (python_minor(python) < 11) {
		code = remote_pointer(python->remote,
				      frame->code->address + AT(co_code)) +
		       AT(bytes_val);
		return remote_u8(python->remote,
				 code + (uint64_t)frame->instruction + 2,
				 &byte) &&
		       byte == YIELD_FROM;
	}
	return remote_u8(python->remote,
			 code + (uint64_t)frame->instruction + 3, &byte) &&
	       (byte & RESUME_MASK) >= RESUME_AFTER_YIELD_FROM;
}

/* The frame of a coroutine or generator; 0: it has ended. */
static uint64_t frame_of(const struct python *python, uint64_t generator)
{
	if (python->offsets.gen_frame >= 0)
		return remote_pointer(python->remote,
				      generator + AT(gen_frame));
	return state_of(python, generator) == STATE_ENDED
		       ? 0
		       : generator + AT(gen_iframe);
}

static void note_state(const struct python *python, uint64_t generator,
		       const struct python_frame *frame,
		       struct await_chain *chain)
{
	if (python_minor(python) >= 11) {
		enum state state = state_of(python, generator);

		chain->running = state == STATE_RUNNING;
		chain->created = state == STATE_CREATED;
		return;
	}
	chain->created = frame->instruction < 0;
	/* Only a frame that runs keeps the end of its stack to itself. */
	if (python_minor(python) < 10)
		chain->running = !remote_pointer(
			python->remote, frame->address + AT(f_stacktop));
	else
		chain->running = (int32_t)remote_pointer(
					 python->remote,
					 frame->address + AT(f_stacktop)) < 0;
}

/* Adds a frame and tells what it awaits; 0: nothing, or not to be known. */
static uint64_t follow(struct codes *codes, uint64_t object, enum kind kind,
		       struct await_chain *chain, struct python_frame *frame)
{
	const struct python *python = codes->python;
	uint64_t address = frame_of(python, object);

	if (!address || !walk_frame(codes, address, frame))
		return 0;
	chain->frames.count++;
	note_state(python, object, frame, chain);
	if (chain->running || chain->created)
		return 0;
	if (kind == KIND_GENERATOR && !delegates(python, object, frame))
		return 0;
	return stack_top(python, frame);
}

static bool keep(struct arena *arena, const struct python_frame *list,
		 struct await_chain *chain)
{
	size_t count = chain->frames.count;
	struct python_frame *kept = arena_array(arena, count, sizeof(*kept));

	if (!kept)
		return false;
	for (size_t i = 0; i < count; i++)
		kept[i] = list[count - 1 - i];
	chain->frames.list = kept;
	return true;
}

/* The mark moves on at powers of two (Brent): meeting it is a circle. */
bool coroutine_chain(struct codes *codes, struct arena *arena,
		     uint64_t coroutine, struct await_chain *ret_chain)
{
	const struct python *python = codes->python;
	struct python_frame list[AWAITS_MAX];
	struct await_chain chain = { .last = coroutine };
	uint64_t mark = 0;
	unsigned step;

	for (step = 0; step < AWAITS_MAX && chain.last; step++) {
		enum kind kind = kind_of(python, chain.last);

		if (kind == KIND_OTHER)
			break;
		if (chain.last == mark)
			return false;
		if (!(step & (step - 1)))
			mark = chain.last;
		chain.last = kind == KIND_WRAPPER
				     ? remote_pointer(python->remote,
						      chain.last + FIRST_FIELD)
				     : follow(codes, chain.last, kind, &chain,
					      &list[chain.frames.count]);
	}
	chain.frames.truncated = step == AWAITS_MAX;
	if (!chain.frames.count || !keep(arena, list, &chain))
		return false;
	*ret_chain = chain;
	return true;
}

uint64_t frame_local(struct codes *codes, const struct python_frame *frame,
		     const char *name)
{
	const struct python *python = codes->python;

	for (int i = 0; i < frame->code->slots; i++) {
		const char *slot = code_slot_name(codes, frame->code, i);
		uint64_t value;

		if (!slot || strcmp(slot, name))
			continue;
		value = object_untag(
			python, remote_pointer(python->remote,
					       frame->slots + (uint64_t)i * 8));
		return object_is(python, value, "cell")
			       ? remote_pointer(python->remote,
						value + AT(cell_ref))
			       : value;
	}
	return 0;
}

uint64_t frame_self(const struct python *python,
		    const struct python_frame *frame)
{
	uint64_t value;

	if (frame->code->argument_count < 1)
		return 0;
	value = object_untag(python,
			     remote_pointer(python->remote, frame->slots));
	/* 3.7-3.15: a captured argument is a cell, in its own slot from 3.11 */
	return object_is(python, value, "cell")
		       ? remote_pointer(python->remote, value + AT(cell_ref))
		       : value;
}
