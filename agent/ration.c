/* SPDX-License-Identifier: MIT */
#include "agent/ration.h"

#include "agent/budget.h"
#include "agent/python.h"

enum {
	DOMAIN_MEM = 1, /* PYMEM_DOMAIN_MEM: GIL held, as for OBJ */
	DOMAINS = 2,
};

#define LARGE ((size_t)1 << 20)

static struct py_allocator previous[DOMAINS];
static int users;
static bool installed;

/* May this thread have so much? Only what is large is looked at. */
static bool granted(size_t size)
{
	struct budget *budget;

	if (size < LARGE)
		return true;
	budget = budget_of_thread();
	if (!budget)
		budget = budget_lent();
	if (!budget)
		return true;
	if (size > RATION_ONE || budget->taken + size > RATION_ALL)
		return false;
	budget->taken += size;
	return true;
}

static void *ration_malloc(void *domain, size_t size)
{
	const struct py_allocator *to = domain;

	return granted(size) ? to->malloc(to->context, size) : NULL;
}

static void *ration_calloc(void *domain, size_t count, size_t size)
{
	const struct py_allocator *to = domain;
	size_t total;

	if (__builtin_mul_overflow(count, size, &total) || !granted(total))
		return NULL;
	return to->calloc(to->context, count, size);
}

static void *ration_realloc(void *domain, void *block, size_t size)
{
	const struct py_allocator *to = domain;

	return granted(size) ? to->realloc(to->context, block, size) : NULL;
}

static void ration_free(void *domain, void *block)
{
	const struct py_allocator *to = domain;

	to->free(to->context, block);
}

static bool is_ours(int domain)
{
	struct py_allocator now;

	py.PyMem_GetAllocator(DOMAIN_MEM + domain, &now);
	return now.malloc == ration_malloc;
}

void ration_begin(void)
{
	if (users++ || installed)
		return;
	for (int i = 0; i < DOMAINS; i++) {
		struct py_allocator ours = { &previous[i], ration_malloc,
					     ration_calloc, ration_realloc,
					     ration_free };

		py.PyMem_GetAllocator(DOMAIN_MEM + i, &previous[i]);
		py.PyMem_SetAllocator(DOMAIN_MEM + i, &ours);
	}
	installed = true;
}

void ration_end(void)
{
	if (--users || !is_ours(0) || !is_ours(1))
		return;
	for (int i = 0; i < DOMAINS; i++)
		py.PyMem_SetAllocator(DOMAIN_MEM + i, &previous[i]);
	installed = false;
}

bool ration_stuck(void)
{
	return installed;
}
