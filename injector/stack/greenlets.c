/* SPDX-License-Identifier: MIT */
#include "injector/stack/greenlets.h"

#include <stdlib.h>
#include <string.h>

#include "injector/owned.h"
#include "injector/stack/gc_walk.h"
#include "injector/stack/reader.h"

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

#define FRAMES_MAX 1024u
#define TYPES_KNOWN 512u /* whether they are greenlets; a power of two */
#define WORDS_MAX 64u	 /* of a greenlet, or of the part behind it */

/* PyFrameObject of 3.11 and later: f_back, then the frame itself. */
#define FRAME_INSIDE 24u
#define OWNED_BY_C 3 /* FRAME_OWNED_BY_CSTACK: 3.12 and later, and above it */

/* The part of a C stack that was put aside when a greenlet was left:
 * stack_start, stack_stop, stack_copy, stack_saved follow each other. */
struct aside {
	uint64_t low, copy, size;
};

struct search {
	struct stack_reader *reader;
	struct codes *codes;
	struct {
		uint64_t type;
		bool greenlet;
	} known[TYPES_KNOWN];
	struct python_frame *frames; /* of one greenlet */
};

static bool is_greenlet(struct search *search, uint64_t object)
{
	const struct python *python = search->codes->python;
	uint64_t type = remote_pointer(python->remote, object + AT(ob_type));
	size_t at = type / 16 % TYPES_KNOWN;

	if (!remote_plausible(type))
		return false;
	if (search->known[at].type != type) {
		search->known[at].type = type;
		search->known[at].greenlet =
			object_is_a(python, object, "greenlet.greenlet");
	}
	return search->known[at].greenlet;
}

/* ---- the frame that one was left in
 * ---------------------------------------------- */

static size_t read_words(const struct python *python, uint64_t at,
			 uint64_t words[WORDS_MAX], size_t count)
{
	if (count > WORDS_MAX)
		count = WORDS_MAX;
	while (count &&
	       !remote_read(python->remote, at, words, count * sizeof(*words)))
		count /= 2;
	return count;
}

/* Words that lie as those of a stack put aside do. */
static bool is_aside(const uint64_t *word)
{
	return remote_plausible(word[0]) && word[1] > word[0] &&
	       word[1] < 1ull << 47 && remote_plausible(word[2]) && word[3] &&
	       word[3] <= word[1] - word[0] && word[3] < 64u << 20;
}

/* Looks through words for the frame, and for the stack that goes with it. */
static uint64_t find_frame(const struct python *python, const uint64_t *words,
			   size_t count, struct aside *aside)
{
	uint64_t frame = 0;

	for (size_t i = 0; i < count; i++) {
		if (i + 4 <= count && !aside->size && is_aside(&words[i]))
			*aside = (struct aside){ .low = words[i],
						 .copy = words[i + 2],
						 .size = words[i + 3] };
		if (!frame && remote_plausible(words[i]) &&
		    object_is(python, words[i], "frame"))
			frame = words[i];
	}
	return frame;
}

/* Until 1.1 the greenlet itself, from 2.0 on what its last word points to, has
 * a reference to the frame. */
static uint64_t frame_of(const struct python *python, uint64_t greenlet,
			 struct aside *aside)
{
	uint64_t words[WORDS_MAX], inner[WORDS_MAX], frame;
	int64_t size =
		object_type_basicsize(python, object_type(python, greenlet));
	size_t count, more;

	if (size < 24 || size > 4096)
		return 0;
	count = read_words(python, greenlet, words, (size_t)size / 8);
	frame = find_frame(python, words + 2, count > 2 ? count - 2 : 0, aside);
	for (size_t i = 2; !frame && i < count; i++) {
		if (!remote_plausible(words[i]))
			continue;
		more = read_words(python, words[i], inner, WORDS_MAX);
		frame = find_frame(python, inner, more, aside);
	}
	if (!frame || python_minor(python) < 11)
		return frame;
	return remote_pointer(python->remote, frame + FRAME_INSIDE);
}

/* ---- its frames
 * ------------------------------------------------------------------- */

/* What lies on the C stack is another's by now: the copy has it. */
static uint64_t translated(const struct aside *aside, uint64_t address)
{
	return address - aside->low < aside->size
		       ? aside->copy + (address - aside->low)
		       : address;
}

static bool is_shim(const struct python *python, uint64_t address)
{
	uint8_t owner;

	return python_minor(python) >= 12 &&
	       remote_u8(python->remote, address + AT(f_owner), &owner) &&
	       owner >= OWNED_BY_C;
}

/* Ends where the chain does, or where it makes no sense. */
static size_t read_frames(struct search *search, uint64_t frame,
			  const struct aside *aside, bool *ret_truncated)
{
	const struct python *python = search->codes->python;
	size_t count = 0;

	*ret_truncated = false;
	for (unsigned steps = 0; frame && count < FRAMES_MAX; steps++) {
		frame = translated(aside, frame);
		if (!remote_plausible(frame) || steps == FRAMES_MAX * 2) {
			*ret_truncated = true;
			break;
		}
		if (!is_shim(python, frame) &&
		    !walk_frame(search->codes, frame,
				&search->frames[count++])) {
			count--;
			*ret_truncated = true;
			break;
		}
		frame = remote_pointer(python->remote, frame + AT(f_previous));
	}
	*ret_truncated |= count == FRAMES_MAX;
	return count;
}

