/* SPDX-License-Identifier: MIT */
/*
 * beginning: a program from its exec until it is all mapped, by the kernel and
 * then by the dynamic linker. The program's mark is in injector.h.
 */
#ifndef NOPDB_INJECTOR_BEGINNING_H
#define NOPDB_INJECTOR_BEGINNING_H

#include "injector/target/modules.h"

/* After a failure: a program that has only begun lacks what these modules lack
 * because it was not all mapped, which err says then instead: BUSY. `program`:
 * process_program() of before they were read. Returns -1. */
int beginning_lacks(pid_t pid, uint64_t program, const struct modules *modules,
		    struct error *err);

#endif
