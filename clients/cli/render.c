/* SPDX-License-Identifier: MIT */
#include "clients/cli/render.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "clients/cli/duration.h"
#include "clients/cli/value.h"

#define INDENT "    "
#define THREAD_COLUMNS 20
/* However narrow the terminal, this much of arguments and outcome stays. */
#define PART_LEAST 12
#define LOCATIONS_SHOWN 3

static void add_clock(struct text *text, struct view time_view)
{
	double seconds = view_double(time_view, -1);
	struct tm tm;
	time_t whole;

	if (!(seconds >= 0) || seconds > 1e12) {
		text_add(text, "--:--:--.---");
		return;
	}
	whole = (time_t)seconds;
	if (!localtime_r(&whole, &tm))
		return;
	text_addf(text, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec,
		  (int)((seconds - (double)whole) * 1000));
}

/* name=value, name=value */
static void add_named(struct text *text, struct view object)
{
	struct view_walk walk = view_walk(object);
	struct view key;
	struct view value;
	bool first = true;

	while (view_next(&walk, &key, &value)) {
		if (!first)
			text_add(text, ", ");
		first = false;
		value_render_plain(text, key);
		text_add(text, "=");
		value_render(text, value);
	}
}

static void add_arguments(struct text *text, struct view record)
{
	struct view arguments = view_member(record, "args");

	text_add(text, "(");
	if (view_kind(arguments) == VIEW_OBJECT)
		add_named(text, arguments);
	else if (view_is(view_member(record, "began"), "before"))
		text_add(text, "began before");
	else
		text_add(text, "...");
	text_add(text, ")");
}

/* Type: message */
static void add_error(struct text *text, struct view error)
{
	struct view message = view_member(error, "message");

	if (view_kind(view_member(error, "type")) == VIEW_STRING)
		value_render_plain(text, view_member(error, "type"));
	else
		text_add(text, "an exception");
	if (view_kind(message) == VIEW_STRING && message.length > 2) {
		text_add(text, ": ");
		value_render_plain(text, message);
	}
}

static void add_outcome(struct text *text, struct view record)
{
	struct view exception = view_member(record, "exception");
	struct view value = view_member(record, "return");

	if (view_kind(exception) == VIEW_OBJECT) {
		text_add(text, " !");
		add_error(text, exception);
	} else if (value.length > 0) {
		text_add(text, " -> ");
		value_render(text, value);
	}
}

static void add_tail(struct text *text, struct view record)
{
	struct view name = view_member(view_member(record, "thread"), "name");
	int64_t ns = view_int(view_member(record, "duration_ns"), -1);
	char buf[DURATION_TEXT];
	size_t from;

	if (ns >= 0)
		text_addf(text, "  %s", duration_text((uint64_t)ns, buf));
	if (view_kind(name) == VIEW_STRING) {
		text_add(text, "  ");
		from = text->length;
		value_render_plain(text, name);
		text_cut(text, from, THREAD_COLUMNS);
	}
}

/* How many columns the arguments and the outcome get of those that are left:
 * what they need; when that is too much, what one leaves of its half goes to
 * the other. */
static void share(size_t room, size_t *arguments, size_t *outcome)
{
	size_t half = room / 2;

	if (*arguments + *outcome <= room)
		return;
	if (*outcome <= half)
		*arguments = room - *outcome;
	else if (*arguments <= half)
		*outcome = room - *arguments;
	else
		*arguments = *outcome = half;
	if (*arguments < PART_LEAST)
		*arguments = PART_LEAST;
	if (*outcome < PART_LEAST)
		*outcome = PART_LEAST;
}

static void add_call_line(struct text *text, struct view record,
			  const struct render *how)
{
	struct text arguments = TEXT_INIT;
	struct text outcome = TEXT_INIT;
	struct text tail = TEXT_INIT;
	size_t from = text->length;

	add_clock(text, view_member(record, "time"));
	text_add(text, " ");
	if (how->probe)
		text_addf(text, "#%" PRId64 " ",
			  view_int(view_member(record, "probe"), 0));
	value_render_plain(text, view_member(record, "function"));
	add_arguments(&arguments, record);
	add_outcome(&outcome, record);
	add_tail(&tail, record);
	if (how->columns) {
		size_t taken = text_columns(text_string(text) + from) +
			       text_columns(text_string(&tail));
		size_t a = text_columns(text_string(&arguments));
		size_t o = text_columns(text_string(&outcome));

		share(how->columns > taken ? how->columns - taken : 0, &a, &o);
		text_cut(&arguments, 0, a);
		text_cut(&outcome, 0, o);
	}
	text_add(text, text_string(&arguments));
	text_add(text, text_string(&outcome));
	text_add(text, text_string(&tail));
	text_add(text, "\n");
	text_release(&arguments);
	text_release(&outcome);
	text_release(&tail);
}

