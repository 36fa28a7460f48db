/* SPDX-License-Identifier: MIT */
/* The daemon as its clients see it, with a fake agent: probes' lives, holds,
 * losses, and agents that misbehave. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/limits.h"
#include "tests/daemon/client.h"
#include "tests/daemon/fake_agent.h"
#include "tests/daemon/suite.h"

enum { GONE_MS = 5000 };

static struct client one, two;

static void setup(void)
{
	world_start(0);
	client_open(&one);
	client_open(&two);
}

static void teardown(void)
{
	client_close(&one);
	client_close(&two);
	world_stop();
	ck_assert(fake_agent_gone(GONE_MS));
}

/* The last two records of a probe. */
static void expect_end(struct client *client, const char *state,
		       const char *reason)
{
	const cJSON *record = client_expect(client, "probe", reason);

	ck_assert_str_eq(text_of(record, "state"), state);
	client_expect(client, "end", reason);
}

static char *probe_params(int probe)
{
	static char params[32];

	snprintf(params, sizeof(params), "{\"probe\":%d}", probe);
	return params;
}

static int clients_there(void)
{
	return (int)number_of(client_ask(&one, "stats", NULL, false),
			      "clients");
}

static int targets_left(void)
{
	const cJSON *result = client_ask(&one, "targets", NULL, false);

	return cJSON_GetArraySize(cJSON_GetObjectItem(result, "targets"));
}

/* ---- lives of probes
 * ------------------------------------------------------------------ */

START_TEST(removal_is_answered_after_the_end)
{
	const cJSON *record, *answer;
	int probe;

	client_attach(&one);
	probe = client_probe(&one, "calls3", NULL);
	answer = client_ask(&one, "probe.remove", probe_params(probe), false);
	ck_assert_int_eq((int)number_of(answer, "captures"), 3);
	/* All records came before the answer, in order, gapless. */
	ck_assert_int_eq(cJSON_GetArraySize(one.records), 6);
	record = client_expect(&one, "probe", NULL);
	ck_assert_str_eq(text_of(record, "state"), "armed");
	for (int i = 2; i <= 4; i++) {
		record = client_expect(&one, "call", NULL);
		ck_assert_int_eq((int)number_of(record, "seq"), i);
	}
	expect_end(&one, "removed", "removed");
}
END_TEST

START_TEST(a_hit_limit_ends_a_probe)
{
	client_attach(&one);
	client_probe(&one, "hits", "{\"hits\":2}");
	client_expect(&one, "probe", NULL);
	client_expect(&one, "call", NULL);
	client_expect(&one, "call", NULL);
	expect_end(&one, "disabled", "hits");
}
END_TEST

START_TEST(a_time_limit_ends_a_probe)
{
	client_attach(&one);
	client_probe(&one, "idle", "{\"time_ms\":50}");
	client_expect(&one, "probe", NULL);
	expect_end(&one, "disabled", "time");
}
END_TEST

START_TEST(captures_never_precede_the_state)
{
	client_attach(&one);
	client_probe(&one, "early", NULL);
	client_expect(&one, "probe", NULL);
	for (int i = 0; i < 3; i++)
		client_expect(&one, "call", NULL);
}
END_TEST

START_TEST(pending_becomes_armed)
{
	const cJSON *record;

	client_attach(&one);
	client_probe(&one, "pending", NULL);
	record = client_expect(&one, "probe", NULL);
	ck_assert_str_eq(text_of(record, "state"), "pending");
	record = client_expect(&one, "probe", NULL);
	ck_assert_str_eq(text_of(record, "state"), "armed");
	client_expect(&one, "call", NULL);
}
END_TEST

START_TEST(probes_are_switched)
{
	const cJSON *answer;
	int probe;

	client_attach(&one);
	probe = client_probe(&one, "idle", NULL);
	answer = client_ask(&one, "probe.disable", probe_params(probe), false);
	ck_assert_str_eq(text_of(answer, "state"), "disabled");
	answer = client_ask(&one, "probe.enable", probe_params(probe), false);
	ck_assert_str_eq(text_of(answer, "state"), "armed");
}
END_TEST

