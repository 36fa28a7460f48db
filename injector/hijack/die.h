/* SPDX-License-Identifier: MIT */
/*
 * die: the places where the tests kill the daemon, to prove that the target
 * survives. Compiled in only with -DNOPDB_DIE_POINTS (make FLAVOUR=die); the
 * point is chosen with NOPDB_DIE_AT.
 */
#ifndef NOPDB_INJECTOR_DIE_H
#define NOPDB_INJECTOR_DIE_H

enum die_point {
	DIE_SYSCALL_SET = 1, /* registers set for a system call */
	DIE_MAPPED,	     /* the region is mapped */
	DIE_CALL_SET,	     /* stub written, registers set for it */
	DIE_CALL_RUNS,	     /* the stub runs */
	DIE_CALL_DONE,	     /* the stub reported back */
	DIE_RESTORED,	     /* restored, before the detach */
	DIE_DETACHED,	     /* detached, before the agent's file */
	DIE_SEIZED,	     /* seized, to be stopped */
	DIE_STOPPED,	     /* stopped at a safe point */
	DIE_FRAMED,	     /* signal frames written */
	DIE_FETCHED,	     /* the agent's socket fetched */
	DIE_PLACED,	     /* its file in place */
	DIE_LOADED,	     /* loaded, before its first frame */
};

#ifdef NOPDB_DIE_POINTS
void die_point(enum die_point point);
#else
static inline void die_point(enum die_point point)
{
	(void)point;
}
#endif

#endif
