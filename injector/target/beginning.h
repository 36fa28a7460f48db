/* SPDX-License-Identifier: MIT */
/*
 * beginning: a program between its exec and its first instruction, when the
 * kernel and the dynamic linker still map what it will consist of.
 */
#ifndef NOPDB_INJECTOR_BEGINNING_H
#define NOPDB_INJECTOR_BEGINNING_H

#include "injector/target/modules.h"

/* After a failure: a program that has only begun lacks what these modules lack
 * because it is not mapped yet, which err says then instead: BUSY. Returns
 * -1. */
int beginning_lacks(pid_t pid, const struct modules *modules,
		    struct error *err);

#endif
