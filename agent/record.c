/* SPDX-License-Identifier: MIT */
#include "agent/record.h"

#include "agent/repr.h"

#include <linux/mman.h>
#include <sys/syscall.h>

#ifndef MADV_POPULATE_WRITE /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

#include "agent/awaiters.h"
#include "agent/context.h"
#include "agent/frames.h"
#include "agent/stack.h"
#include "agent/sys.h"
#include "agent/value.h"

enum {
	/* `,"$truncated":true,"$len":N}` after variables */
	VARIABLES_END = 64,
	/* `,"duration_ns":N,"suspensions":N,"stack":[]}` */
	RECORD_END = 96,
	/* co_flags of what can be awaited */
	AWAITED = CODE_COROUTINE | CODE_ASYNC_GENERATOR,
	/* No variable is given less room than this for being fair to those
	 * after it. */
	SHARE_LEAST = 512,
	SEEK_TO_END = 2,
	WARM_MOST = 1 << 20,
	WARM_PIECE = 256 << 10,
};

static struct ring *ring;
static size_t ring_bytes;
static uint32_t ring_data; /* bytes; the program may write over the ring's own
			    * word for it */
static int event = -1;

/* One record at a time, under the GIL. Nothing here gives it up, by all that
 * we know; `writing` makes sure. */
static char buffer[LIMIT_RECORD];
static bool writing;
static bool warmed; /* record_warm() */
static unsigned cuts_before;

/* Maps the ring; NULL when the file is not one. */
static struct ring *map_ring(int fd, size_t bytes)
{
	struct ring *mapped;
	long size = sys_call(SYS_lseek, fd, 0, SEEK_TO_END, 0, 0, 0);

	/* A file that is shorter would kill the program at the first write. */
	if (size < 0 || (size_t)size < bytes)
		return NULL;
	mapped = sys_map_shared(fd, bytes);
	if (mapped && (!ring_valid(mapped, bytes) ||
		       sys_madvise(mapped, bytes, MADV_DONTFORK) != 0)) {
		sys_unmap(mapped, bytes);
		return NULL;
	}
	return mapped;
}

int record_init(int ring_fd, int event_fd, uint32_t ring_size)
{
	ring_bytes = (size_t)RING_HEADER + ring_size;
	ring_data = ring_size;
	ring = ring_size <= LIMIT_RING_MAX ? map_ring(ring_fd, ring_bytes)
					   : NULL;
	sys_close(ring_fd);
	if (!ring) {
		sys_close(event_fd);
		return -1;
	}
	event = event_fd;
	writing = warmed = false;
	return 0;
}

void record_warm(void)
{
	if (warmed || !ring)
		return;
	warmed = true;
	/* In pieces: meanwhile the program may want to map something. Fails
	 * before Linux 5.14, and then the program's hits meet the pages. */
	for (size_t at = 0; at < ring_bytes && at < WARM_MOST; at += WARM_PIECE)
		if (sys_madvise((char *)ring + at,
				ring_bytes - at < WARM_PIECE ? ring_bytes - at
							     : WARM_PIECE,
				MADV_POPULATE_WRITE) != 0)
			return;
}

void record_release(void)
{
	sys_unmap(ring, ring_bytes);
	ring = NULL;
	record_close();
}

void record_close(void)
{
	int fd = event;

	/* Forgotten first: a fork may come in between. */
	event = -1;
	if (fd >= 0)
		sys_close(fd);
}

struct ring *record_divert(struct ring *to)
{
	struct ring *before = ring;

	ring = to;
	ring_data = to ? to->size : 0;
	return before;
}

/* Writes the first `count` variables that are bound. One large value does not
 * take the room of all that follow: it gets half of what is left. */
static void write_variables(struct json_writer *w, const struct code *code,
			    void *frame, int count,
			    const struct probe_limits *limits)
{
	bool cut = false;

	if (w->full || json_room(w) <= VARIABLES_END) {
		w->full = true;
		return;
	}
	w->end -= VARIABLES_END;
	json_object_begin(w);
	for (int i = 0; i < count && !cut; i++) {
		const struct variable *v = &code->variables[i];
		struct object *value = frames->local(frame, code, i);
		struct json_mark mark = json_mark(w);
		size_t later = json_room(w) / 2;

		if (!value)
			continue;
		if (later < SHARE_LEAST)
			later = 0;
		json_raw(w, v->key, v->key_length);
		w->comma = false;
		w->end -= later;
		value_next_repr(reprs_of(i, value));
		value_write_named(w, v->key, v->key_length, v->is_secret, value,
				  limits);
		w->end += later;
		py_drop(value);
		cut = w->full;
		if (cut)
			json_rewind(w, mark);
	}
	w->end += VARIABLES_END;
	if (cut) {
		value_truncated(w);
		json_key(w, "$len");
		json_int(w, count);
	}
	json_object_end(w);
}

void record_arguments(struct json_writer *w, const struct code *code,
		      void *frame, const struct probe_limits *limits)
{
	write_variables(w, code, frame, code->argument_count, limits);
}

static void write_place(struct json_writer *w, const struct code *code,
			uint64_t time, int line)
{
	json_key(w, "time");
	json_time(w, time);
	context_write(w, time);
	json_raw(w, code->place, code->place_length);
	w->comma = false;
	json_int(w, line);
}

/* By what numbers a client in this process finds the objects themselves: of
 * the arguments, and of what is there at the end. */
