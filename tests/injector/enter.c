/* SPDX-License-Identifier: MIT */
/*
 * enter: puts an agent into a process and lets it leave again, N times, and
 * prints what it cost. `enter PID N AGENT.so [INTERVAL_US]`
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "injector/injector.h"

#define ENTER_CYCLES_MAX 1000000
#define ENTER_WAIT_MS 10000

struct figures {
	double *pause, *tries, *total;
	int count, failed;
	uint64_t longest;
};

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

static void print_row(const char *name, double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	printf("  %-10s p50 %9.1f  p99 %9.1f  max %9.1f\n", name,
	       values[count / 2], values[(int)((count - 1) * 0.99)],
	       values[count - 1]);
}

/* Waits for the agent's word, then hangs up. */
static int greet(int fd, struct error *err)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char word = 0;

	if (poll(&ready, 1, ENTER_WAIT_MS) != 1)
		return error_set(err, ERROR_TIMEOUT, "the agent is silent");
	if (recv(fd, &word, 1, 0) != 1 || word != 'Y')
		return error_set(err, ERROR_AGENT, "the agent said '%c'", word);
	return 0;
}

static int cycle(const struct process_id *id, int agent_fd,
		 struct figures *figures, struct error *err)
{
	struct inject_options options = INJECT_OPTIONS_DEFAULT;
	struct inject_report report;
	int result;

	options.agent_fd = agent_fd;
	if (inject_agent(id, &options, &report, err))
		return -1;
	result = greet(report.control_fd, err);
	close(report.control_fd);
	if (inject_wait_gone(id, &report, ENTER_WAIT_MS, err))
		return -1;
	figures->pause[figures->count] = (double)report.pause_ns / 1e3;
	figures->tries[figures->count] = report.tries;
	figures->total[figures->count] = (double)report.total_ns / 1e3;
	figures->count++;
	if (report.longest_stop_ns > figures->longest)
		figures->longest = report.longest_stop_ns;
	return result;
}

static void run(const struct process_id *id, int agent_fd, int cycles,
		unsigned interval_us, struct figures *figures)
{
	for (int i = 0; i < cycles; i++) {
		struct error err = ERROR_INIT;

		if (cycle(id, agent_fd, figures, &err)) {
			figures->failed++;
			printf("cycle %d: %s: %s [%s]\n", i,
			       error_name(err.code), err.msg, err.remedy);
			fflush(stdout);
			if (!process_same(id))
				break;
		}
		usleep(interval_us);
	}
}

static int measure(pid_t pid, int cycles, const char *agent,
		   unsigned interval_us)
{
	struct figures figures = { 0 };
	struct error err = ERROR_INIT;
	struct process_id id;
	int agent_fd = open(agent, O_RDONLY | O_CLOEXEC);

	if (agent_fd < 0 || process_open(pid, &id, &err)) {
		fprintf(stderr, "enter: %s %s\n", agent, err.msg);
		return 2;
	}
	figures.pause = calloc((size_t)cycles, sizeof(double));
	figures.tries = calloc((size_t)cycles, sizeof(double));
	figures.total = calloc((size_t)cycles, sizeof(double));
	if (figures.pause && figures.tries && figures.total)
		run(&id, agent_fd, cycles, interval_us, &figures);
	printf("ok %d failed %d longest stop %.1f us\n", figures.count,
	       figures.failed, (double)figures.longest / 1e3);
	if (figures.count) {
		print_row("pause us", figures.pause, figures.count);
		print_row("tries", figures.tries, figures.count);
		print_row("total us", figures.total, figures.count);
	}
	free(figures.pause);
	free(figures.tries);
	free(figures.total);
	process_close(&id);
	close(agent_fd);
	return figures.failed || figures.count < cycles ? 1 : 0;
}

int main(int argc, char **argv)
{
	long cycles = argc > 2 ? strtol(argv[2], NULL, 10) : 0;

	if (argc < 4 || cycles < 1 || cycles > ENTER_CYCLES_MAX) {
		fprintf(stderr, "usage: enter PID N AGENT.so [INTERVAL_US]\n");
		return 2;
	}
	return measure((pid_t)strtol(argv[1], NULL, 10), (int)cycles, argv[3],
		       argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 2000);
}
