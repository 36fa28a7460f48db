/* SPDX-License-Identifier: MIT */
/* Stacks read from a hostile target: an image of an interpreter with a thread,
 * frames, code and local variables, in the layout of a version that the input
 * chooses, with words of it overwritten as the input says. Whatever stands
 * there: reading ends, and within its bounds. */
#include <stdint.h>
#include <string.h>

#include "injector/stack/coroutine.h"
#include "injector/stack/offsets.h"
#include "injector/stack/runtime.h"
#include "injector/stack/value.h"
#include "injector/stack/walk.h"
#include "tests/fuzz/fuzz.h"

#define BASE 0x10000000u
#define SIZE (512u << 10)
#define RUNTIME 0u /* the largest: 400 KiB, of which little is read */
#define INTERPRETER (128u << 10)
#define THREAD (192u << 10)
#define OBJECTS (256u << 10)
#define FRAMES 3

static uint8_t image[SIZE];
static bool intact;	   /* nothing of it was overwritten */
static uint64_t coroutine; /* the outermost of a chain */
static size_t used;
static const struct python_offsets *at;

static size_t from_image(void *arg, uint64_t address, void *buf, size_t size)
{
	uint64_t offset = address - BASE;

	if (offset >= SIZE)
		return 0;
	if (size > SIZE - offset)
		size = SIZE - offset;
	memcpy(buf, image + offset, size);
	return size;
}

static void put(uint64_t address, int32_t field, uint64_t word)
{
	uint64_t offset = address - BASE + (uint64_t)field;

	if (field >= 0 && offset <= SIZE - 8)
		memcpy(image + offset, &word, 8);
}

static uint64_t make(size_t size)
{
	uint64_t address = BASE + used;

	used += (size + 15) & ~(size_t)15;
	return address;
}

static uint64_t make_type(const char *name, uint64_t flags)
{
	uint64_t type = make(1024), text = make(32);

	memcpy(image + (text - BASE), name, strlen(name) + 1);
	put(type, at->tp_name, text);
	put(type, at->tp_flags, flags);
	return type;
}

static uint64_t make_object(uint64_t type, size_t size)
{
	uint64_t object = make(size);

	put(object, at->ob_type, type);
	return object;
}

static uint64_t make_str(uint64_t type, const char *text)
{
	uint64_t object = make_object(type, 128);
	uint64_t state = (1u | 1u << 3 | 1u << 4) << at->str_kind_bit;

	put(object, at->str_len, strlen(text));
	put(object, at->str_state, state);
	memcpy(image + (object - BASE) + at->str_ascii, text, strlen(text));
	return object;
}

static uint64_t make_bytes(uint64_t type, const void *bytes, size_t size)
{
	uint64_t object = make_object(type, 128 + size);

	put(object, at->ob_size, size);
	memcpy(image + (object - BASE) + at->bytes_val, bytes, size);
	return object;
}

static uint64_t make_tuple(uint64_t type, uint64_t first, uint64_t second)
{
	uint64_t object = make_object(type, 128);

	put(object, at->ob_size, 2);
	put(object, at->tuple_item, first);
	put(object, at->tuple_item + 8, second);
	return object;
}

static uint64_t make_code(uint64_t bytes, uint64_t tuple, uint64_t str,
			  const uint8_t *table, size_t size)
{
	uint64_t code = make_object(make_type("code", 0), 1024);
	uint64_t name = make_str(str, "f"),
		 names = make_tuple(tuple, name, name);

	put(code, at->co_filename, make_str(str, "/srv/app.py"));
	put(code, at->co_name, name);
	put(code, at->co_qualname, name);
	put(code, at->co_varnames, names);
	put(code, at->co_cellvars, make_tuple(tuple, name, name));
	put(code, at->co_freevars, make_tuple(tuple, name, name));
	put(code, at->co_linetable, make_bytes(bytes, table, size));
	put(code, at->co_exctable, make_bytes(bytes, table, size));
	put(code, at->co_localspluskinds, make_bytes(bytes, "\x20\x40", 2));
	image[code - BASE + (size_t)at->co_nlocals] = 2;
	image[code - BASE + (size_t)at->co_flags] = CODE_OPTIMIZED;
	image[code - BASE + (size_t)at->co_stacksize] = 4;
	if (at->co_nlocalsplus >= 0)
		image[code - BASE + (size_t)at->co_nlocalsplus] = 2;
	return code;
}

/* A suspended frame, its stack one value high. */
static void make_suspended(uint64_t frame, uint64_t code, uint64_t awaited)
{
	/* Two locals; before 3.11 two cells and two free variables, too. */
	uint64_t top = (uint64_t)at->f_locals_plus +
		       (at->co_nlocalsplus >= 0 ? 16 : 48);
	int32_t depth = at->gen_frame >= 0 ? 1 : 3;

	put(frame, at->f_code, code);
	put(frame, at->f_instr,
	    at->co_code_adaptive >= 0 ? code + (uint64_t)at->co_code_adaptive
				      : 0);
	put(frame, (int32_t)top, awaited);
	if ((at->version & 0xff) < 10)
		put(frame, at->f_stacktop, frame + top + 8);
	else
		memcpy(image + (frame - BASE) + at->f_stacktop, &depth,
		       sizeof(depth));
}

