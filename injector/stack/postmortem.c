/* SPDX-License-Identifier: MIT */
/*
 * postmortem: what a reader takes from a core file instead of a live process:
 * memory, mappings, threads, registers, and how it ended.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "injector/stack/reader.h"

#define MISSING_MAX 16u

/* Results by which the kernel marks a call that a signal broke (its own
 * include/linux/errno.h: ERESTARTSYS to ERESTART_RESTARTBLOCK). */
#define ERESTART_FIRST 512
#define ERESTART_LAST 516

static bool had_thread(void *arg, pid_t tid)
{
	return core_thread(arg, tid) != NULL;
}

/* ---- the end
 * ------------------------------------------------------------------------ */

/* Only of signals that leave a core (signal(7)): gcore leaves others. */
static const char *signal_name(int number)
{
	static const int ends[] = {
		SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
		SIGFPE,	 SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i] == number)
			return sigabbrev_np(number);
	return NULL;
}

static bool list_missing(const struct core_file *core, struct arena *arena,
			 struct stack_end *end)
{
	const char **list = arena_array(arena, MISSING_MAX, sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; list && i < core->file_count; i++) {
		if (core->files[i].fd >= 0 || count == MISSING_MAX ||
		    !core_is_program(core, i))
			continue;
		list[count] = arena_copy(arena, core->files[i].name,
					 strlen(core->files[i].name));
		if (!list[count++])
			return false;
	}
	end->missing = list;
	end->missing_count = count;
	return list != NULL;
}

static int tell_end(struct stack_reader *reader, struct error *err)
{
	const struct core_file *core = reader->core;
	struct stack_end *end = arena_alloc(reader->arena, sizeof(*end));

	if (!end || !list_missing(core, reader->arena, end))
		return error_set(err, ERROR_NO_MEMORY, "stack");
	end->program =
		arena_copy(reader->arena, core->name, strlen(core->name));
	end->signal = signal_name(core->signal);
	end->thread = core->threads[0].tid;
	end->fault = end->signal ? core->fault : 0;
	end->cut = core->cut;
	reader->picture->end = end;
	return 0;
}

/* ---- for the reader
 * ----------------------------------------------------------------- */

/* The program headers of the executable tell which module it is. */
static void mark_executable(const struct core_file *core,
			    const struct modules *modules)
{
	struct module *module =
		modules_covering(modules, core->program_headers);

	if (module)
		module->traits |= MODULE_EXECUTABLE;
}

/* Without a file there is no text, and so no interpreter to be found. */
static int check_files(const struct core_file *core, struct error *err)
{
	if (core->files_missing < core->file_count)
		return 0;
	error_set(err, ERROR_NOT_PYTHON,
		  "none of the files that were mapped is at hand, or the core "
		  "leaves out their first pages");
	return error_remedy(err, "--root tells where they lie; bit 4 of "
				 "/proc/PID/coredump_filter keeps the pages");
}

int postmortem_open(struct stack_reader *reader, struct error *err)
{
	const struct core_file *core = reader->core;

	if (check_files(core, err) || tell_end(reader, err) ||
	    core_maps(core, &reader->maps, err) ||
	    modules_load(0, &reader->maps, &reader->modules, err) ||
	    remote_init_source(&reader->remote, core_read, (void *)core, err))
		return -1;
	mark_executable(core, &reader->modules);
	reader->remote.self = core->pid;
	reader->remote.had_thread = had_thread;
	return 0;
}

int postmortem_threads(const struct stack_reader *reader, size_t max,
		       pid_t **ret_list, size_t *ret_count, size_t *ret_more,
		       struct error *err)
{
	const struct core_file *core = reader->core;
	size_t count = core->thread_count < max ? core->thread_count : max;
	pid_t *list = calloc(count + 1, sizeof(*list));

	if (!list)
		return error_set(err, ERROR_NO_MEMORY, "list of threads");
	for (size_t i = 0; i < count; i++)
		list[i] = core->threads[i].tid;
	*ret_list = list;
	*ret_count = count;
	*ret_more = core->thread_count - count;
	return 0;
}

/* In a system call, or on its way out of one? A signal, of which a core is
 * the end, breaks the calls of all threads. */
static bool is_in_call(const struct regs *regs)
{
	int64_t result = (int64_t)arch.result(regs);

	return arch.syscall(regs) >= 0 &&
	       (result == -EINTR ||
		(result <= -ERESTART_FIRST && result >= -ERESTART_LAST));
}

const struct regs *postmortem_look(const struct stack_reader *reader, pid_t tid,
				   struct kernel_thread *ret_kernel)
{
	const struct core_thread *thread =
		tid ? core_thread(reader->core, tid) : NULL;
	struct kernel_thread kernel = { .syscall = -1 };

	if (thread) {
		kernel.sp = arch.sp(&thread->regs);
		kernel.pc = arch.pc(&thread->regs);
		kernel.waiting = is_in_call(&thread->regs);
		kernel.state = kernel.waiting ? 'S' : 'R';
	}
	if (kernel.waiting) {
		kernel.syscall = arch.syscall(&thread->regs);
		for (unsigned i = 0; i < 6; i++)
			kernel.argument[i] = arch.argument(&thread->regs, i);
	}
	*ret_kernel = kernel;
	return thread ? &thread->regs : NULL;
}
