/* SPDX-License-Identifier: MIT */
#include "injector/hijack/alarm.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define ALARM_AGAIN_NS 5000000

/* glibc before 2.35 has no name for this field. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void on_alarm(int signal)
{
}

/* The same handler each time: concurrent callers do not disturb each other. */
static int install(void)
{
	struct sigaction action = { .sa_handler = on_alarm };

	return sigaction(ALARM_SIGNAL, &action, NULL);
}

int alarm_init(struct alarm *alarm, struct error *err)
{
	struct sigevent event;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, ALARM_SIGNAL);
	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = ALARM_SIGNAL;
	event.sigev_notify_thread_id = gettid();
	if (install() || pthread_sigmask(SIG_UNBLOCK, &set, NULL) ||
	    timer_create(CLOCK_MONOTONIC, &event, &alarm->timer))
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "a timer to wait with");
	return 0;
}

void alarm_release(struct alarm *alarm)
{
	timer_delete(alarm->timer);
}

void alarm_set(const struct alarm *alarm, const struct deadline *deadline)
{
	struct itimerspec when = {
		.it_value.tv_sec = (time_t)(deadline->end_ns / 1000000000u),
		.it_value.tv_nsec = (long)(deadline->end_ns % 1000000000u),
		.it_interval.tv_nsec = ALARM_AGAIN_NS,
	};

	timer_settime(alarm->timer, TIMER_ABSTIME, &when, NULL);
}

void alarm_clear(const struct alarm *alarm)
{
	struct itimerspec never = { 0 };

	timer_settime(alarm->timer, 0, &never, NULL);
}
