/* SPDX-License-Identifier: MIT */
/*
 * output: stdout, as a readable table on a terminal and as JSON lines
 * otherwise. Each line is flushed as a whole. When writing fails nothing more
 * is written: `closed` (the reader left, which is no error) or `failed`.
 */
#ifndef NOPDB_CLI_OUTPUT_H
#define NOPDB_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "clients/cli/view.h"

struct output {
	bool json;
	bool closed; /* EPIPE */
	int failed;  /* errno of another failure; 0: none */
};

/* json: --json was given. */
void output_init(struct output *output, bool json);

/* Columns of the terminal; 0: no bound. */
size_t output_columns(const struct output *output);

/* A line of ours, already escaped; the newline is added. */
void output_line(struct output *output, const char *line);

/* Several lines, each with its newline. */
void output_text(struct output *output, const char *text);

/* One JSON value as one line. */
void output_view(struct output *output, struct view view);
void output_item(struct output *output, const cJSON *item);

/* Every element of an array as a line of its own. */
void output_items(struct output *output, const cJSON *array);

/* A pipe or socket whose reader's leaving can be polled for, or -1. */
int output_pipe(void);

static inline bool output_stopped(const struct output *output)
{
	return output->closed || output->failed;
}

#endif
