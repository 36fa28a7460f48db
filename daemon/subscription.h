/* SPDX-License-Identifier: MIT */
/*
 * subscription: which records of others a client asked to see. Pure.
 */
#ifndef NOPDB_DAEMON_SUBSCRIPTION_H
#define NOPDB_DAEMON_SUBSCRIPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"

#define SUBSCRIPTION_MAX 64

enum subscription_scope { SUBSCRIBE_ALL, SUBSCRIBE_TARGET, SUBSCRIBE_PROBE };

struct subscription {
	enum subscription_scope scope;
	uint64_t serial; /* of the target, when that is the scope */
	uint32_t probe;	 /* when that is the scope */
};

struct subscriptions {
	unsigned count;
	struct subscription list[SUBSCRIPTION_MAX];
};

/* Adds one; the same twice is one. LIMIT when there are too many. */
int subscriptions_add(struct subscriptions *subscriptions,
		      const struct subscription *wanted,
		      struct error *err) NOPDB_CHECKED;

bool subscriptions_match(const struct subscriptions *subscriptions,
			 uint64_t serial, uint32_t probe);

/* Drops those that can match no more. */
void subscriptions_drop_probe(struct subscriptions *subscriptions,
			      uint32_t probe);
void subscriptions_drop_target(struct subscriptions *subscriptions,
			       uint64_t serial);

#endif
