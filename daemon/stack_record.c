/* SPDX-License-Identifier: MIT */
#include "daemon/stack_record.h"

#include <stdio.h>

static void put_text(struct json_writer *w, const char *name, const char *text)
{
	if (!text)
		return;
	json_key(w, name);
	json_string(w, text);
}

static void put_number(struct json_writer *w, const char *name, int64_t number)
{
	json_key(w, name);
	json_int(w, number);
}

static void put_positive(struct json_writer *w, const char *name, int number)
{
	if (number > 0)
		put_number(w, name, number);
}

static void put_true(struct json_writer *w, const char *name, bool value)
{
	if (!value)
		return;
	json_key(w, name);
	json_bool(w, true);
}

static void put_hex(struct json_writer *w, const char *name, uint64_t value)
{
	json_key(w, name);
	json_hex(w, value);
}

/* ---- frames
 * --------------------------------------------------------------------- */

/* `module:qualname`, as in every record. */
static void put_function(struct json_writer *w, const struct stack_frame *frame)
{
	char text[2048];

	if (!frame->module || !frame->function) {
		put_text(w, "function", frame->function);
		return;
	}
	snprintf(text, sizeof(text), "%s:%s", frame->module, frame->function);
	put_text(w, "function", text);
}

static void put_python(struct json_writer *w, const struct redaction *redaction,
		       const struct stack_frame *frame)
{
	put_text(w, "kind", "python");
	put_function(w, frame);
	put_text(w, "file", frame->file);
	put_positive(w, "line", frame->line);
	put_positive(w, "column", frame->column);
	put_positive(w, "end_line", frame->end_line);
	put_positive(w, "end_column", frame->end_column);
	stack_locals_render(w, redaction, frame);
}

static void put_native(struct json_writer *w, const struct stack_frame *frame)
{
	put_text(w, "kind", "native");
	put_text(w, "function", frame->function);
	if (frame->callee)
		put_text(w, "named_by", "callee");
	put_text(w, "module", frame->module);
	put_text(w, "file", frame->file);
	put_hex(w, "offset", frame->offset);
	put_hex(w, "address", frame->address);
}

static void put_frames(struct json_writer *w, const struct redaction *redaction,
		       const struct stack_frame *list, size_t count)
{
	json_key(w, "frames");
	json_array_begin(w);
	for (size_t i = count; i > 0 && !w->full; i--) {
		json_object_begin(w);
		if (list[i - 1].kind == STACK_FRAME_PYTHON)
			put_python(w, redaction, &list[i - 1]);
		else
			put_native(w, &list[i - 1]);
		json_object_end(w);
	}
	json_array_end(w);
}

/* ---- waits, tasks, verdicts
 * -------------------------------------------------------- */

static void put_thread_id(struct json_writer *w, const char *name,
			  const struct stack_picture *picture, size_t index)
{
	if (index >= picture->thread_count)
		return;
	put_number(w, name, picture->threads[index].tid);
}

static void put_wait(struct json_writer *w, const struct stack_picture *picture,
		     const struct stack_wait *wait)
{
	if (!wait)
		return;
	json_key(w, "waits");
	json_object_begin(w);
	put_text(w, "for", wait->what);
	put_text(w, "object", wait->object);
	put_thread_id(w, "owner", picture, wait->owner);
	put_text(w, "proof",
		 wait->proof == STACK_PROVEN ? "proven" : "unknown");
	for (size_t i = 0; i < wait->fact_count; i++) {
		if (wait->facts[i].text)
			put_text(w, wait->facts[i].name, wait->facts[i].text);
		else
			put_number(w, wait->facts[i].name,
				   wait->facts[i].number);
	}
	json_object_end(w);
}

static void put_task_ids(struct json_writer *w, const char *name,
			 const struct stack_picture *picture,
			 const size_t *list, size_t count)
{
	json_key(w, name);
	json_array_begin(w);
	for (size_t i = 0; i < count && !w->full; i++)
		if (list[i] < picture->task_count)
			json_hex(w, picture->tasks[list[i]].address);
	json_array_end(w);
}

