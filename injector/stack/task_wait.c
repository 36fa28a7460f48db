/* SPDX-License-Identifier: MIT */
/*
 * task_wait: why the tasks of asyncio wait. The functions of asyncio that a
 * task is in, and their self, tell what a plain future stands for; a task or
 * a gathering of tasks is told by the future itself.
 */
#include <string.h>
#include <time.h>

#include "injector/stack/explain.h"

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

#define CHILDREN_MAX 4096 /* tasks that one task waits for */
#define SOCKET_FD 16u	  /* sock_fd, the first field of _socket.socket */
#define HOPS_MAX 4	  /* transports below transports */

/* A task while its wait is told. */
struct telling {
	struct explain *explain;
	size_t task, index; /* index: of what waits, behind the threads */
	struct wait_draft *draft;
	size_t *awaits; /* room for CHILDREN_MAX */
	size_t count, pending, all;
};

static const struct python *python_of(const struct telling *telling)
{
	return telling->explain->python;
}

/* ---- tasks that wait for tasks
 * ---------------------------------------------------- */

static void add_child(struct telling *telling, uint64_t future)
{
	const struct stack_reader *reader = telling->explain->reader;
	size_t task;

	if (telling->all == CHILDREN_MAX || !future)
		return;
	telling->all++;
	if (future_state_of(reader, future) != FUTURE_PENDING)
		return;
	telling->pending++;
	task = task_find(reader, future);
	if (task != SIZE_MAX)
		telling->awaits[telling->count++] = task;
}

static void add_children(struct telling *telling, uint64_t container)
{
	const struct python *python = python_of(telling);
	struct set_walk walk;
	uint64_t item;

	if (set_walk_start(python, container, &walk)) {
		while ((item = set_walk_next(python, &walk)))
			add_child(telling, item);
		return;
	}
	if (!object_is(python, container, "list"))
		return;
	for (int64_t i = 0; i < CHILDREN_MAX; i++) {
		item = object_list_item(python, container, i);
		if (!item)
			return;
		add_child(telling, item);
	}
}

static void tell_children(struct telling *telling, const char *what)
{
	struct wait_draft *draft = telling->draft;

	draft->what = what;
	draft->proof = STACK_PROVEN;
	telling->explain->about[telling->index].inner = true;
	draft->object = arena_printf(telling->explain->arena,
				     "%zu of %zu that are not done",
				     telling->pending, telling->all);
	draft_number(draft, "pending", (int64_t)telling->pending);
	draft_number(draft, "all", (int64_t)telling->all);
}

static bool of_gather(struct telling *telling, uint64_t future)
{
	const struct python *python = python_of(telling);

	if (!object_is(python, future, "_GatheringFuture"))
		return false;
	add_children(telling, attribute_get(python, future, "_children"));
	tell_children(telling, "gather");
	return true;
}

static bool of_task(struct telling *telling, uint64_t future)
{
	size_t task = task_find(telling->explain->reader, future);

	if (task == SIZE_MAX)
		return false;
	telling->awaits[telling->count++] = task;
	telling->draft->what = "task";
	telling->draft->proof = STACK_PROVEN;
	telling->draft->object = explain_task_text(telling->explain, task);
	telling->explain->about[telling->index].inner = true;
	return true;
}

/* ---- by the function that waits
 * ----------------------------------------------------- */

struct place {
	const struct python_frame *frame;
	uint64_t self;
};

typedef void tell(struct telling *telling, const struct place *place);

static void tell_object(struct telling *telling, const struct place *place)
{
	telling->draft->object =
		object_describe(telling->explain, telling->index, place->self);
	telling->explain->about[telling->index].object = place->self;
	telling->explain->about[telling->index].inner = true;
}

