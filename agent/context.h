/* SPDX-License-Identifier: MIT */
/*
 * context: who runs this, as members of a record:
 *
 *   thread       agent/thread.h
 *   interpreter  its id, when it is not the main one
 *   task         the name of the asyncio task
 *   greenlet     agent/greenlet.h
 *
 * Those that do not apply are left out. GIL held; runs no code of the program.
 */
#ifndef NOPDB_AGENT_CONTEXT_H
#define NOPDB_AGENT_CONTEXT_H

#include "proto/json_write.h"

void context_write(struct json_writer *w, uint64_t time);

void context_release(void);

#endif
