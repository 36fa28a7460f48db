/* SPDX-License-Identifier: MIT */
#include "injector/stack/process_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "injector/stack/descriptors.h"
#include "injector/stack/kernel.h"
#include "injector/stack/wait_call.h"
#include "injector/target/maps.h"
#include "injector/target/procfs.h"

#define CHAIN_MAX 16

/* The child that a thread waits for by its number; 0: none. */
static pid_t awaited(const struct kernel_thread *thread)
{
	int32_t number = 0;

	if (!thread->waiting)
		return 0;
	if (thread->syscall == SYS_wait4)
		number = (int32_t)thread->argument[0];
	else if (thread->syscall == SYS_waitid && thread->argument[0] == 1)
		number = (int32_t)thread->argument[1];
	return number > 0 ? number : 0;
}

static const char *doing(const struct kernel_thread *thread)
{
	const char *name;

	switch (thread->state) {
	case 'T':
		return "which is stopped";
	case 't':
		return "which a debugger stopped";
	case 'Z':
		return "which has ended and waits to be collected";
	case 'R':
		return "which runs";
	default:
		break;
	}
	name = wait_call_name(thread->syscall);
	return name ? name : "which waits";
}

const char *process_chain_text(struct arena *arena, pid_t pid)
{
	const char *text = "", *what;
	struct kernel_thread thread;
	char name[64];

	for (int i = 0; i < CHAIN_MAX && text; i++) {
		pid_t next;

		process_name(pid, name, sizeof(name));
		text = arena_printf(arena, "%s%sprocess %d %s", text,
				    i ? ", which waits for " : "", pid, name);
		if (!text || !kernel_look(pid, pid, &thread))
			return text;
		next = awaited(&thread);
		if (next) {
			pid = next;
			continue;
		}
		what = doing(&thread);
		return arena_printf(
			arena, "%s, %s%s", text,
			strncmp(what, "which", 5) != 0 ? "which is in " : "",
			what);
	}
	return text;
}

/* ---- copies
 * ---------------------------------------------------------------------- */

static pid_t parent_of(pid_t pid)
{
	char text[4096];
	const char *at;

	if (procfs_read(pid, "status", text, sizeof(text)) <= 0)
		return 0;
	at = strstr(text, "\nPPid:");
	return at ? (pid_t)strtol(at + 6, NULL, 10) : 0;
}

static uint64_t place_of(const struct maps *maps, const char *path)
{
	for (size_t i = 0; i < maps->count; i++)
		if (!strcmp(maps->list[i].path, path))
			return maps->list[i].low;
	return 0;
}

/* The kernel puts stack and vDSO elsewhere for each program that it starts:
 * two processes that have both at the same places are copies. */
bool process_is_copy(pid_t pid)
{
	struct maps mine, parents;
	pid_t parent = parent_of(pid);
	bool same;

	if (parent <= 1 || maps_read(pid, &mine, NULL))
		return false;
	if (maps_read(parent, &parents, NULL)) {
		maps_release(&mine);
		return false;
	}
	same = place_of(&mine, "[vdso]") &&
	       place_of(&mine, "[vdso]") == place_of(&parents, "[vdso]") &&
	       place_of(&mine, "[heap]") == place_of(&parents, "[heap]");
	maps_release(&mine);
	maps_release(&parents);
	return same;
}
