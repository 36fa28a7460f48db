/* SPDX-License-Identifier: MIT */
#include "daemon/subscription.h"

static bool same(const struct subscription *a, const struct subscription *b)
{
	return a->scope == b->scope && a->serial == b->serial &&
	       a->probe == b->probe;
}

int subscriptions_add(struct subscriptions *subscriptions,
		      const struct subscription *wanted, struct error *err)
{
	for (unsigned i = 0; i < subscriptions->count; i++) {
		if (same(&subscriptions->list[i], wanted))
			return 0;
	}
	if (subscriptions->count == SUBSCRIPTION_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d subscriptions",
				 SUBSCRIPTION_MAX);
	subscriptions->list[subscriptions->count++] = *wanted;
	return 0;
}

bool subscriptions_match(const struct subscriptions *subscriptions,
			 uint64_t serial, uint32_t probe)
{
	for (unsigned i = 0; i < subscriptions->count; i++) {
		const struct subscription *s = &subscriptions->list[i];

		if (s->scope == SUBSCRIBE_ALL ||
		    (s->scope == SUBSCRIBE_TARGET && s->serial == serial) ||
		    (s->scope == SUBSCRIBE_PROBE && s->probe == probe))
			return true;
	}
	return false;
}

static void drop(struct subscriptions *subscriptions,
		 const struct subscription *unwanted)
{
	unsigned i = 0;

	while (i < subscriptions->count) {
		if (same(&subscriptions->list[i], unwanted))
			subscriptions->list[i] =
				subscriptions->list[--subscriptions->count];
		else
			i++;
	}
}

void subscriptions_drop_probe(struct subscriptions *subscriptions,
			      uint32_t probe)
{
	drop(subscriptions,
	     &(struct subscription){ SUBSCRIBE_PROBE, 0, probe });
}

void subscriptions_drop_target(struct subscriptions *subscriptions,
			       uint64_t serial)
{
	drop(subscriptions,
	     &(struct subscription){ SUBSCRIBE_TARGET, serial, 0 });
}
