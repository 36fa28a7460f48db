/* SPDX-License-Identifier: MIT */
/*
 * value: a captured value as Python would write it, for a terminal:
 * ('a', 1, b'\x00'), {1, 2}, <app.User 0x7f..>. "..." where it was cut.
 */
#ifndef NOPDB_CLI_VALUE_H
#define NOPDB_CLI_VALUE_H

#include "clients/cli/text.h"
#include "clients/cli/view.h"

/* Appends the value, everything foreign escaped. */
void value_render(struct text *text, struct view value);

/* Appends a string's characters without quotes, escaped. */
void value_render_plain(struct text *text, struct view string);

#endif
