/* SPDX-License-Identifier: MIT */
#include "clients/cli/stack_text.h"

#include <stdlib.h>
#include <string.h>

#include "clients/cli/session.h"
#include "clients/cli/value.h"

#define PLACE_COLUMNS 40 /* of the place, before the function */

static void add_value(struct text *text, const cJSON *value)
{
	char *json = cJSON_PrintUnformatted(value);

	if (json)
		value_render(text, view_of(json, strlen(json)));
	cJSON_free(json);
}

static void add_locals(struct text *text, const cJSON *locals)
{
	const cJSON *local;

	cJSON_ArrayForEach(local, locals)
	{
		text_add(text, "            ");
		text_add_foreign(text, local->string);
		text_add(text, "=");
		add_value(text, local);
		text_add(text, "\n");
	}
}

/* file:line:column */
static void add_place(struct text *text, const cJSON *frame)
{
	const char *file = member_text(frame, "file");

	text_add_foreign(text, *file ? file : "?");
	if (member_number(frame, "line") > 0)
		text_addf(text, ":%.0f", member_number(frame, "line"));
	if (member_number(frame, "column") > 0)
		text_addf(text, ":%.0f", member_number(frame, "column"));
}

static void add_native(struct text *text, const cJSON *frame)
{
	const char *function = member_text(frame, "function");
	const char *module = member_text(frame, "module");
	size_t from = text->length;

	text_add(text, "  ");
	text_add_foreign(text, *module ? module : "?");
	text_pad(text, from, PLACE_COLUMNS);
	text_add(text, "  ");
	text_add_foreign(text, *function ? function
			       : *module ? module
					 : member_text(frame, "address"));
	if (*module)
		text_addf(text, "+%s", member_text(frame, "offset"));
	text_add(text, "\n");
}

static void add_frame(struct text *text, const cJSON *frame)
{
	size_t from;

	text_add(text, "    ");
	if (strcmp(member_text(frame, "kind"), "native") == 0) {
		add_native(text, frame);
		return;
	}
	from = text->length;
	add_place(text, frame);
	text_pad(text, from, PLACE_COLUMNS);
	text_add(text, "  ");
	text_add_foreign(text, member_text(frame, "function"));
	text_add(text, "\n");
	if (*member_text(frame, "source")) {
		text_add(text, "        ");
		text_add_foreign(text, member_text(frame, "source"));
		text_add(text, "\n");
	}
	add_locals(text, member(frame, "locals"));
}