static void end_line(struct text *text, size_t from, size_t columns)
{
	if (columns)
		text_cut(text, from, columns);
	text_add(text, "\n");
}

/* The locals that the arguments do not show already. */
static void add_locals(struct text *text, struct view record, size_t columns)
{
	struct view arguments = view_member(record, "args");
	struct view_walk walk = view_walk(view_member(record, "locals"));
	size_t from = text->length;
	struct text before = TEXT_INIT;
	struct text now = TEXT_INIT;
	struct view key;
	struct view value;

	while (view_next(&walk, &key, &value)) {
		struct text name = TEXT_INIT;
		struct view argument;

		value_render_plain(&name, key);
		argument = view_member(arguments, text_string(&name));
		text_rewind(&before, 0);
		text_rewind(&now, 0);
		value_render(&before, argument);
		value_render(&now, value);
		if (argument.length == 0 ||
		    strcmp(text_string(&before), text_string(&now)) != 0) {
			text_add(text, text->length == from ? INDENT : ", ");
			text_add(text, text_string(&name));
			text_add(text, "=");
			text_add(text, text_string(&now));
		}
		text_release(&name);
	}
	if (text->length > from)
		end_line(text, from, columns);
	text_release(&before);
	text_release(&now);
}

static void add_source(struct text *text, struct view frame, size_t columns)
{
	struct view source = view_member(frame, "source");
	size_t from = text->length;

	if (view_kind(source) != VIEW_STRING)
		return;
	text_add(text, INDENT INDENT);
	value_render_plain(text, source);
	end_line(text, from, columns);
}

static void add_stack(struct text *text, struct view record, size_t columns)
{
	struct view_walk walk = view_walk(view_member(record, "stack"));
	struct view key;
	struct view frame;

	while (view_next(&walk, &key, &frame)) {
		size_t from = text->length;

		text_add(text, INDENT "in ");
		value_render_plain(text, view_member(frame, "function"));
		text_add(text, "  ");
		value_render_plain(text, view_member(frame, "file"));
		text_addf(text, ":%" PRId64,
			  view_int(view_member(frame, "line"), 0));
		end_line(text, from, columns);
		add_source(text, frame, columns);
	}
}

/* expr=value, or what went wrong with it. */
static void add_evaluated(struct text *text, struct view item)
{
	struct view error = view_member(item, "error");

	value_render_plain(text, view_member(item, "expr"));
	value_render_plain(text, view_member(item, "function"));
	if (view_kind(error) != VIEW_OBJECT) {
		text_add(text, "=");
		value_render(text, view_member(item, "value"));
		return;
	}
	text_add(text, " !");
	add_error(text, error);
}

/* Every element of an array as a line of its own. */
static void add_lines(struct text *text, struct view array, size_t columns,
		      void (*add)(struct text *text, struct view item))
{
	struct view_walk walk = view_walk(array);
	struct view key;
	struct view item;

	while (view_kind(array) == VIEW_ARRAY &&
	       view_next(&walk, &key, &item)) {
		size_t from = text->length;

		text_add(text, INDENT);
		add(text, item);
		end_line(text, from, columns);
	}
}

/* When it was, and at which line. */
static void add_line(struct text *text, struct view record,
		     const struct render *how)
{
	add_clock(text, view_member(record, "time"));
	text_add(text, " ");
	if (how->probe)
		text_addf(text, "#%" PRId64 " ",
			  view_int(view_member(record, "probe"), 0));
	value_render_plain(text, view_member(record, "function"));
	text_addf(text, ":%" PRId64, view_int(view_member(record, "line"), 0));
}

static void add_yield(struct text *text, struct view record,
		      const struct render *how)
{
	size_t from = text->length;

	add_line(text, record, how);
	text_add(text, " yields ");
	value_render(text, view_member(record, "value"));
	add_tail(text, record);
	end_line(text, from, how->columns);
}

