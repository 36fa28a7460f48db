/* SPDX-License-Identifier: MIT */
#include "agent/stack.h"

#include "agent/code.h"
#include "agent/frames.h"
#include "agent/memory.h"
#include "agent/qualname.h"
#include "agent/sys.h"

enum {
	BUCKETS = 512,	/* a power of two */
	ENTRIES = 1024, /* beyond that the cache is emptied, */
	ENTRY_BYTES = 64 << 10,
	/* and no more are made: a record could not show them. */
	ENTRY_BYTES_MOST = 128 << 10,
	ENTRY_TEXT = 4096,
	MODULE_SIZE = 256,
	LINE_DIGITS = 20,
	/* co_flags of what can await */
	AWAITS =
		CODE_COROUTINE | CODE_ITERABLE_COROUTINE | CODE_ASYNC_GENERATOR,
};

/* A frame at an instruction, as it is written. */
struct entry {
	struct entry *next;  /* in its bucket */
	struct object *code; /* held */
	int lasti;
	uint32_t length; /* of the text */
	uint32_t common; /* of the part before the line's number */
	int flags;	 /* of the code; enum code_flags */
	char text[];
};

/* An instruction of a frame; or (frame NULL) of one that is over, whose globals
 * are known. */
struct place {
	struct object *code;
	int lasti;
	void *frame;
	struct object *globals;
};

static struct entry *buckets[BUCKETS];
static unsigned entry_count;
static size_t entry_bytes;

/* For what finds no memory. */
static const char unknown[] = "{\"function\":\"?\",\"file\":\"?\",\"line\":0}";

/* One walk: the entries of its frames, innermost first. One at a time. */
static struct walk {
	int count;
	const struct entry *entry[STACK_FRAMES];
} walk;

static unsigned bucket_of(const struct object *code)
{
	uint64_t hash = (uintptr_t)code >> 4;

	return (unsigned)(hash * 0x9e3779b97f4a7c15u >> 40) & (BUCKETS - 1);
}

static size_t entry_size(uint32_t length)
{
	return sizeof(struct entry) + length;
}

/* The module's name of these globals; "" when they have none. */
static void module_name(struct object *globals, char *buf, size_t size)
{
	struct object *name = NULL;

	if (globals && py_is(globals, py.PyDict_Type))
		name = py.PyDict_GetItemString(globals, "__name__");
	py_text(name, buf, size);
}

static void write_function(struct json_writer *w, const struct place *place)
{
	struct object *globals = place->frame ? frames->globals(place->frame)
					      : py_ref(place->globals);
	char name[MODULE_SIZE + QUALNAME_SIZE];
	size_t used;

	module_name(globals, name, MODULE_SIZE);
	used = text_length(name);
	name[used++] = ':';
	qualname_of(place->code, globals, name + used, sizeof name - used);
	/* Not the last reference: the frame holds it. */
	py_drop(globals);
	json_string(w, name);
}

static void write_file(struct json_writer *w, struct object *code)
{
	struct object *file = py_attr(code, "co_filename");
	char path[LIMIT_PATH];

	py_text(file, path, sizeof path);
	py_drop(file);
	json_string(w, path);
}

/* `{"function":"..","file":"..","line":`, for all frames of a code object. */
static void write_common(struct json_writer *w, const struct place *place)
{
	const struct code *known = code_find(place->code);

	json_object_begin(w);
	json_key(w, "function");
	if (known)
		json_raw(w, known->function, known->function_length);
	else
		write_function(w, place);
	json_key(w, "file");
	if (known)
		json_raw(w, known->file, known->file_length);
	else
		write_file(w, place->code);
	json_key(w, "line");
}

/* The line, and from 3.11 on the column. */
static void write_position(struct json_writer *w, const struct place *place)
{
	int line, column, end_line, end_column;

	line = place->frame ? frames->line(place->frame)
			    : py.PyCode_Addr2Line(place->code, place->lasti);
	json_int(w, line > 0 ? line : 0);
	if (!py.PyCode_Addr2Location || place->lasti < 0)
		return;
	if (!py.PyCode_Addr2Location(place->code, place->lasti, &line, &column,
				     &end_line, &end_column) ||
	    column < 0)
		return;
	json_key(w, "column");
	json_int(w, column + 1);
}

/* A new entry. sibling: of the same code object at another place, or NULL. */
static struct entry *make_entry(const struct place *place,
				const struct entry *sibling)
{
	static char text[ENTRY_TEXT];
	struct json_writer w;
	struct entry *entry;
	uint32_t common;

	json_init(&w, text, sizeof text);
	if (sibling) {
		json_raw(&w, sibling->text, sibling->common);
		w.comma = false;
	} else {
		write_common(&w, place);
	}
	common = (uint32_t)json_length(&w);
	write_position(&w, place);
	json_object_end(&w);
	if (w.full || entry_bytes > ENTRY_BYTES_MOST)
		return NULL;
	entry = memory_get(entry_size((uint32_t)json_length(&w)));
	if (!entry)
		return NULL;
	entry->code = py_ref(place->code);
	entry->lasti = place->lasti;
	entry->flags = sibling ? sibling->flags
			       : (int)py_attr_long(place->code, "co_flags", 0);
	entry->length = (uint32_t)json_length(&w);
	entry->common = common;
	memcpy(entry->text, text, entry->length);
	return entry;
}

