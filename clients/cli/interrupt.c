/* SPDX-License-Identifier: MIT */
#include "clients/cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
static int ends[2] = { -1, -1 };
static volatile sig_atomic_t arrived;

static void on_signal(int number)
{
	int saved = errno;

	arrived = number;
	/* A full pipe is readable as well: nothing is lost. */
	(void)!write(ends[1], "", 1);
	errno = saved;
}

int interrupt_init(struct error *err)
{
	/* SA_RESETHAND: the second signal of a kind has its default action. */
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = SA_RESTART | SA_RESETHAND };
	struct sigaction old;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno, "pipe");
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		/* Under nohup, SIGHUP stays ignored. */
		if (sigaction(caught[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_IGN)
			continue;
		sigaction(caught[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int interrupt_fd(void)
{
	return ends[0];
}

bool interrupted(void)
{
	return arrived != 0;
}

void interrupt_reset(void)
{
	sigset_t none;

	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		signal(caught[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