/* Where it was, and in which thread; what the actions left stands below. */
static void add_hit(struct text *text, struct view record,
		    const struct render *how)
{
	size_t from = text->length;

	add_line(text, record, how);
	add_tail(text, record);
	end_line(text, from, how->columns);
	add_lines(text, view_member(record, "eval"), how->columns,
		  add_evaluated);
	add_lines(text, view_member(record, "log"), how->columns,
		  value_render_plain);
	add_lines(text, view_member(record, "call"), how->columns,
		  add_evaluated);
	add_stack(text, record, how->columns);
}

void render_record(struct text *text, struct view record,
		   const struct render *how)
{
	if (view_is(view_member(record, "event"), "hit")) {
		add_hit(text, record, how);
		return;
	}
	if (view_is(view_member(record, "event"), "yield")) {
		add_yield(text, record, how);
		return;
	}
	if (!view_is(view_member(record, "event"), "call"))
		return;
	add_call_line(text, record, how);
	add_locals(text, record, how->columns);
	if (how->stack)
		add_stack(text, record, how->columns);
}

/* The first few; all of them are in the JSON form. */
static void add_locations(struct text *text, struct view locations)
{
	struct view_walk walk = view_walk(locations);
	struct view key;
	struct view location;
	size_t shown = 0;

	while (shown < LOCATIONS_SHOWN && view_next(&walk, &key, &location)) {
		text_add(text, shown++ ? ", " : ": ");
		value_render_plain(text, view_member(location, "function"));
		text_add(text, " (");
		value_render_plain(text, view_member(location, "file"));
		text_addf(text, ":%" PRId64 ")",
			  view_int(view_member(location, "line"), 0));
	}
	if (view_count(locations) > shown)
		text_addf(text, " and %zu more", view_count(locations) - shown);
}

/* Those that the probe does not reach. */
static void add_interpreters(struct text *text, struct view interpreters)
{
	struct view_walk walk = view_walk(interpreters);
	struct view key;
	struct view one;

	while (view_next(&walk, &key, &one)) {
		if (view_true(view_member(one, "watched")))
			continue;
		text_add(text, "; not in every interpreter: ");
		value_render_plain(text, view_member(one, "reason"));
		return;
	}
}

static void add_probe(struct text *text, struct view record)
{
	struct view reason = view_member(record, "reason");

	text_addf(text, "probe %" PRId64 " ",
		  view_int(view_member(record, "probe"), 0));
	value_render_plain(text, view_member(record, "state"));
	add_locations(text, view_member(record, "locations"));
	if (view_kind(reason) == VIEW_STRING) {
		text_add(text, ": ");
		value_render_plain(text, reason);
	}
	add_interpreters(text, view_member(record, "interpreters"));
}

static void add_ending(struct text *text, struct view record)
{
	int64_t number = view_int(view_member(record, "signal"), 0);
	int64_t status = view_int(view_member(record, "status"), 0);

	if (view_is(view_member(record, "reason"), "exec"))
		text_add(text, ": it runs another program now");
	else if (number)
		text_addf(text, ": signal %" PRId64, number);
	else if (status)
		text_addf(text, ": exit status %" PRId64, status);
}

bool render_event(struct text *text, struct view record)
{
	struct view event = view_member(record, "event");
	int64_t pid = view_int(view_member(record, "pid"), 0);

	if (view_is(event, "attached")) {
		text_addf(text, "attached to %" PRId64 ": Python ", pid);
		value_render_plain(text, view_member(record, "python"));
		text_addf(text, ", one thread paused for %" PRId64 " us",
			  view_int(view_member(record, "pause_us"), 0));
	} else if (view_is(event, "detached")) {
		text_addf(text, "detached from %" PRId64, pid);
	} else if (view_is(event, "target_exit")) {
		text_addf(text, "process %" PRId64 " ended", pid);
		add_ending(text, record);
	} else if (view_is(event, "probe")) {
		add_probe(text, record);
	} else if (view_is(event, "lost")) {
		text_addf(text, "%" PRId64 " records lost: ",
			  view_int(view_member(record, "count"), 0));
		value_render_plain(text, view_member(record, "reason"));
	} else if (view_is(event, "error")) {
		text_addf(text, "probe %" PRId64 ": ",
			  view_int(view_member(record, "probe"), 0));
		value_render_plain(text, view_member(record, "where"));
		text_add(text, " ");
		value_render_plain(text, view_member(record, "text"));
		text_add(text, ": ");
		add_error(text, view_member(record, "error"));
	} else {
		return false;
	}
	return true;
}
