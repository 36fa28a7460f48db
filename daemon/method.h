/* SPDX-License-Identifier: MIT */
/*
 * method: the table of what clients may ask, one file each under methods/.
 */
#ifndef NOPDB_DAEMON_METHOD_H
#define NOPDB_DAEMON_METHOD_H

#include <stddef.h>

#include "daemon/call.h"
#include "daemon/gate.h"
#include "daemon/params.h"
#include "daemon/rights.h"

struct session;
struct target;

struct method {
	const char *name;
	const struct param *params;
	/* Answers the call, now or later. */
	void (*handler)(struct call *call);
	enum gate_scope scope;
	uint32_t right; /* that it takes, beyond rights_of_params */
};

extern const struct method method_attach;
extern const struct method method_debug_input;
extern const struct method method_detach;
extern const struct method method_doctor;
extern const struct method method_eval;
extern const struct method method_exec;
extern const struct method method_hello;
extern const struct method method_lines;
extern const struct method method_probe_actions;
extern const struct method method_probe_add;
extern const struct method method_probe_disable;
extern const struct method method_probe_enable;
extern const struct method method_probe_list;
extern const struct method method_probe_remove;
extern const struct method method_ps;
extern const struct method method_shutdown;
extern const struct method method_stack;
extern const struct method method_stats;
extern const struct method method_subscribe;
extern const struct method method_targets;

/* Parses a request's line, checks it, and has its method handle it. */
void method_dispatch(struct session *session, const char *line, size_t length);

/* The target that `pid` or `target` names, in whatever state; fails the call
 * and returns NULL when there is none. */
struct target *method_target(struct call *call);
/* The same, when it is LIVE. */
struct target *method_live_target(struct call *call);
/* What those say that find none. Return -1. */
int method_not_attached(const cJSON *params, struct error *err);
int method_no_probe(uint32_t id, struct error *err);

/* The probe that `probe` names; fails the call and returns NULL. */
struct probe *method_probe(struct call *call);

#endif
