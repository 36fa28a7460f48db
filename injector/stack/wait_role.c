/* SPDX-License-Identifier: MIT */
#include "injector/stack/wait_role.h"

#include <string.h>

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

/* Functions that wait by a lock; those further out say more. */
struct role {
	const char *file; /* end of the path */
	const char *function;
	const char *what;
};

static const struct role roles[] = {
	{ "/threading.py", "wait", "condition" },
	{ "/threading.py", "wait_for", "condition" },
	{ "/threading.py", "_wait", "barrier" },
	{ "/threading.py", "acquire", "semaphore" },
	{ "/threading.py", "join", "thread" },
	{ "/threading.py", "_wait_for_tstate_lock", "thread" },
	{ "/threading.py", "_shutdown", "thread" },
	{ "/queue.py", "get", "queue" },
	{ "/queue.py", "put", "queue" },
	{ "/queue.py", "join", "queue" },
	{ "/concurrent/futures/_base.py", "result", "future" },
	{ "/concurrent/futures/_base.py", "exception", "future" },
	{ "/multiprocessing/queues.py", "get", "queue" },
	{ "/multiprocessing/queues.py", "put", "queue" },
	{ "<frozen importlib._bootstrap>", "acquire", "import-lock" },
};

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), tail = strlen(end);

	return size >= tail && !strcmp(text + size - tail, end);
}

static const struct role *find_role(const struct code *code)
{
	const char *last = strrchr(code->name, '.');

	last = last ? last + 1 : code->name;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (!strcmp(last, roles[i].function) &&
		    ends_with(code->file, roles[i].file))
			return &roles[i];
	return NULL;
}

static uint64_t self_of(const struct python *python,
			const struct python_frame *frame)
{
	if (frame->code->argument_count < 1)
		return 0;
	return object_untag(python,
			    remote_pointer(python->remote, frame->slots));
}

/* The thread that a Thread object is; ident of its life. */
static size_t thread_of(const struct explain *explain, uint64_t object)
{
	const struct python *python = explain->python;
	int64_t ident;

	return object_int(python, attribute_get(python, object, "_ident"),
			  &ident)
		       ? reader_find_ident(explain->reader, (uint64_t)ident)
		       : STACK_NO_THREAD;
}

static void set_owner(struct wait_draft *draft, size_t owner)
{
	draft->owner = owner;
	if (owner != STACK_NO_THREAD)
		draft->proof = STACK_PROVEN;
}

/* 3.8-3.12, when the main thread ends: a lock that a thread leaves behind
 * unlocked when it ends, threading._active[...]._tstate_lock. */
static void wait_of_shutdown(struct explain *explain, uint64_t lock,
			     uint64_t globals, struct wait_draft *draft)
{
	const struct python *python = explain->python;
	struct dict_entry entry;
	struct dict_walk walk;

	draft->object = "threads that are no daemons";
	if (!lock ||
	    !dict_walk_start(python, dict_get(python, globals, "_active"),
			     &walk))
		return;
	if (walk.count > (int64_t)STACK_THREADS_MAX)
		walk.count = STACK_THREADS_MAX;
	while (dict_walk_next(python, &walk, &entry))
		if (attribute_get(python, entry.value, "_tstate_lock") == lock)
			set_owner(draft, thread_of(explain, entry.value));
}

/* importlib's _ModuleLock: the name of a module and the ident of who imports
 * it. */
static void wait_of_import(struct explain *explain, uint64_t self,
			   struct wait_draft *draft)
{
	const struct python *python = explain->python;
	char name[256];
	int64_t ident;

	if (object_text_into(python, attribute_get(python, self, "name"), name,
			     sizeof(name)))
		draft->object = arena_printf(explain->arena,
					     "import of module %s", name);
	if (object_int(python, attribute_get(python, self, "owner"), &ident))
		set_owner(draft,
			  reader_find_ident(explain->reader, (uint64_t)ident));
}

/* How many items a queue.Queue has: a deque's ob_size. */
static void wait_of_queue(struct explain *explain, uint64_t self,
			  struct wait_draft *draft)
{
	const struct python *python = explain->python;
	uint64_t items = attribute_get(python, self, "queue");
	int64_t most;

	if (object_is(python, items, "collections.deque"))
		draft_number(draft, "items", object_size(python, items));
	if (object_int(python, attribute_get(python, self, "maxsize"), &most) &&
	    most > 0)
		draft_number(draft, "maxsize", most);
}

static const char *type_word(const struct python *python, uint64_t self,
			     const char *what)
{
	return object_is(python, self, "Event") ? "event" : what;
}

static void fill(struct explain *explain, size_t thread, uint64_t lock,
		 const struct role *role, const struct python_frame *frame,
		 struct wait_draft *draft)
{
	const struct python *python = explain->python;
	uint64_t self = self_of(python, frame);

	draft->what = type_word(python, self, role->what);
	explain->about[thread].inner = true;
	explain->about[thread].object = self;
	if (!strcmp(role->function, "_shutdown")) {
		wait_of_shutdown(explain, lock, frame->globals, draft);
		return;
	}
	draft->object = object_describe(explain, thread, self);
	if (!strcmp(role->what, "thread"))
		set_owner(draft, thread_of(explain, self));
	else if (!strcmp(role->what, "import-lock"))
		wait_of_import(explain, self, draft);
	else if (!strcmp(role->what, "queue"))
		wait_of_queue(explain, self, draft);
}

/* The innermost frame waits for a part of its own object, such as the mutex
 * of a queue, and not through it. */
static bool waits_for_part(const struct python *python,
			   const struct python_frame *frame, uint64_t lock)
{
	static const char *const parts[] = { "_lock", "mutex" };
	uint64_t self = self_of(python, frame);

	for (size_t i = 0; lock && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (attribute_get(python, self, parts[i]) == lock)
			return true;
	return false;
}

bool wait_of_role(struct explain *explain, size_t thread, uint64_t lock,
		  struct wait_draft *draft)
{
	const struct python_frames *frames =
		&explain->reader->inside[thread].frames;
	const struct python_frame *last = NULL;
	const struct role *role = NULL;

	for (size_t i = 0; i < frames->count; i++) {
		const struct role *next = find_role(frames->list[i].code);

		if (!next ||
		    waits_for_part(explain->python, &frames->list[i], lock))
			break;
		role = next;
		last = &frames->list[i];
	}
	if (!role)
		return false;
	fill(explain, thread, lock, role, last, draft);
	return true;
}