/* A loop's time() is the monotonic clock's. */
static void tell_sleep(struct telling *telling, const struct place *place)
{
	const struct python *python = python_of(telling);
	struct codes *codes = &telling->explain->reader->codes;
	uint64_t handle = frame_local(codes, place->frame, "h");
	struct timespec now;
	double end, left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	telling->explain->about[telling->index].timed = true;
	if (!object_float(python, attribute_of_slot(python, handle, "_when"),
			  &end))
		return;
	left = end - (double)now.tv_sec - (double)now.tv_nsec / 1e9;
	if (left > -1e9 && left < 1e9)
		wait_left(telling->explain, telling->index,
			  left > 0 ? (uint64_t)(left * 1e9) : 0,
			  telling->draft);
}

/* asyncio.wait: the futures it was given. */
static void tell_wait(struct telling *telling, const struct place *place)
{
	struct codes *codes = &telling->explain->reader->codes;
	const struct python *python = python_of(telling);
	uint64_t timer = frame_local(codes, place->frame, "timeout_handle");

	add_children(telling, frame_local(codes, place->frame, "fs"));
	tell_children(telling, "tasks");
	if (timer && !object_is(python, timer, "NoneType"))
		telling->explain->about[telling->index].timed = true;
}

/* asyncio.wait_for until 3.11: one future, with a time limit. */
static void tell_wait_for(struct telling *telling, const struct place *place)
{
	struct codes *codes = &telling->explain->reader->codes;
	const struct python *python = python_of(telling);
	uint64_t timer = frame_local(codes, place->frame, "timeout_handle");

	add_child(telling, frame_local(codes, place->frame, "fut"));
	tell_children(telling, "tasks");
	if (timer && !object_is(python, timer, "NoneType"))
		telling->explain->about[telling->index].timed = true;
}

static void tell_group(struct telling *telling, const struct place *place)
{
	add_children(telling,
		     attribute_get(python_of(telling), place->self, "_tasks"));
	tell_children(telling, "tasks");
}

static void tell_queue(struct telling *telling, const struct place *place)
{
	const struct python *python = python_of(telling);
	uint64_t items = attribute_get(python, place->self, "_queue");
	int64_t most;

	tell_object(telling, place);
	if (object_is(python, items, "collections.deque") ||
	    object_is(python, items, "list"))
		draft_number(telling->draft, "items",
			     object_size(python, items));
	if (object_int(python, attribute_get(python, place->self, "_maxsize"),
		       &most) &&
	    most > 0)
		draft_number(telling->draft, "maxsize", most);
}

/* Lock, Event, Condition, Semaphore and Barrier wait by functions of the same
 * names: the type tells. */
static void tell_lock(struct telling *telling, const struct place *place)
{
	static const struct {
		const char *type, *what;
	} types[] = {
		{ "Event", "event" },	      { "Condition", "condition" },
		{ "Semaphore", "semaphore" }, { "Barrier", "barrier" },
		{ "Lock", "lock" },
	};

	tell_object(telling, place);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (object_is_a(python_of(telling), place->self, types[i].type))
			telling->draft->what = types[i].what;
}

/* The descriptor of a transport, which may lie below that of TLS. */
static bool transport_fd(const struct python *python, uint64_t transport,
			 int64_t *ret_fd)
{
	for (int i = 0; i < HOPS_MAX && transport; i++) {
		static const char *const names[] = { "_sock_fd", "_fileno" };
		uint64_t below;

		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (object_int(
				    python,
				    attribute_get(python, transport, names[k]),
				    ret_fd))
				return true;
		below = attribute_get(python, transport, "_ssl_protocol");
		transport = attribute_get(python, below ? below : transport,
					  "_transport");
	}
	return false;
}

static void tell_fd(struct telling *telling, int64_t fd, bool reads)
{
	if (fd >= 0 && fd <= INT32_MAX)
		wait_of_descriptor(telling->explain, telling->index, (int)fd,
				   reads, telling->draft);
}

static bool is_drain(const struct code *code)
{
	return strstr(code->name, "drain") != NULL;
}

static void tell_stream(struct telling *telling, const struct place *place)
{
	const struct python *python = python_of(telling);
	int64_t fd;

	tell_object(telling, place);
	if (transport_fd(python,
			 attribute_get(python, place->self, "_transport"), &fd))
		tell_fd(telling, fd, !is_drain(place->frame->code));
}

