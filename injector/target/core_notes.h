/* SPDX-License-Identifier: MIT */
/*
 * core_notes: what a core file says of the process: the segments of its
 * memory (program headers), its threads, end, and mapped files (notes).
 */
#ifndef NOPDB_INJECTOR_CORE_NOTES_H
#define NOPDB_INJECTOR_CORE_NOTES_H

#include "injector/target/core_file.h"

/* Fills a core of which only the descriptor is set; files are named, not
 * opened. What was filled is to be released, also when it fails. */
int core_notes_read(struct core_file *core, struct error *err) NOPDB_CHECKED;

#endif
