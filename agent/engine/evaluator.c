/* SPDX-License-Identifier: MIT */
#include "agent/engine/evaluator.h"

#include <sys/mman.h>

#include "agent/engine/layout.h"
#include "agent/fault.h"
#include "agent/maps.h"

static evaluator **field(void *interp)
{
	return &PY_FIELD(evaluator *, interp, layout->interp_evaluate);
}

evaluator *evaluator_get(void *interp)
{
	if (py._PyInterpreterState_GetEvalFrameFunc)
		return (evaluator *)py._PyInterpreterState_GetEvalFrameFunc(
			interp);
	return *field(interp);
}

static void set(void *interp, evaluator *to)
{
	if (py._PyInterpreterState_SetEvalFrameFunc)
		py._PyInterpreterState_SetEvalFrameFunc(interp, (void *)to);
	else
		*field(interp) = to;
}

/* 3.7 and 3.8: the field must hold the default evaluator, or else (a debugger
 * put its hook there) at least the address of code. */
int evaluator_check(void *interp, struct frame_error *err)
{
	evaluator *now = evaluator_get(interp);
	struct mapping mapping;

	if ((void *)now == (void *)py._PyEval_EvalFrameDefault)
		return 0;
	if (now && maps_find((uintptr_t)now, &mapping) &&
	    (mapping.protection & PROT_EXEC))
		return 0;
	fault_set(err, ERROR_ENGINE,
		  "the frame evaluator of the interpreter was not found", "");
	return fault_remedy(err, "this build of Python differs from CPython's "
				 "own; please report its version");
}

bool evaluator_put(void *interp, evaluator *from, evaluator *to)
{
	if (evaluator_get(interp) == from)
		set(interp, to);
	return evaluator_get(interp) == to;
}

int evaluator_replace(evaluator *from, evaluator *to)
{
	int count = 0;

	for (void *interp = py.PyInterpreterState_Head(); interp;
	     interp = py.PyInterpreterState_Next(interp)) {
		if (evaluator_get(interp) != from)
			continue;
		set(interp, to);
		count++;
	}
	return count;
}

bool evaluator_everywhere(evaluator *wanted)
{
	void *interp = py.PyInterpreterState_Head();

	while (interp && evaluator_get(interp) == wanted)
		interp = py.PyInterpreterState_Next(interp);
	return !interp;
}
