/* SPDX-License-Identifier: MIT */
#include "agent/engine/hookpage.h"

#include <stddef.h>
#include <sys/mman.h>

#include "agent/maps.h"
#include "agent/sys.h"

extern char hookpage_image[], hookpage_image_entry[];
extern char hookpage_image_shim[], hookpage_image_end[];

#define HOOKPAGE_CHECK(field, offset) \
	_Static_assert(offsetof(struct hookpage, field) == (offset), #field)

HOOKPAGE_CHECK(hook, HOOKPAGE_HOOK);
HOOKPAGE_CHECK(previous, HOOKPAGE_PREVIOUS);
HOOKPAGE_CHECK(pre, HOOKPAGE_PRE);
HOOKPAGE_CHECK(post, HOOKPAGE_POST);
HOOKPAGE_CHECK(live, HOOKPAGE_LIVE);

/* Where a label of the image is in the page. */
static size_t at(const char *label)
{
	return (size_t)((uintptr_t)label - (uintptr_t)hookpage_image);
}

static char *code_page(const struct hookpage *page)
{
	return (char *)page - HOOKPAGE_SIZE;
}

struct hookpage *hookpage_new(void *previous, hookpage_pre *pre,
			      hookpage_post *post)
{
	char *code = sys_map(2 * HOOKPAGE_SIZE);
	struct hookpage *page;

	if (!code)
		return NULL;
	page = (struct hookpage *)(code + HOOKPAGE_SIZE);
	memcpy(code, hookpage_image, at(hookpage_image_end));
	memcpy(page->magic, HOOKPAGE_MAGIC, sizeof page->magic);
	page->hook = page->previous = previous;
	page->pre = (void *)pre;
	page->post = (void *)post;
	page->pid = sys_getpid();
	/* Hardened kernels (SELinux execmem) refuse anonymous code. */
	if (sys_protect(code, HOOKPAGE_SIZE, PROT_READ | PROT_EXEC) != 0) {
		sys_unmap(code, 2 * HOOKPAGE_SIZE);
		return NULL;
	}
	return page;
}

void *hookpage_entry(const struct hookpage *page)
{
	return code_page(page) + at(hookpage_image_entry);
}

void *hookpage_shim(const struct hookpage *page)
{
	return code_page(page) + at(hookpage_image_shim);
}

void hookpage_leave(struct hookpage *page)
{
	page->hook = page->previous;
	page->post = NULL;
}

bool hookpage_reap(struct hookpage *page)
{
	if (page->live || page->pinned || page->post ||
	    page->hook != page->previous)
		return false;
	sys_unmap(code_page(page), 2 * HOOKPAGE_SIZE);
	return true;
}

bool hookpage_inherited(const struct hookpage *page)
{
	return page->pid != sys_getpid();
}

/* The data page behind a mapping of code, when both are ours. The kernel may
 * have merged either with a neighbour: the code is the last page of its
 * mapping, the data the first of the next one. */
static struct hookpage *page_between(const struct mapping *code,
				     const struct mapping *data)
{
	struct hookpage *page = (struct hookpage *)data->start;

	if (code->end != data->start || !code->anonymous || !data->anonymous)
		return NULL;
	if (code->protection != (PROT_READ | PROT_EXEC) ||
	    data->protection != (PROT_READ | PROT_WRITE))
		return NULL;
	if (memcmp(code_page(page), HOOKPAGE_MAGIC, HOOKPAGE_MAGIC_LENGTH) ||
	    memcmp(page->magic, HOOKPAGE_MAGIC, HOOKPAGE_MAGIC_LENGTH))
		return NULL;
	return page;
}

bool hookpage_each(bool (*visit)(struct hookpage *page, void *arg), void *arg)
{
	struct mapping one, before = { 0 };
	struct maps maps;
	bool stop = false;

	if (maps_open(&maps) < 0)
		return false;
	while (!stop && maps_next(&maps, &one)) {
		struct hookpage *page = page_between(&before, &one);

		if (page)
			stop = visit(page, arg);
		before = one;
	}
	maps_close(&maps);
	return stop;
}
