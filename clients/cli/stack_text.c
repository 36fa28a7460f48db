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

static void add_thread(struct text *text, const cJSON *thread, bool dead)
{
	const cJSON *frame;

	text_addf(text, "\nthread %.0f ", member_number(thread, "id"));
	text_add_foreign(text, member_text(thread, "name"));
	text_add(text, "  ");
	text_add_foreign(text, member_text(thread, "state"));
	add_wait(text, member(thread, "waits"));
	if (cJSON_IsTrue(member(thread, "gil")))
		text_add(text, ", holds the GIL");
	if (!cJSON_IsTrue(member(thread, "python")))
		text_add(text, ", not a thread of Python");
	if (cJSON_IsFalse(member(thread, "consistent")))
		text_add(text, dead ? ", not whole in the core file"
				    : ", changed while it was read");
	text_add(text, "\n");
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

void stack_text_render(struct text *text, const cJSON *record)
{
	const cJSON *item;

	add_summary(text, record);
	cJSON_ArrayForEach(item, member(record, "verdict"))
	{
		text_add_foreign(text, member_text(item, "kind"));
		text_add(text, ": ");
		text_add_foreign(text, member_text(item, "text"));
		text_add(text, "\n");
	}
	cJSON_ArrayForEach(item, member(record, "threads"))
		add_thread(text, item, member(record, "core") != NULL);
	add_tasks(text, record);
}
