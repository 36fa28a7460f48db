/* SPDX-License-Identifier: MIT */
#include "injector/hijack/sigframe.h"

#include <string.h>
#include <sys/syscall.h>

#include "injector/owned.h"
#include "injector/target/maps.h"
#include "injector/target/procfs.h"

/* Two frames but for the extended state, and their alignment. */
#define SIGFRAME_ROOM 1400u

/* What the frames are made for. */
struct plan {
	const struct tracee *tracee;
	const struct memory *memory;
	const struct gadgets *gadgets;
	uint64_t region, length;
};

/* Builds the way home below top, and writes it. */
static size_t write_home(const struct plan *plan, uint64_t top, uint8_t *bytes,
			 uint64_t *ret_address)
{
	const struct tracee *tracee = plan->tracee;
	struct regs regs = tracee->regs;
	size_t size;

	arch.repair(&regs, tracee->retries);
	arch.restart(&regs);
	size = arch.sigframe(&regs, &tracee->fpregs, tracee->mask,
			     plan->gadgets->sigreturn, top, bytes,
			     arch.sigframe_max, ret_address);
	if (!size || !memory_write(plan->memory, *ret_address, bytes, size))
		return 0;
	return size;
}

/* Builds the way back below the way home: munmap, whose return finds the other
 * frame. No signal may come between; the extended state is home's. */
static bool write_undo(const struct plan *plan, uint64_t home, uint8_t *bytes,
		       uint64_t *ret_address)
{
	const uint64_t arguments[6] = { plan->region, plan->length };
	struct regs regs = plan->tracee->regs;
	size_t size;

	arch.set_syscall(&regs, plan->gadgets->syscall_ret, home, SYS_munmap,
			 arguments);
	size = arch.sigframe(&regs, NULL, ~(uint64_t)0,
			     plan->gadgets->sigreturn, home, bytes,
			     arch.sigframe_max, ret_address);
	return size && memory_write(plan->memory, *ret_address, bytes, size);
}

static bool write_below(const struct plan *plan, uint64_t top,
			struct sigframe *ret_frame)
{
	owned_mem uint8_t *bytes = malloc(arch.sigframe_max);
	size_t size;

	if (!bytes)
		return false;
	size = write_home(plan, top, bytes, &ret_frame->address);
	if (!size ||
	    !write_undo(plan, ret_frame->address, bytes, &ret_frame->undo))
		return false;
	ret_frame->size = ret_frame->address + size - ret_frame->undo;
	return true;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* The end of the heap, if what lies there is as the kernel gave it: it belongs
 * to malloc's last, free chunk, whose contents nobody relies on. 0: none. */
static uint64_t spare_top(const struct tracee *tracee,
			  const struct memory *memory)
{
	struct procfs_stat stat;
	uint8_t page[MEMORY_PAGE];
	struct maps maps;
	uint64_t top = 0;

	/* With other threads running, malloc may need it now. */
	if (!procfs_stat(tracee->pid, &stat) || stat.threads != 1 ||
	    maps_read(tracee->pid, &maps, NULL))
		return 0;
	for (size_t i = 0; i < maps.count; i++)
		if (!strcmp(maps.list[i].path, "[heap]") &&
		    maps.list[i].rights & MAPPING_WRITE)
			top = maps.list[i].high;
	maps_release(&maps);
	if (!top ||
	    !memory_read(memory, top - MEMORY_PAGE, page, sizeof(page)) ||
	    !is_zero(page, sizeof(page)))
		return 0;
	return top;
}

int sigframe_write(const struct tracee *tracee, const struct memory *memory,
		   const struct gadgets *gadgets, uint64_t region,
		   uint64_t length, struct sigframe *ret_frame,
		   struct error *err)
{
	const struct plan plan = { tracee, memory, gadgets, region, length };
	uint64_t top = arch.sp(&tracee->regs) - arch.red_zone;

	ret_frame->borrowed = false;
	if (write_below(&plan, top, ret_frame))
		return 0;
	/* A page below the spare one is not known to be unused. */
	top = tracee->fpregs.size < MEMORY_PAGE - SIGFRAME_ROOM
		      ? spare_top(tracee, memory)
		      : 0;
	if (top && write_below(&plan, top, ret_frame)) {
		ret_frame->borrowed = true;
		return 0;
	}
	return error_set(err, ERROR_NO_SAFE_THREAD,
			 "no room below the stack of thread %d", tracee->tid);
}

void sigframe_erase(const struct sigframe *frame, const struct memory *memory)
{
	owned_mem uint8_t *zeros = NULL;

	if (!frame->borrowed)
		return;
	zeros = calloc(1, frame->size);
	if (zeros)
		(void)memory_write(memory, frame->undo, zeros, frame->size);
}
