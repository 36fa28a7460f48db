/* SPDX-License-Identifier: MIT */
/*
 * wait_call: the system call that a thread waits in, as it would stand in a
 * program: openat(AT_FDCWD, "/mnt/data", O_RDONLY).
 */
#ifndef NOPDB_INJECTOR_STACK_WAIT_CALL_H
#define NOPDB_INJECTOR_STACK_WAIT_CALL_H

#include "injector/stack/explain.h"

/* Its name; NULL: a number that is not known. */
const char *wait_call_name(long number);

/* With its arguments, paths and flags in words; NULL: in no call, or in one
 * that is not known. */
const char *wait_call_text(const struct explain *explain, size_t thread);

/* The file that a call names by its path: of the arena; NULL: none. */
const char *wait_call_path(const struct explain *explain, size_t thread);

#endif
