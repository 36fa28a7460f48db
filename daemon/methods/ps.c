/* SPDX-License-Identifier: MIT */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/daemon.h"
#include "daemon/method.h"
#include "daemon/target.h"
#include "daemon/viewer.h"

/* More would not fit into one answer. */
#define PROCESSES_MAX 8192

static const struct param params[] = {
	{ NULL, PARAM_END, false },
};

struct process {
	struct process_facts facts;
	char user[64];
	struct error refusal; /* code NONE: it could be entered */
	bool attached;
};

/* One look at all processes. It serves every call that came before it began;
 * those that come later share the next one. */
struct census {
	struct job job;
	struct daemon *daemon;
	bool ruled; /* by a policy */
	struct call_list calls;
	struct viewer_list viewers; /* of each call, where a policy rules */
	struct process *list;
	size_t count;
	size_t capacity;
	struct error err;
};

/* ---- on the worker
 * -------------------------------------------------------------- */

static void name_user(uid_t uid, char *buf, size_t size)
{
	struct passwd passwd, *found = NULL;
	char space[4096];

	if (!getpwuid_r(uid, &passwd, space, sizeof(space), &found) && found)
		snprintf(buf, size, "%s", found->pw_name);
	else
		snprintf(buf, size, "%u", (unsigned)uid);
}

static int reserve(struct census *census)
{
	size_t capacity = census->capacity * 2 + 32;
	struct process *list;

	if (census->count == PROCESSES_MAX)
		return error_set(&census->err, ERROR_LIMIT,
				 "ps: more than %d processes", PROCESSES_MAX);
	if (census->count < census->capacity)
		return 0;
	list = reallocarray(census->list, capacity, sizeof(*list));
	if (!list)
		return error_set(&census->err, ERROR_NO_MEMORY,
				 "ps: no memory");
	census->list = list;
	census->capacity = capacity;
	return 0;
}

static int visit(const struct process_facts *facts, void *arg)
{
	struct census *census = arg;
	struct check checks[CHECK_MAX];
	struct process *process;

	if (reserve(census))
		return -1;
	process = &census->list[census->count++];
	*process = (struct process){ .facts = *facts };
	name_user(facts->uid, process->user, sizeof(process->user));
	(void)!preflight_verdict(checks,
				 preflight(facts->pid, PREFLIGHT_READ, checks),
				 &process->refusal);
	return 0;
}

static void look(struct census *census)
{
	const struct process_facts **facts =
		calloc(census->count + 1, sizeof(*facts));
	struct viewer *viewer;

	if (!facts) {
		error_set(&census->err, ERROR_NO_MEMORY, "ps: no memory");
		return;
	}
	for (size_t i = 0; i < census->count; i++)
		facts[i] = &census->list[i].facts;
	STAILQ_FOREACH(viewer, &census->viewers, entry)
	viewer_look(viewer, facts, census->count);
	free(facts);
}

static void count(void *owner)
{
	struct census *census = owner;

	if (process_each(visit, census, &census->err) && !census->err.code)
		error_set(&census->err, ERROR_INTERNAL, "ps: failed");
	if (!census->err.code && !STAILQ_EMPTY(&census->viewers))
		look(census);
}

/* ---- on the loop
 * ---------------------------------------------------------------- */

/* What one call is shown. */
struct view {
	const struct census *census;
	const struct viewer *viewer; /* NULL: all of it */
};

static bool shows(const struct viewer *viewer, size_t index)
{
	return !viewer || (viewer->sights && index < viewer->count &&
			   viewer->sights[index].rights & RIGHT_SEE);
}

/* The version comes out of its memory: not for whom the kernel lets not. */
static void write_python(struct json_writer *w,
			 const struct process_facts *facts, bool hidden)
{
	char text[16];

	json_key(w, "python");
	if (!facts->version || hidden) {
		json_null(w);
		return;
	}
	snprintf(text, sizeof(text), "%u.%u.%u", facts->version >> 16 & 0xff,
		 facts->version >> 8 & 0xff, facts->version & 0xff);
	json_string(w, text);
}

static void write_refusal(struct json_writer *w, const struct error *refusal)
{
	json_key(w, "enter");
	json_bool(w, !refusal->code);
	if (!refusal->code)
		return;
	json_key(w, "reason");
	json_string(w, refusal->msg);
	json_key(w, "error");
	json_string(w, error_name(refusal->code));
	if (refusal->remedy[0]) {
		json_key(w, "remedy");
		json_string(w, refusal->remedy);
	}
}

