/* SPDX-License-Identifier: MIT */
/*
 * asyncio_layout: where the fields of the futures and tasks of _asyncio, the
 * C part of asyncio, lie. No header tells it; asyncio_table.h is generated
 * from interpreters by scripts/offsets-asyncio. From 3.14 on the section
 * .AsyncioDebug of the target says it again, and where its lists of tasks
 * begin.
 */
#ifndef NOPDB_INJECTOR_STACK_ASYNCIO_LAYOUT_H
#define NOPDB_INJECTOR_STACK_ASYNCIO_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

/* Distances in bytes; -1: this version has no such field. */
struct asyncio_layout {
	uint32_t version; /* 0x030b; the minor only */
	bool free_threaded;
	int32_t loop, callback, result, state; /* of a future */
	int32_t waiter, coroutine, name;       /* of a task */
	/* 3.14+: a task's node in a list; the lists' heads in a thread state
	 * and in an interpreter's. 0: not known. */
	uint64_t node, thread_head, interpreter_head;
};

/* Copies the row of a version (0x030b02) and build; false: there is none. */
bool asyncio_layout_find(uint32_t version, bool free_threaded,
			 struct asyncio_layout *ret_layout);

#define ASYNCIO_DEBUG_WORDS 13u

/* Takes over what .AsyncioDebug says. False when it makes no sense. */
bool asyncio_layout_apply(struct asyncio_layout *layout,
			  const uint64_t words[ASYNCIO_DEBUG_WORDS]);

#endif