START_TEST(unfit_records_are_dropped_and_counted)
{
	const cJSON *answer;
	int probe;

	client_attach(&one);
	probe = client_probe(&one, "invalid", NULL);
	client_expect(&one, "probe", NULL);
	client_expect(&one, "call", NULL);
	answer = client_ask(&one, "probe.remove", probe_params(probe), false);
	ck_assert_int_eq(
		(int)number_of(cJSON_GetObjectItem(answer, "lost"), "invalid"),
		2);
}
END_TEST

START_TEST(the_agents_refusal_is_passed_on)
{
	const char *params = "{\"kind\":\"calls\",\"where\":\"m:refuse\"}";

	client_attach(&one);
	ck_assert_str_eq(client_error(&one, "probe.add", params, true),
			 "bad-location");
	ck_assert_int_eq(targets_left(), 1);
}
END_TEST

/* ---- holding and leaving
 * ---------------------------------------------------------------- */

START_TEST(the_last_holder_takes_the_agent_out)
{
	client_attach(&one);
	client_attach(&two);
	client_probe(&two, "idle", NULL);
	client_expect(&two, "probe", NULL);
	client_ask(&one, "detach", NULL, true);
	ck_assert_int_eq(targets_left(), 1);
	client_ask(&two, "detach", NULL, true);
	ck_assert(fake_agent_gone(0));
	expect_end(&two, "removed", "detached");
	client_expect(&two, "detached", "requested");
	ck_assert_int_eq(targets_left(), 0);
}
END_TEST

START_TEST(others_are_only_thrown_out_by_force)
{
	client_attach(&one);
	client_probe(&one, "idle", NULL);
	client_expect(&one, "probe", NULL);
	ck_assert_str_eq(client_error(&two, "detach", NULL, true), "busy");
	client_ask(&two, "detach", "{\"force\":true}", true);
	expect_end(&one, "removed", "detached");
	client_expect(&one, "detached", "requested");
}
END_TEST

START_TEST(a_client_that_goes_leaves_nothing)
{
	client_attach(&one);
	client_probe(&one, "flood", "{\"hits\":0,\"rate\":0}");
	client_close(&one);
	ck_assert(fake_agent_gone(GONE_MS));
	client_open(&one);
	ck_assert_int_eq(targets_left(), 0);
}
END_TEST

START_TEST(a_persistent_probe_stays)
{
	const cJSON *answer;

	client_attach(&two);
	answer = client_ask(&two, "probe.add",
			    "{\"kind\":\"calls\",\"where\":\"m:idle\","
			    "\"persist\":true}",
			    true);
	int probe = (int)number_of(answer, "probe");

	client_close(&two);
	client_open(&two);
	usleep(50000);
	ck_assert_int_eq(targets_left(), 1);
	client_ask(&one, "subscribe", NULL, false);
	client_ask(&two, "probe.remove", probe_params(probe), false);
	expect_end(&one, "removed", "removed");
	ck_assert(fake_agent_gone(GONE_MS));
}
END_TEST

START_TEST(attach_waits_for_the_agent_before)
{
	int first, second;

	client_attach(&one);
	/* Both at once: the second finds the target leaving. */
	first = client_send(&one, "detach", NULL, true);
	second = client_send(&one, "attach", NULL, true);
	client_wait(&one, first);
	ck_assert_int_gt((int)number_of(client_wait(&one, second), "pid"), 0);
	client_expect(&one, "detached", "requested");
	client_expect(&one, "attached", NULL);
}
END_TEST

START_TEST(subscribers_see_what_others_own)
{
	client_ask(&two, "subscribe", NULL, false);
	client_attach(&one);
	client_probe(&one, "hits", "{\"hits\":1}");
	client_expect(&two, "probe", NULL);
	client_expect(&two, "call", NULL);
	expect_end(&two, "disabled", "hits");
}
END_TEST

/* ---- agents and targets that go wrong
 * ------------------------------------------------------ */

