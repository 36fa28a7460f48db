/* SPDX-License-Identifier: MIT */
/*
 * value: a Python object as JSON, walked in C by exact type. Runs no user
 * code, allocates nothing that the collector tracks, so it never gives up the
 * GIL.
 *
 * Plain JSON: None, bool, int within 2^53, finite float, str, list, and dict
 * whose keys are all str, not longer than the string limit, none starting
 * with "$". All else is an object:
 *
 *   int       {"$type":"int","$repr":"36893488147419103232"}; "0x.." when it
 *             is too long for decimal; {"$type":"int","$bits":N,
 *             "$truncated":true} when too long for that as well
 *   float     {"$type":"float","$repr":"nan"}: nan, inf, -inf
 *   complex   {"$type":"complex","$repr":"(1+2j)"}
 *   bytes     {"$type":"bytes","$base64":".."}; bytearray the same
 *   tuple     {"$type":"tuple","$items":[..]}; set and frozenset the same
 *   dict      {"$type":"dict","$pairs":[[key,value],..]}
 *   range     {"$type":"range","$start":0,"$stop":9,"$step":1}; slice the
 *             same
 *   Ellipsis  {"$type":"ellipsis"}
 *   others    {"$type":"app.User","$id":"0x7f..",MEMBERS}: module and
 *             qualified name of the type (the builtins have no module), and:
 *
 *     any object    "$attrs":{..}: slots and __dict__, when there are any
 *     made of list, tuple, set, dict, deque: "$items" or "$pairs" as above
 *     made of str, bytes, int, float, complex: "$value"
 *     named tuple   "$attrs":{..}: its fields
 *     enum          "$name":"RED","$value":1
 *     defaultdict   "$default_factory"; deque "$maxlen", when it has one
 *     exception     "$args", "$notes", "$cause", or else "$context";
 *                   "$traceback": places as in a record's stack, innermost
 *                   last, as many as the limit of that
 *     function, class, module, code, frame, method: "$name", "$file",
 *                   "$line"; method: "$self"; partial: "$function", "$args",
 *                   "$keywords"
 *     generator, coroutine: "$name", "$file", "$line", "$running"; "$at": its
 *                   current line; "$awaits": what it is suspended in
 *     weakref       "$to":{"$type","$id"} or null; mappingproxy "$value"
 *     datetime's    "$iso", "$tzinfo" where its offset takes code to know,
 *                   "$fold":1 of the second of two equal times;
 *                   timedelta "$days", "$seconds", "$microseconds"
 *     Decimal       "$repr"
 *     arrays (numpy, array, memoryview, ctypes, torch's tensors)
 *                   "$dtype":"<f8" as numpy has it, "$shape", "$strides" in
 *                   bytes, "$stats":{"min","max","mean","nan"} of the first
 *                   "$sampled" items (of all without it), "$items": the first
 *                   ones, flat in the order of C, or "$base64": the bytes of
 *                   all. Structured: "$fields":[[name,dtype,offset],..], items
 *                   as tuples. Tensors: "$device"; of those that have no
 *                   memory to be read as it is "$dtype":"torch.float32". A
 *                   time that is not one is null. Memory that may be gone
 *                   (mapped files, addresses of ctypes) is not read
 *     pandas        series, indexes "$shape", "$dtype"; frames "$shape",
 *                   "$dtypes", one of each block; a class's name where the
 *                   items are not numpy's
 *     numbers of numpy and ctypes "$value"; records of ctypes "$attrs"
 *
 *   A probe that asks for it: "$repr" of the outermost object, or
 *   "$repr_error":{"type","message","value"}
 *
 *   cycle     {"$ref":"0x7f.."}: a container that this value is inside of
 *   withheld  {"$type":"str","$redacted":"name"}: whatever it is;
 * proto/redact.h has the reasons. Names are those of variables, keys and
 *             attributes, the first of a pair (a header), the function of
 *             what is returned
 *
 * What is cut says so, with its whole length (characters, bytes, items):
 *
 *   str       {"$type":"str","$value":"..","$truncated":true,"$len":N}
 *   int       {"$type":"int","$repr":"..","$truncated":true,"$len":N}
 *   bytes     {"$type":"bytes","$base64":"..","$truncated":true,"$len":N}
 *   list      {"$type":"list","$items":[..],"$truncated":true,"$len":N};
 *             tuple, set and frozenset the same
 *   dict      {"$type":"dict","$items":{..},"$truncated":true,"$len":N}, or
 *             with "$pairs":[..] as above
 *   below the depth limit, where it is not empty:
 *             {"$type":"list","$truncated":true,"$len":N}
 *   others    the same after their members; without "$len" where it is not
 *             known
 */
#ifndef NOPDB_AGENT_VALUE_H
#define NOPDB_AGENT_VALUE_H

#include "agent/python.h"
#include "proto/json_write.h"
#include "proto/probe_spec.h"

/* Writes one value; object NULL is written as null. When the writer runs out
 * of room in the middle, the value is cut so that the text stays valid; if
 * not even that fits, the writer is `full`. */
void value_write(struct json_writer *w, struct object *object,
		 const struct probe_limits *limits);

/* The same for a value that goes by a name, which may withhold it. known: what
 * redact_known() says of the name. */
void value_write_named(struct json_writer *w, const char *name, size_t length,
		       bool known, struct object *object,
		       const struct probe_limits *limits);

/* The name that an expression (JSON text, with quotes) goes by when it is a
 * name, an attribute or a key of something: that one; its length, or 0. */
size_t value_expression_name(const char *text, size_t length,
			     const char **ret_name);

/* The same for the value of an expression (JSON text, with quotes): one that is
 * a plain name is withheld as a variable of that name is. */
void value_write_expression(struct json_writer *w, const char *text,
			    size_t text_length, struct object *value,
			    const struct probe_limits *limits);
/* The member that says of something that it was cut; so often it was written.
 * Whoever writes a record compares. */
void value_truncated(struct json_writer *w);
extern unsigned value_cuts;
/* The next value that is written is told with its repr (or NULL), when it is
 * an object with members: "$repr":"..", or "$repr_error":{"type",..}. */
struct repr;
void value_next_repr(const struct repr *repr);

/* {"type":..,"message":..,"value":..}: an exception, normalised or not. A
 * message that is cut is followed by "$truncated":true,"$len":N. It is what
 * str() gives for exceptions that do not bring a __str__ of their own and
 * have plain arguments; else a first argument that is a str, else "". Type and
 * value NULL: {"type":null,"message":null,"value":null}. traceback: the way it
 * came, or NULL when the exception knows itself. */
void value_write_exception(struct json_writer *w, struct object *type,
			   struct object *value, struct object *traceback,
			   const struct probe_limits *limits);

#endif
