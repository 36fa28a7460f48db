/* SPDX-License-Identifier: MIT */
#include "agent/engine/engine.h"

#include "agent/fault.h"

const struct engine *engine;
const struct frame_ops *frames;

static const struct engine *const engines[] = {
	&engine_monitoring,
	&engine_evalframe,
};

int engine_start(struct frame_error *err)
{
	for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
		const struct engine *e = engines[i];

		if (py.minor < e->first || py.minor > e->last)
			continue;
		if (e->start(err) < 0)
			return -1;
		engine = e;
		return 0;
	}
	return fault_set(err, ERROR_UNSUPPORTED,
			 "no engine for this Python: ", py.Py_GetVersion());
}
