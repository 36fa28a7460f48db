/* SPDX-License-Identifier: MIT */
/*
 * annotate: adds "source", the text of the line, to a record, to the frames of
 * its stack and to what awaits it, wherever the file can be read (source.h).
 * The rest stays byte for byte.
 */
#ifndef NOPDB_CLI_ANNOTATE_H
#define NOPDB_CLI_ANNOTATE_H

#include <cjson/cJSON.h>

#include "clients/cli/source.h"
#include "clients/cli/text.h"
#include "clients/cli/view.h"

/* The record with its sources, in text (empty before). */
struct view annotate_record(struct text *text, struct view record,
			    struct source *source);

/* The same for a `stack` record and its frames. */
void annotate_stack(cJSON *record, struct source *source);

#endif
