/* SPDX-License-Identifier: MIT */
#include "agent/stack.h"
#include "agent/sys.h"
#include "agent/value_walk.h"

enum {
	/* PyTracebackObject, 3.7-3.15 */
	NEXT = 16,
	FRAME = 24,
	LASTI = 32, /* int, bytes */
	/* PyBaseExceptionObject; 3.11 put `notes` before it. */
	TRACEBACK_7 = 32,
	TRACEBACK_11 = 40,
	FRAME_CODE = 32, /* PyFrameObject.f_code <= 3.10 */

	PLACES_MOST = 128,
	LENGTH_MOST = 100000, /* of a chain that is followed */
};

static bool is_traceback(const struct object *object)
{
	return object && text_equal(py_type_name(object->type), "traceback");
}

struct object *value_traceback_of(struct object *exception)
{
	struct object *found =
		PY_FIELD(struct object *, exception,
			 py.minor >= 11 ? TRACEBACK_11 : TRACEBACK_7);

	return is_traceback(found) ? found : NULL;
}

static size_t length_of(struct object *traceback)
{
	size_t length = 0;

	for (; is_traceback(traceback) && length < LENGTH_MOST; length++)
		traceback = PY_FIELD(struct object *, traceback, NEXT);
	return length;
}

/* One place as it is written. The frame holds what is dropped here. */
static bool place_of(struct object *traceback, struct stack_frame *place)
{
	struct object *frame = PY_FIELD(struct object *, traceback, FRAME);
	int lasti = PY_FIELD(int, traceback, LASTI);
	struct object *code, *globals;
	bool found;

	if (!frame || !py_is(frame, py.PyFrame_Type))
		return false;
	code = py.PyFrame_GetCode
		       ? py.PyFrame_GetCode(frame)
		       : py_ref(PY_FIELD(struct object *, frame, FRAME_CODE));
	globals = py_attr(frame, "f_globals");
	found = code && globals && stack_place(code, lasti, globals, place);
	py_drop(globals);
	py_drop(code);
	return found;
}

/* The last places of a traceback, of which the first `skip` are left out; how
 * many. */
static int take_places(struct object *traceback, size_t skip,
		       struct stack_frame place[PLACES_MOST])
{
	int count = 0;

	for (; is_traceback(traceback) && count < PLACES_MOST;
	     traceback = PY_FIELD(struct object *, traceback, NEXT)) {
		if (skip) {
			skip--;
			continue;
		}
		if (place_of(traceback, &place[count]))
			count++;
	}
	return count;
}

/* How many, counted from the innermost, there is room for. */
static int fitting(const struct json_writer *w, const struct stack_frame *place,
		   int count)
{
	size_t room = json_room(w), used = sizeof ",\"$traceback\":[]";
	int fits = 0;

	while (fits < count) {
		used += 1 + place[count - 1 - fits].length;
		if (used > room)
			break;
		fits++;
	}
	return fits;
}

bool value_traceback(struct json_writer *w, struct object *traceback,
		     uint32_t most)
{
	static struct stack_frame place[PLACES_MOST];
	size_t length = length_of(traceback);
	int count, fits;

	if (!length || !most || w->full)
		return true;
	if (most > PLACES_MOST)
		most = PLACES_MOST;
	count = take_places(traceback, length > most ? length - most : 0,
			    place);
	fits = fitting(w, place, count);
	if (!fits)
		return false;
	json_key(w, "$traceback");
	json_array_begin(w);
	for (int i = count - fits; i < count; i++)
		json_raw(w, place[i].text, place[i].length);
	json_array_end(w);
	return (size_t)fits == length;
}