static void put_task(struct json_writer *w, const struct stack_record *record,
		     const struct stack_task *task)
{
	const struct stack_picture *picture = record->picture;

	json_object_begin(w);
	put_text(w, "name", task->name);
	put_hex(w, "id", task->address);
	put_text(w, "state", task->state);
	put_thread_id(w, "thread", picture, task->thread);
	json_key(w, "consistent");
	json_bool(w, task->stable);
	put_true(w, "truncated", task->truncated);
	put_frames(w, &record->redaction, task->frames, task->frame_count);
	put_wait(w, picture, task->wait);
	put_task_ids(w, "awaits", picture, task->awaits, task->await_count);
	put_task_ids(w, "awaited_by", picture, task->awaited_by,
		     task->awaited_by_count);
	json_object_end(w);
}

static void put_tasks(struct json_writer *w, const struct stack_record *record)
{
	const struct stack_picture *picture = record->picture;

	json_key(w, "tasks");
	json_array_begin(w);
	for (size_t i = 0; i < picture->task_count && !w->full; i++)
		put_task(w, record, &picture->tasks[i]);
	json_array_end(w);
	if (picture->tasks_unread)
		put_number(w, "tasks_unread", (int64_t)picture->tasks_unread);
}

static void put_greenlets(struct json_writer *w,
			  const struct stack_record *record)
{
	const struct stack_picture *picture = record->picture;

	json_key(w, "greenlets");
	json_array_begin(w);
	for (size_t i = 0; i < picture->greenlet_count && !w->full; i++) {
		const struct stack_greenlet *greenlet = &picture->greenlets[i];

		json_object_begin(w);
		put_hex(w, "id", greenlet->address);
		put_text(w, "type", greenlet->type);
		put_true(w, "truncated", greenlet->truncated);
		put_frames(w, &record->redaction, greenlet->frames,
			   greenlet->frame_count);
		json_object_end(w);
	}
	json_array_end(w);
	if (picture->greenlets_unread)
		put_number(w, "greenlets_unread",
			   (int64_t)picture->greenlets_unread);
}

static void put_verdicts(struct json_writer *w,
			 const struct stack_picture *picture)
{
	json_key(w, "verdict");
	json_array_begin(w);
	for (size_t i = 0; i < picture->verdict_count; i++) {
		const struct stack_verdict *verdict = &picture->verdicts[i];

		json_object_begin(w);
		put_text(w, "kind", verdict->kind);
		put_text(w, "text", verdict->text);
		json_key(w, "threads");
		json_array_begin(w);
		for (size_t k = 0; k < verdict->thread_count; k++)
			if (verdict->threads[k] < picture->thread_count)
				json_int(w,
					 picture->threads[verdict->threads[k]]
						 .tid);
		json_array_end(w);
		json_object_end(w);
	}
	json_array_end(w);
}

/* ---- threads
 * ------------------------------------------------------------------------ */

static const char *state_name(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
	case 'I':
		return "waiting";
	case 'D':
		return "uninterruptible";
	case 'T':
		return "stopped";
	case 't':
		return "traced";
	case 'Z':
	case 'X':
		return "ended";
	default:
		return "unknown";
	}
}

static void put_thread(struct json_writer *w, const struct stack_record *record,
		       const struct stack_thread *thread)
{
	const struct stack_picture *picture = record->picture;

	json_object_begin(w);
	put_number(w, "id", thread->tid);
	put_text(w, "name", thread->name);
	if (thread->ident)
		put_hex(w, "ident", thread->ident);
	put_text(w, "state", state_name(thread->state));
	json_key(w, "python");
	json_bool(w, thread->state_address != 0);
	if (thread->interpreter)
		put_number(w, "interpreter", thread->interpreter);
	put_true(w, "main", thread->main);
	put_true(w, "gil", thread->holds_gil);
	put_true(w, "collecting", thread->collects);
	json_key(w, "consistent");
	json_bool(w, thread->stable);
	json_key(w, "merged");
	json_bool(w, thread->merged);
	put_true(w, "truncated", thread->truncated);
	put_true(w, "paused", thread->stopped);
	if (thread->syscall >= 0)
		put_number(w, "syscall", thread->syscall);
	put_text(w, "wchan", thread->wchan);
	if (thread->idle_known)
		put_number(w, "idle_ms", (int64_t)(thread->idle_ns / 1000000));
	put_frames(w, &record->redaction, thread->frames, thread->frame_count);
	put_wait(w, picture, thread->wait);
	json_object_end(w);
}

