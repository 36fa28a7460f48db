/* SPDX-License-Identifier: MIT */
/* nopdb: the command. */
#include <stdio.h>
#include <string.h>

#include "clients/cli/interrupt.h"
#include "clients/cli/report.h"
#include "clients/cli/text.h"
#include "clients/cli/verb.h"

/* No verb, or none that we know. */
static int no_verb(const char *name)
{
	struct error err = ERROR_INIT;

	if (name)
		error_set(&err, ERROR_USAGE, "no verb %s", name);
	else
		error_set(&err, ERROR_USAGE, "a verb is missing");
	error_remedy(&err, "see nopdb help");
	return report_error(&err);
}

static int print_help(struct session *session, const struct verb *verb)
{
	struct text text = TEXT_INIT;

	verb_usage(&text, verb);
	output_text(&session->output, text_string(&text));
	text_release(&text);
	return session_finish(session, 0);
}

/* Checks what a verb was given, and runs it. */
static int dispatch(struct session *session, const struct verb *verb,
		    const struct options *options)
{
	int given = options->argc - 1;

	if (options_allow(options, verb->groups, verb->name, &session->err) <
	    0) {
		error_remedy(&session->err, "see nopdb help %s", verb->name);
		return session_failed(session);
	}
	if (given < verb->least)
		return session_usage(verb->name, "%s is missing",
				     verb->arguments);
	if (given > verb->most)
		return session_usage(verb->name, "what is %s for?",
				     options->argv[1 + verb->most]);
	return verb->run(session, options->argc, options->argv);
}

static int command(struct session *session, const struct options *options)
{
	const char *name = options->argc > 0 ? options->argv[0] : NULL;
	const struct verb *verb = name ? verb_find(name) : NULL;

	if (option_given(options, OPTION_VERSION)) {
		output_line(&session->output, "nopdb " NOPDB_VERSION);
		return session_finish(session, 0);
	}
	if (name && !verb)
		return no_verb(name);
	if (option_given(options, OPTION_HELP))
		return print_help(session, verb);
	if (!verb)
		return no_verb(NULL);
	return dispatch(session, verb, options);
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	struct options options;
	struct session session;
	int status;

	if (options_parse(argc, argv, &options, &err) < 0) {
		if (!err.remedy[0])
			error_remedy(&err, "see nopdb help");
		return report_error(&err);
	}
	if (interrupt_init(&err) < 0)
		return report_error(&err);
	report_quiet(option_given(&options, OPTION_QUIET));
	session_init(&session, &options);
	status = command(&session, &options);
	session_release(&session);
	return status;
}