static void write_process(struct json_writer *w, const struct process *process,
			  const struct viewer *viewer, size_t index)
{
	const struct process_facts *facts = &process->facts;
	struct error refusal = process->refusal;
	bool hidden = viewer && !viewer->sights[index].granted;

	/* First who asks, then whether it can be: as attach does. */
	if (viewer)
		(void)!viewer_verdict(viewer, index, facts->pid, &refusal);

	json_object_begin(w);
	json_key(w, "pid");
	json_int(w, facts->pid);
	json_key(w, "uid");
	json_uint(w, facts->uid);
	json_key(w, "user");
	json_string(w, process->user);
	write_python(w, facts, hidden);
	json_key(w, "command");
	json_string(w, facts->command);
	json_key(w, "threads");
	json_uint(w, facts->threads);
	write_refusal(w, &refusal);
	json_key(w, "attached");
	json_bool(w, process->attached);
	json_object_end(w);
}

static void render(struct json_writer *w, const void *arg)
{
	const struct view *view = arg;
	const struct census *census = view->census;

	json_key(w, "processes");
	json_array_begin(w);
	for (size_t i = 0; i < census->count; i++) {
		if (shows(view->viewer, i))
			write_process(w, &census->list[i], view->viewer, i);
	}
	json_array_end(w);
}

static void mark_attached(struct census *census)
{
	for (size_t i = 0; i < census->count; i++) {
		const struct target *target = target_find_pid(
			census->daemon, census->list[i].facts.pid);

		census->list[i].attached =
			target && target->state == TARGET_LIVE;
	}
}

static const struct viewer *find_viewer(const struct census *census,
					const struct call *call)
{
	const struct viewer *viewer;

	STAILQ_FOREACH(viewer, &census->viewers, entry)
	{
		if (viewer->call == call)
			return viewer;
	}
	return NULL;
}

static void answer_one(const struct census *census, struct call *call)
{
	const struct view view = { census, find_viewer(census, call) };
	struct error err = ERROR_INIT;

	if (view.viewer || !call->session || !census->ruled) {
		call_answer(call, render, &view);
		return;
	}
	error_set(&err, ERROR_NO_MEMORY, "ps: no memory");
	call_fail(call, &err);
}

static void answer(struct census *census)
{
	struct call *call;

	mark_attached(census);
	if (census->err.code)
		call_fail_all(&census->calls, &census->err);
	while ((call = TAILQ_FIRST(&census->calls))) {
		TAILQ_REMOVE(&census->calls, call, waiting);
		answer_one(census, call);
	}
}

static void start(struct daemon *daemon);

static void counted(void *owner, const struct error *err)
{
	struct census *census = owner;
	struct daemon *daemon = census->daemon;
	struct viewer *viewer;

	if (err)
		census->err = *err;
	answer(census);
	while ((viewer = STAILQ_FIRST(&census->viewers))) {
		STAILQ_REMOVE_HEAD(&census->viewers, entry);
		viewer_free(viewer);
	}
	free(census->list);
	daemon->ps_running = false;
	if (!TAILQ_EMPTY(&daemon->ps_waiting))
		start(daemon);
}

static const struct job_type counting = { count, counted, free };
/* Without one, for want of memory, a call gets no answer but that. */
static void add_viewers(struct census *census)
{
	struct call *call;

	census->ruled = census->daemon->house.book != NULL;
	TAILQ_FOREACH(call, &census->calls, waiting)
	{
		struct viewer *viewer = NULL;

		if (census->ruled && call->session)
			viewer = viewer_new(call, call->session);
		if (viewer)
			STAILQ_INSERT_TAIL(&census->viewers, viewer, entry);
	}
}

static void start(struct daemon *daemon)
{
	struct census *census = calloc(1, sizeof(*census));
	struct error err = ERROR_INIT;

	if (!census) {
		error_set(&err, ERROR_NO_MEMORY, "ps: no memory");
		call_fail_all(&daemon->ps_waiting, &err);
		return;
	}
	census->daemon = daemon;
	TAILQ_INIT(&census->calls);
	TAILQ_CONCAT(&census->calls, &daemon->ps_waiting, waiting);
	STAILQ_INIT(&census->viewers);
	add_viewers(census);
	daemon->ps_running = true;
	job_start(daemon, &census->job, &counting, census);
}

static void ps(struct call *call)
{
	struct daemon *daemon = call->daemon;

	TAILQ_INSERT_TAIL(&daemon->ps_waiting, call, waiting);
	if (!daemon->ps_running)
		start(daemon);
}

const struct method method_ps = { "ps", params, ps, GATE_OPEN, RIGHTS_NONE };
