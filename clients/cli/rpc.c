/* SPDX-License-Identifier: MIT */
#include "clients/cli/rpc.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clients/cli/interrupt.h"
#include "proto/limits.h"

/* What the daemon may have queued for us is the longest line there can be. */
#define LINE_MOST (LIMIT_ANSWER + LIMIT_RECORD)
#define READ_SIZE 65536u

void rpc_init(struct rpc *rpc, int fd)
{
	*rpc = (struct rpc){ .fd = fd, .output_fd = -1, .input_fd = -1 };
}

void rpc_release(struct rpc *rpc)
{
	if (rpc->fd >= 0)
		close(rpc->fd);
	free(rpc->line);
	rpc_init(rpc, -1);
}

static int daemon_gone(struct error *err)
{
	error_set(err, ERROR_NO_DAEMON, "the daemon closed the connection");
	return error_remedy(err, "look at what nopdbd says: nopdbd "
				 "--foreground --socket PATH");
}

static int send_all(struct rpc *rpc, const char *data, size_t size,
		    struct error *err)
{
	while (size > 0) {
		ssize_t n = send(rpc->fd, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return daemon_gone(err);
		if (n < 0)
			return error_set_errno(err, ERROR_SYSTEM, errno,
					       "writing to the daemon");
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int send_request(struct rpc *rpc, const char *method, cJSON *params,
			struct error *err)
{
	cJSON *request = cJSON_CreateObject();
	char *text = NULL;
	int result = -1;

	cJSON_AddStringToObject(request, "jsonrpc", "2.0");
	cJSON_AddNumberToObject(request, "id", ++rpc->last_id);
	cJSON_AddStringToObject(request, "method", method);
	if (params && !cJSON_AddItemToObject(request, "params", params))
		cJSON_Delete(params);
	text = cJSON_PrintUnformatted(request);
	cJSON_Delete(request);
	if (!text)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	if (send_all(rpc, text, strlen(text), err) == 0)
		result = send_all(rpc, "\n", 1, err);
	cJSON_free(text);
	return result;
}

/* The next whole line in the buffer; false when there is none yet. */
static bool line_take(struct rpc *rpc, struct view *ret_line)
{
	char *start = rpc->line + rpc->taken;
	char *end = rpc->used > rpc->taken
			    ? memchr(start, '\n', rpc->used - rpc->taken)
			    : NULL;

	if (!end)
		return false;
	*ret_line = (struct view){ start, (size_t)(end - start) };
	rpc->taken = (size_t)(end + 1 - rpc->line);
	return true;
}

/* Room for one more read behind what is not yet used. */
static int line_reserve(struct rpc *rpc, struct error *err)
{
	char *line;
	size_t size;

	if (rpc->taken > 0) {
		memmove(rpc->line, rpc->line + rpc->taken,
			rpc->used - rpc->taken);
		rpc->used -= rpc->taken;
		rpc->taken = 0;
	}
	if (rpc->used > LINE_MOST)
		return error_set(err, ERROR_LIMIT,
				 "the daemon sent a line of over %u bytes",
				 LINE_MOST);
	if (rpc->size - rpc->used >= READ_SIZE)
		return 0;
	size = rpc->size * 2 + READ_SIZE;
	line = realloc(rpc->line, size);
	if (!line)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	rpc->line = line;
	rpc->size = size;
	return 0;
}

static int receive(struct rpc *rpc, struct error *err)
{
	ssize_t n;

	if (line_reserve(rpc, err) < 0)
		return -1;
	n = recv(rpc->fd, rpc->line + rpc->used, rpc->size - rpc->used, 0);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "reading from the daemon");
	if (n <= 0)
		return daemon_gone(err);
	rpc->used += (size_t)n;
	return 1;
}

/* Waits for bytes of the daemon; 1 when there are, 0 on a time-out, a signal,
 * or when the reader of our output left. */
static int wait_bytes(struct rpc *rpc, int timeout_ms, struct error *err)
{
	/* Neither is looked at again once it spoke: it would not stop. */
	struct pollfd fds[4] = {
		{ .fd = rpc->fd, .events = POLLIN },
		{ .fd = interrupted() ? -1 : interrupt_fd(), .events = POLLIN },
		{ .fd = rpc->output_closed ? -1 : rpc->output_fd },
		{ .fd = rpc->input_ready ? -1 : rpc->input_fd,
		  .events = POLLIN },
	};

	if (poll(fds, 4, timeout_ms) < 0) {
		if (errno == EINTR)
			return 0;
		return error_set_errno(err, ERROR_SYSTEM, errno, "poll");
	}
	if (fds[2].revents & (POLLERR | POLLHUP))
		rpc->output_closed = true;
	if (fds[3].revents)
		rpc->input_ready = true;
	return fds[0].revents != 0;
}

/* Waits, and reads once; returns as wait_bytes. */
static int fill(struct rpc *rpc, int timeout_ms, struct error *err)
{
	int result = wait_bytes(rpc, timeout_ms, err);

	return result > 0 ? receive(rpc, err) : result;
}

/* Is it a record? Then it is handed out. */
static bool record_take(struct rpc *rpc, struct view line)
{
	struct view message = view_of(line.text, line.length);

	if (!view_is(view_member(message, "method"), "record"))
		return false;
	if (rpc->on_record)
		rpc->on_record(rpc->arg, view_member(message, "params"));
	return true;
}

int rpc_wait(struct rpc *rpc, int timeout_ms, struct error *err)
{
	struct view line;
	int came = 0;
	int result;

	/* What an answer left behind in the buffer comes before waiting. */
	while (line_take(rpc, &line)) {
		record_take(rpc, line);
		came = 1;
	}
	if (came)
		return 1;
	result = fill(rpc, timeout_ms, err);
	if (result <= 0)
		return result;
	while (line_take(rpc, &line))
		record_take(rpc, line);
	return 1;
}

/* Turns the error member of an answer into ours. Names of a newer daemon that
 * we do not know keep their exit status. */
static int answer_error(struct rpc *rpc, const cJSON *error, struct error *err)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(error, "data");
	const char *name = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(data, "name"));
	const char *remedy = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(data, "remedy"));
	const char *message = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(error, "message"));
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(data, "exit");

	error_set(err, name ? error_from_name(name) : ERROR_INTERNAL, "%s",
		  message ? message : "the daemon refused without a reason");
	if (remedy)
		error_remedy(err, "%s", remedy);
	rpc->status = error_exit_status(err->code);
	if (cJSON_IsNumber(status) && status->valueint > 0 &&
	    status->valueint < 126)
		rpc->status = status->valueint;
	return -1;
}