static void loses_agent(const char *function)
{
	char params[64];

	snprintf(params, sizeof(params),
		 "{\"kind\":\"calls\",\"where\":\"m:%s\"}", function);
	client_attach(&one);
	ck_assert_str_eq(client_error(&one, "probe.add", params, true),
			 "agent");
	client_expect(&one, "detached", "agent-lost");
	/* And the target can be entered again. */
	client_attach(&one);
}

START_TEST(a_debugger_speaks_with_its_owner)
{
	const char *add = "{\"kind\":\"break\",\"where\":\"m:debug\","
			  "\"actions\":[{\"debug\":true}]}";
	char params[64];
	const cJSON *record;
	int probe;

	client_attach(&one);
	probe = (int)number_of(client_ask(&one, "probe.add", add, true),
			       "probe");
	client_expect(&one, "probe", NULL);
	record = client_expect(&one, "debug", NULL);
	ck_assert_str_eq(text_of(record, "state"), "open");
	record = client_expect(&one, "debug", NULL);
	ck_assert_str_eq(text_of(record, "text"), "\xef\xbf\xbd\n> ");
	snprintf(params, sizeof(params),
		 "{\"probe\":%d,\"session\":1,\"text\":\"p x\"}", probe);
	client_ask(&one, "debug.input", params, false);
	record = client_expect(&one, "debug", NULL);
	ck_assert_str_eq(text_of(record, "text"), "p x");
	client_expect(&one, "debug", "lost");
	ck_assert_str_eq(client_error(&one, "debug.input", params, false),
			 "no-such-probe");
}
END_TEST

START_TEST(a_debugger_that_nobody_asked_for_is_closed)
{
	client_attach(&one);
	client_probe(&one, "debug", NULL);
	client_expect(&one, "probe", NULL);
	client_expect(&one, "call", NULL);
}
END_TEST

START_TEST(garbage_on_the_socket_loses_the_agent)
{
	loses_agent("garbage");
}
END_TEST

START_TEST(a_closed_socket_loses_the_agent)
{
	loses_agent("vanish");
}
END_TEST

START_TEST(a_damaged_ring_loses_the_agent)
{
	client_attach(&one);
	client_probe(&one, "damage", NULL);
	client_expect(&one, "probe", NULL);
	expect_end(&one, "removed", "agent-lost");
	client_expect(&one, "detached", "agent-lost");
}
END_TEST

START_TEST(a_silent_agent_is_lost)
{
	client_attach(&one);
	client_probe(&one, "mute", NULL);
	client_expect(&one, "probe", NULL);
	expect_end(&one, "removed", "agent-lost");
	client_expect(&one, "detached", "agent-lost");
	client_attach(&one);
}
END_TEST

START_TEST(an_agent_that_does_not_go_keeps_others_out)
{
	client_attach(&one);
	fake_agent_stay(1);
	ck_assert_str_eq(client_error(&one, "detach", NULL, true), "timeout");
	ck_assert_str_eq(client_error(&two, "attach", NULL, true), "busy");
	client_expect(&one, "detached", "requested");
	client_attach(&two);
}
END_TEST

START_TEST(an_agent_that_refuses_fails_the_attach)
{
	fake_agent_refuse_next_start();
	ck_assert_str_eq(client_error(&one, "attach", NULL, true), "engine");
	client_attach(&one);
}
END_TEST

START_TEST(what_a_dead_target_captured_is_delivered)
{
	client_attach(&one);
	client_probe(&one, "calls100", NULL);
	/* A real agent ends with its target, the fake one does not: what it
	 * writes later is not the dead target's. */
	usleep(300000);
	kill(world_target(), SIGKILL);
	client_expect(&one, "probe", NULL);
	for (int i = 0; i < 100; i++)
		client_expect(&one, "call", NULL);
	expect_end(&one, "removed", "target-exit");
	client_expect(&one, "target_exit", NULL);
	ck_assert_str_eq(client_error(&one, "detach", NULL, true),
			 "not-attached");
}
END_TEST

/* ---- clients that go wrong
 * ------------------------------------------------------------------ */

