/* SPDX-License-Identifier: MIT */
#include "daemon/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define RECORDS_A_TURN 256
#define BYTES_A_TURN (1u << 20)
#define LINGER_MS 1

/* ---- the shared memory
 * ----------------------------------------------------------- */

/* A target that could shrink the file would kill us with SIGBUS. */
static int make_memfd(size_t bytes, struct error *err)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	int fd = memfd_create("nopdb-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "memfd for the ring");
	if (!ftruncate(fd, (off_t)bytes) && !fcntl(fd, F_ADD_SEALS, seals))
		return fd;
	error_set_errno(err, ERROR_SYSTEM, errno, "ring of %zu bytes", bytes);
	close(fd);
	return -1;
}

static int make_ring(struct pump *pump, uint32_t size, struct error *err)
{
	void *map;

	pump->mapped = RING_HEADER + (size_t)size;
	pump->memfd = make_memfd(pump->mapped, err);
	if (pump->memfd < 0)
		return -1;
	map = mmap(NULL, pump->mapped, PROT_READ | PROT_WRITE, MAP_SHARED,
		   pump->memfd, 0);
	if (map == MAP_FAILED)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "map the ring");
	pump->ring = map;
	ring_init(pump->ring, size);
	ring_reader_init(&pump->reader, pump->ring, size);
	pump->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (pump->eventfd < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno, "eventfd");
	pump->body = malloc(LIMIT_RECORD);
	if (!pump->body)
		return error_set(err, ERROR_NO_MEMORY, "no memory for a ring");
	return 0;
}

static void release_ring(struct pump *pump)
{
	if (pump->ring)
		munmap(pump->ring, pump->mapped);
	if (pump->memfd >= 0)
		close(pump->memfd);
	if (pump->eventfd >= 0)
		close(pump->eventfd);
	free(pump->body);
	pump->ring = NULL;
	pump->memfd = -1;
	pump->eventfd = -1;
	pump->body = NULL;
}

/* ---- reading
 * --------------------------------------------------------------------- */

static void stop(struct pump *pump)
{
	pump->stopped = true;
	uv_poll_stop(&pump->poll);
	uv_idle_stop(&pump->again);
	uv_timer_stop(&pump->linger);
}

/* Gets the next record into body and item: 1, or 0 when there is none. */
static int fetch(struct pump *pump)
{
	int got;

	if (pump->holding)
		return 1;
	got = ring_read(&pump->reader, pump->body, &pump->item);
	if (got < 0) {
		stop(pump);
		pump->events->broken(pump);
		return 0;
	}
	return got;
}

/* Hands on records until there is none, one is held back, or the turn's share
 * is used up. Returns whether more may wait. */
static bool read_some(struct pump *pump, unsigned records, size_t bytes)
{
	while (records > 0 && bytes > 0 && !pump->stopped) {
		if (!fetch(pump))
			return false;
		pump->holding = pump->events->record(pump, &pump->item,
						     pump->body) == PUMP_HOLD;
		if (pump->holding)
			return false;
		records--;
		bytes -= pump->item.length < bytes ? pump->item.length : bytes;
	}
	return !pump->stopped;
}

static void on_again(uv_idle_t *idle);
static void on_linger(uv_timer_t *timer);

/* To ring costs the program a system call, more than a capture does. So while
 * records come, nobody sleeps: the next look is in a moment, and only when it
 * finds nothing must the next record ring. Returns whether more waits. */
static bool rest(struct pump *pump, bool found)
{
	if (found) {
		uv_timer_start(&pump->linger, on_linger, LINGER_MS, 0);
		return false;
	}
	return !ring_sleep(&pump->reader);
}

/* One turn: afterwards the idle handle runs, or the timer, or a writer's next
 * record rings the eventfd. */
static void turn(struct pump *pump)
{
	uint64_t before = pump->reader.tail;
	bool more = read_some(pump, RECORDS_A_TURN, BYTES_A_TURN);

	uv_timer_stop(&pump->linger);
	if (!more && !pump->stopped && !pump->holding)
		more = rest(pump, pump->reader.tail != before);
	if (!pump->stopped)
		pump->events->progress(pump);
	if (pump->stopped)
		return;
	if (more)
		uv_idle_start(&pump->again, on_again);
	else
		uv_idle_stop(&pump->again);
}

static void on_again(uv_idle_t *idle)
{
	turn(idle->data);
}

static void on_linger(uv_timer_t *timer)
{
	turn(timer->data);
}

static void on_ring(uv_poll_t *poll, int status, int events)
{
	struct pump *pump = poll->data;
	uint64_t count;

	/* Only the wake-up matters, and a target may have read it away. */
	if (read(pump->eventfd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	turn(pump);
}

void pump_kick(struct pump *pump)
{
	if (!pump->stopped)
		uv_idle_start(&pump->again, on_again);
}

void pump_drain(struct pump *pump)
{
	/* A living writer could go on for ever: as much as the ring holds. */
	unsigned most = (unsigned)(pump->mapped / RING_ALIGN);

	if (pump->stopped)
		return;
	read_some(pump, most, pump->mapped);
	if (!pump->stopped)
		pump->events->progress(pump);
}

uint64_t pump_mark(const struct pump *pump)
{
	if (pump->stopped)
		return 0;
	return atomic_load_explicit(&pump->ring->head, memory_order_acquire);
}

bool pump_reached(const struct pump *pump, uint64_t mark)
{
	return pump->stopped || (!pump->holding && pump->reader.tail >= mark);
}

/* ---- open and close
 * -------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct pump *pump = handle->data;

	if (--pump->handles > 0)
		return;
	release_ring(pump);
	pump->events->closed(pump);
}

void pump_close(struct pump *pump)
{
	if (uv_is_closing((uv_handle_t *)&pump->poll))
		return;
	pump->stopped = true;
	uv_close((uv_handle_t *)&pump->poll, on_handle_closed);
	uv_close((uv_handle_t *)&pump->again, on_handle_closed);
	uv_close((uv_handle_t *)&pump->linger, on_handle_closed);
}

int pump_open(struct pump *pump, uv_loop_t *loop, uint32_t size,
	      const struct pump_events *events, void *owner, struct error *err)
{
	int rc;

	*pump = (struct pump){
		.memfd = -1, .eventfd = -1, .events = events, .owner = owner
	};
	if (make_ring(pump, size, err)) {
		release_ring(pump);
		return -1;
	}
	rc = uv_poll_init(loop, &pump->poll, pump->eventfd);
	if (rc) {
		release_ring(pump);
		return error_set_errno(err, ERROR_SYSTEM, -rc,
				       "watch the ring");
	}
	uv_idle_init(loop, &pump->again);
	uv_timer_init(loop, &pump->linger);
	pump->poll.data = pump;
	pump->again.data = pump;
	pump->linger.data = pump;
	pump->handles = 3;
	uv_poll_start(&pump->poll, UV_READABLE, on_ring);
	/* The first turn arms the wake-up. */
	pump_kick(pump);
	return 0;
}
