/* SPDX-License-Identifier: MIT */
#include "agent/engine/monitoring_revive.h"

#include "agent/engine/monitoring_tool.h"
#include "agent/match.h"
#include "agent/sys.h"

enum {
	FUNCTIONS = 1 << 17, /* 1 MiB of pointers; more are not asked */
	NESTING = 8,
};

bool monitoring_revive_code(struct object *code, unsigned events)
{
	/* 0 is not enough: when nothing was watched locally the interpreter
	 * returns early and keeps its idea of what is active. */
	return tool_watch(code, 0) && tool_watch(code, TOOL_BIT(RETURN)) &&
	       tool_watch(code, events);
}

struct heap {
	struct object **function;
	size_t count;
};

/* May not make or free anything that the collector tracks. */
static int collect(struct object *object, void *arg)
{
	struct heap *heap = arg;

	if (py_is(object, py.PyFunction_Type) && heap->count < FUNCTIONS)
		heap->function[heap->count++] = object;
	return 1;
}

/* Asks about a code object and the ones among its constants. */
static void ask(struct object *code, struct object *globals, int depth)
{
	struct object *constants;
	pyssize count;

	if (!code_find(code))
		match_code(code, globals);
	constants = depth < NESTING ? py_attr(code, "co_consts") : NULL;
	if (!constants)
		return;
	count = py.PyTuple_Size(constants);
	for (pyssize i = 0; i < count; i++) {
		struct object *constant = py.PyTuple_GetItem(constants, i);

		if (py_is(constant, py.PyCode_Type))
			ask(constant, globals, depth + 1);
	}
	py_drop(constants);
}

void monitoring_revive_heap(void)
{
	size_t size = FUNCTIONS * sizeof(struct object *);
	struct heap heap = { .function = sys_map(size) };

	if (!heap.function)
		return;
	py.PyUnstable_GC_VisitObjects(collect, &heap);
	/* Borrowed, but nothing runs that could free a function. */
	for (size_t i = 0; i < heap.count; i++)
		ask(py.PyFunction_GetCode(heap.function[i]),
		    py.PyFunction_GetGlobals(heap.function[i]), 0);
	sys_unmap(heap.function, size);
}
