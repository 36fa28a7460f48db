/* SPDX-License-Identifier: MIT */
#include "clients/cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Narrower than this no table is readable: then lines wrap. */
#define COLUMNS_LEAST 40

void output_init(struct output *output, bool json)
{
	*output = (struct output){ .json = json || !isatty(STDOUT_FILENO) };
}

size_t output_columns(const struct output *output)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	long wanted = columns ? strtol(columns, NULL, 10) : 0;

	if (output->json)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		wanted = size.ws_col;
	return wanted >= COLUMNS_LEAST && wanted < 10000 ? (size_t)wanted : 0;
}

static void write_out(struct output *output, const char *bytes, size_t n,
		      bool newline)
{
	if (output_stopped(output))
		return;
	if (fwrite(bytes, 1, n, stdout) == n &&
	    (!newline || putchar('\n') != EOF) && fflush(stdout) == 0)
		return;
	if (errno == EPIPE)
		output->closed = true;
	else
		output->failed = errno ? errno : EIO;
}

void output_line(struct output *output, const char *line)
{
	write_out(output, line, strlen(line), true);
}

void output_text(struct output *output, const char *text)
{
	write_out(output, text, strlen(text), false);
}

void output_view(struct output *output, struct view view)
{
	write_out(output, view.text, view.length, true);
}

void output_item(struct output *output, const cJSON *item)
{
	char *text = cJSON_PrintUnformatted(item);

	if (!text) {
		output->failed = ENOMEM;
		return;
	}
	output_line(output, text);
	cJSON_free(text);
}

void output_items(struct output *output, const cJSON *array)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, array) output_item(output, item);
}

int output_pipe(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) < 0 ||
	    (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)))
		return -1;
	return STDOUT_FILENO;
}
