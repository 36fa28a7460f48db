/* SPDX-License-Identifier: MIT */
#include "agent/hit_record.h"

#include "agent/context.h"
#include "agent/record.h"
#include "agent/sys.h"
#include "agent/value.h"

enum {
	CLOSING = 64, /* `],"truncated":true}` and brackets */
	KINDS = PIECE_ERROR + 1,
};

/* One record at a time, under the GIL, which nothing here gives up. */
static char buffer[LIMIT_RECORD];

static void write_place(struct json_writer *w, const struct hit_place *place)
{
	json_key(w, "time");
	json_time(w, place->time);
	context_write(w, place->time);
	json_raw(w, place->code->place, place->code->place_length);
	w->comma = false;
	json_int(w, place->line);
}

static bool any_of(const struct hit_piece *piece, int count,
		   enum piece_kind kind)
{
	for (int i = 0; i < count; i++)
		if (piece[i].kind == kind)
			return true;
	return false;
}

/* The pieces of one kind, as many as fit; a stack stands for itself. */
static void write_kind(struct json_writer *w, const char *text,
		       const struct hit_piece *piece, int count,
		       enum piece_kind kind)
{
	static const char *const names[KINDS] = { "eval", "log", "stack",
						  "call", "errors" };
	bool last = false;

	json_key(w, names[kind]);
	if (kind != PIECE_STACK)
		json_array_begin(w);
	for (int i = 0; i < count && !last; i++) {
		if (piece[i].kind != kind)
			continue;
		json_raw(w, text + piece[i].offset, piece[i].length);
		last = kind == PIECE_STACK;
	}
	if (kind != PIECE_STACK)
		json_array_end(w);
}

bool hit_record_write(struct probe *probe, const struct hit_place *place,
		      const char *text, const struct hit_piece *piece,
		      int count, bool cut)
{
	struct json_writer w;

	json_init(&w, buffer,
		  probe->spec.limits.record < sizeof buffer
			  ? probe->spec.limits.record
			  : sizeof buffer);
	json_object_begin(&w);
	write_place(&w, place);
	for (int kind = 0; kind < KINDS; kind++)
		if (any_of(piece, count, (enum piece_kind)kind))
			write_kind(&w, text, piece, count,
				   (enum piece_kind)kind);
	json_object_end(&w);
	if (w.full) {
		probe->lost_size++;
		return false;
	}
	if (record_put(RING_HIT, probe->spec.id, buffer, json_length(&w))) {
		if (cut)
			probe_cut(probe);
		return true;
	}
	probe->lost_ring++;
	return false;
}

void hit_record_fault(struct json_writer *w, const struct probe *probe,
		      const struct hit_fault *fault)
{
	if (!fault->message) {
		value_write_exception(w, fault->type, fault->value,
				      fault->traceback, &probe->spec.limits);
		return;
	}
	json_object_begin(w);
	json_key(w, "type");
	json_string(w, "nopdb");
	json_key(w, "message");
	json_string(w, fault->message);
	json_object_end(w);
}

/* Whether this second's error is still to be told; counts it otherwise. */
static bool may_tell(struct probe *probe)
{
	uint64_t second = sys_monotonic() / 1000000000u + 1;

	if (probe->error_second == second) {
		probe->errors_untold++;
		return false;
	}
	probe->error_second = second;
	return true;
}

void hit_record_error(struct probe *probe, const struct hit_place *place,
		      const struct hit_fault *fault)
{
	struct json_writer w;

	if (!may_tell(probe))
		return;
	json_init(&w, buffer, sizeof buffer);
	json_object_begin(&w);
	write_place(&w, place);
	json_key(&w, "where");
	json_string(&w, fault->where);
	json_key(&w, "text");
	json_raw(&w, fault->text, fault->text_length);
	w.end -= CLOSING;
	json_key(&w, "error");
	hit_record_fault(&w, probe, fault);
	w.end += CLOSING;
	if (probe->errors_untold) {
		json_key(&w, "suppressed");
		json_uint(&w, probe->errors_untold);
		probe->errors_untold = 0;
	}
	json_object_end(&w);
	if (!w.full)
		record_put(RING_ERROR, probe->spec.id, buffer, json_length(&w));
}
