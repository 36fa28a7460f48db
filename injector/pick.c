/* SPDX-License-Identifier: MIT */
#include "injector/pick.h"

#include "injector/stack/runtime.h"

static size_t count_pythons(const struct modules *modules)
{
	size_t count = 0;

	for (size_t i = 0; i < modules->count; i++)
		count += (modules->list[i].traits & MODULE_PYTHON) != 0;
	return count;
}

/* NULL: none makes sense. */
static const struct module *find_at_work(const struct interpreter *target,
					 const struct maps *maps)
{
	const struct module *found = NULL;
	struct runtime runtime;
	struct remote remote;

	if (remote_init(&remote, target->pid, NULL))
		return NULL;
	if (!runtime_find(&runtime, &remote, &target->modules, maps, NULL))
		found = runtime.module;
	remote_release(&remote);
	return found && found->traits & MODULE_PYTHON ? found : NULL;
}

static int pick(struct interpreter *target, size_t count, struct error *err)
{
	const struct module *python;
	struct maps maps;

	if (maps_read(target->pid, &maps, err))
		return -1;
	python = find_at_work(target, &maps);
	maps_release(&maps);
	if (python)
		return interpreter_use(target, python, err);
	error_set(err, ERROR_BUSY,
		  "process %d has %zu Pythons loaded, and none is initialized",
		  target->pid, count);
	return error_remedy(err, "try again");
}

int pick_interpreter(struct interpreter *target, pid_t pid, struct error *err)
{
	size_t count;

	if (interpreter_open(target, pid, err))
		return -1;
	count = count_pythons(&target->modules);
	if (count < 2 || !pick(target, count, err))
		return 0;
	interpreter_release(target);
	return -1;
}
