/* SPDX-License-Identifier: MIT */
#include "agent/discover.h"

#include "agent/frames.h"
#include "agent/gil.h"
#include "agent/match.h"
#include "agent/memory.h"
#include "agent/sys.h"
#include "agent/walk.h"

enum {
	FRAMES_MOST = 1000, /* distinct code objects on all stacks */
	HOLD_NS = 2000000,  /* of the GIL, without a pause */
};

/* Is this a module object, of whatever class? Follows tp_base. */
static bool is_module(struct object *object)
{
	struct object *type = object->type;

	while (type && type != py.PyModule_Type)
		type = PY_FIELD(struct object *, type, TYPE_BASE);
	return type != NULL;
}

/* Walks the namespaces of the loaded modules that fit, with a pause whenever
 * the program has waited long enough. */
static int visit_modules(const struct location *where, struct walk *walk)
{
	struct object *loaded = py.PyImport_GetModuleDict(), *modules;
	uint64_t since = sys_monotonic();
	int result = 0;

	if (!loaded || !py_is(loaded, py.PyDict_Type))
		return 0;
	modules = py.PyDict_Values(loaded);
	if (!modules) {
		py.PyErr_Clear();
		return 0;
	}
	for (pyssize i = 0; i < py.PyList_Size(modules) && !walk->stop; i++) {
		struct object *module = py.PyList_GetItem(modules, i), *globals;

		if (!is_module(module))
			continue;
		globals = py.PyModule_GetDict(module);
		if (globals && match_module(where, globals))
			walk_namespace(walk, globals);
		if (sys_monotonic() - since < HOLD_NS)
			continue;
		if (!gil_pause(0)) {
			result = -1;
			break;
		}
		since = sys_monotonic();
	}
	if (!result)
		py_drop(modules);
	return result;
}

/* What the threads run, held: the visitor may do what a walk over live frames
 * must not. */
struct running {
	int count;
	struct {
		struct object *code, *globals;
	} frame[FRAMES_MOST];
};

static int collect_frame(struct object *code, int lasti, void *frame, void *arg)
{
	struct running *running = arg;
	int n = running->count;

	for (int i = 0; i < n; i++)
		if (running->frame[i].code == code)
			return 0;
	if (n == FRAMES_MOST)
		return 1;
	running->frame[n].globals = frames->globals(frame);
	running->frame[n].code = py_ref(code);
	running->count++;
	return 0;
}

static void visit_frames(struct walk *walk)
{
	struct running *running = memory_get(sizeof *running);

	if (!running)
		return;
	frames->visit_threads(collect_frame, running);
	for (int i = 0; i < running->count; i++) {
		struct discovered found = {
			.code = running->frame[i].code,
			.globals = running->frame[i].globals,
		};

		walk_code(walk, &found);
		py_drop(found.code);
		py_drop(found.globals);
	}
	memory_put(running, sizeof *running);
}

int discover(const struct location *where, discover_visit *visit, void *arg)
{
	struct walk *walk = walk_new(visit, arg);
	int result = 0;

	if (!walk)
		return 0;
	result = visit_modules(where, walk);
	if (!result && !walk->stop)
		visit_frames(walk);
	walk_free(walk);
	return result;
}

void discover_namespace(struct object *globals, discover_visit *visit,
			void *arg)
{
	struct walk *walk = walk_new(visit, arg);

	if (!walk)
		return;
	walk_namespace(walk, globals);
	walk_free(walk);
}
