/* SPDX-License-Identifier: MIT */
#include "agent/call.h"

#include "agent/armed.h"
#include "agent/memory.h"
#include "agent/probe.h"
#include "agent/record.h"
#include "agent/repr.h"
#include "agent/stack.h"
#include "agent/sys.h"
#include "agent/value.h"

enum {
	CALLS = 4096, /* in flight at most */
	SLOTS = 2 * CALLS,
	ARGUMENTS_MOST = LIMIT_RECORD / 4,
	ARGUMENTS_LEAST = 256,
	/* A call that is suspended since so many calls began is taken for
	 * abandoned when there is no room: 3.13.0 closes a suspended generator
	 * without an event. */
	ABANDONED = CALLS,
	/* Memory of calls in flight with their arguments, bytes; the arguments
	 * of more are not kept. */
	ARGUMENTS_ALL = 512 << 10,
	SWEEP_EVERY = 256, /* calls between two looks for such */
	/* _PyAsyncGenWrappedValue.agw_val, 3.7-3.15 */
	WRAPPED_VALUE = 16,
};

/* A call in flight, as one probe sees it. One that the probe did not admit is
 * kept as well: its end must not look like that of a call which began before
 * the probe was set. */
struct call {
	void *frame;
	struct code *code;
	struct probe *probe;
	uint64_t start;	    /* CLOCK_MONOTONIC ns */
	uint64_t suspended; /* when, in calls begun; 0: runs */
	uint64_t suspensions;
	uint64_t live;	 /* live_note() of the arguments */
	uint32_t length; /* of the arguments */
	bool admitted;
	bool cut;	  /* the arguments were */
	char arguments[]; /* JSON */
};

/* By frame, open addressing: the calls of one frame stand close together. */
static struct call *slots[SLOTS];
static unsigned call_count;
static size_t argument_bytes;
static uint64_t begun; /* calls ever */
static uint64_t swept; /* value of begun */

/* Calls that run without an entry, for want of room. */
static uint64_t unseen;

static unsigned home_of(const void *frame)
{
	uint64_t hash = (uintptr_t)frame >> 3;

	return (unsigned)(hash * 0x9e3779b97f4a7c15u >> 40) & (SLOTS - 1);
}

static unsigned after(unsigned slot)
{
	return (slot + 1) & (SLOTS - 1);
}

/* The slot of the call of a frame and a probe (NULL: any); SLOTS: none. */
static unsigned find(const void *frame, const struct probe *probe)
{
	unsigned slot = home_of(frame);

	for (; slots[slot]; slot = after(slot))
		if (slots[slot]->frame == frame &&
		    (!probe || slots[slot]->probe == probe))
			return slot;
	return SLOTS;
}

/* Empties a slot; those that stand behind it because of it move up. */
static struct call *take_out(unsigned slot)
{
	struct call *call = slots[slot];
	unsigned next = after(slot);

	slots[slot] = NULL;
	for (; slots[next]; next = after(next)) {
		unsigned home = home_of(slots[next]->frame);

		/* Is its home cyclically in (slot, next]? Then it stays. */
		if (((next - home) & (SLOTS - 1)) <
		    ((next - slot) & (SLOTS - 1)))
			continue;
		slots[slot] = slots[next];
		slots[next] = NULL;
		slot = next;
	}
	call_count--;
	call->code->in_flight--;
	return call;
}

static void put_in(struct call *call)
{
	unsigned slot = home_of(call->frame);

	while (slots[slot])
		slot = after(slot);
	slots[slot] = call;
	call_count++;
	call->code->in_flight++;
}

static void free_call(struct call *call)
{
	if (!call)
		return;
	if (call->length)
		argument_bytes -= memory_block(sizeof *call + call->length);
	memory_put(call, sizeof *call + call->length);
}

/* Drops every call that `is_one` says. A removal may move a later call into
 * the slot: look at it again. */
static void drop_where(bool (*is_one)(const struct call *call, const void *arg),
		       const void *arg)
{
	for (unsigned slot = 0; slot < SLOTS; slot++)
		while (slots[slot] && is_one(slots[slot], arg))
			free_call(take_out(slot));
}

static bool is_abandoned(const struct call *call, const void *arg)
{
	if (!call->suspended || begun - call->suspended < ABANDONED)
		return false;
	if (call->admitted)
		probe_lost_call(call->probe);
	/* Its end may come after all. */
	unseen++;
	return true;
}

/* Is there room for one more? Looks for abandoned calls, but not each time
 * when there are none. */
static bool has_room(void)
{
	if (call_count < CALLS)
		return true;
	if (begun - swept < SWEEP_EVERY)
		return false;
	swept = begun;
	drop_where(is_abandoned, NULL);
	return call_count < CALLS;
}

/* What a call has whose arguments found no room. */
static const char no_arguments[] = "{\"$truncated\":true}";

