/* SPDX-License-Identifier: MIT */
#include "tests/daemon/client.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "tests/daemon/fake_agent.h"

#define WAIT_S 15
#define ROOM (2u << 20)

static struct daemon daemon_under_test;
static pthread_t thread;
static atomic_bool ended;
static bool joined;
static pid_t target;
static char directory[64], path[96];

/* ---- the world
 * ---------------------------------------------------------------------- */

static void *serve(void *arg)
{
	daemon_run(&daemon_under_test);
	daemon_release(&daemon_under_test);
	atomic_store(&ended, true);
	return NULL;
}

static pid_t start_target(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

void world_start(unsigned idle_s)
{
	struct listener listener = LISTENER_INIT;
	struct error err = ERROR_INIT;
	int agent_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	target = start_target();
	snprintf(directory, sizeof(directory), "/tmp/nopdb-test-flow.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/sock", directory);
	ck_assert_msg(!listener_open(&listener, path, &err), "%s", err.msg);
	ck_assert_msg(!daemon_init(&daemon_under_test, &listener, agent_fd,
				   "/dev/null", idle_s, &err),
		      "%s", err.msg);
	daemon_under_test.way_in = &way_in_fake;
	atomic_store(&ended, false);
	joined = false;
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
}

bool world_ended(unsigned ms)
{
	for (unsigned i = 0; i < ms && !atomic_load(&ended); i++)
		usleep(1000);
	if (!atomic_load(&ended))
		return false;
	if (!joined)
		pthread_join(thread, NULL);
	joined = true;
	return true;
}

void world_stop(void)
{
	struct client client;

	if (!world_ended(0)) {
		client_open(&client);
		client_ask(&client, "shutdown", NULL, false);
		client_close(&client);
	}
	ck_assert(world_ended(10000));
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
	/* Neither socket nor lock is left. */
	ck_assert_int_eq(rmdir(directory), 0);
}

pid_t world_target(void)
{
	return target;
}

const char *world_socket(void)
{
	return path;
}

/* ---- clients
 * ------------------------------------------------------------------------ */

void client_open(struct client *client)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = WAIT_S };

	*client = (struct client){ .data = malloc(ROOM),
				   .records = cJSON_CreateArray() };
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(
		connect(client->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

void client_close(struct client *client)
{
	close(client->fd);
	free(client->data);
	cJSON_Delete(client->last);
	cJSON_Delete(client->records);
}

void client_send_raw(struct client *client, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		size -= (size_t)sent;
	}
}

int client_send(struct client *client, const char *method, const char *params,
		bool with_pid)
{
	cJSON *request = cJSON_CreateObject();
	cJSON *given = cJSON_Parse(params ? params : "{}");
	char *text;

	ck_assert_ptr_nonnull(given);
	if (with_pid)
		cJSON_AddNumberToObject(given, "pid", target);
	cJSON_AddStringToObject(request, "jsonrpc", "2.0");
	cJSON_AddNumberToObject(request, "id", ++client->next_id);
	cJSON_AddStringToObject(request, "method", method);
	cJSON_AddItemToObject(request, "params", given);
	text = cJSON_PrintUnformatted(request);
	client_send_raw(client, text, strlen(text));
	client_send_raw(client, "\n", 1);
	free(text);
	cJSON_Delete(request);
	return client->next_id;
}

const cJSON *client_line(struct client *client)
{
	char *end;

	while (!(end = memchr(client->data, '\n', client->used))) {
		ssize_t got;

		ck_assert_uint_lt(client->used, ROOM);
		got = recv(client->fd, client->data + client->used,
			   ROOM - client->used, 0);
		/* A reset: the daemon closed with bytes of ours unread. */
		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return NULL;
		ck_assert_msg(got > 0, "nothing came for %d s", WAIT_S);
		client->used += (size_t)got;
	}
	cJSON_Delete(client->last);
	client->last = cJSON_ParseWithLength(client->data,
					     (size_t)(end - client->data));
	ck_assert_ptr_nonnull(client->last);
	client->used -= (size_t)(end + 1 - client->data);
	memmove(client->data, end + 1, client->used);
	return client->last;
}

static bool is_record(const cJSON *line)
{
	return line && !strcmp(text_of(line, "method"), "record");
}

const cJSON *client_wait(struct client *client, int id)
{
	const cJSON *line;

	while (is_record(line = client_line(client))) {
		cJSON_AddItemToArray(
			client->records,
			cJSON_DetachItemFromObject(client->last, "params"));
	}
	ck_assert_ptr_nonnull(line);
	ck_assert_msg((int)number_of(line, "id") == id, "not the answer: %s",
		      cJSON_PrintUnformatted(line));
	if (cJSON_HasObjectItem(line, "result"))
		return cJSON_GetObjectItem(line, "result");
	return cJSON_GetObjectItem(cJSON_GetObjectItem(line, "error"), "data");
}

const cJSON *client_ask(struct client *client, const char *method,
			const char *params, bool with_pid)
{
	return client_wait(client,
			   client_send(client, method, params, with_pid));
}

const char *client_error(struct client *client, const char *method,
			 const char *params, bool with_pid)
{
	return text_of(client_ask(client, method, params, with_pid), "name");
}

void client_attach(struct client *client)
{
	const cJSON *result = client_ask(client, "attach", NULL, true);

	ck_assert_int_eq((int)number_of(result, "pid"), target);
	client_expect(client, "attached", NULL);
}

int client_probe(struct client *client, const char *function,
		 const char *limits)
{
	char params[256];
	const cJSON *result;

	snprintf(params, sizeof(params),
		 "{\"kind\":\"calls\",\"where\":\"m:%s\",\"limits\":%s}",
		 function, limits ? limits : "{}");
	result = client_ask(client, "probe.add", params, true);
	ck_assert_ptr_nonnull(cJSON_GetObjectItem(result, "probe"));
	return (int)number_of(result, "probe");
}

const cJSON *client_record(struct client *client)
{
	if (cJSON_GetArraySize(client->records) > 0) {
		cJSON_Delete(client->last);
		client->last = cJSON_DetachItemFromArray(client->records, 0);
		return client->last;
	}
	ck_assert(is_record(client_line(client)));
	return cJSON_GetObjectItem(client->last, "params");
}

const cJSON *client_expect(struct client *client, const char *event,
			   const char *reason)
{
	const cJSON *record = client_record(client);

	ck_assert_str_eq(text_of(record, "event"), event);
	if (reason)
		ck_assert_str_eq(text_of(record, "reason"), reason);
	return record;
}

const char *text_of(const cJSON *object, const char *name)
{
	const char *text =
		cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

	return text ? text : "";
}

double number_of(const cJSON *object, const char *name)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItem(object, name));
}
