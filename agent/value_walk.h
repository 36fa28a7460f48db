/* SPDX-License-Identifier: MIT */
/*
 * value_walk: the parts of value among themselves: the state of one walk, and
 * what is written around a value that may be cut.
 *
 * Room. A part that is open has set VALUE_RESERVE bytes aside, so that it can
 * always be closed, marked as cut, and turned from its plain into its typed
 * form. Whoever writes into it stops at `full` and goes back to the last
 * whole piece.
 */
#ifndef NOPDB_AGENT_VALUE_WALK_H
#define NOPDB_AGENT_VALUE_WALK_H

#include "agent/python.h"
#include "proto/json_write.h"
#include "proto/probe_spec.h"

enum {
	/* `{"$type":"dict","$items":{` and `],"$truncated":true,"$len":N}`,
	 * or the short form of any type. */
	VALUE_RESERVE = 96,
	/* Levels of JSON around a value in a record: the record and `args`. */
	VALUE_NESTING = 2,
};

struct value_walk {
	struct json_writer *w;
	const struct redaction *redaction;
	bool types;		  /* types are withheld, too */
	bool arrays;		  /* whole, as far as there is room */
	const struct repr *repr;  /* of the outermost object, or NULL */
	struct object *traceback; /* of the outermost exception, or NULL: its
				   * own */
	const struct probe_limits *limits;
	uint32_t items, string; /* limits; UINT32_MAX: none */
	int depth;		/* levels of containers left */
	int nesting;		/* levels of JSON in use */
	int path_length;
	const struct object *path[LIMIT_JSON_DEPTH]; /* containers around us */
};

/* How a kind of value that may be cut is written. `plain` is the bracket
 * alone, with which `typed` ends as well; NULL when there is no plain form.
 * close: 0 when there is nothing to close. */
struct value_form {
	const char *name;
	const char *plain;
	const char *typed;
	char close;
};

struct value_part {
	const struct value_form *form;
	struct json_mark mark;
	bool typed;
};

/* Opens a part. Without room for its beginning writes the short form, without
 * room for that sets `full`; returns false in both cases. length: of the whole
 * value, for the short form. */
bool value_open(struct json_writer *w, struct value_part *part,
		const struct value_form *form, bool typed, size_t length);

/* Closes it; a part that is cut tells its length. Not while `full`. */
void value_close(struct json_writer *w, const struct value_part *part, bool cut,
		 size_t length);

/* {"$type":NAME,"$truncated":true,"$len":N} */
void value_short(struct json_writer *w, const char *name, size_t length);

/* Text that follows what was written, without a comma. */
void value_append(struct json_writer *w, const char *text, size_t length);

/* Any value, by its type. */
void value_any(struct value_walk *walk, struct object *object);

/* Enters a container that takes `levels` levels of JSON. Where a cycle closes
 * or the depth ends it writes the value and returns false. */
bool value_enter(struct value_walk *walk, const struct object *object,
		 const char *name, int levels, size_t length);
void value_leave(struct value_walk *walk, int levels);

/* The steps of value_enter: {"$ref"} where a cycle closes; is this below the
 * limit of depth, of the nesting of JSON; one more around us. */
bool value_in_cycle(struct value_walk *walk, const struct object *object);
bool value_too_deep(const struct value_walk *walk, int levels);
bool value_too_nested(const struct value_walk *walk, int levels);
void value_push(struct value_walk *walk, const struct object *object,
		int levels);

/* value_secret.c: what is withheld. None, True and False are no secrets. */
bool value_is_secret(const struct object *object);

/* redact_known(), which is remembered. */
bool value_name_known(const char *name, size_t length);

/* By name: of a variable, a key, an
 * attribute. */
bool value_hides(const struct value_walk *walk, const char *name, size_t length,
		 const struct object *value);

/* The same by a key: a str, bytes, or anything else, which hides nothing. */
bool value_key_hides(const struct value_walk *walk, struct object *key,
		     const struct object *value);

/* {"$type":TYPE,"$redacted":REASON} */
void value_redacted(struct json_writer *w, const struct object *object,
		    const char *reason);

/* Withholds a value for its type; false: it may be shown. */
bool value_type_hidden(struct value_walk *walk, const struct object *object);

/* Strict mode: withholds what was written since the mark, the text of a value
 * that looks like a secret. cut: the text goes on. */
void value_strict(struct value_walk *walk, struct json_mark mark,
		  const struct object *object, bool cut);

/* Strict mode: is this str or bytes, as a key, a secret itself? */
bool value_key_gives_away(const struct value_walk *walk, struct object *key);

