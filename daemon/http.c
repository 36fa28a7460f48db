/* SPDX-License-Identifier: MIT */
#include "daemon/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool http_complete(const char *head, size_t length)
{
	return memmem(head, length, "\n\r\n", 3) ||
	       memmem(head, length, "\n\n", 2);
}

/* Takes one word off a line that ends at `end`; its length, 0 for none. */
static size_t take_word(const char **at, const char *end, const char **ret_word)
{
	const char *space;

	while (*at < end && **at == ' ')
		(*at)++;
	*ret_word = *at;
	space = memchr(*at, ' ', (size_t)(end - *at));
	*at = space ? space : end;
	return (size_t)(*at - *ret_word);
}

static bool same(const char *word, size_t length, const char *text)
{
	return length == strlen(text) && !memcmp(word, text, length);
}

enum http_status http_parse(const char *head, size_t length, const char *path,
			    bool *ret_bodiless)
{
	const char *end = memchr(head, '\n', length);
	const char *at = head, *method, *target, *version, *query;
	size_t method_length, target_length, version_length;

	*ret_bodiless = false;
	if (!end)
		return HTTP_BAD_REQUEST;
	if (end > head && end[-1] == '\r')
		end--;
	method_length = take_word(&at, end, &method);
	target_length = take_word(&at, end, &target);
	version_length = take_word(&at, end, &version);
	if (at != end || version_length < 7 || memcmp(version, "HTTP/1.", 7))
		return HTTP_BAD_REQUEST;
	*ret_bodiless = same(method, method_length, "HEAD");
	if (!*ret_bodiless && !same(method, method_length, "GET"))
		return HTTP_BAD_METHOD;
	query = memchr(target, '?', target_length);
	if (query)
		target_length = (size_t)(query - target);
	return same(target, target_length, path) ? HTTP_OK : HTTP_NOT_FOUND;
}

static const char *reason(enum http_status status)
{
	switch (status) {
	case HTTP_OK:
		return "OK";
	case HTTP_BAD_REQUEST:
		return "Bad Request";
	case HTTP_NOT_FOUND:
		return "Not Found";
	case HTTP_BAD_METHOD:
		return "Method Not Allowed";
	case HTTP_TOO_LARGE:
		return "Request Header Fields Too Large";
	case HTTP_UNAVAILABLE:
		break;
	}
	return "Service Unavailable";
}

char *http_answer(enum http_status status, const char *body, size_t length,
		  bool bodiless, size_t *ret_length)
{
	const char *type = body ? "; version=0.0.4" : "";
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_length);
	bool failed;

	if (!out)
		return NULL;
	if (!body) {
		body = reason(status);
		length = strlen(body);
	}
	fprintf(out,
		"HTTP/1.0 %d %s\r\n"
		"Content-Type: text/plain%s; charset=utf-8\r\n"
		"Content-Length: %zu\r\n"
		"%sConnection: close\r\n\r\n",
		status, reason(status), type, length,
		status == HTTP_BAD_METHOD ? "Allow: GET, HEAD\r\n" : "");
	if (!bodiless)
		fwrite(body, 1, length, out);
	failed = ferror(out);
	if (fclose(out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}
