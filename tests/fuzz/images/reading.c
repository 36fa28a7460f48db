/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/images/reading.h"

#include "injector/stack/callee.h"
#include "injector/stack/coroutine.h"
#include "injector/stack/gc_walk.h"
#include "injector/stack/value.h"
#include "tests/fuzz/fuzz.h"

#define THREADS_MAX 64u
#define FRAMES_MAX 256u
#define OBJECTS_MAX 500u
#define MEMORY_MAX (8u << 20)

static void read_thread(struct runtime *runtime, struct codes *codes,
			struct values *values, uint64_t state,
			struct reading *reading)
{
	struct python_frames frames;
	struct walker walker;
	size_t count;

	if (walker_init(&walker, codes, FRAMES_MAX, NULL))
		return;
	if (walk_once(&walker, state, &frames)) {
		fuzz_check(frames.count <= FRAMES_MAX);
		reading->frames += frames.count;
		for (size_t i = 0; i < frames.count; i++) {
			const struct python_frame *frame = &frames.list[i];

			(void)code_place_at(&runtime->python, frame->code,
					    frame->instruction);
			(void)callee_name(&runtime->python, values->arena,
					  frame, 1);
			count = 0;
			(void)values_locals(values, codes, frame, &count);
			reading->locals += count;
		}
	}
	walker_release(&walker);
}

static void read_coroutine(struct codes *codes, struct arena *arena,
			   uint64_t coroutine, struct reading *reading)
{
	struct await_chain chain;

	if (!coroutine || !coroutine_chain(codes, arena, coroutine, &chain))
		return;
	fuzz_check(chain.frames.count && chain.frames.count <= AWAITS_MAX);
	reading->awaits = chain.frames.count;
}

static void read_objects(struct runtime *runtime, struct reading *reading)
{
	struct gc_walk walk;
	uint64_t object;

	if (!gc_walk_start(runtime, runtime_main_interpreter(runtime), &walk))
		return;
	while (reading->objects < OBJECTS_MAX &&
	       (object = gc_walk_next(&walk))) {
		(void)object_is_a(&runtime->python, object, "greenlet");
		reading->objects++;
	}
}

void reading_all(struct remote *remote, const struct image_head *head,
		 struct reading *ret_reading)
{
	static const struct stack_options options = STACK_OPTIONS_DEFAULT;
	struct arena *arena = arena_new(MEMORY_MAX);
	struct runtime_thread list[THREADS_MAX];
	struct reading reading = { 0 };
	struct runtime runtime = { 0 };
	struct values values;
	struct codes codes;
	size_t count = 0, unread;

	if (arena &&
	    runtime_accept(&runtime, remote, head->runtime,
			   (uint32_t)head->version, false) &&
	    !codes_init(&codes, &runtime.python, arena, NULL)) {
		values_init(&values, &runtime.python, arena, &options);
		values.left = 5000;
		if (!runtime_threads(&runtime, list, THREADS_MAX, &count,
				     &unread, NULL))
			reading.threads = count;
		for (size_t i = 0; i < reading.threads; i++)
			read_thread(&runtime, &codes, &values, list[i].state,
				    &reading);
		read_coroutine(&codes, arena, head->coroutine, &reading);
		read_objects(&runtime, &reading);
		codes_release(&codes);
	}
	arena_free(arena);
	*ret_reading = reading;
}
