/* SPDX-License-Identifier: MIT */
/*
 * value_buffer: arrays that give their memory by the buffer protocol, from
 * functions of C that are known. A buffer is held for as long as it is written
 * and the GIL is not given up meanwhile, so that no thread of the program ever
 * finds it exported.
 */
#ifndef NOPDB_AGENT_VALUE_BUFFER_H
#define NOPDB_AGENT_VALUE_BUFFER_H

#include "agent/array.h"
#include "agent/value_walk.h"

/* Writes it; readable: its content, too. False: it has no buffer (now), and
 * nothing is written. */
bool value_buffer(struct value_walk *walk, struct object *object,
		  bool readable);

/* The element of a format of the struct module (NULL: bytes). */
void buffer_element(const char *format, int64_t size,
		    struct element *ret_element);

/* Is it the memory of a mapped file? */
bool buffer_is_mapped(struct object *object);

#endif
