/* SPDX-License-Identifier: MIT */
#include "daemon/rpc.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json_check.h"
#include "proto/limits.h"

#define FIRST_ANSWER 4096u

/* ---- the id, as it was written ---------------------------------------------
 */

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* p is at a quote; returns the place after the closing one. */
static const char *skip_string(const char *p)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
	}
	return p + 1;
}

/* Skips one value of text that json_check accepted. */
static const char *skip_value(const char *p)
{
	int depth = 0;

	do {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	} while (depth > 0 ||
		 (*p != ',' && *p != '}' && *p != ' ' && *p != '\t'));
	return p;
}

/* Finds the first top-level member "id" of checked, NUL-terminated text; false
 * when there is none. */
static bool find_id(const char *text, const char **ret_value,
		    size_t *ret_length)
{
	const char *p = skip_space(skip_space(text) + 1);

	while (*p == '"') {
		bool found = !strncmp(p, "\"id\"", 4);
		const char *value;

		p = skip_space(skip_string(p));
		value = skip_space(p + 1);
		p = skip_value(value);
		if (found) {
			*ret_value = value;
			*ret_length = (size_t)(p - value);
			return true;
		}
		p = skip_space(p);
		if (*p == ',')
			p = skip_space(p + 1);
	}
	return false;
}

/* Keeps the id's text when it is one that JSON-RPC allows. */
static int take_id(const char *text, struct rpc_request *request,
		   struct error *err)
{
	const char *value;
	size_t length;

	if (!find_id(text, &value, &length)) {
		error_set(err, ERROR_REQUEST, "request without an id");
		return error_remedy(err, "give each request an \"id\"");
	}
	if (*value == '{' || *value == '[' || *value == 't' || *value == 'f')
		return error_set(err, ERROR_REQUEST,
				 "id is neither string, number nor null");
	if (length >= sizeof(request->id))
		return error_set(err, ERROR_REQUEST, "id longer than %zu bytes",
				 sizeof(request->id) - 1);
	memcpy(request->id, value, length);
	request->id[length] = '\0';
	return 0;
}

/* ---- requests
 * ---------------------------------------------------------------- */

/* Is there a \u0000 in the text? cJSON would end the string there. */
static bool has_escaped_nul(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p != '\\')
			continue;
		if (!strncmp(p, "\\u0000", 6))
			return true;
		p++;
	}
	return false;
}

/* Values and names in text that json_check accepted, or a few more. */
static size_t count_values(const char *text)
{
	size_t count = 1;

	for (const char *p = text; *p;) {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		count += *p == ',' || *p == '{' || *p == '[';
		p++;
	}
	return count;
}

static int check_text(const char *text, size_t length, struct error *err)
{
	const char *first = skip_space(text);
	const char *why;
	size_t offset = 0;

	if (*first == '[') {
		error_set(err, ERROR_REQUEST, "batches are not supported");
		return error_remedy(err, "send one request a line");
	}
	why = json_check(text, length, NULL, &offset);
	if (why) {
		error_set(err, ERROR_PARSE, "malformed JSON at byte %zu: %s",
			  offset, why);
		return error_remedy(err, "send one JSON object a line");
	}
	if (has_escaped_nul(text))
		return error_set(err, ERROR_REQUEST,
				 "strings with NUL are not supported");
	return 0;
}

/* Checks the members that JSON-RPC defines. */
static int check_members(struct rpc_request *request, struct error *err)
{
	const cJSON *root = request->root;
	const cJSON *version =
		cJSON_GetObjectItemCaseSensitive(root, "jsonrpc");
	const cJSON *method = cJSON_GetObjectItemCaseSensitive(root, "method");
	const cJSON *params = cJSON_GetObjectItemCaseSensitive(root, "params");

	if (!cJSON_IsString(version) || strcmp(version->valuestring, "2.0")) {
		error_set(err, ERROR_REQUEST, "not a JSON-RPC 2.0 request");
		return error_remedy(err, "send \"jsonrpc\":\"2.0\"");
	}
	if (!cJSON_IsString(method) || !*method->valuestring)
		return error_set(err, ERROR_REQUEST,
				 "request without a method name");
	if (strlen(method->valuestring) >= RPC_METHOD_MAX)
		return error_set(err, ERROR_REQUEST,
				 "method name longer than %d bytes",
				 RPC_METHOD_MAX - 1);
	if (params && !cJSON_IsNull(params) && !cJSON_IsObject(params)) {
		error_set(err, ERROR_PARAMS, "params is not an object");
		return error_remedy(err, "give parameters by name");
	}
	request->method = method->valuestring;
	request->params = cJSON_IsObject(params) ? params : NULL;
	return 0;
}