/* "350 ms", "12.5 s", "3 min 20 s", "2 h 5 min", "3 d 4 h" */
static void add_span(struct text *text, double ms)
{
	unsigned long seconds = (unsigned long)(ms / 1000);

	if (ms < 1000)
		text_addf(text, "%.0f ms", ms);
	else if (seconds < 60)
		text_addf(text, "%.1f s", ms / 1000);
	else if (seconds < 3600)
		text_addf(text, "%lu min %lu s", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		text_addf(text, "%lu h %lu min", seconds / 3600,
			  seconds / 60 % 60);
	else
		text_addf(text, "%lu d %lu h", seconds / 86400,
			  seconds / 3600 % 24);
}

/* "waits for lock <...>, owned by thread 12 (proven)" */
static void add_wait(struct text *text, const cJSON *wait)
{
	const char *object = member_text(wait, "object");

	if (!wait)
		return;
	text_add(text, ", for ");
	text_add_foreign(text, member_text(wait, "for"));
	if (*object) {
		text_add(text, ": ");
		text_add_foreign(text, object);
	}
	if (member(wait, "owner"))
		text_addf(text, ", owned by thread %.0f (%s)",
			  member_number(wait, "owner"),
			  member_text(wait, "proof"));
}

/* A number of a wait that is a process's, and that process's name. */
static void add_process(struct text *text, const cJSON *wait, const char *role)
{
	const char *name = member_text(wait, "process");

	if (!member(wait, role))
		return;
	text_addf(text, "; the %s is process %.0f%s", role,
		  member_number(wait, role), *name ? " " : "");
	text_add_foreign(text, name);
}

static void add_items(struct text *text, const cJSON *wait)
{
	if (!member(wait, "items"))
		return;
	text_addf(text, "; it has %.0f item%s", member_number(wait, "items"),
		  member_number(wait, "items") == 1 ? "" : "s");
	if (member(wait, "maxsize"))
		text_addf(text, " of at most %.0f",
			  member_number(wait, "maxsize"));
}

static void add_end_of_wait(struct text *text, const cJSON *wait)
{
	if (member(wait, "left_ms")) {
		text_add(text, "; ends in ");
		add_span(text, member_number(wait, "left_ms"));
	} else if (member(wait, "timeout_ms")) {
		text_add(text, "; lasts at most ");
		add_span(text, member_number(wait, "timeout_ms"));
	}
}

/* "      in recvfrom(5, ...); the peer is process 7 postgres; ends in 3 s" */
static void add_wait_details(struct text *text, const cJSON *wait)
{
	size_t from = text->length;

	/* Of a wait that is known by its object, the futex says no more. */
	if (*member_text(wait, "call") &&
	    (strncmp(member_text(wait, "call"), "futex(", 6) != 0 ||
	     strcmp(member_text(wait, "for"), "futex") == 0)) {
		text_add(text, "; in ");
		text_add_foreign(text, member_text(wait, "call"));
	}
	if (*member_text(wait, "held_at")) {
		text_add(text, "; held by ");
		text_add_foreign(text, member_text(wait, "held_at"));
	}
	if (*member_text(wait, "owner_state"))
		text_add(text, "; its owner has ended");
	if (*member_text(wait, "owner_process"))
		text_add(text, "; held by another process");
	add_process(text, wait, "peer");
	add_process(text, wait, "child");
	add_process(text, wait, "holder");
	add_items(text, wait);
	add_end_of_wait(text, wait);
	if (text->length == from)
		return;
	/* The first "; " is where the line begins. */
	text->data[from] = text->data[from + 1] = ' ';
	text_add(text, "\n");
}

static void add_thread(struct text *text, const cJSON *thread, bool dead)
{
	const cJSON *frame;

	text_addf(text, "\nthread %.0f ", member_number(thread, "id"));
	text_add_foreign(text, member_text(thread, "name"));
	text_add(text, "  ");
	text_add_foreign(text, member_text(thread, "state"));
	if (member(thread, "idle_ms")) {
		text_add(text, " ");
		add_span(text, member_number(thread, "idle_ms"));
	}
	add_wait(text, member(thread, "waits"));
	if (*member_text(thread, "wchan")) {
		text_add(text, ", in the kernel's ");
		text_add_foreign(text, member_text(thread, "wchan"));
	}
	if (cJSON_IsTrue(member(thread, "gil")))
		text_add(text, ", holds the GIL");
	if (cJSON_IsTrue(member(thread, "collecting")))
		text_add(text, ", collects garbage");
	if (!cJSON_IsTrue(member(thread, "python")))
		text_add(text, ", not a thread of Python");
	if (cJSON_IsFalse(member(thread, "consistent")))
		text_add(text, dead ? ", not whole in the core file"
				    : ", changed while it was read");
	text_add(text, "\n");
	add_wait_details(text, member(thread, "waits"));
	if (cJSON_IsTrue(member(thread, "truncated")))
		text_add(text, "    ...\n");
	cJSON_ArrayForEach(frame, member(thread, "frames"))
		add_frame(text, frame);
}

/* "task main  waiting, for gather: 1 of 3 that are not done, in thread 7" */
static void add_task(struct text *text, const cJSON *task)
{
	const char *name = member_text(task, "name");
	const cJSON *frame;

	text_add(text, "\ntask ");
	text_add_foreign(text, *name ? name : member_text(task, "id"));
	text_add(text, "  ");
	text_add_foreign(text, member_text(task, "state"));
	add_wait(text, member(task, "waits"));
	if (member(task, "thread"))
		text_addf(text, ", in thread %.0f",
			  member_number(task, "thread"));
	if (cJSON_IsFalse(member(task, "consistent")))
		text_add(text, ", changed while it was read");
	text_add(text, "\n");
	add_wait_details(text, member(task, "waits"));
	if (cJSON_IsTrue(member(task, "truncated")))
		text_add(text, "    ...\n");
	cJSON_ArrayForEach(frame, member(task, "frames"))
		add_frame(text, frame);
}

static void add_tasks(struct text *text, const cJSON *record)
{
	const cJSON *task;

	cJSON_ArrayForEach(task, member(record, "tasks")) add_task(text, task);
	if (member(record, "tasks_unread"))
		text_addf(text, "\n%.0f more tasks\n",
			  member_number(record, "tasks_unread"));
}

static void add_greenlets(struct text *text, const cJSON *record)
{
	const cJSON *greenlet, *frame;

	cJSON_ArrayForEach(greenlet, member(record, "greenlets"))
	{
		text_add(text, "\ngreenlet ");
		text_add_foreign(text, member_text(greenlet, "id"));
		text_add(text, " ");
		text_add_foreign(text, member_text(greenlet, "type"));
		text_add(text, "  suspended\n");
		if (cJSON_IsTrue(member(greenlet, "truncated")))
			text_add(text, "    ...\n");
		cJSON_ArrayForEach(frame, member(greenlet, "frames"))
			add_frame(text, frame);
	}
	if (member(record, "greenlets_unread"))
		text_addf(text, "\n%.0f more greenlets\n",
			  member_number(record, "greenlets_unread"));
}

/* How the process of a core file ended, and what would tell more. */
static void add_end(struct text *text, const cJSON *end)
{
	const cJSON *file;

	if (cJSON_IsTrue(member(end, "cut")))
		text_add(text, "the core file is not whole\n");
	cJSON_ArrayForEach(file, member(end, "missing"))
	{
		text_add(text, "not found, or another one by now: ");
		text_add_foreign(text, cJSON_GetStringValue(file));
		text_add(text, " (--root tells where the process's files "
			       "lie)\n");
	}
}

static void add_how(struct text *text, const cJSON *record)
{
	const cJSON *end = member(record, "core");
	double paused = member_number(record, "paused");

	if (paused > 0) {
		text_addf(text, "%.0f stopped for at most %.1f ms\n", paused,
			  member_number(record, "pause_us") / 1000);
	} else if (end) {
		text_add(text, "from a core file of ");
		text_add_foreign(text, member_text(end, "program"));
		text_add(text, "\n");
	} else {
		text_add(text, "nothing stopped\n");
	}
}

static void add_summary(struct text *text, const cJSON *record)
{
	int threads = cJSON_GetArraySize(member(record, "threads"));

	text_addf(text, "process %.0f: Python ", member_number(record, "pid"));
	text_add_foreign(text, member_text(record, "python"));
	text_addf(text, ", %d thread%s, read in %.1f ms, ", threads,
		  threads == 1 ? "" : "s",
		  member_number(record, "read_us") / 1000);
	add_how(text, record);
	add_end(text, member(record, "core"));
	if (cJSON_IsTrue(member(record, "collecting")))
		text_add(text, "garbage is being collected\n");
}

/* A sentence of several parts, each on a line of its own. */
static void add_verdict(struct text *text, const cJSON *verdict)
{
	const char *part = member_text(verdict, "text"), *end;

	text_add(text, "\n");
	text_add_foreign(text, member_text(verdict, "kind"));
	text_add(text, ": ");
	while ((end = strstr(part, "; "))) {
		text_add_foreign_n(text, part, (size_t)(end - part));
		text_add(text, ";\n    ");
		part = end + 2;
	}
	text_add_foreign(text, part);
	text_add(text, "\n");
}

void stack_text_render(struct text *text, const cJSON *record)
{
	const cJSON *item;

	add_summary(text, record);
	cJSON_ArrayForEach(item, member(record, "verdict"))
		add_verdict(text, item);
	if (!cJSON_GetArraySize(member(record, "verdict")))
		text_add(text, "\nno verdict: nothing found that holds it "
			       "up\n");
	cJSON_ArrayForEach(item, member(record, "threads"))
		add_thread(text, item, member(record, "core") != NULL);
	add_tasks(text, record);
	add_greenlets(text, record);
}
