/* SPDX-License-Identifier: MIT */
/*
 * sigframe: the way home of a hijacked thread. Below its red zone lies a
 * signal frame with its original registers and mask, and under SP the address
 * of sigreturn: whenever the tracer dies, the thread comes back to itself.
 *
 * Below that lies a second one, the way back: it makes the thread unmap the
 * region and then go home. With SP there the region is mapped, so that a
 * tracer that dies before anything is in the region leaves no mapping behind.
 */
#ifndef NOPDB_INJECTOR_SIGFRAME_H
#define NOPDB_INJECTOR_SIGFRAME_H

#include "injector/hijack/tracee.h"
#include "injector/target/memory.h"

struct sigframe {
	uint64_t address; /* the SP to hijack with */
	uint64_t undo;	  /* the SP to map the region with; below address */
	size_t size;	  /* of both */
	bool borrowed;	  /* not on the stack: see sigframe_write */
};

/* Writes the frames of a saved tracee, for a region of that address and
 * length that is to be mapped. The kernel grows no stack for another
 * process, so the main thread may have no room below its own; a process with
 * no other thread then has its frame in the last page of its heap, if that was
 * never used. Fails with NO_SAFE_THREAD when there is no such place. */
int sigframe_write(const struct tracee *tracee, const struct memory *memory,
		   const struct gadgets *gadgets, uint64_t region,
		   uint64_t length, struct sigframe *ret_frame,
		   struct error *err) NOPDB_CHECKED;

/* Gives a borrowed place back; the thread must no longer need the frame. */
void sigframe_erase(const struct sigframe *frame, const struct memory *memory);

#endif