/* Strict mode: withholds bytes before they are written; false: show them. */
bool value_bytes_strict(struct value_walk *walk, const struct object *object,
			const char *bytes, size_t shown, bool cut);

/* value_number.c: exact types */
void value_int(struct value_walk *walk, struct object *object);
void value_float(struct value_walk *walk, struct object *object);
void value_complex(struct value_walk *walk, struct object *object);

/* The same for numbers that are no objects. */
void value_integer(struct json_writer *w, int64_t value, bool is_signed);
void value_double(struct json_writer *w, double value);
void value_double_complex(struct json_writer *w, double real, double imaginary);

/* value_text.c: exact types */
void value_str(struct value_walk *walk, struct object *object);
void value_bytes(struct value_walk *walk, struct object *object);
void value_bytearray(struct value_walk *walk, struct object *object);

/* A str in the given form, at most `most` characters of it. */
void value_text(struct json_writer *w, const struct value_form *form,
		struct object *str, size_t most);

/* Up to count characters of a str into a JSON string that is open, stopping
 * at `full`. Returns how many are written. */
size_t value_characters(struct json_writer *w, struct object *str,
			size_t count);

/* Up to size bytes of a str (or of a class made of it) as UTF-8, no NUL;
 * how many. */
size_t value_copy_text(struct object *str, char *to, size_t size);

/* value_container.c: exact types */
void value_list(struct value_walk *walk, struct object *object);
void value_tuple(struct value_walk *walk, struct object *object);
void value_set(struct value_walk *walk, struct object *object);
void value_frozenset(struct value_walk *walk, struct object *object);
void value_dict(struct value_walk *walk, struct object *object);
void value_frozendict(struct value_walk *walk, struct object *object);
void value_range(struct value_walk *walk, struct object *object);
void value_slice(struct value_walk *walk, struct object *object);

/* The items of a list, tuple or set, or of a class made of one; of a dict.
 * Without brackets. False: cut. */
bool value_fill_items(struct value_walk *walk, struct object *object);
struct ordered;
bool value_fill_dict(struct value_walk *walk, struct object *dict,
		     const struct ordered *ordered, bool plain);

/* Is it written as an object, not as pairs? ordered: its entries in an order
 * of their own, or NULL. */
bool value_dict_is_plain(const struct value_walk *walk, struct object *dict,
			 const struct ordered *ordered);

/* How many entries of a dict are worth looking at. */
size_t value_worth(const struct value_walk *walk, struct object *dict);

/* Can this be the name of a JSON member, whole? */
bool value_is_member_name(const struct value_walk *walk, struct object *key);

/* How many items it has. */
size_t value_length(struct object *object);

/* Is it a dict, or of a class made of that? A frozendict is one, too (3.15):
 * but by its flags; PyDict_Next and its like take it. */
bool value_is_dict(const struct object *object);

/* value_whole.c: {"$type":TYPE,"$id":"0x..",MEMBERS}: an object with members
 * of which each is whole or left out. */
struct value_whole {
	struct value_walk *walk;
	bool cut;
	size_t length; /* of what was cut; 0: not told */
};

enum { WHOLE_LEVELS = 2 };

/* EMPTY: it has no members. LEAF: they do not count as a level of depth. */
enum value_shape { VALUE_EMPTY, VALUE_LEAF, VALUE_TREE };

/* Writes the head. False when that is all there is to be: in a cycle, too
 * deep, or (full) for want of room. */
bool value_begin(struct value_whole *whole, struct value_walk *walk,
		 struct object *object, enum value_shape shape);
void value_end(struct value_whole *whole);

/* Members. The name of a value that may be withheld for it is `key` without
 * its "$". object NULL: no member. */
void value_add(struct value_whole *whole, const char *key,
	       struct object *object);
void value_add_as(struct value_whole *whole, const char *key,
		  struct object *object,
		  void (*write)(struct value_walk *, struct object *));
void value_add_text(struct value_whole *whole, const char *key,
		    const char *text);
void value_add_type_name(struct value_whole *whole, struct object *type);
void value_add_str(struct value_whole *whole, const char *key,
		   struct object *str);
void value_add_int(struct value_whole *whole, const char *key, int64_t value);
/* A tuple of small ints. */
void value_add_sizes(struct value_whole *whole, const char *key,
		     struct object *tuple);
/* A member in parts: what finds no room since the mark is taken back; one that
 * is an object or an array has room for its bracket at the end. */
