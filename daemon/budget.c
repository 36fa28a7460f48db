/* SPDX-License-Identifier: MIT */
#include "daemon/budget.h"

/* The daemon itself takes 4 MiB, reading a process 4 more for a moment; a
 * target takes 4.2 MiB of its 6. */
#define BASE ((size_t)3 << 20)
#define A_TARGET ((size_t)1 << 20)
/* On top, for what must not be refused lightly. */
#define RESERVE ((size_t)3 << 20)
/* Times what is free, for one client; at least FLOOR while there is any. */
#define GREED 4
#define FLOOR ((size_t)16 << 10)

/* What is left below a bound. */
static size_t left(const struct budget *budget, size_t extra)
{
	size_t most = BASE + A_TARGET * budget->targets + extra;

	return budget->used < most ? most - budget->used : 0;
}

bool budget_spares(const struct budget *budget, size_t own, size_t more)
{
	size_t room;

	if (!budget)
		return true;
	room = left(budget, 0);
	if (more > room)
		return false;
	return own + more <= FLOOR || own + more <= GREED * (room - more);
}

bool budget_fits(const struct budget *budget, size_t own, size_t more)
{
	return !budget || own + more <= FLOOR || more <= left(budget, RESERVE);
}

bool budget_over(const struct budget *budget)
{
	return left(budget, RESERVE) == 0;
}

void budget_take(struct budget *budget, size_t size)
{
	if (budget)
		budget->used += size;
}

void budget_give(struct budget *budget, size_t size)
{
	if (budget)
		budget->used -= size;
}
