/* SPDX-License-Identifier: MIT */
#include "clients/cli/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "clients/cli/text.h"

static bool quiet_notes;

void report_quiet(bool quiet)
{
	quiet_notes = quiet;
}

int report_error(const struct error *err)
{
	struct text text = TEXT_INIT;

	text_add(&text, "nopdb: ");
	text_add_foreign(&text, err->msg);
	if (err->remedy[0]) {
		text_add(&text, "\n  remedy: ");
		text_add_foreign(&text, err->remedy);
	}
	fprintf(stderr, "%s\n", text_string(&text));
	text_release(&text);
	return error_exit_status(err->code);
}

void report_note(const char *format, ...)
{
	struct text text = TEXT_INIT;
	char *note = NULL;
	va_list args;

	if (quiet_notes)
		return;
	va_start(args, format);
	if (vasprintf(&note, format, args) < 0)
		note = NULL;
	va_end(args);
	if (!note)
		return;
	text_add_foreign(&text, note);
	fprintf(stderr, "nopdb: %s\n", text_string(&text));
	text_release(&text);
	free(note);
}
