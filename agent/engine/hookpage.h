/* SPDX-License-Identifier: MIT */
/*
 * hookpage: the only code of ours that may stay on a C stack. A page of code
 * and a page of data, mapped apart from the agent: the entry that stands in
 * the interpreter as its evaluator (a jump), and the shim around the previous
 * evaluator for calls that are watched:
 *
 *	live++; visit = pre(..); result = previous(..); post(.., visit, result);
 *	live--; return result
 *
 * A probed function that never returns keeps the shim on its stack, so the
 * pages outlive the agent: when it leaves, the entry jumps to the previous
 * evaluator and post is NULL, both under the GIL. A later agent unmaps pages
 * whose live is 0. Without them SIGSEGV at the first unload (facts/engines.md).
 *
 * All fields: GIL held.
 */
#ifndef NOPDB_AGENT_ENGINE_HOOKPAGE_H
#define NOPDB_AGENT_ENGINE_HOOKPAGE_H

#define HOOKPAGE_SIZE 4096
#define HOOKPAGE_MAGIC "nopdb-hook-page1"
#define HOOKPAGE_MAGIC_LENGTH 16

/* Offsets in struct hookpage, for hookpage_image.S. */
#define HOOKPAGE_HOOK 16
#define HOOKPAGE_PREVIOUS 24
#define HOOKPAGE_PRE 32
#define HOOKPAGE_POST 40
#define HOOKPAGE_LIVE 48

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

/* The data page; the code page lies before it. */
struct hookpage {
	char magic[HOOKPAGE_MAGIC_LENGTH];
	void *hook;	/* where the entry jumps to */
	void *previous; /* the evaluator that was there before */
	void *pre;	/* hookpage_pre */
	void *post;	/* hookpage_post, NULL when the agent left */
	int64_t live;	/* shims on any stack */
	int64_t pinned; /* another tool may hold the entry's address */
	int64_t pid;	/* who made it: a child's copy is a leftover */
};

/* a and b are the first two arguments of the evaluator (3.7, 3.8: frame,
 * throwflag; 3.9+: thread state, frame). */
typedef void *hookpage_pre(void *a, void *b);
typedef void hookpage_post(void *a, void *b, void *visit, void *result);

/* Maps a pair of pages whose entry jumps to previous; NULL without memory. */
struct hookpage *hookpage_new(void *previous, hookpage_pre *pre,
			      hookpage_post *post);

/* Addresses in the code page. */
void *hookpage_entry(const struct hookpage *page);
void *hookpage_shim(const struct hookpage *page);

/* Makes a page inert: its entry jumps to the previous evaluator. */
void hookpage_leave(struct hookpage *page);

/* Unmaps a page that was left, that nobody may hold, with no shim in flight;
 * true when it did. */
bool hookpage_reap(struct hookpage *page);

/* Calls visit for each page in this process, of whatever agent; visit may
 * reap it. Stops at the first true and returns it. */
bool hookpage_each(bool (*visit)(struct hookpage *page, void *arg), void *arg);

/* Was it made by the parent of this process, before a fork? */
bool hookpage_inherited(const struct hookpage *page);

#endif
#endif