/* loop.sock_recv and its like. */
static void tell_socket(struct telling *telling, const struct place *place)
{
	struct codes *codes = &telling->explain->reader->codes;
	const struct python *python = python_of(telling);
	uint64_t socket = frame_local(codes, place->frame, "sock");
	uint64_t at = python->free_threaded ? SOCKET_FD + 16 : SOCKET_FD;
	bool writes = strstr(place->frame->code->name, "send") ||
		      strstr(place->frame->code->name, "connect");
	int32_t fd;

	if (object_is_a(python, socket, "_socket.socket") &&
	    remote_i32(python->remote, socket + at, &fd))
		tell_fd(telling, fd, !writes);
}

static void tell_child(struct telling *telling, const struct place *place)
{
	const struct python *python = python_of(telling);
	uint64_t transport = place->self;
	int64_t pid;

	if (!attribute_get(python, transport, "_pid"))
		transport = attribute_get(python, transport, "_transport");
	if (object_int(python, attribute_get(python, transport, "_pid"), &pid))
		wait_of_child(telling->explain, telling->index, pid,
			      telling->draft);
}

static const struct role {
	const char *file;     /* end of the path */
	const char *function; /* NULL: any */
	const char *what;
	tell *tell;
} roles[] = {
	{ "/asyncio/tasks.py", "sleep", "sleep", tell_sleep },
	{ "/asyncio/tasks.py", "_wait", "tasks", tell_wait },
	{ "/asyncio/tasks.py", "wait_for", "tasks", tell_wait_for },
	{ "/asyncio/taskgroups.py", NULL, "tasks", tell_group },
	{ "/asyncio/locks.py", NULL, "lock", tell_lock },
	{ "/asyncio/queues.py", NULL, "queue", tell_queue },
	{ "/asyncio/streams.py", "drain", "stream", tell_stream },
	{ "/asyncio/streams.py", "read", "stream", tell_stream },
	{ "/asyncio/streams.py", "readline", "stream", tell_stream },
	{ "/asyncio/streams.py", "readexactly", "stream", tell_stream },
	{ "/asyncio/streams.py", "readuntil", "stream", tell_stream },
	{ "/asyncio/streams.py", "_wait_for_data", "stream", tell_stream },
	{ "/asyncio/selector_events.py", NULL, "socket", tell_socket },
	{ "/asyncio/base_subprocess.py", "_wait", "child", tell_child },
	{ "/asyncio/subprocess.py", "wait", "child", tell_child },
	{ "/asyncio/base_events.py", "serve_forever", "server", tell_object },
};

static bool is_role(const struct role *role, const struct code *code)
{
	size_t size = strlen(code->file), tail = strlen(role->file);
	const char *name = strrchr(code->name, '.');

	return size >= tail && !strcmp(code->file + size - tail, role->file) &&
	       (!role->function ||
		!strcmp(name ? name + 1 : code->name, role->function));
}

static const struct role *find_role(const struct code *code)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (is_role(&roles[i], code))
			return &roles[i];
	return NULL;
}

/* asyncio's own frames from the innermost on; those further out say more. */
static bool of_role(struct telling *telling)
{
	const struct python_frames *frames =
		explain_frames(telling->explain, telling->index);
	const struct role *role = NULL;
	struct place place = { 0 };

	for (size_t i = 0; i < frames->count; i++) {
		const struct code *code = frames->list[i].code;
		const struct role *next = find_role(code);

		/* What a timed wait waits for says more than the wait. */
		if (!next || (role && next->tell == tell_wait_for))
			break;
		role = next;
		place.frame = &frames->list[i];
	}
	if (!role)
		return false;
	place.self = frame_self(python_of(telling), place.frame);
	telling->draft->what = role->what;
	role->tell(telling, &place);
	return true;
}

/* ---- plain futures
 * ------------------------------------------------------------------ */