static bool read_locals(struct stack_reader *reader, struct greenlet *greenlet)
{
	size_t count = greenlet->frames.count;

	if (!reader->options->locals)
		return true;
	greenlet->locals =
		arena_array(reader->arena, count, sizeof(*greenlet->locals));
	greenlet->local_count = arena_array(reader->arena, count,
					    sizeof(*greenlet->local_count));
	if (!greenlet->locals || !greenlet->local_count)
		return false;
	for (size_t i = 0; i < count; i++) {
		greenlet->locals[i] = values_locals(
			&reader->values, &reader->codes,
			&greenlet->frames.list[i], &greenlet->local_count[i]);
		if (!greenlet->locals[i])
			return false;
	}
	return true;
}

/* One that runs, or has not begun, has no frame of its own. */
static bool read_greenlet(struct search *search, uint64_t address)
{
	struct stack_reader *reader = search->reader;
	const struct python *python = search->codes->python;
	struct greenlet *greenlet =
		&reader->greenlets.list[reader->greenlets.count];
	char type[OBJECT_TYPE_NAME] = "greenlet";
	struct aside aside = { 0 };
	size_t count;
	bool truncated;

	count = read_frames(search, frame_of(python, address, &aside), &aside,
			    &truncated);
	if (!count)
		return true;
	object_type_name(python, object_type(python, address), type,
			 sizeof(type));
	*greenlet = (struct greenlet){ .address = address };
	greenlet->type = arena_copy(reader->arena, type, strlen(type));
	greenlet->frames.list =
		arena_array(reader->arena, count, sizeof(*search->frames));
	if (!greenlet->type || !greenlet->frames.list)
		return false;
	memcpy(greenlet->frames.list, search->frames,
	       count * sizeof(*search->frames));
	greenlet->frames.count = count;
	greenlet->frames.truncated = truncated;
	reader->greenlets.count++;
	return read_locals(reader, greenlet);
}

/* ---- all of them
 * ------------------------------------------------------------------ */

static bool uses_greenlets(const struct stack_reader *reader,
			   uint64_t interpreter)
{
	const struct python *python = &reader->runtime.python;
	uint64_t modules =
		remote_pointer(python->remote, interpreter + AT(is_modules));

	return dict_get(python, modules, "greenlet") != 0;
}

static int read_interpreter(struct search *search, uint64_t interpreter,
			    struct error *err)
{
	struct stack_reader *reader = search->reader;
	struct greenlets *greenlets = &reader->greenlets;
	struct gc_walk walk;
	uint64_t object;

	if (!gc_walk_start(&reader->runtime, interpreter, &walk))
		return 0;
	while ((object = gc_walk_next(&walk))) {
		if (!(walk.passed % 1024) && deadline_passed(&reader->deadline))
			return error_set(err, ERROR_TIMEOUT,
					 "reading its greenlets took too long");
		if (!is_greenlet(search, object))
			continue;
		if (greenlets->count == STACK_GREENLETS_MAX)
			greenlets->unread++;
		else if (!read_greenlet(search, object))
			return error_set(err, ERROR_NO_MEMORY, "greenlets");
	}
	return 0;
}

int greenlets_read(struct stack_reader *reader, struct error *err)
{
	uint64_t interpreter = runtime_main_interpreter(&reader->runtime);
	owned_mem struct search *search = NULL;
	owned_mem struct python_frame *frames = NULL;

	if (!uses_greenlets(reader, interpreter))
		return 0;
	search = calloc(1, sizeof(*search));
	frames = calloc(FRAMES_MAX, sizeof(*frames));
	reader->greenlets.list = arena_array(reader->arena, STACK_GREENLETS_MAX,
					     sizeof(*reader->greenlets.list));
	if (!search || !frames || !reader->greenlets.list)
		return error_set(err, ERROR_NO_MEMORY, "greenlets");
	search->reader = reader;
	search->codes = &reader->codes;
	search->frames = frames;
	return read_interpreter(search, interpreter, err);
}

bool greenlets_show(struct stack_reader *reader)
{
	const struct greenlets *greenlets = &reader->greenlets;
	struct stack_greenlet *shown =
		arena_array(reader->arena, greenlets->count, sizeof(*shown));

	if (!shown)
		return false;
	for (size_t i = 0; i < greenlets->count; i++) {
		const struct greenlet *from = &greenlets->list[i];
		struct frames_input input = { .python = &from->frames,
					      .locals = from->locals,
					      .local_count =
						      from->local_count };
		struct stack_thread thread = { 0 };

		if (!frames_show(&reader->frames, &input, &thread))
			return false;
		shown[i] = (struct stack_greenlet){
			.address = from->address,
			.type = from->type,
			.truncated = from->frames.truncated,
			.frames = thread.frames,
			.frame_count = thread.frame_count,
		};
	}
	reader->picture->greenlets = shown;
	reader->picture->greenlet_count = greenlets->count;
	reader->picture->greenlets_unread = greenlets->unread;
	return true;
}
