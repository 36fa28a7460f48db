/* SPDX-License-Identifier: MIT */
#include "agent/armed.h"

#include <linux/mman.h>

#include "agent/sys.h"

enum { PAGE = 4096 };

static const volatile int never;
static volatile int *page;

const volatile int *armed_flag = &never;
int armed_inside;

int armed_init(void)
{
	volatile int *fresh = sys_map(PAGE);

	if (!fresh)
		return -1;
	/* Linux 4.14. Without it nearly every child that was forked while
	 * armed died (facts/engines.md). */
	if (sys_madvise((void *)fresh, PAGE, MADV_WIPEONFORK) != 0) {
		sys_unmap((void *)fresh, PAGE);
		return -1;
	}
	page = fresh;
	armed_flag = fresh;
	return 0;
}

void armed_set(bool on)
{
	if (page)
		*page = on;
}

void armed_release(void)
{
	armed_flag = &never;
	sys_unmap((void *)page, PAGE);
	page = NULL;
}