/* Is the line the answer to our last request? 1: yes, with *ret_result; 0: no;
 * -1: it is an error. Takes nothing over. */
static int answer_take(struct rpc *rpc, struct view line, cJSON **ret_result,
		       struct error *err)
{
	cJSON *message = cJSON_ParseWithLength(line.text, line.length);
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(message, "id");
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(message, "error");
	int result = 1;

	if (!message)
		return error_set(err, ERROR_PARSE,
				 "the daemon sent what is not JSON");
	if (cJSON_IsObject(error) &&
	    (cJSON_IsNull(id) ||
	     (cJSON_IsNumber(id) && id->valuedouble == rpc->last_id)))
		result = answer_error(rpc, error, err);
	else if (!cJSON_IsNumber(id) || id->valuedouble != rpc->last_id)
		result = 0;
	else if (rpc->on_result)
		rpc->on_result(
			rpc->arg,
			view_member(view_of(line.text, line.length), "result"));
	if (result > 0 && ret_result)
		*ret_result = cJSON_DetachItemFromObjectCaseSensitive(message,
								      "result");
	cJSON_Delete(message);
	return result;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int rpc_call(struct rpc *rpc, const char *method, cJSON *params,
	     cJSON **ret_result, struct error *err)
{
	long deadline = now_ms() + RPC_TIMEOUT_MS + rpc->more_ms;
	long leave = rpc->hasty ? 0 : RPC_LEAVE_MS;

	rpc->status = 0;
	if (send_request(rpc, method, params, err) < 0)
		return -1;
	for (;;) {
		struct view line;
		long left = deadline - now_ms();

		if (line_take(rpc, &line)) {
			int result = record_take(rpc, line)
					     ? 0
					     : answer_take(rpc, line,
							   ret_result, err);

			if (result != 0)
				return result > 0 ? 0 : -1;
			continue;
		}
		/* A daemon that hangs must not hold up a user who leaves. */
		if (interrupted() && left > leave) {
			deadline -= left - leave;
			left = leave;
		}
		if (left <= 0)
			return error_set(err, ERROR_TIMEOUT,
					 "%s: the daemon does not answer",
					 method);
		if (fill(rpc, (int)left, err) < 0)
			return -1;
	}
}