/* The entry of a place, made if need be; NULL: no memory. */
static const struct entry *entry_at(const struct place *place)
{
	unsigned bucket = bucket_of(place->code);
	const struct entry *sibling = NULL;
	struct entry *entry = buckets[bucket];

	for (; entry; entry = entry->next) {
		if (entry->code != place->code)
			continue;
		if (entry->lasti == place->lasti)
			break;
		sibling = entry;
	}
	if (!entry) {
		entry = make_entry(place, sibling);
		if (entry) {
			entry->next = buckets[bucket];
			buckets[bucket] = entry;
			entry_count++;
			entry_bytes += memory_block(entry_size(entry->length));
		}
	}
	return entry;
}

static const struct entry *entry_of(struct object *code, int lasti, void *frame)
{
	return entry_at(&(struct place){ code, lasti, frame, NULL });
}

static int visit(struct object *code, int lasti, void *frame, void *arg)
{
	walk.entry[walk.count++] = entry_of(code, lasti, frame);
	return walk.count == STACK_FRAMES;
}

/* The frames that the first one, which is not taken, is awaited by. */
static int visit_awaiting(struct object *code, int lasti, void *frame,
			  void *arg)
{
	bool *inside = arg;
	const struct entry *entry;

	if (!*inside) {
		*inside = true;
		return 0;
	}
	entry = entry_of(code, lasti, frame);
	if (!entry || !(entry->flags & AWAITS))
		return 1;
	walk.entry[walk.count++] = entry;
	return 0;
}

/* How many of the frames, from the innermost, fit with commas and brackets. */
static int fitting(const struct json_writer *w)
{
	size_t room = json_room(w), used = 3;
	int count = 0;

	for (; count < walk.count; count++) {
		const struct entry *entry = walk.entry[count];

		used += 1 + (entry ? entry->length : sizeof unknown - 1);
		if (used > room)
			break;
	}
	return count;
}

void stack_write(struct json_writer *w, void *frame, int max)
{
	walk.count = 0;
	frames->walk(frame, max < STACK_FRAMES ? max : STACK_FRAMES, visit,
		     NULL);
	json_array_begin(w);
	for (int i = fitting(w) - 1; i >= 0; i--) {
		const struct entry *entry = walk.entry[i];

		if (entry)
			json_raw(w, entry->text, entry->length);
		else
			json_raw(w, unknown, sizeof unknown - 1);
	}
	json_array_end(w);
}

int stack_awaiting(void *frame, int max, struct stack_frame *ret_frames)
{
	bool inside = false;

	walk.count = 0;
	frames->walk(frame, 1 + (max < STACK_FRAMES ? max : STACK_FRAMES),
		     visit_awaiting, &inside);
	for (int i = 0; i < walk.count; i++)
		ret_frames[i] = (struct stack_frame){ walk.entry[i]->text,
						      walk.entry[i]->length };
	return walk.count;
}

bool stack_frame(struct object *code, int lasti, void *frame,
		 struct stack_frame *ret_frame)
{
	const struct entry *entry = entry_of(code, lasti, frame);

	if (!entry)
		return false;
	*ret_frame = (struct stack_frame){ entry->text, entry->length };
	return true;
}

bool stack_place(struct object *code, int lasti, struct object *globals,
		 struct stack_frame *ret_frame)
{
	const struct entry *entry =
		entry_at(&(struct place){ code, lasti, NULL, globals });

	if (!entry)
		return false;
	*ret_frame = (struct stack_frame){ entry->text, entry->length };
	return true;
}

/* Frees the entries of a list that is no longer in the cache. */
static void free_list(struct entry *list)
{
	while (list) {
		struct entry *entry = list;
		struct object *code = entry->code;

		list = entry->next;
		memory_put(entry, entry_size(entry->length));
		py_drop(code);
	}
}

/* Takes everything out first: dropping the last reference to a code object may
 * bring the program back to us, which must find the cache whole. */
static void empty(void)
{
	struct entry *all = NULL;

	for (int i = 0; i < BUCKETS; i++) {
		while (buckets[i]) {
			struct entry *entry = buckets[i];

			buckets[i] = entry->next;
			entry->next = all;
			all = entry;
		}
	}
	entry_count = 0;
	entry_bytes = 0;
	free_list(all);
}

void stack_trim(void)
{
	if (entry_count > ENTRIES || entry_bytes > ENTRY_BYTES)
		empty();
}

int stack_init(void)
{
	entry_count = 0;
	entry_bytes = 0;
	memset(buckets, 0, sizeof buckets);
	return 0;
}

void stack_release(void)
{
	empty();
}
