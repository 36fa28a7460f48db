/* SPDX-License-Identifier: MIT */
#include "clients/cli/probe_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

#define FILE_MOST (8u << 20)

/* Members of a listing, and what becomes of them. */
static const char *const taken[] = {
	"kind",	   "where",	 "module",  "file",	"function",
	"line",	   "line_regex", "if",	    "thread",	"once_per",
	"actions", "limits",	 "persist", "callable", NULL,
};
static const char *const passed[] = {
	"v",	    "event", "probe", "target", "pid",	 "hits",
	"captures", "lost",  "cut",   "owner",	"state", NULL,
};

static bool among(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

/* The whole file, with a NUL; the caller frees it. */
static char *read_all(const char *path, struct error *err)
{
	bool piped = !strcmp(path, "-");
	FILE *file = piped ? stdin : fopen(path, "r");
	char *text = file ? malloc(FILE_MOST + 1) : NULL;
	size_t size = text ? fread(text, 1, FILE_MOST + 1, file) : 0;
	int failed = !file ? errno : ferror(file) ? EIO : 0;

	if (file && !piped)
		(void)!fclose(file);
	if (failed || !text)
		error_set_errno(err, ERROR_USAGE, failed ? failed : ENOMEM,
				"%s", path);
	else if (size > FILE_MOST)
		error_set(err, ERROR_USAGE, "%s: more than %u bytes", path,
			  FILE_MOST);
	else if (memchr(text, 0, size))
		error_set(err, ERROR_PARSE, "%s: not text", path);
	else {
		text[size] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

static int line_of(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* Appends one value of the file: a probe, or an array of them. */
static void add_value(cJSON *probes, cJSON *value)
{
	cJSON *item;

	if (!cJSON_IsArray(value)) {
		cJSON_AddItemToArray(probes, value);
		return;
	}
	while ((item = cJSON_DetachItemFromArray(value, 0)))
		cJSON_AddItemToArray(probes, item);
	cJSON_Delete(value);
}

/* Every value of the text, one after the other. */
static int parse(const char *path, const char *text, cJSON *probes,
		 struct error *err)
{
	const char *next = text + strspn(text, " \t\r\n");

	while (*next) {
		const char *end = NULL;
		cJSON *value = cJSON_ParseWithOpts(next, &end, false);

		if (!value) {
			error_set(err, ERROR_PARSE, "%s:%d: not JSON", path,
				  line_of(text, end ? end : next));
			return error_remedy(err, "write what nopdb list --json "
						 "prints");
		}
		add_value(probes, value);
		next = end + strspn(end, " \t\r\n");
	}
	if (cJSON_GetArraySize(probes) == 0)
		return error_set(err, ERROR_USAGE, "%s: no probe in it", path);
	if (cJSON_GetArraySize(probes) > LIMIT_PROBES)
		return error_set(err, ERROR_USAGE, "%s: more than %d probes",
				 path, LIMIT_PROBES);
	return 0;
}

/* `where` is how a listing shows the parts; without them it says it all. */
static bool has_parts(const cJSON *probe)
{
	return cJSON_HasObjectItem(probe, "module") ||
	       cJSON_HasObjectItem(probe, "file") ||
	       cJSON_HasObjectItem(probe, "function") ||
	       cJSON_HasObjectItem(probe, "callable");
}

/* Leaves what probe.add takes. */
static int reduce(const char *path, int number, cJSON *probe, struct error *err)
{
	bool listed = cJSON_HasObjectItem(probe, "probe");
	cJSON *member, *next;

	if (!cJSON_IsObject(probe))
		return error_set(err, ERROR_USAGE, "%s: probe %d: no object",
				 path, number);
	for (member = probe->child; member; member = next) {
		next = member->next;
		if (among(passed, member->string) ||
		    (listed && has_parts(probe) &&
		     !strcmp(member->string, "where"))) {
			cJSON_Delete(cJSON_DetachItemViaPointer(probe, member));
			continue;
		}
		if (!among(taken, member->string))
			return error_set(err, ERROR_USAGE,
					 "%s: probe %d: unknown member '%.40s'",
					 path, number, member->string);
	}
	if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(probe, "kind")))
		return error_set(err, ERROR_USAGE,
				 "%s: probe %d: 'kind' is missing", path,
				 number);
	return 0;
}

static int reduce_all(const char *path, cJSON *probes, struct error *err)
{
	int number = 0;
	cJSON *probe;

	cJSON_ArrayForEach(probe, probes)
	{
		if (reduce(path, ++number, probe, err) < 0)
			return -1;
	}
	return 0;
}

cJSON *probe_file_read(const char *path, struct error *err)
{
	char *text = read_all(path, err);
	cJSON *probes = text ? cJSON_CreateArray() : NULL;
	int result = -1;

	if (probes)
		result = parse(path, text, probes, err);
	if (!result)
		result = reduce_all(path, probes, err);
	free(text);
	if (!result)
		return probes;
	cJSON_Delete(probes);
	return NULL;
}

bool probe_file_persists(const cJSON *probes)
{
	const cJSON *probe;

	cJSON_ArrayForEach(probe, probes)
	{
		if (!cJSON_IsTrue(
			    cJSON_GetObjectItemCaseSensitive(probe, "persist")))
			return false;
	}
	return true;
}