/* The arguments as JSON text; its length, 0: they are not kept. */
static size_t render_arguments(const struct code *code, void *frame,
			       const struct probe_limits *limits,
			       char text[ARGUMENTS_MOST])
{
	size_t size = limits->record / 4;
	struct json_writer w;

	if (size > ARGUMENTS_MOST)
		size = ARGUMENTS_MOST;
	if (size < ARGUMENTS_LEAST)
		size = ARGUMENTS_LEAST;
	json_init(&w, text, size);
	record_arguments(&w, code, frame, limits);
	if (!w.full && argument_bytes + memory_block(sizeof(struct call) +
						     json_length(&w)) <=
			       ARGUMENTS_ALL)
		return json_length(&w);
	value_cuts++;
	return 0;
}

static void begin_admitted(struct code *code, void *frame, struct probe *probe,
			   bool admitted)
{
	static char text[ARGUMENTS_MOST];
	struct call *call = NULL;
	unsigned cuts = value_cuts;
	size_t length = 0;

	begun++;
	if (has_room()) {
		if (admitted)
			length = render_arguments(code, frame,
						  &probe->spec.limits, text);
		call = memory_get_unset(sizeof *call + length);
	}
	if (!call) {
		if (admitted)
			probe_lost_call(probe);
		unseen++;
		return;
	}
	*call = (struct call){
		.frame = frame,
		.code = code,
		.probe = probe,
		.length = (uint32_t)length,
		.admitted = admitted,
		.cut = value_cuts != cuts,
		.live = reprs_live(),
	};
	if (length)
		argument_bytes += memory_block(sizeof *call + length);
	memcpy(call->arguments, text, length);
	put_in(call);
	/* Last: what we did so far is not the call's. */
	call->start = sys_monotonic();
}

/* Arguments are asked for their repr, and noted, before anything of the record
 * is written.
 * False: the agent is disarmed. */
static __attribute__((noinline)) bool begin_with_reprs(struct code *code,
						       void *frame,
						       struct probe *probe)
{
	struct reprs reprs;

	if (!reprs_make(&reprs, probe, code, frame, code->argument_count, NULL))
		return false;
	reprs_use(&reprs);
	begin_admitted(code, frame, probe, true);
	reprs_use(NULL);
	reprs_release(&reprs);
	return *armed_flag;
}

static bool begin(struct code *code, void *frame, struct probe *probe)
{
	bool admitted = probe_instance_fits(probe, code, frame) &&
			probe_turn(probe) && probe_admit(probe);

	if (admitted && probe_asks(probe))
		return begin_with_reprs(code, frame, probe);
	begin_admitted(code, frame, probe, admitted);
	return true;
}

void call_begin(struct code *code, void *frame)
{
	struct py_error saved;

	py_error_save(&saved);
	call_forget(frame);
	for (int i = 0; i < code->probe_count; i++)
		if (code->probes[i]->spec.kind == PROBE_CALLS &&
		    !begin(code, frame, code->probes[i]))
			break;
	py_error_restore(&saved);
}

/* The calls of a frame stand in a row, but others may be between them. */
static void mark_suspended(const void *frame)
{
	unsigned slot = home_of(frame);

	for (; slots[slot]; slot = after(slot)) {
		if (slots[slot]->frame != frame)
			continue;
		slots[slot]->suspended = begun ? begun : 1;
		slots[slot]->suspensions++;
	}
}

static void mark_running(const void *frame)
{
	unsigned slot = home_of(frame);

	for (; slots[slot]; slot = after(slot))
		if (slots[slot]->frame == frame)
			slots[slot]->suspended = 0;
}

/* What an asynchronous generator yields is in a wrapper of the interpreter's;
 * NULL: it does not yield, but awaits. */
static struct object *yielded(const struct code *code, struct object *value)
{
	if (!value || !(code->flags & CODE_ASYNC_GENERATOR))
		return value;
	if (!text_equal(py_type_name(value->type),
			"async_generator_wrapped_value"))
		return NULL;
	return PY_FIELD(struct object *, value, WRAPPED_VALUE);
}

static void yield_for_probe(struct probe *probe, const struct code *code,
			    void *frame, struct object *value)
{
	unsigned slot = find(frame, probe);
	const struct call *call = slot < SLOTS ? slots[slot] : NULL;

	if (call && (call->code != code || !call->admitted))
		return;
	if (probe_admit_yield(probe) &&
	    record_yield(probe, code, frame, value,
			 call ? call->suspensions : 0))
		probe_captured(probe);
}

void call_suspend(struct code *code, void *frame, struct object *value)
{
	struct py_error saved;

	mark_suspended(frame);
	if (!(code->wants & CODE_WANTS_YIELDS))
		return;
	value = yielded(code, value);
	if (!value)
		return;
	py_error_save(&saved);
	for (int i = 0; i < code->probe_count; i++)
		if (code->probes[i]->spec.kind == PROBE_CALLS &&
		    code->probes[i]->spec.limits.yields)
			yield_for_probe(code->probes[i], code, frame, value);
	py_error_restore(&saved);
}

