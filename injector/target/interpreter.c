/* SPDX-License-Identifier: MIT */
#include "injector/target/interpreter.h"

#include <string.h>

#include "injector/injector.h"
#include "injector/target/beginning.h"
#include "injector/target/process.h"
#include "injector/target/version.h"

/* After a failure: what it lacks it may lack because it begins, or ends. */
static int lacks(const struct interpreter *target, struct error *err)
{
	(void)beginning_lacks(target->pid, target->program, &target->modules,
			      err);
	return process_lacks(target->pid, err);
}

/* valgrind and emulators of a CPU are static programs that load the other's
 * files themselves: what its threads seem to run, theirs do. */
static bool is_emulated(const struct modules *modules)
{
	const struct module *program = modules_with(modules, MODULE_EXECUTABLE);

	return program && program->loaded && !program->image.linked &&
	       !(program->traits & (MODULE_LD | MODULE_LIBC)) &&
	       modules_with(modules, MODULE_LIBC);
}

int interpreter_use(struct interpreter *target, const struct module *python,
		    struct error *err)
{
	const struct module *libc;

	target->python = python;
	if (python->image.machine != arch.elf_machine)
		return error_set(err, ERROR_UNSUPPORTED,
				 "process %d is not for %s", target->pid,
				 arch.name);
	if (is_emulated(&target->modules)) {
		error_set(err, ERROR_UNSUPPORTED,
			  "process %d runs in another program, such as "
			  "valgrind",
			  target->pid);
		return error_remedy(err,
				    "run it without, or look from "
				    "outside: nopdb stack %d",
				    target->pid);
	}
	libc = modules_with(&target->modules, MODULE_LIBC);
	target->musl = libc && !modules_with(&target->modules, MODULE_GLIBC);
	target->free_threaded = python->traits & MODULE_FREE_THREADED;
	target->version = version_read(&target->memory, python);
	return 0;
}

static int find_python(struct interpreter *target, struct error *err)
{
	const struct module *python =
		modules_with(&target->modules, MODULE_PYTHON);

	if (python)
		return interpreter_use(target, python, err);
	error_set(err, ERROR_NOT_PYTHON, "process %d has no Python interpreter",
		  target->pid);
	if (modules_unread(&target->modules))
		return error_remedy(err, "some of its files could not be read; "
					 "run the daemon as root");
	return error_remedy(err, "list the Python processes: nopdb ps");
}

int interpreter_open(struct interpreter *target, pid_t pid, struct error *err)
{
	memset(target, 0, sizeof(*target));
	target->pid = pid;
	target->program = process_program(pid);
	if (modules_read(pid, &target->modules, err))
		return -1;
	if (!memory_init(&target->memory, pid, err) &&
	    !find_python(target, err))
		return 0;
	(void)lacks(target, err);
	interpreter_release(target);
	return -1;
}

int interpreter_check_version(const struct interpreter *target,
			      struct error *err)
{
	if (target->free_threaded) {
		error_set(err, ERROR_UNSUPPORTED,
			  "a free-threaded build of Python 3.%u",
			  version_minor(target->version));
		return error_remedy(err, "run the program with the default "
					 "build of Python");
	}
	if (version_supported(target->version))
		return 0;
	if (!target->version)
		error_set(err, ERROR_UNSUPPORTED,
			  "a Python whose version cannot be told");
	else
		error_set(err, ERROR_UNSUPPORTED, "Python 3.%u",
			  version_minor(target->version));
	error_remedy(err, "supported are CPython 3.7 to 3.15");
	return lacks(target, err);
}

int interpreter_resolve(struct interpreter *target, struct error *err)
{
	if (symbols_resolve(&target->modules, target->python, &target->memory,
			    target->version, &target->symbols, err))
		return lacks(target, err);
	return 0;
}

void interpreter_release(struct interpreter *target)
{
	if (!target)
		return;
	memory_release(&target->memory);
	modules_release(&target->modules);
	target->python = NULL;
}