static void put_gil(struct json_writer *w, const struct stack_picture *picture)
{
	const struct stack_gil *gil = &picture->gil;

	json_key(w, "gil");
	if (!gil->known) {
		json_null(w);
		return;
	}
	json_object_begin(w);
	json_key(w, "locked");
	json_bool(w, gil->locked);
	put_thread_id(w, "holder", picture, gil->holder);
	json_key(w, "switches");
	json_uint(w, gil->switches);
	if (gil->held_ms)
		put_number(w, "held_ms", (int64_t)gil->held_ms);
	put_text(w, "doing", gil->doing);
	json_object_end(w);
}

static void put_children(struct json_writer *w,
			 const struct stack_picture *picture)
{
	json_key(w, "children");
	json_array_begin(w);
	for (size_t i = 0; i < picture->child_count; i++)
		json_int(w, picture->children[i]);
	json_array_end(w);
}

static void put_process(struct json_writer *w,
			const struct stack_picture *picture)
{
	char version[32];

	snprintf(version, sizeof(version), "%u.%u.%u",
		 picture->version >> 16 & 0xff, picture->version >> 8 & 0xff,
		 picture->version & 0xff);
	put_text(w, "python", version);
	put_true(w, "free_threaded", picture->free_threaded);
	put_text(w, "executable", picture->executable);
	put_text(w, "found_by", picture->found_by);
	put_number(w, "pause_us", (int64_t)(picture->pause_ns / 1000));
	put_number(w, "paused", picture->threads_stopped);
	put_number(w, "read_us", (int64_t)(picture->read_ns / 1000));
	put_number(w, "total_us", (int64_t)(picture->total_ns / 1000));
	if (picture->threads_unread)
		put_number(w, "threads_unread",
			   (int64_t)picture->threads_unread);
	put_true(w, "collecting", picture->collecting);
}

/* How the process of a core file ended. */
static void put_end(struct json_writer *w, const struct stack_end *end)
{
	char signal[32];

	if (!end)
		return;
	json_key(w, "core");
	json_object_begin(w);
	put_text(w, "program", end->program);
	if (end->signal) {
		snprintf(signal, sizeof(signal), "SIG%s", end->signal);
		put_text(w, "signal", signal);
	}
	put_number(w, "thread", end->thread);
	if (end->fault)
		put_hex(w, "fault", end->fault);
	put_true(w, "cut", end->cut);
	json_key(w, "missing");
	json_array_begin(w);
	for (size_t i = 0; i < end->missing_count; i++)
		json_string(w, end->missing[i]);
	json_array_end(w);
	json_object_end(w);
}

void stack_record_render(struct json_writer *w, const void *arg)
{
	const struct stack_record *record = arg;
	const struct stack_picture *picture = record->picture;

	put_number(w, "v", 1);
	put_text(w, "event", "stack");
	put_number(w, "pid", picture->pid);
	json_key(w, "time");
	json_time(w, record->time_ns);
	put_process(w, picture);
	put_end(w, picture->end);
	put_gil(w, picture);
	json_key(w, "threads");
	json_array_begin(w);
	for (size_t i = 0; i < picture->thread_count && !w->full; i++)
		put_thread(w, record, &picture->threads[i]);
	json_array_end(w);
	put_tasks(w, record);
	put_greenlets(w, record);
	put_verdicts(w, picture);
	put_children(w, picture);
}
