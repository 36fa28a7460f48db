/* SPDX-License-Identifier: MIT */
#include "daemon/exporter.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/http.h"
#include "daemon/log.h"
#include "daemon/metrics.h"

#define BACKLOG 16
#define SCRAPES_MOST 8
/* From the connection to its end. */
#define SCRAPE_MS 5000

/* One connection. Freed when both its handles are closed. */
struct scrape {
	TAILQ_ENTRY(scrape) entry;
	struct exporter *exporter;
	uv_pipe_t pipe;
	uv_timer_t deadline;
	uv_write_t write;
	char *answer; /* owned, while it is sent */
	unsigned handles;
	size_t used;
	char head[HTTP_HEAD_MAX];
};

static void on_handle_closed(uv_handle_t *handle)
{
	struct scrape *scrape = handle->data;

	if (--scrape->handles > 0)
		return;
	free(scrape->answer);
	free(scrape);
}

static void end_scrape(struct scrape *scrape)
{
	if (uv_is_closing((uv_handle_t *)&scrape->pipe))
		return;
	TAILQ_REMOVE(&scrape->exporter->scrapes, scrape, entry);
	scrape->exporter->count--;
	uv_close((uv_handle_t *)&scrape->pipe, on_handle_closed);
	uv_close((uv_handle_t *)&scrape->deadline, on_handle_closed);
}

/* ---- answering
 * ---------------------------------------------------------------- */

static void on_written(uv_write_t *write, int status)
{
	end_scrape(write->data);
}

static void answer(struct scrape *scrape, enum http_status status,
		   bool bodiless)
{
	size_t body_length = 0, length = 0;
	char *body = NULL;
	uv_buf_t buf;

	uv_read_stop((uv_stream_t *)&scrape->pipe);
	if (status == HTTP_OK) {
		body = metrics_render(scrape->exporter->daemon, &body_length);
		if (!body)
			status = HTTP_UNAVAILABLE;
	}
	scrape->answer =
		http_answer(status, body, body_length, bodiless, &length);
	free(body);
	scrape->write.data = scrape;
	buf = uv_buf_init(scrape->answer, (unsigned)length);
	if (!scrape->answer ||
	    uv_write(&scrape->write, (uv_stream_t *)&scrape->pipe, &buf, 1,
		     on_written))
		end_scrape(scrape);
}

/* ---- reading
 * ------------------------------------------------------------------ */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct scrape *scrape = handle->data;

	*buf = uv_buf_init(scrape->head + scrape->used,
			   (unsigned)(sizeof(scrape->head) - scrape->used));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
	struct scrape *scrape = stream->data;
	enum http_status status;
	bool bodiless;

	if (size < 0) {
		end_scrape(scrape);
		return;
	}
	scrape->used += (size_t)size;
	if (http_complete(scrape->head, scrape->used)) {
		status = http_parse(scrape->head, scrape->used, "/metrics",
				    &bodiless);
		answer(scrape, status, bodiless);
	} else if (scrape->used == sizeof(scrape->head)) {
		answer(scrape, HTTP_TOO_LARGE, false);
	}
}

static void on_deadline(uv_timer_t *timer)
{
	end_scrape(timer->data);
}

/* ---- connections
 * -------------------------------------------------------------- */

static struct scrape *new_scrape(struct exporter *exporter, uv_loop_t *loop)
{
	struct scrape *scrape = calloc(1, sizeof(*scrape));

	if (!scrape)
		return NULL;
	scrape->exporter = exporter;
	scrape->handles = 2;
	uv_pipe_init(loop, &scrape->pipe, 0);
	uv_timer_init(loop, &scrape->deadline);
	scrape->pipe.data = scrape;
	scrape->deadline.data = scrape;
	TAILQ_INSERT_TAIL(&exporter->scrapes, scrape, entry);
	exporter->count++;
	return scrape;
}

static void on_connection(uv_stream_t *server, int status)
{
	struct exporter *exporter = server->data;
	struct scrape *scrape;

	if (status < 0) {
		log_line("metrics: accept: %s", uv_strerror(status));
		return;
	}
	scrape = new_scrape(exporter, server->loop);
	/* libuv waits until we accept: the metrics end here, nothing else. */
	if (!scrape) {
		log_line("metrics: no memory: no longer served");
		exporter_close(exporter);
		return;
	}
	if (uv_accept(server, (uv_stream_t *)&scrape->pipe) ||
	    exporter->count > SCRAPES_MOST ||
	    uv_timer_start(&scrape->deadline, on_deadline, SCRAPE_MS, 0) ||
	    uv_read_start((uv_stream_t *)&scrape->pipe, on_alloc, on_read))
		end_scrape(scrape);
}

int exporter_open(struct exporter *exporter, struct daemon *daemon,
		  const struct listener *listener, struct error *err)
{
	int rc = uv_pipe_init(&daemon->loop, &exporter->server, 0);

	exporter->daemon = daemon;
	exporter->listener = *listener;
	exporter->open = true;
	exporter->server.data = exporter;
	TAILQ_INIT(&exporter->scrapes);
	if (!rc)
		rc = uv_pipe_open(&exporter->server, listener->fd);
	if (!rc) {
		/* The handle owns the descriptor now. */
		exporter->listener.fd = -1;
		rc = uv_listen((uv_stream_t *)&exporter->server, BACKLOG,
			       on_connection);
	}
	if (!rc)
		return 0;
	exporter_close(exporter);
	return error_set_errno(err, ERROR_SYSTEM, -rc, "serve metrics at %s",
			       listener->path);
}

void exporter_close(struct exporter *exporter)
{
	struct scrape *scrape, *next;

	if (!exporter->open)
		return;
	exporter->open = false;
	for (scrape = TAILQ_FIRST(&exporter->scrapes); scrape; scrape = next) {
		next = TAILQ_NEXT(scrape, entry);
		end_scrape(scrape);
	}
	uv_close((uv_handle_t *)&exporter->server, NULL);
	listener_close(&exporter->listener);
}
