/* SPDX-License-Identifier: MIT */
/* callgrind: says to valgrind from where to where instructions are counted.
 * Loaded by tests/agent/instructions.py. */
#include <valgrind/callgrind.h>

void counting_start(void);
void counting_stop(void);

void counting_start(void)
{
	CALLGRIND_START_INSTRUMENTATION;
	CALLGRIND_ZERO_STATS;
}

void counting_stop(void)
{
	CALLGRIND_DUMP_STATS;
	CALLGRIND_STOP_INSTRUMENTATION;
}
