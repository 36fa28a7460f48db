/* SPDX-License-Identifier: MIT */
/*
 * describe: a Python object in words, by the name that the code of a thread
 * has for it: a local variable, an attribute of self, a global.
 */
#include <stdio.h>
#include <string.h>

#include "injector/stack/explain.h"

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

#define FRAMES_SEARCHED 12u
#define GLOBALS_SEARCHED 4096
#define NAME_BYTES 128u

struct search {
	const struct explain *explain;
	uint64_t object;
	char name[NAME_BYTES];
};

static bool same_object(const struct search *search, uint64_t value)
{
	const struct python *python = search->explain->python;

	if (value == search->object)
		return true;
	return object_is(python, value, "cell") &&
	       remote_pointer(python->remote, value + AT(cell_ref)) ==
		       search->object;
}

/* The key of a walk whose value is the object, behind a prefix. */
static bool search_walk(struct search *search, struct dict_walk *walk,
			const char *prefix)
{
	const struct python *python = search->explain->python;
	struct dict_entry entry;
	char key[NAME_BYTES / 2];

	if (walk->count > GLOBALS_SEARCHED)
		walk->count = GLOBALS_SEARCHED;
	while (dict_walk_next(python, walk, &entry))
		if (entry.value == search->object &&
		    object_text_into(python, entry.key, key, sizeof(key))) {
			snprintf(search->name, sizeof(search->name), "%s%s",
				 prefix, key);
			return true;
		}
	return false;
}

static bool search_locals(struct search *search,
			  const struct python_frame *frame)
{
	const struct python *python = search->explain->python;
	struct codes *codes = &search->explain->reader->codes;
	struct dict_walk walk;

	for (int i = 0; i < frame->code->slots; i++) {
		uint64_t value = object_untag(
			python, remote_pointer(python->remote,
					       frame->slots + (uint64_t)i * 8));
		const char *name;

		if (!value || !same_object(search, value))
			continue;
		name = code_slot_name(codes, frame->code, i);
		if (!name || !strcmp(name, "self"))
			continue;
		snprintf(search->name, sizeof(search->name), "%s", name);
		return true;
	}
	if (frame->code->argument_count < 1)
		return false;
	return attributes_start(
		       python,
		       object_untag(python, remote_pointer(python->remote,
							   frame->slots)),
		       &walk) &&
	       search_walk(search, &walk, "self.");
}

/* The threading module's own variables say nothing to the reader. */
static bool search_frame(struct search *search,
			 const struct python_frame *frame, bool inside_library)
{
	const struct python *python = search->explain->python;
	struct dict_walk walk;

	if (search_locals(search, frame))
		return true;
	return !inside_library &&
	       dict_walk_start(python, frame->globals, &walk) &&
	       search_walk(search, &walk, "");
}

static bool is_library(const char *file)
{
	return strstr(file, "/asyncio/") || strstr(file, "/threading.py") ||
	       strstr(file, "/queue.py") ||
	       strstr(file, "/concurrent/futures/") || file[0] == '<';
}

/* "queue.Queue": from 3.7 on a class that is written in Python knows its
 * module by its dict. */
static void type_text(const struct python *python, uint64_t object, char *buf,
		      size_t size)
{
	uint64_t type = object_type(python, object);
	char name[OBJECT_TYPE_NAME] = "object", module[NAME_BYTES];
	uint64_t dict = 0;

	object_type_name(python, type, name, sizeof(name));
	if (object_type_flags(python, type) & TYPE_HEAP)
		dict = remote_pointer(python->remote, type + AT(tp_dict));
	if (!strchr(name, '.') && dict &&
	    object_text_into(python, dict_get(python, dict, "__module__"),
			     module, sizeof(module)))
		snprintf(buf, size, "%s.%s", module, name);
	else
		snprintf(buf, size, "%s", name);
}

/* From the caller's frame inwards: the outermost name is the one that the
 * program gave; but a library's frames come last. */
static bool find_name(struct search *search, size_t index)
{
	const struct python_frames *frames =
		explain_frames(search->explain, index);

	for (int library = 0; library < 2; library++)
		for (size_t i = 0; i < frames->count && i < FRAMES_SEARCHED;
		     i++) {
			const struct python_frame *frame = &frames->list[i];

			if (is_library(frame->code->file) == library &&
			    search_frame(search, frame, library))
				return true;
		}
	return false;
}

const char *object_describe(const struct explain *explain, size_t index,
			    uint64_t object)
{
	struct search search = { .explain = explain, .object = object };
	char type[OBJECT_TYPE_NAME + NAME_BYTES];
	bool found = find_name(&search, index);

	type_text(explain->python, object, type, sizeof(type));
	return found ? arena_printf(explain->arena, "%s (%s at 0x%llx)",
				    search.name, type,
				    (unsigned long long)object)
		     : arena_printf(explain->arena, "%s at 0x%llx", type,
				    (unsigned long long)object);
}
