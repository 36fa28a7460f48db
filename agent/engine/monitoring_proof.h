/* SPDX-License-Identifier: MIT */
/*
 * monitoring_proof: are frames where frames_inner reads them? Asked once, at
 * the start of the engine, of calls made for that: a function with variables
 * of every kind, called from C, and a generator. Each frame around them and
 * each variable is compared with what CPython's functions say.
 *
 * Control thread, GIL held. Leaves no error indicator.
 */
#ifndef NOPDB_AGENT_ENGINE_MONITORING_PROOF_H
#define NOPDB_AGENT_ENGINE_MONITORING_PROOF_H

#include <stdbool.h>

/* False: this build is laid out differently, or there is no memory. */
bool monitoring_prove_frames(void);

/* Drops what was handed to Python for it. False: somebody else holds it, and
 * the library must stay mapped. */
bool monitoring_proof_release(void);

#endif
