/* SPDX-License-Identifier: MIT */
/*
 * http: as much of HTTP/1.0 as a scraper of metrics needs: the head of a
 * request in, one answer out, then the connection ends. Pure.
 */
#ifndef NOPDB_DAEMON_HTTP_H
#define NOPDB_DAEMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEAD_MAX 4096 /* bytes of a request's head */

enum http_status {
	HTTP_OK = 200,
	HTTP_BAD_REQUEST = 400,
	HTTP_NOT_FOUND = 404,
	HTTP_BAD_METHOD = 405,
	HTTP_TOO_LARGE = 431,
	HTTP_UNAVAILABLE = 503,
};

/* Is the head whole? It ends with an empty line, with or without carriage
 * returns. */
bool http_complete(const char *head, size_t length);

/* What a whole head asks for: OK for GET or HEAD of the path, with or without
 * a query, in HTTP/1.x; else why not. ret_bodiless: HEAD. */
enum http_status http_parse(const char *head, size_t length, const char *path,
			    bool *ret_bodiless);

/* The whole answer, for the caller to free; NULL: no memory. Without a body
 * (NULL) the status is said in words. bodiless: only its head is sent. */
char *http_answer(enum http_status status, const char *body, size_t length,
		  bool bodiless, size_t *ret_length);

#endif
