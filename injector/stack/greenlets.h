/* SPDX-License-Identifier: MIT */
/*
 * greenlets: the suspended greenlets of a program, gevent's too. Nothing lists
 * them: they are found among the objects that the garbage collector knows, and
 * in each the frame that it was left in. Builds without the GIL keep no such
 * list, and have none found.
 */
#ifndef NOPDB_INJECTOR_STACK_GREENLETS_H
#define NOPDB_INJECTOR_STACK_GREENLETS_H

#include "injector/stack/walk.h"

struct stack_reader;

struct greenlet {
	uint64_t address;
	const char *type;
	struct python_frames frames;
	const struct stack_local **locals; /* of each frame */
	size_t *local_count;
};

struct greenlets {
	struct greenlet *list;
	size_t count, unread;
};

/* Fails with NO_MEMORY and TIMEOUT. */
int greenlets_read(struct stack_reader *reader,
		   struct error *err) NOPDB_CHECKED;
/* Fills picture->greenlets. False: no memory. */
bool greenlets_show(struct stack_reader *reader);

#endif