static void write_live(struct json_writer *w, const struct call_end *end)
{
	if (!end->live && !reprs_live())
		return;
	json_key(w, "live");
	json_array_begin(w);
	json_uint(w, end->live);
	json_uint(w, reprs_live());
	json_array_end(w);
}

/* The members before the values. */
static void write_head(struct json_writer *w, const struct code *code,
		       const struct call_end *end)
{
	uint64_t time = sys_realtime_at(end->start ? end->start : end->end);

	write_place(w, code, time, code->line);
	write_live(w, end);
	if (end->arguments) {
		json_key(w, "args");
		json_raw(w, end->arguments, end->arguments_length);
	} else {
		json_key(w, "began");
		json_string(w, "before");
	}
}

static void write_result(struct json_writer *w, const struct code *code,
			 const struct call_end *end,
			 const struct probe_limits *limits)
{
	const char *name = text_tail(code->names.qualname, '.');

	if (end->raised) {
		json_key(w, "exception");
		value_write_exception(w, end->type, end->value, end->traceback,
				      limits);
	} else {
		json_key(w, "return");
		value_next_repr(reprs_of(-1, end->value));
		value_write_named(w, name, text_length(name), code->is_secret,
				  end->value, limits);
	}
}

/* The stack; of a coroutine, who awaits it finds room as well. */
static void write_stacks(struct json_writer *w, const struct code *code,
			 void *frame, const struct probe_limits *limits)
{
	bool awaited = code->flags & AWAITED;
	size_t later = awaited ? json_room(w) / 3 : 0;

	json_key(w, "stack");
	w->end -= 1 + later;
	stack_write(w, frame, (int)limits->stack);
	w->end += later;
	if (awaited)
		awaiters_write(w, frame);
	w->end += 1;
}

/* All members of a `call`. What is left after the head is shared: a quarter
 * each is kept for the stack and for the result, so that large locals cost
 * neither of them. */
static void write_call(struct json_writer *w, const struct probe_limits *limits,
		       const struct code *code, void *frame,
		       const struct call_end *end)
{
	size_t stack, result;

	json_object_begin(w);
	write_head(w, code, end);
	if (w->full || json_room(w) <= RECORD_END) {
		w->full = true;
		return;
	}
	result = (json_room(w) - RECORD_END) / 4;
	stack = limits->stack ? result : 0;
	w->end -= stack + RECORD_END;
	if (limits->locals) {
		w->end -= result;
		json_key(w, "locals");
		write_variables(w, code, frame, code->variable_count, limits);
		w->end += result;
	}
	write_result(w, code, end, limits);
	w->end += stack + RECORD_END;
	if (end->arguments) {
		json_key(w, "duration_ns");
		json_uint(w, end->end - end->start);
		if (code->flags & CODE_SUSPENDS) {
			json_key(w, "suspensions");
			json_uint(w, end->suspensions);
		}
	}
	if (limits->stack)
		write_stacks(w, code, frame, limits);
	json_object_end(w);
}

/* Begins a record; false, and counted, when one is being written. */
static bool begin(struct json_writer *w, struct probe *probe)
{
	size_t size = probe->spec.limits.record;

	if (writing) {
		probe->lost_ring++;
		return false;
	}
	writing = true;
	cuts_before = value_cuts;
	json_init(w, buffer, size < sizeof buffer ? size : sizeof buffer);
	return true;
}

/* Ends it; counts what is lost, and that a part was cut. True: it is in the
 * ring. */
static bool finish(const struct json_writer *w, struct probe *probe,
		   enum ring_kind kind, bool cut)
{
	bool written = false;

	if (w->full)
		probe->lost_size++;
	else if (record_put(kind, probe->spec.id, buffer, json_length(w)))
		written = true;
	else
		probe->lost_ring++;
	if (written && (cut || value_cuts != cuts_before))
		probe_cut(probe);
	writing = false;
	return written;
}

bool record_call(struct probe *probe, const struct code *code, void *frame,
		 const struct call_end *end)
{
	struct json_writer w;

	if (!begin(&w, probe))
		return false;
	write_call(&w, &probe->spec.limits, code, frame, end);
	return finish(&w, probe, RING_CALL, end->cut);
}

bool record_yield(struct probe *probe, const struct code *code, void *frame,
		  struct object *value, uint64_t suspensions)
{
	const struct probe_limits *limits = &probe->spec.limits;
	const char *name = text_tail(code->names.qualname, '.');
	struct json_writer w;

	if (!begin(&w, probe))
		return false;
	json_object_begin(&w);
	write_place(&w, code, sys_realtime(), frames->line(frame));
	if (suspensions) {
		json_key(&w, "suspensions");
		json_uint(&w, suspensions);
	}
	/* The brace at the end finds room. */
	w.end -= w.full ? 0 : 1;
	json_key(&w, "value");
	value_write_named(&w, name, text_length(name), code->is_secret, value,
			  limits);
	w.end += 1;
	json_object_end(&w);
	return finish(&w, probe, RING_YIELD, false);
}

bool record_put(enum ring_kind kind, uint32_t probe, const char *text,
		size_t length)
{
	static const uint64_t one = 1;

	if (!ring || length > LIMIT_RECORD || ring->size != ring_data)
		return false;
	switch (ring_put(ring, kind, probe, text, (uint32_t)length)) {
	case RING_PUT_WAKE:
		sys_write(event, &one, sizeof one);
		return true;
	case RING_PUT_OK:
		return true;
	case RING_PUT_FULL:
	case RING_PUT_SIZE:
		break;
	}
	return false;
}
