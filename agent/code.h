/* SPDX-License-Identifier: MIT */
/*
 * code: a code object that at least one probe matched, with everything about
 * it that a record needs rendered once. Found by the object's address in a
 * hash table; the object is held, so the address cannot be reused.
 *
 * Created by match_code(), released when its last probe goes and no call of
 * it is in flight (call_in_flight), or when the agent leaves.
 */
#ifndef NOPDB_AGENT_CODE_H
#define NOPDB_AGENT_CODE_H

#include <stdbool.h>

#include "agent/python.h"
#include "proto/json_write.h"

struct probe;
struct hit_plan;

enum {
	CODE_PROBES = 32,     /* probes on one code object */
	CODE_STOPS = 256,     /* places where they stop */
	CODE_VARIABLES = 512, /* more are counted, not captured */
};

/* CPython's co_flags, stable 3.7-3.15 */
enum code_flags {
	CODE_OPTIMIZED = 0x1,
	CODE_NEWLOCALS = 0x2,
	CODE_VARARGS = 0x4,
	CODE_VARKEYWORDS = 0x8,
	CODE_GENERATOR = 0x20,
	CODE_COROUTINE = 0x80,
	CODE_ITERABLE_COROUTINE = 0x100,
	CODE_ASYNC_GENERATOR = 0x200,
};

/* A call of such code suspends and resumes. */
#define CODE_SUSPENDS (CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR)

enum variable_kind { VARIABLE_LOCAL, VARIABLE_CELL, VARIABLE_FREE };

struct variable {
	struct object *name; /* held; a str */
	const char *key;     /* JSON: "name": with quotes and colon */
	unsigned short key_length;
	unsigned char kind; /* enum variable_kind */
	bool is_cell;	    /* a local that is also a cell */
	bool is_secret;	    /* by its name, redact_known() */
	short slot;	    /* of the engine; -1 unknown */
	short cell_slot;    /* <= 3.10: where a cell argument lives */
};

/* What the engine is to report of a code object that is armed. */
enum code_wants {
	CODE_WANTS_CALLS = 1,  /* call_begin() .. call_return() */
	CODE_WANTS_START = 2,  /* hit_call() when a call starts */
	CODE_WANTS_LINES = 4,  /* hit_line() for the lines in stops[] */
	CODE_WANTS_YIELDS = 8, /* of call_suspend(), not of the engine */
};

/* Where a breakpoint stops in the code object. */
struct code_stop {
	struct probe *probe;
	struct hit_plan *plan; /* agent/hit.h; of the probe, NULL before */
	int line;	       /* 0: when a call starts */
};

/* What a code object is called, UTF-8. alias: the name under which a main
 * module was run, "" for all others. */
struct code_names {
	const char *module, *alias, *qualname;
};

struct code {
	struct object *object; /* held */
	struct code *next;     /* in its hash bucket */
	const char *place;     /* "function":..,"file":..,"line": */
	unsigned place_length;
	char *function; /* JSON string "module:qualname" */
	char *file;	/* JSON string, co_filename */
	unsigned function_length, file_length; /* with quotes */
	int line;			       /* co_firstlineno */
	bool is_secret;	    /* what it returns is, by its name */
	int flags;	    /* enum code_flags */
	int argument_count; /* variables[0..n): in the order of the
			     * signature, *args and **kwargs last */
	int variable_count;
	struct variable *variables;
	struct probe *probes[CODE_PROBES];
	int probe_count;
	struct code_stop *stops; /* in the order in which they were set */
	int stop_count, stop_room;
	unsigned wants;	    /* enum code_wants, by probes and stops */
	bool armed;	    /* the engine watches it */
	bool changed;	    /* wants or stops, since it was armed */
	unsigned in_flight; /* calls begun and not ended */
	unsigned serial;    /* in the order of adding */
	unsigned asked;	    /* the engine's: its rematch() when all
			     * probes were last asked */
	struct code_names names;
	char *texts; /* function, file, keys, names: one
		      * block */
	unsigned texts_size;
	int variables_room; /* of the block `variables` */
};

/* The entry of a code object, NULL when no probe matched it. The hot path of
 * the engines. */
struct code *code_find(const struct object *object);

/* Makes an entry (or returns the one there is); NULL without memory. Copies
 * the names. Leaves no error indicator. */
struct code *code_add(struct object *object, const struct code_names *names);

/* Adds a probe to it; false when CODE_PROBES are there already. */
bool code_add_probe(struct code *code, struct probe *probe);
/* With its stops. */
void code_remove_probe(struct code *code, struct probe *probe);

/* Makes a probe that is there stop at a line (0: the call); false without
 * room. Setting one twice is setting it once. */
bool code_add_stop(struct code *code, struct probe *probe, int line);

/* Does any probe stop there? */
bool code_stops_at(const struct code *code, int line);
bool code_has_probe(const struct code *code, const struct probe *probe);

/* Frees an entry that has no probe and no call in flight; else keeps it. */
void code_collect(struct code *code);

/* Calls visit for each entry, which may remove itself. */
void code_each(void (*visit)(struct code *code, void *arg), void *arg);

/* {"function","file","line"}: where it is, for answers and reports; the line is
 * the first at which the probe stops, if it stops at one. */
void code_write(const struct code *code, const struct probe *probe,
		struct json_writer *w);

/* Releases all entries, whatever is in flight. */
void code_release_all(void);

#endif
