/* SPDX-License-Identifier: MIT */
/*
 * client: a daemon with the fake agent on a thread of this process, a process
 * to be its target, and blocking clients, for the tests of whole flows.
 */
#ifndef NOPDB_TESTS_DAEMON_CLIENT_H
#define NOPDB_TESTS_DAEMON_CLIENT_H

#include <stdbool.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

/* Starts daemon and target; stop ends both and checks that the loop ended. */
void world_start(unsigned idle_s);
void world_stop(void);
/* The daemon's thread has ended by itself within so many milliseconds. */
bool world_ended(unsigned ms);
pid_t world_target(void);
const char *world_socket(void);

struct client {
	int fd;
	int next_id;
	size_t used;
	char *data;	/* received, not yet taken */
	cJSON *last;	/* what the last call returned; owned */
	cJSON *records; /* array: came while an answer was awaited */
};

void client_open(struct client *client);
void client_close(struct client *client);

/* Sends one request, "pid" added to params ({} when NULL) when with_pid. */
int client_send(struct client *client, const char *method, const char *params,
		bool with_pid);
void client_send_raw(struct client *client, const char *bytes, size_t size);

/* Waits for the answer to a request: its result, or its error's data. */
const cJSON *client_wait(struct client *client, int id);
const cJSON *client_ask(struct client *client, const char *method,
			const char *params, bool with_pid);

/* The name of the error that a request is answered with; "" when it is not. */
const char *client_error(struct client *client, const char *method,
			 const char *params, bool with_pid);

/* Attaches to the target, skips the `attached` record. */
void client_attach(struct client *client);
/* Adds a probe on m:FUNCTION with limits (JSON or NULL); its id. */
int client_probe(struct client *client, const char *function,
		 const char *limits);

/* The next record, from those set aside first. */
const cJSON *client_record(struct client *client);
/* The next record is of this event, and its reason (NULL: any) is this. */
const cJSON *client_expect(struct client *client, const char *event,
			   const char *reason);
/* The next line, parsed; NULL at the end of the stream. */
const cJSON *client_line(struct client *client);

/* Members, of any type, as text or number. */
const char *text_of(const cJSON *object, const char *name);
double number_of(const cJSON *object, const char *name);

#endif