void call_resume(struct code *code, void *frame)
{
	mark_running(frame);
}

/* Does the filter of a probe let this end through? How long a call took that
 * began before is not known: it does not count as long. */
static bool passes(const struct probe_limits *limits,
		   const struct call_end *end)
{
	if (limits->only_exceptions && !end->raised)
		return false;
	if (!limits->min_duration_ns)
		return true;
	return end->start && end->end - end->start >= limits->min_duration_ns;
}

static __attribute__((noinline)) bool capture_with_reprs(
	struct probe *probe, const struct code *code, void *frame,
	const struct call_end *end)
{
	const struct probe_limits *limits = &probe->spec.limits;
	struct reprs reprs;

	if (!reprs_make(&reprs, probe, code, frame,
			limits->locals ? code->variable_count : 0,
			end->raised ? NULL : end->value))
		return false;
	reprs_use(&reprs);
	/* They let other threads run, which may have reached the limit. */
	if (!probe->done && record_call(probe, code, frame, end))
		probe_captured(probe);
	reprs_use(NULL);
	reprs_release(&reprs);
	return *armed_flag;
}

/* False: the agent is disarmed. */
static bool capture(struct probe *probe, const struct code *code, void *frame,
		    const struct call_end *end)
{
	if (!passes(&probe->spec.limits, end) || !probe_take(probe))
		return true;
	if (probe_asks(probe))
		return capture_with_reprs(probe, code, frame, end);
	if (record_call(probe, code, frame, end))
		probe_captured(probe);
	return true;
}

/* The end of a call without an entry. */
static bool end_unseen(struct probe *probe, const struct code *code,
		       void *frame, const struct call_end *end)
{
	if (unseen) {
		unseen--;
		return true;
	}
	if (!probe_instance_fits(probe, code, frame) || !probe_turn(probe) ||
	    !probe_admit(probe))
		return true;
	return capture(probe, code, frame, end);
}

static bool end_for_probe(struct probe *probe, const struct code *code,
			  void *frame, struct call_end end)
{
	unsigned slot = find(frame, probe);
	struct call *call = slot < SLOTS ? take_out(slot) : NULL;

	/* Another call had this frame, and ended unseen. */
	if (call && call->code != code) {
		free_call(call);
		call = NULL;
	}
	if (!call) {
		return end_unseen(probe, code, frame, &end);
	}
	if (call->admitted) {
		end.start = call->start;
		end.suspensions = call->suspensions;
		end.arguments = call->arguments;
		end.arguments_length = call->length;
		if (!call->length) {
			end.arguments = no_arguments;
			end.arguments_length = sizeof no_arguments - 1;
		}
		end.cut = call->cut;
		end.live = call->live;
		if (!capture(probe, code, frame, &end))
			return false;
	}
	free_call(call);
	return true;
}

static void end_call(struct code *code, void *frame, struct call_end *end)
{
	struct py_error saved;
	bool armed = true;

	end->end = sys_monotonic();
	py_error_save(&saved);
	for (int i = 0; armed && i < code->probe_count; i++)
		if (code->probes[i]->spec.kind == PROBE_CALLS)
			armed = end_for_probe(code->probes[i], code, frame,
					      *end);
	/* The code, the probes and the frame are not ours to look at after
	 * this: it may give up the GIL. */
	if (armed)
		stack_trim();
	py_error_restore(&saved);
}

void call_return(struct code *code, void *frame, struct object *value)
{
	struct call_end end = { .value = value };

	end_call(code, frame, &end);
}

void call_raise(struct code *code, void *frame, struct object *type,
		struct object *value, struct object *traceback)
{
	struct call_end end = {
		.raised = true,
		.value = value,
		.type = type,
		.traceback = traceback,
	};

	end_call(code, frame, &end);
}

void call_forget(void *frame)
{
	unsigned slot;

	while ((slot = find(frame, NULL)) < SLOTS)
		free_call(take_out(slot));
}

static bool is_of_probe(const struct call *call, const void *probe)
{
	return call->probe == probe;
}

void call_drop_probe(struct probe *probe)
{
	drop_where(is_of_probe, probe);
	/* Calls that were abandoned never end: do not wait for them. */
	if (!call_count)
		unseen = 0;
}

static bool is_any(const struct call *call, const void *arg)
{
	return true;
}

void call_drop_all(void)
{
	drop_where(is_any, NULL);
}

int call_init(void)
{
	/* The table is empty: fresh, or left so by call_drop_all(). To clear it
	 * would make its pages resident. */
	begun = swept = unseen = 0;
	argument_bytes = 0;
	return 0;
}
