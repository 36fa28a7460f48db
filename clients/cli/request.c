/* SPDX-License-Identifier: MIT */
#include "clients/cli/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/location.h"

static const enum option_id location_options[] = { OPTION_FUNCTION, OPTION_FILE,
						   OPTION_MODULE,
						   OPTION_CALLABLE };
#define LOCATION_OPTIONS \
	(sizeof(location_options) / sizeof(location_options[0]))

bool request_has_location(const struct options *options)
{
	for (size_t i = 0; i < LOCATION_OPTIONS; i++)
		if (option_given(options, location_options[i]))
			return true;
	return false;
}

static int copy_part(char *to, size_t size, const struct options *options,
		     enum option_id id, struct error *err)
{
	const char *text = options->value[id].text;

	if (!text)
		return 0;
	if (strlen(text) >= size)
		return error_set(err, ERROR_LOCATION,
				 "--%s: longer than %zu bytes",
				 option_table[id].name, size - 1);
	strncpy(to, text, size - 1);
	return 0;
}

int request_check_location(const struct options *options, const char *where,
			   bool lines, struct error *err)
{
	struct location location;

	memset(&location, 0, sizeof(location));
	if (option_given(options, OPTION_CALLABLE)) {
		if (where || option_given(options, OPTION_FILE) ||
		    option_given(options, OPTION_FUNCTION))
			return error_set(err, ERROR_USAGE,
					 "--callable stands alone, or with "
					 "--module and --line");
		return 0;
	}
	if (where && (lines ? location_parse_line(where, &location, err)
			    : location_parse(where, &location, err)) < 0) {
		/* Reasons name the part that is wrong: say what it is of. */
		if (err && !strstr(err->msg, where))
			error_wrap(err, "%s", where);
		return -1;
	}
	if (copy_part(location.module, sizeof(location.module), options,
		      OPTION_MODULE, err) < 0 ||
	    copy_part(location.file, sizeof(location.file), options,
		      OPTION_FILE, err) < 0 ||
	    copy_part(location.function, sizeof(location.function), options,
		      OPTION_FUNCTION, err) < 0)
		return -1;
	return location_check(&location, err);
}

void request_add_location(cJSON *params, const struct options *options,
			  const char *where)
{
	if (where)
		cJSON_AddStringToObject(params, "where", where);
	for (size_t i = 0; i < LOCATION_OPTIONS; i++) {
		enum option_id id = location_options[i];

		if (option_given(options, id))
			cJSON_AddStringToObject(params, option_table[id].name,
						options->value[id].text);
	}
}

static void add_text(cJSON *params, const char *name,
		     const struct options *options, enum option_id id)
{
	if (option_given(options, id))
		cJSON_AddStringToObject(params, name, options->value[id].text);
}

/* A whole number goes as one: that is a line's number. */
void request_add_line(cJSON *params, const struct options *options)
{
	const char *line = options->value[OPTION_LINE].text;

	if (line && strlen(line) < 10 && line[strspn(line, "0123456789")] == 0)
		cJSON_AddNumberToObject(params, "line", atof(line));
	else
		add_text(params, "line", options, OPTION_LINE);
	add_text(params, "line_regex", options, OPTION_LINE_REGEX);
}

char *request_read_code(const char *path, struct error *err)
{
	bool piped = !strcmp(path, "-");
	FILE *file = piped ? stdin : fopen(path, "r");
	char *text = file ? calloc(1, LIMIT_CODE) : NULL;
	size_t size = text ? fread(text, 1, LIMIT_CODE, file) : 0;
	int failed = !file ? errno : ferror(file) ? EIO : 0;

	if (file && !piped)
		(void)!fclose(file);
	if (failed || !text)
		error_set_errno(err, ERROR_USAGE, failed ? failed : ENOMEM,
				"--exec-file %s", path);
	else if (size == LIMIT_CODE || strlen(text) != size)
		error_set(err, ERROR_USAGE,
			  "--exec-file %s: more than %d bytes, or not text",
			  path, LIMIT_CODE - 1);
	else
		return text;
	free(text);
	return NULL;
}

static int add_action(cJSON *actions, const struct option_action *action,
		      struct error *err)
{
	cJSON *item;
	char *code = NULL;

