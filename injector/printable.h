/* SPDX-License-Identifier: MIT */
/*
 * printable: text that comes out of a target (names of processes, symbols,
 * messages of its loader) may hold anything; before it goes into ours, all but
 * printable ASCII becomes '?'.
 */
#ifndef NOPDB_INJECTOR_PRINTABLE_H
#define NOPDB_INJECTOR_PRINTABLE_H

static inline void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

#endif
