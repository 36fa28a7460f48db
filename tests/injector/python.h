/* SPDX-License-Identifier: MIT */
/*
 * python: the Pythons of this machine, and programs running in them, for
 * the tests of the injector.
 */
#ifndef NOPDB_TESTS_PYTHON_H
#define NOPDB_TESTS_PYTHON_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PYTHONS 16

struct python {
	char path[256];
	unsigned minor;
	bool supported;
};

/* From ~/.pyenv and /usr/bin; returns how many. */
size_t python_list(struct python list[PYTHONS]);

/* Starts `python -c source` and waits until it has printed a line. */
pid_t python_start(const struct python *python, const char *source);

/* The same, under a seccomp filter; NULL for none. */
pid_t python_start_filtered(const struct python *python, const char *source,
			    const struct sock_fprog *filter);

/* Any program, killed as the above; waits ready_ms for it to settle. */
pid_t program_start(const char *const argv[], unsigned ready_ms);

/* Kills and collects. */
void program_end(pid_t pid);

/* The path of a file beside the running test program. */
void beside_test(const char *name, char *buf, size_t size);

#endif