void value_settle(struct value_whole *whole, struct json_mark mark);
bool value_open_inner(struct value_whole *whole, const char *key, bool object);
void value_close_inner(struct value_whole *whole, bool object);
/* $items or $pairs */
void value_add_content(struct value_whole *whole, struct object *object);
/* $items, by functions of C. */
void value_add_sequence(struct value_whole *whole, struct object *object,
			size_t length,
			struct object *(*item)(struct object *, pyssize));
/* $attrs of a tuple with names for its items, a tuple of str. */
void value_add_fields(struct value_whole *whole, struct object *tuple,
		      struct object *names);
/* $attrs, when there are any. omit: one that is not shown there, or NULL. */
void value_add_attributes(struct value_whole *whole, struct object *object,
			  const char *omit);
/* "module:qualname" of a function or class, from these attributes. */
void value_add_name(struct value_whole *whole, struct object *module,
		    struct object *qualname);

/* value.c: the next value that is written is an exception that came this way,
 * which it may not know yet itself. */
void value_next_traceback(struct object *traceback);

/* value_other.c: all but the exact built-in types of data */
void value_other(struct value_walk *walk, struct object *object);

/* value_instance.c: objects of classes made in Python, and what they are made
 * of */
void value_instance(struct value_walk *walk, struct object *object);
void value_exception(struct value_walk *walk, struct object *object);

/* value_traceback.c: "$traceback", where an exception came from:
 * [{"function","file","line","column"}..], innermost last, at most so many,
 * and as there is room for. traceback NULL: no member. False: cut. */
bool value_traceback(struct json_writer *w, struct object *traceback,
		     uint32_t most);
/* __traceback__, borrowed, or NULL. */
struct object *value_traceback_of(struct object *exception);

/* value_code.c: what runs, and what it is kept in */
void value_function(struct value_walk *walk, struct object *object);
void value_builtin(struct value_walk *walk, struct object *object);
void value_method(struct value_walk *walk, struct object *object);
void value_class(struct value_walk *walk, struct object *object);
void value_module(struct value_walk *walk, struct object *object);
void value_code(struct value_walk *walk, struct object *object);
void value_frame(struct value_walk *walk, struct object *object);
void value_generator(struct value_walk *walk, struct object *object);

/* value_native.c: types of C in the standard library, by their layout */
void value_deque(struct value_walk *walk, struct object *object);
void value_defaultdict(struct value_walk *walk, struct object *object);
void value_weakref(struct value_walk *walk, struct object *object);
void value_mappingproxy(struct value_walk *walk, struct object *object);
void value_partial(struct value_walk *walk, struct object *object);

/* value_time.c */
void value_date(struct value_walk *walk, struct object *object);
void value_time(struct value_walk *walk, struct object *object);
void value_datetime(struct value_walk *walk, struct object *object);
void value_timedelta(struct value_walk *walk, struct object *object);
void value_timezone(struct value_walk *walk, struct object *object);
void value_decimal(struct value_walk *walk, struct object *object);

/* value_array.c: $dtype, $shape, $strides, $stats and $items of an array;
 * fields (or NULL): the names of a structured one. */
struct array;
struct array_fields;
void value_add_array(struct value_whole *whole, struct object *object,
		     const struct array *array,
		     const struct array_fields *fields);
/* One item as a value. object: what it is part of. */
struct element;
void value_element(struct value_walk *walk, struct object *object,
		   const struct element *element, const char *at);
/* $value: the same as a member. */
void value_add_element(struct value_whole *whole, struct object *object,
		       const struct element *element, const char *at);

/* value_buffer.c: what gives its memory by the buffer protocol of C */
void value_array_array(struct value_walk *walk, struct object *object);
void value_memoryview(struct value_walk *walk, struct object *object);
void value_mmap(struct value_walk *walk, struct object *object);

/* value_ctypes.c */
void value_ctypes_array(struct value_walk *walk, struct object *object);
void value_ctypes_simple(struct value_walk *walk, struct object *object);
void value_ctypes_record(struct value_walk *walk, struct object *object);

/* value_numpy.c */
void value_ndarray(struct value_walk *walk, struct object *object);
void value_numpy_scalar(struct value_walk *walk, struct object *object);

/* value_pandas.c; false: it is none of pandas' */
bool value_pandas(struct value_walk *walk, struct object *object);

/* value_tensor.c */
void value_tensor(struct value_walk *walk, struct object *object);

/* value_type.c: what is known by type and address only */
void value_object(struct json_writer *w, const struct object *object);

/* The same as a value in its own right; None is null. */
void value_identity(struct value_walk *walk, struct object *object);

/* A type's module and qualified name as a JSON string. */
void value_type_name(struct json_writer *w, struct object *type);

#endif