	if (action->id == OPTION_EXEC_FILE) {
		code = request_read_code(action->text, err);
		if (!code)
			return -1;
	}
	item = cJSON_CreateObject();
	cJSON_AddItemToArray(actions, item);
	if (action->id == OPTION_STACK || action->id == OPTION_DEBUG)
		cJSON_AddTrueToObject(item, option_table[action->id].name);
	else if (code)
		cJSON_AddStringToObject(item, "exec", code);
	else
		cJSON_AddStringToObject(item, option_table[action->id].name,
					action->text);
	free(code);
	return 0;
}

int request_check_debug(const struct options *options, struct error *err)
{
	if (option_given(options, OPTION_DEBUG) &&
	    option_given(options, OPTION_PERSIST))
		return error_set(err, ERROR_USAGE,
				 "--debug needs this terminal: not with "
				 "--persist");
	if (option_given(options, OPTION_DEBUG_TIMEOUT) &&
	    !option_given(options, OPTION_DEBUG))
		return error_set(err, ERROR_USAGE,
				 "--debug-timeout without --debug");
	return 0;
}

void request_add_thread(cJSON *params, const struct options *options)
{
	add_text(params, "thread", options, OPTION_THREAD);
}

int request_check_limits(const struct options *options, struct error *err)
{
	const struct option_value *least = &options->value[OPTION_MIN_DURATION];
	const struct option_value *time = &options->value[OPTION_TIME];
	uint64_t most = time->given ? time->number
				    : (uint64_t)DEFAULT_TIME_MS * 1000000;

	if (option_given(options, OPTION_LINE) &&
	    option_given(options, OPTION_LINE_REGEX))
		return error_set(err, ERROR_USAGE,
				 "--line and --line-regex exclude each other");
	if (least->given && most && least->number >= most)
		return error_set(err, ERROR_USAGE,
				 "--min-duration: no call can take so long "
				 "before --time is over");
	return 0;
}

int request_add_actions(cJSON *params, const struct options *options,
			struct error *err)
{
	cJSON *actions = cJSON_AddArrayToObject(params, "actions");

	for (int i = 0; i < options->action_count; i++)
		if (add_action(actions, &options->actions[i], err) < 0)
			return -1;
	return 0;
}

int request_add_script(cJSON *params, const struct options *options,
		       struct error *err)
{
	request_add_line(params, options);
	add_text(params, "if", options, OPTION_IF);
	request_add_thread(params, options);
	add_text(params, "once_per", options, OPTION_ONCE_PER);
	return request_add_actions(params, options, err);
}

/* A time is rounded up to the unit of its limit: 1 us must not lift it. */
static double limit_number(const struct option_entry *entry,
			   const struct option_value *value)
{
	uint64_t unit = entry->unit_ns > 1 ? entry->unit_ns : 1;
	uint64_t units = value->number / unit + (value->number % unit != 0);

	return (double)units;
}

void request_add_redaction(cJSON *object, const struct options *options)
{
	if (option_given(options, OPTION_STRICT))
		cJSON_AddTrueToObject(object, "strict");
	if (option_given(options, OPTION_REDACT))
		cJSON_AddStringToObject(object, "redact",
					options->value[OPTION_REDACT].text);
	if (option_given(options, OPTION_NO_REDACT))
		cJSON_AddStringToObject(object, "no_redact",
					options->value[OPTION_NO_REDACT].text);
}

void request_add_limits(cJSON *params, const struct options *options)
{
	cJSON *limits = cJSON_AddObjectToObject(params, "limits");

	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_entry *e = &option_table[i];

		if (e->limit && options->value[i].given)
			cJSON_AddNumberToObject(
				limits, e->limit,
				limit_number(e, &options->value[i]));
	}
	if (option_given(options, OPTION_NO_LOCALS))
		cJSON_AddFalseToObject(limits, "locals");
	if (option_given(options, OPTION_ONLY_EXCEPTIONS))
		cJSON_AddTrueToObject(limits, "only_exceptions");
	if (option_given(options, OPTION_YIELDS))
		cJSON_AddTrueToObject(limits, "yields");
	if (option_given(options, OPTION_REPR))
		cJSON_AddTrueToObject(limits, "repr");
	if (option_given(options, OPTION_ARRAYS))
		cJSON_AddStringToObject(limits, "arrays",
					options->value[OPTION_ARRAYS].text);
	request_add_redaction(limits, options);
}