START_TEST(a_slow_client_loses_with_a_count)
{
	double lost = 0, calls = 0;
	const cJSON *record;
	int probe;

	client_attach(&one);
	probe = client_probe(&one, "flood", "{\"hits\":0,\"rate\":0}");
	/* Read nothing until the queue overflowed. */
	do {
		usleep(100000);
		record = client_ask(&two, "probe.list", NULL, false);
		record = cJSON_GetArrayItem(
			cJSON_GetObjectItem(record, "probes"), 0);
		record = cJSON_GetObjectItem(record, "lost");
	} while (number_of(record, "slow-client") < 1);
	client_ask(&two, "probe.remove", probe_params(probe), false);
	do {
		record = client_record(&one);
		calls += !strcmp(text_of(record, "event"), "call");
		if (!strcmp(text_of(record, "reason"), "slow-client"))
			lost += number_of(record, "count");
	} while (strcmp(text_of(record, "event"), "end"));
	ck_assert_double_gt(lost, 0);
	ck_assert_double_eq(
		number_of(cJSON_GetObjectItem(record, "lost"), "slow-client"),
		lost);
	ck_assert_double_eq(calls + lost, number_of(record, "captures"));
}
END_TEST

START_TEST(who_reads_no_answers_is_closed)
{
	static const char request[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stats\"}\n";

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 400000; i++) {
		if (send(two.fd, request, sizeof(request) - 1, MSG_NOSIGNAL) <
		    0)
			break;
		ck_assert_int_lt(i, 399999);
	}
	/* The others are served. */
	client_ask(&one, "stats", NULL, false);
}
END_TEST

START_TEST(malformed_lines_are_answered)
{
	client_send_raw(&one, "nonsense\n\n  \n[]\n", 16);
	client_line(&one);
	ck_assert_int_eq(
		(int)number_of(cJSON_GetObjectItem(one.last, "error"), "code"),
		-32700);
	client_line(&one);
	ck_assert_int_eq(
		(int)number_of(cJSON_GetObjectItem(one.last, "error"), "code"),
		-32600);
	ck_assert_str_eq(client_error(&one, "nothing", NULL, false),
			 "no-such-method");
	ck_assert_str_eq(client_error(&one, "ps", "{\"x\":1}", false),
			 "invalid-params");
	ck_assert_str_eq(client_error(&one, "hello", "{\"protocol\":2}", false),
			 "protocol");
}
END_TEST

START_TEST(an_endless_line_ends_the_session)
{
	char *junk = malloc(LIMIT_LINE + 4096);

	memset(junk, 'x', LIMIT_LINE + 4096);
	client_send_raw(&one, junk, LIMIT_LINE + 4096);
	free(junk);
	client_line(&one);
	ck_assert_ptr_nonnull(cJSON_GetObjectItem(one.last, "error"));
	ck_assert_ptr_null(client_line(&one));
}
END_TEST

START_TEST(half_closed_clients_get_their_answers)
{
	client_send(&one, "stats", NULL, false);
	client_send(&one, "doctor", NULL, false);
	shutdown(one.fd, SHUT_WR);
	client_wait(&one, 1);
	client_wait(&one, 2);
	ck_assert_ptr_null(client_line(&one));
}
END_TEST

START_TEST(clients_that_left_take_no_room)
{
	struct client many;

	/* Each leaves while its request is worked on. */
	for (int i = 0; i < 2 * LIMIT_CLIENTS; i++) {
		client_open(&many);
		client_send(&many, "ps", NULL, false);
		client_close(&many);
		/* What came in is read, so that what went is noticed. */
		if (i % 32 == 0)
			client_ask(&one, "hello", NULL, false);
	}
	client_open(&many);
	ck_assert_str_eq(client_error(&many, "hello", NULL, false), "");
	client_close(&many);
}
END_TEST

