/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "agent/engine/layout.h"

const struct layout *layout;

int layout_find(int minor)
{
	for (int i = 0; i < layout_row_count; i++) {
		const struct layout *row = &layout_rows[i];

		if (row->minor != minor || row->frame_code != LAYOUT_FRAME_CODE)
			continue;
		layout = row;
		return 0;
	}
	return -1;
}
