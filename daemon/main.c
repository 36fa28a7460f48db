/* SPDX-License-Identifier: MIT */
/*
 * nopdbd: the daemon. Reads the command line, opens what it needs, goes into
 * the background unless told otherwise, serves.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/activation.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/house.h"
#include "daemon/log.h"

#define AGENT_FILE "nopdb-agent.so"
#define HEAP_BLOCK (64 << 10)

static void complain(const struct error *err)
{
	fprintf(stderr, "nopdbd: %s\n", err->msg);
	if (err->remedy[0])
		fprintf(stderr, "  remedy: %s\n", err->remedy);
}

/* ---- the agent's file
 * ------------------------------------------------------------ */

static int open_agent(const char *path, struct error *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno, "agent %.120s",
				       path);
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return error_set(err, ERROR_SYSTEM, "agent %.120s: not a file", path);
}

/* Looks beside our own binary, then in ../lib/nopdb. Leaves in path what it
 * looked for; returns the descriptor, or -1 when there is none. */
static int find_agent(char *path, size_t size)
{
	static const char *const places[] = { "/" AGENT_FILE,
					      "/../lib/nopdb/" AGENT_FILE };
	char exe[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int fd = -1;

	if (length < 0)
		length = 0;
	exe[length] = '\0';
	if (strrchr(exe, '/'))
		*strrchr(exe, '/') = '\0';
	for (int i = 0; i < 2 && fd < 0; i++) {
		snprintf(path, size, "%s%s", exe, places[i]);
		fd = open_agent(path, NULL);
	}
	return fd;
}

/* ---- the background
 * -------------------------------------------------------------- */

/* With what a child ended that did not get to serve. */
static int exit_status(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) == child && WIFEXITED(status))
		return WEXITSTATUS(status);
	return EXIT_FAILURE;
}

/* Forks; the parent waits until the child serves, and ends with its verdict.
 * Returns in the child, with the descriptor to report to. */
static int go_background(struct error *err)
{
	int pipe_fds[2];
	char ready;
	pid_t child;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return error_set_errno(err, ERROR_SYSTEM, errno, "pipe");
	child = fork();
	if (child < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno, "fork");
	if (child > 0) {
		close(pipe_fds[1]);
		if (read(pipe_fds[0], &ready, 1) == 1)
			_exit(EXIT_SUCCESS);
		_exit(exit_status(child));
	}
	close(pipe_fds[0]);
	setsid();
	return pipe_fds[1];
}

/* Lets go of the terminal and of the directory; tells the parent. */
static int settle_background(int report_fd, struct error *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno, "/dev/null");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
	if (chdir("/") || write(report_fd, "", 1) != 1)
		return error_set_errno(err, ERROR_SYSTEM, errno, "start");
	close(report_fd);
	return 0;
}

/* ---- starting
 * -------------------------------------------------------------------- */

/* Each target takes four descriptors. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Memory that was needed for a moment goes back: one heap for all threads,
 * because each further one would keep what it once held, and large blocks
 * mapped one by one, which glibc would otherwise cease to do. */
static void keep_heap_small(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK);
	mallopt(M_TRIM_THRESHOLD, HEAP_BLOCK);
}

static int start_log(const struct config *config, struct error *err)
{
	if (config->log || config->foreground)
		return log_open(config->log, err);
	return 0;
}

/* The sockets of a service manager, or our own. */
static int open_listeners(const struct config *config,
			  struct activation *inherited,
			  struct listener *ret_rpc,
			  struct listener *ret_metrics, struct error *err)
{
	if (config->metrics &&
	    !activation_claim(inherited, config->metrics, ret_metrics) &&
	    listener_open(ret_metrics, config->metrics, err))
		return error_wrap(err, "--metrics");
	if (!activation_claim(inherited, config->socket, ret_rpc)) {
		if (!config->socket) {
			error_set(err, ERROR_USAGE, "--socket is missing");
			return error_remedy(err, "give one, or start nopdbd "
						 "through its socket unit");
		}
		if (listener_open(ret_rpc, config->socket, err))
			return -1;
	}
	return activation_check(inherited, err);
}

/* Clients can connect before the loop watches signals: one that comes between
 * would end the process as if nobody had meant to be asked, and leave its
 * socket's file. They wait until then; no other thread runs yet. */
static void hold_signals(sigset_t *ret_before)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, ret_before);
}

/* Opens everything and serves until the end. */
static int run(const struct config *config, struct activation *inherited,
	       int agent_fd, const char *agent_path, struct error *err)
{
	static struct daemon daemon;
	struct listener listener = LISTENER_INIT, metrics = LISTENER_INIT;
	struct house house;
	int report_fd = -1;
	sigset_t before;

	if (!config->foreground) {
		report_fd = go_background(err);
		if (report_fd < 0)
			return -1;
	}
	hold_signals(&before);
	if (start_log(config, err) || house_open(&house, config, err))
		return -1;
	if (open_listeners(config, inherited, &listener, &metrics, err) ||
	    (house.shared && listener_share(&listener, err))) {
		listener_close(&metrics);
		listener_close(&listener);
		return -1;
	}
	if (daemon_init(&daemon, &listener, agent_fd, agent_path,
			config->idle_s, err)) {
		listener_close(&metrics);
		return -1;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if ((config->metrics &&
	     exporter_open(&daemon.exporter, &daemon, &metrics, err)) ||
	    (report_fd >= 0 && settle_background(report_fd, err))) {
		daemon_release(&daemon);
		return -1;
	}
	daemon.patience = config->patience;
	daemon.house = house;
	log_line("serving %s, agent %s%s", daemon.listener.path, agent_path,
		 agent_fd < 0 ? " (missing)" : "");
	activation_notify("READY=1");
	daemon_run(&daemon);
	daemon_release(&daemon);
	house_close(&daemon.house);
	log_line("ended");
	log_close();
	return 0;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	struct activation inherited;
	struct config config;
	char agent_path[PATH_MAX * 2] = "";
	int agent_fd;

	if (activation_take(&inherited, &err) ||
	    config_parse(&config, argc, argv, &err)) {
		complain(&err);
		config_usage(stderr);
		return error_exit_status(err.code);
	}
	if (config.help || config.version) {
		if (config.help)
			config_usage(stdout);
		else
			puts("nopdbd " NOPDB_VERSION);
		return EXIT_SUCCESS;
	}
	if (config.agent) {
		snprintf(agent_path, sizeof(agent_path), "%s", config.agent);
		agent_fd = open_agent(agent_path, &err);
	} else {
		agent_fd = find_agent(agent_path, sizeof(agent_path));
	}
	keep_heap_small();
	raise_file_limit();
	if ((config.agent && agent_fd < 0) ||
	    run(&config, &inherited, agent_fd, agent_path, &err)) {
		complain(&err);
		return error_exit_status(err.code);
	}
	return EXIT_SUCCESS;
}
