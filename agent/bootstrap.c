/* SPDX-License-Identifier: MIT */
#include "agent/bootstrap.h"

#include "agent/fault.h"
#include "agent/memory.h"
#include "agent/sys.h"

/* agent/bootstrap_source.S */
extern const char bootstrap_source[] __attribute__((visibility("hidden")));

enum { FILE_INPUT = 257 }; /* Py_file_input, 3.7-3.15 */

static struct object *space;

struct object *bootstrap_globals(void)
{
	return space;
}

/* A dict in which module code can run, named so that no probe takes it for a
 * module of the program. */
static struct object *new_space(void)
{
	static const char name[] = "nopdb agent";
	struct object *dict = py.PyDict_New();
	struct object *text =
		py.PyUnicode_DecodeUTF8(name, sizeof name - 1, NULL);

	/* Without __builtins__ 3.7-3.9 would run it with none at all. */
	if (dict && text &&
	    py.PyDict_SetItemString(dict, "__builtins__",
				    py.PyEval_GetBuiltins()) == 0 &&
	    py.PyDict_SetItemString(dict, "__name__", text) == 0) {
		py_drop(text);
		return dict;
	}
	py_drop(text);
	py_drop(dict);
	return NULL;
}

struct object *bootstrap_compile(const char *source)
{
	struct object *code =
		space ? py.Py_CompileString(source, "<nopdb>", FILE_INPUT)
		      : NULL;

	if (!code)
		py.PyErr_Clear();
	return code;
}

bool bootstrap_execute(struct object *code)
{
	bool ran = code && py_done(py.PyEval_EvalCode(code, space, space));

	py.PyErr_Clear();
	return ran;
}

/* Where the next definition begins: after two empty lines; or the end. */
static const char *end_of_piece(const char *at)
{
	while (*at && !(at[0] == '\n' && at[1] == '\n' && at[2] == '\n'))
		at++;
	return at;
}

static bool run_piece(const char *piece, size_t length)
{
	char *text = memory_get(length + 1);
	struct object *code;
	bool ran;

	if (!text)
		return false;
	memcpy(text, piece, length);
	code = bootstrap_compile(text);
	memory_put(text, length + 1);
	ran = bootstrap_execute(code);
	py_drop(code);
	return ran;
}

/* Definition by definition: the compiler takes a megabyte for all at once,
 * which the C library would keep for the thread. */
static bool run_pieces(const char *at)
{
	while (*at) {
		const char *end = end_of_piece(at);

		if (!run_piece(at, (size_t)(end - at)))
			return false;
		for (at = end; *at == '\n';)
			at++;
	}
	return true;
}

int bootstrap_run(struct frame_error *err)
{
	space = new_space();
	if (space && run_pieces(bootstrap_source))
		return 0;
	bootstrap_release();
	return fault_set(err, ERROR_AGENT,
			 "the agent's Python part does not run in this process",
			 "");
}

void bootstrap_release(void)
{
	if (!space)
		return;
	/* Its functions refer to it: without this the cycle would stay until
	 * the next collection. */
	py_done(py.PyObject_CallMethod(space, "clear", NULL));
	py_drop(space);
	space = NULL;
}

struct object *bootstrap_function(const char *name)
{
	struct object *function;

	if (!space)
		return NULL;
	function = py.PyDict_GetItemString(space, name);
	return function && py_is(function, py.PyFunction_Type) ? function
							       : NULL;
}