START_TEST(clients_are_bounded)
{
	static struct client many[LIMIT_CLIENTS - 1];
	const cJSON *line;

	/* Two are there; the last one here is too many. */
	for (int i = 0; i < LIMIT_CLIENTS - 1; i++)
		client_open(&many[i]);
	line = client_line(&many[LIMIT_CLIENTS - 2]);
	line = cJSON_GetObjectItem(cJSON_GetObjectItem(line, "error"), "data");
	ck_assert_str_eq(text_of(line, "name"), "limit");
	ck_assert_ptr_null(client_line(&many[LIMIT_CLIENTS - 2]));
	client_ask(&many[LIMIT_CLIENTS - 3], "hello", NULL, false);
	for (int i = 0; i < LIMIT_CLIENTS - 1; i++)
		client_close(&many[i]);
	/* There is room again: the next is whoever ends this test. */
	while (clients_there() > 2)
		usleep(1000);
}
END_TEST

START_TEST(probes_need_an_attached_target)
{
	const char *params = "{\"kind\":\"calls\",\"where\":\"m:f\"}";

	ck_assert_str_eq(client_error(&one, "probe.add", params, true),
			 "not-attached");
	ck_assert_str_eq(client_error(&one, "lines", "{\"where\":\"f\"}", true),
			 "not-attached");
	ck_assert_str_eq(client_error(&one, "probe.add",
				      "{\"kind\":\"calls\","
				      "\"where\":\"a.py:12\"}",
				      true),
			 "bad-location");
	ck_assert_str_eq(
		client_error(&one, "probe.remove", "{\"probe\":9}", false),
		"no-such-probe");
}
END_TEST

START_TEST(shutdown_tells_everyone)
{
	client_attach(&one);
	client_probe(&one, "idle", NULL);
	client_ask(&two, "shutdown", NULL, false);
	client_expect(&one, "probe", NULL);
	expect_end(&one, "removed", "detached");
	client_expect(&one, "detached", "daemon-stops");
	ck_assert_ptr_null(client_line(&one));
	ck_assert(world_ended(5000));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("flow");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, removal_is_answered_after_the_end);
	tcase_add_test(tests, a_hit_limit_ends_a_probe);
	tcase_add_test(tests, a_time_limit_ends_a_probe);
	tcase_add_test(tests, captures_never_precede_the_state);
	tcase_add_test(tests, pending_becomes_armed);
	tcase_add_test(tests, probes_are_switched);
	tcase_add_test(tests, unfit_records_are_dropped_and_counted);
	tcase_add_test(tests, the_agents_refusal_is_passed_on);
	tcase_add_test(tests, the_last_holder_takes_the_agent_out);
	tcase_add_test(tests, others_are_only_thrown_out_by_force);
	tcase_add_test(tests, a_client_that_goes_leaves_nothing);
	tcase_add_test(tests, a_persistent_probe_stays);
	tcase_add_test(tests, attach_waits_for_the_agent_before);
	tcase_add_test(tests, subscribers_see_what_others_own);
	tcase_add_test(tests, a_debugger_speaks_with_its_owner);
	tcase_add_test(tests, a_debugger_that_nobody_asked_for_is_closed);
	tcase_add_test(tests, garbage_on_the_socket_loses_the_agent);
	tcase_add_test(tests, a_closed_socket_loses_the_agent);
	tcase_add_test(tests, a_damaged_ring_loses_the_agent);
	tcase_add_test(tests, a_silent_agent_is_lost);
	tcase_add_test(tests, an_agent_that_does_not_go_keeps_others_out);
	tcase_add_test(tests, an_agent_that_refuses_fails_the_attach);
	tcase_add_test(tests, what_a_dead_target_captured_is_delivered);
	tcase_add_test(tests, a_slow_client_loses_with_a_count);
	tcase_add_test(tests, who_reads_no_answers_is_closed);
	tcase_add_test(tests, malformed_lines_are_answered);
	tcase_add_test(tests, an_endless_line_ends_the_session);
	tcase_add_test(tests, half_closed_clients_get_their_answers);
	tcase_add_test(tests, clients_that_left_take_no_room);
	tcase_add_test(tests, clients_are_bounded);
	tcase_add_test(tests, probes_need_an_attached_target);
	tcase_add_test(tests, shutdown_tells_everyone);
	return suite_run("flow", tests);
}