/* Coroutines that await each other, and a generator at the end. */
static void make_coroutines(uint64_t code)
{
	uint64_t types[2] = { make_type("generator", 0),
			      make_type("coroutine", 0) };
	uint64_t awaited = code;

	for (int i = 0; i < FRAMES; i++) {
		uint64_t object = make_object(types[i > 0], 1024), frame;

		if (at->gen_frame >= 0) {
			frame = make(1024);
			put(object, at->gen_frame, frame);
		} else {
			frame = object + (uint64_t)at->gen_iframe;
			image[object - BASE + (size_t)at->gen_frame_state] =
				0xff;
		}
		make_suspended(frame, code, awaited);
		awaited = object;
	}
	coroutine = awaited;
}

static void make_image(const uint8_t *table, size_t size)
{
	uint64_t runtime = BASE + RUNTIME, interpreter = BASE + INTERPRETER;
	uint64_t thread = BASE + THREAD, cframe, previous = 0, str, tuple, code;

	memset(image, 0, sizeof(image));
	used = OBJECTS;
	put(runtime, at->rt_interp_head, interpreter);
	put(interpreter, at->is_tstate_head, thread);
	put(thread, at->ts_interp, interpreter);
	str = make_type("str", TYPE_UNICODE);
	tuple = make_type("tuple", TYPE_TUPLE);
	code = make_code(make_type("bytes", TYPE_BYTES), tuple, str, table,
			 size);
	for (int i = 0; i < FRAMES; i++) {
		uint64_t frame = make(1024);

		put(frame, at->f_previous, previous);
		put(frame, at->f_code, code);
		put(frame, at->f_instr,
		    at->co_code_adaptive >= 0
			    ? code + (uint64_t)at->co_code_adaptive
			    : 0);
		put(frame, at->f_locals_plus, make_str(str, "value"));
		put(frame, at->f_locals_plus + 8,
		    make_tuple(tuple, code, frame));
		previous = frame;
	}
	make_coroutines(code);
	cframe = make(64);
	put(thread, at->ts_frame, previous);
	put(thread, at->ts_cframe, cframe);
	put(cframe, at->cf_frame, previous);
}

/* Each four bytes: where, and what: a word of the image, or a wild one. */
static void wreck(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 4 <= size && i < 256; i += 4) {
		size_t to = (data[i] | data[i + 1] << 8) * 8u % (SIZE - 8);
		size_t from = (data[i + 2] | data[i + 3] << 8) * 8u;
		uint64_t word = data[i + 2] & 1 ? BASE + from % SIZE
						: (uint64_t)from << 40 | from;

		memcpy(image + to, &word, 8);
	}
}

static void read_thread(struct runtime *runtime, struct codes *codes,
			struct values *values, uint64_t state)
{
	struct python_frames frames;
	struct walker walker;
	size_t count;

	if (walker_init(&walker, codes, 64, NULL))
		return;
	if (walk_once(&walker, state, &frames)) {
		fuzz_check(frames.count <= 64);
		for (size_t i = 0; i < frames.count; i++) {
			(void)code_place_at(&runtime->python,
					    frames.list[i].code,
					    frames.list[i].instruction);
			(void)values_locals(values, codes, &frames.list[i],
					    &count);
		}
	}
	walker_release(&walker);
}

static void read_coroutines(struct codes *codes, struct arena *arena)
{
	const struct python *python = codes->python;
	struct await_chain chain;
	struct set_walk walk;

	if (!coroutine_chain(codes, arena, coroutine, &chain)) {
		fuzz_check(!intact);
		return;
	}
	fuzz_check(!intact || chain.frames.count == FRAMES);
	fuzz_check(chain.frames.count && chain.frames.count <= AWAITS_MAX);
	(void)object_is_a(python, chain.last, "_asyncio.Future");
	(void)attribute_of_slot(python, chain.last, "_when");
	(void)frame_local(codes, &chain.frames.list[0], "f");
	if (set_walk_start(python, frame_self(python, &chain.frames.list[0]),
			   &walk))
		(void)set_walk_next(python, &walk);
}

static void read_all(struct remote *remote, uint32_t version, bool threaded)
{
	static const struct stack_options options = STACK_OPTIONS_DEFAULT;
	struct arena *arena = arena_new(4u << 20);
	struct runtime runtime = { 0 };
	struct runtime_thread list[16];
	struct values values;
	struct codes codes;
	size_t count, unread;

	if (arena &&
	    runtime_accept(&runtime, remote, BASE + RUNTIME, version,
			   threaded) &&
	    !codes_init(&codes, &runtime.python, arena, NULL)) {
		values_init(&values, &runtime.python, arena, &options);
		values.left = 4096;
		if (!runtime_threads(&runtime, list, 16, &count, &unread, NULL))
			for (size_t i = 0; i < count; i++)
				read_thread(&runtime, &codes, &values,
					    list[i].state);
		read_coroutines(&codes, arena);
		codes_release(&codes);
	}
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct remote remote;
	uint32_t version;

	if (size < 2)
		return 0;
	/* 3.13 and later begin with a description of themselves. */
	version = 0x030700u + data[0] % 6u * 0x100u;
	at = offsets_find(version, false);
	make_image(data + 1, size - 1 < 64 ? size - 1 : 64);
	intact = size < 5;
	wreck(data + 1, size - 1);
	if (!remote.table &&
	    remote_init_source(&remote, from_image, NULL, NULL))
		return 0;
	remote_forget(&remote);
	read_all(&remote, version, false);
	return 0;
}
