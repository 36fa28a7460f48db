/* SPDX-License-Identifier: MIT */
#include "daemon/outbox.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 16384u

void outbox_init(struct outbox *outbox)
{
	*outbox = (struct outbox){ 0 };
}

void outbox_release(struct outbox *outbox)
{
	struct budget *budget = outbox->budget;

	budget_give(budget, outbox_size(outbox));
	free(outbox->data);
	outbox_init(outbox);
	outbox->budget = budget;
}

size_t outbox_size(const struct outbox *outbox)
{
	return outbox->used + outbox->in_flight;
}

/* Makes room for `length` more bytes, doubling. */
static bool reserve(struct outbox *outbox, size_t length)
{
	size_t capacity = outbox->capacity ? outbox->capacity : FIRST_CAPACITY;
	char *data;

	if (outbox->capacity - outbox->used >= length)
		return true;
	while (capacity - outbox->used < length)
		capacity *= 2;
	data = realloc(outbox->data, capacity);
	if (!data)
		return false;
	outbox->data = data;
	outbox->capacity = capacity;
	return true;
}

static enum outbox_put put(struct outbox *outbox, const char *line,
			   size_t length)
{
	if (!reserve(outbox, length))
		return OUTBOX_OVERFLOW;
	memcpy(outbox->data + outbox->used, line, length);
	outbox->used += length;
	budget_take(outbox->budget, length);
	return OUTBOX_QUEUED;
}

enum outbox_put outbox_put_record(struct outbox *outbox, const char *line,
				  size_t length)
{
	if (length > LIMIT_CLIENT_QUEUE ||
	    outbox_size(outbox) > LIMIT_CLIENT_QUEUE - length ||
	    !budget_spares(outbox->budget, outbox_size(outbox), length))
		return OUTBOX_DROPPED;
	return put(outbox, line, length);
}

enum outbox_put outbox_put_answer(struct outbox *outbox, const char *line,
				  size_t length)
{
	if (length > OUTBOX_HARD_LIMIT ||
	    outbox_size(outbox) > OUTBOX_HARD_LIMIT - length ||
	    !budget_fits(outbox->budget, outbox_size(outbox), length))
		return OUTBOX_OVERFLOW;
	return put(outbox, line, length);
}

char *outbox_take(struct outbox *outbox, size_t *ret_length)
{
	char *data = outbox->data;

	if (outbox->in_flight > 0 || outbox->used == 0)
		return NULL;
	*ret_length = outbox->used;
	outbox->in_flight = outbox->used;
	outbox->data = NULL;
	outbox->capacity = 0;
	outbox->used = 0;
	return data;
}

void outbox_written(struct outbox *outbox)
{
	budget_give(outbox->budget, outbox->in_flight);
	outbox->in_flight = 0;
}

bool outbox_recovered(const struct outbox *outbox)
{
	size_t waits = outbox_size(outbox);

	return waits <= LIMIT_CLIENT_QUEUE / 2 &&
	       budget_spares(outbox->budget, waits, waits);
}