static int parse_copy(const char *text, size_t length,
		      struct rpc_request *request, struct error *err)
{
	if (check_text(text, length, err) || take_id(text, request, err))
		return -1;
	request->values = count_values(text);
	if (request->values > RPC_VALUES_MAX)
		return error_set(err, ERROR_LIMIT,
				 "a request of more than %d values",
				 RPC_VALUES_MAX);
	request->root = cJSON_ParseWithLength(text, length);
	if (!request->root)
		return error_set(err, ERROR_NO_MEMORY,
				 "no memory for a request");
	if (!check_members(request, err))
		return 0;
	cJSON_Delete(request->root);
	request->root = NULL;
	return -1;
}

int rpc_parse(const char *text, size_t length, struct rpc_request *ret_request,
	      struct error *err)
{
	char *copy = malloc(length + 1);
	int result;

	*ret_request = (struct rpc_request){ .id = "null" };
	if (!copy)
		return error_set(err, ERROR_NO_MEMORY,
				 "no memory for a request");
	memcpy(copy, text, length);
	copy[length] = '\0';
	result = parse_copy(copy, length, ret_request, err);
	free(copy);
	return result;
}

void rpc_request_release(struct rpc_request *request)
{
	cJSON_Delete(request->root);
	request->root = NULL;
}

/* ---- answers
 * ----------------------------------------------------------------- */

struct answer {
	const char *id;
	const char *member; /* "result" or "error" */
	rpc_render *render;
	const void *arg;
};

static void write_answer(struct json_writer *w, const struct answer *answer)
{
	json_object_begin(w);
	json_key(w, "jsonrpc");
	json_string(w, "2.0");
	json_key(w, "id");
	json_raw(w, answer->id, strlen(answer->id));
	json_key(w, answer->member);
	json_object_begin(w);
	answer->render(w, answer->arg);
	json_object_end(w);
	json_object_end(w);
}

/* Renders into ever larger buffers until the answer fits. */
static char *render_line(const struct answer *answer, size_t *ret_length)
{
	for (size_t size = FIRST_ANSWER; size <= RPC_ANSWER_MAX; size *= 2) {
		struct json_writer w;
		char *line = malloc(size);

		if (!line)
			return NULL;
		json_init(&w, line, size - 1);
		write_answer(&w, answer);
		if (!w.full) {
			*ret_length = json_length(&w) + 1;
			line[*ret_length - 1] = '\n';
			return line;
		}
		free(line);
	}
	return NULL;
}

char *rpc_result(const char *id, rpc_render *render, const void *arg,
		 size_t *ret_length)
{
	struct answer answer = { id, "result", render, arg };

	return render_line(&answer, ret_length);
}

static void render_error(struct json_writer *w, const void *arg)
{
	const struct error *error = arg;

	json_key(w, "code");
	json_int(w, error_rpc_code(error->code));
	json_key(w, "message");
	json_string(w, error->msg);
	json_key(w, "data");
	json_object_begin(w);
	json_key(w, "name");
	json_string(w, error_name(error->code));
	if (error->remedy[0]) {
		json_key(w, "remedy");
		json_string(w, error->remedy);
	}
	json_key(w, "exit");
	json_int(w, error_exit_status(error->code));
	json_object_end(w);
}

size_t rpc_failure(const char *id, const struct error *error,
		   char line[RPC_FAILURE_MAX])
{
	struct answer answer = { id, "error", render_error, error };
	struct json_writer w;
	size_t length;

	/* A byte of the texts takes six at most: there is room. */
	json_init(&w, line, RPC_FAILURE_MAX - 1);
	write_answer(&w, &answer);
	length = json_length(&w);
	line[length] = '\n';
	return length + 1;
}