/* A future that ends with one of concurrent.futures: its first callback says
 * so by its name. */
static bool is_of_executor(const struct telling *telling, uint64_t future)
{
	static const char name[] = "_chain_future.<locals>._call_check_cancel";
	const struct stack_reader *reader = telling->explain->reader;
	const struct python *python = python_of(telling);
	uint64_t callback, item = 0;

	if (reader->tasks.native &&
	    object_is_a(python, future, "_asyncio.Future")) {
		callback = remote_pointer(
			python->remote,
			future + (uint64_t)reader->tasks.layout.callback);
	} else {
		/* [(callback, context)] */
		item = object_list_item(
			python, attribute_get(python, future, "_callbacks"), 0);
		callback = object_tuple_item(python, item, 0);
	}
	return object_is(python, callback, "function") &&
	       object_text_is(python,
			      remote_pointer(python->remote,
					     callback + AT(func_qualname)),
			      name);
}

static void of_future(struct telling *telling, uint64_t future)
{
	telling->draft->what =
		is_of_executor(telling, future) ? "executor" : "future";
	telling->draft->object =
		object_describe(telling->explain, telling->index, future);
	telling->explain->about[telling->index].inner = true;
}

static bool keep_edges(struct telling *telling)
{
	struct explain *explain = telling->explain;
	struct stack_task *shown = &explain->reader->shown_tasks[telling->task];
	size_t *list =
		arena_array(explain->arena, telling->count, sizeof(*list));

	if (!list)
		return false;
	if (telling->count)
		memcpy(list, telling->awaits, telling->count * sizeof(*list));
	shown->awaits = list;
	shown->await_count = telling->count;
	return true;
}

static bool tell_task(struct explain *explain, size_t index, size_t *room)
{
	const struct stack_reader *reader = explain->reader;
	const struct task *task = &reader->tasks.list[index];
	struct wait_draft draft = { .owner = STACK_NO_THREAD };
	struct telling telling = { .explain = explain,
				   .task = index,
				   .index = reader->count + index,
				   .draft = &draft,
				   .awaits = room };

	if (task->chain.running || !task->waiter)
		return true;
	if (!of_gather(&telling, task->waiter) &&
	    !of_task(&telling, task->waiter) && !of_role(&telling))
		of_future(&telling, task->waiter);
	if (!reader->shown_tasks[index].stable)
		draft.proof = STACK_UNKNOWN;
	reader->shown_tasks[index].wait = explain_keep(explain, &draft);
	return reader->shown_tasks[index].wait && keep_edges(&telling);
}

/* The edges the other way round: counted, then filled. */
static bool turn_edges(struct explain *explain)
{
	struct stack_reader *reader = explain->reader;
	struct stack_task *tasks = reader->shown_tasks;
	size_t count = reader->tasks.count;
	size_t **lists = arena_array(explain->arena, count, sizeof(*lists));

	if (!lists)
		return false;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < tasks[i].await_count; k++)
			tasks[tasks[i].awaits[k]].awaited_by_count++;
	for (size_t i = 0; i < count; i++) {
		lists[i] =
			arena_array(explain->arena, tasks[i].awaited_by_count,
				    sizeof(*lists[i]));
		if (!lists[i])
			return false;
		tasks[i].awaited_by = lists[i];
		tasks[i].awaited_by_count = 0;
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < tasks[i].await_count; k++) {
			size_t to = tasks[i].awaits[k];

			lists[to][tasks[to].awaited_by_count++] = i;
		}
	return true;
}

bool explain_tasks(struct explain *explain)
{
	size_t count = explain->reader->tasks.count;
	size_t *room;
	bool done = true;

	if (!count)
		return true;
	room = arena_array(explain->arena, CHILDREN_MAX, sizeof(*room));
	remote_forget(explain->python->remote);
	for (size_t i = 0; done && i < count; i++) {
		if (deadline_passed(&explain->reader->deadline))
			break;
		done = room && tell_task(explain, i, room);
	}
	return done && turn_edges(explain);
}
