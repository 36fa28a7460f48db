/* SPDX-License-Identifier: MIT */
#include "daemon/config.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "daemon/audit_sink.h"

#define DEFAULT_IDLE_S 60
#define MOST_IDLE_S (365u * 24 * 3600)

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "metrics", required_argument, NULL, 'm' },
	{ "idle", required_argument, NULL, 'i' },
	{ "agent", required_argument, NULL, 'a' },
	{ "timeout", required_argument, NULL, 't' },
	{ "log", required_argument, NULL, 'l' },
	{ "policy", required_argument, NULL, 'p' },
	{ "system", no_argument, NULL, 'S' },
	{ "audit", required_argument, NULL, 'A' },
	{ "audit-size", required_argument, NULL, 'Z' },
	{ "foreground", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

void config_usage(FILE *out)
{
	fputs("usage: nopdbd --socket PATH [option...]\n"
	      "  --socket PATH   where clients connect; may be left out when "
	      "a\n"
	      "                  service manager hands the socket on\n"
	      "  --metrics PATH  where Prometheus' format is served by HTTP\n"
	      "  --idle SECONDS  leave after so long without clients and\n"
	      "                  targets (default 60, 0 never)\n"
	      "  --agent PATH    the agent's file (default: beside nopdbd)\n"
	      "  --timeout PHASE=MS\n"
	      "                  how long a phase of attaching may take:\n"
	      "                  interrupt, search, call, handshake, gil\n"
	      "  --log FILE      append the log to FILE\n"
	      "  --system        serve every user, each within the policy\n"
	      "  --policy FILE   who may do what with which process\n"
	      "                  (default /etc/nopdb/policy.json); as root,\n"
	      "                  with --system\n"
	      "  --audit WHERE   a file, syslog, or none (default: syslog "
	      "with\n"
	      "                  --system, else none)\n"
	      "  --audit-size N  bytes of the file, before a new one is begun\n"
	      "  --foreground    stay in the foreground, log to stderr\n"
	      "  --version, --help\n",
	      out);
}

static int parse_seconds(const char *text, unsigned *ret_seconds,
			 struct error *err)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno ||
	    value > MOST_IDLE_S)
		return error_set(err, ERROR_USAGE,
				 "--idle %s: not a number of seconds", text);
	*ret_seconds = (unsigned)value;
	return 0;
}

static int parse_size(const char *text, uint64_t *ret_bytes, struct error *err)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (isdigit((unsigned char)*text) && !*end && !errno &&
	    value >= AUDIT_SIZE_LEAST && value <= AUDIT_SIZE_MOST) {
		*ret_bytes = value;
		return 0;
	}
	error_set(err, ERROR_USAGE,
		  "--audit-size %s: not from %u to %llu bytes", text,
		  AUDIT_SIZE_LEAST, AUDIT_SIZE_MOST);
	return error_remedy(err, "%u is the default", AUDIT_SIZE_DEFAULT);
}

/* The options of a daemon that serves many. */
static int take_policy_option(struct config *config, int option,
			      struct error *err)
{
	switch (option) {
	case 'p':
		config->policy = optarg;
		return 0;
	case 'S':
		config->system = true;
		return 0;
	case 'A':
		config->audit = optarg;
		return 0;
	default:
		return parse_size(optarg, &config->audit_bytes, err);
	}
}

static int take_option(struct config *config, int option, char **argv,
		       struct error *err)
{
	switch (option) {
	case 's':
		config->socket = optarg;
		return 0;
	case 'm':
		config->metrics = optarg;
		return 0;
	case 'i':
		return parse_seconds(optarg, &config->idle_s, err);
	case 'a':
		config->agent = optarg;
		return 0;
	case 't':
		return patience_parse(&config->patience, optarg, err);
	case 'l':
		config->log = optarg;
		return 0;
	case 'p':
	case 'S':
	case 'A':
	case 'Z':
		return take_policy_option(config, option, err);
	case 'f':
		config->foreground = true;
		return 0;
	case 'h':
		config->help = true;
		return 0;
	case 'V':
		config->version = true;
		return 0;
	case ':':
		return error_set(err, ERROR_USAGE, "%s needs a value",
				 argv[optind - 1]);
	default:
		return error_set(err, ERROR_USAGE, "unknown option %s",
				 argv[optind - 1]);
	}
}

int config_parse(struct config *ret_config, int argc, char **argv,
		 struct error *err)
{
	struct config config = { .idle_s = DEFAULT_IDLE_S,
				 .patience = PATIENCE_DEFAULT,
				 .audit_bytes = AUDIT_SIZE_DEFAULT };
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (take_option(&config, option, argv, err))
			return -1;
	}
	if (optind < argc)
		return error_set(err, ERROR_USAGE, "unexpected argument %s",
				 argv[optind]);
	*ret_config = config;
	return 0;
}
