/* SPDX-License-Identifier: MIT */
#include "daemon/arrears.h"

#include <stdlib.h>

void arrears_init(struct arrears *arrears)
{
	*arrears = (struct arrears){ 0 };
}

void arrears_release(struct arrears *arrears)
{
	free(arrears->list);
	arrears_init(arrears);
}

struct arrear *arrears_find(const struct arrears *arrears, uint32_t probe)
{
	for (unsigned i = 0; i < arrears->count; i++) {
		if (arrears->list[i].probe == probe)
			return &arrears->list[i];
	}
	return NULL;
}

static struct arrear *append(struct arrears *arrears, uint32_t probe)
{
	if (arrears->count == arrears->capacity) {
		unsigned capacity = arrears->capacity * 2 + 4;
		struct arrear *list =
			reallocarray(arrears->list, capacity, sizeof(*list));

		if (!list)
			return NULL;
		arrears->list = list;
		arrears->capacity = capacity;
	}
	arrears->list[arrears->count] = (struct arrear){ .probe = probe };
	return &arrears->list[arrears->count++];
}

bool arrears_add(struct arrears *arrears, uint32_t probe)
{
	struct arrear *arrear = arrears_find(arrears, probe);

	if (!arrear)
		arrear = append(arrears, probe);
	if (!arrear)
		return false;
	arrear->unreported++;
	arrear->total++;
	return true;
}

struct arrear *arrears_next(struct arrears *arrears)
{
	for (unsigned i = 0; i < arrears->count; i++) {
		if (arrears->list[i].unreported)
			return &arrears->list[i];
	}
	return NULL;
}

void arrears_forget(struct arrears *arrears, uint32_t probe)
{
	struct arrear *arrear = arrears_find(arrears, probe);

	if (arrear)
		*arrear = arrears->list[--arrears->count];
}
