/* SPDX-License-Identifier: MIT */
#include "daemon/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json_check.h"

/* Processes of one's own, whoever one is; root may look into those of others,
 * whom it could trace anyway, but runs no code there and stops no thread. */
const char policy_default_text[] =
	"{\"version\": 1, \"rules\": ["
	"{\"name\": \"own\", \"process\": {\"owner\": \"self\"}, \"rights\": "
	"[\"see\", \"stack\", \"capture\", \"eval\", \"exec\", \"debug\"]}, "
	"{\"name\": \"root\", \"user\": 0, \"rights\": "
	"[\"see\", \"stack\", \"capture\", \"eval\"]}]}";

#define KEY_MAX 96

/* Where in the document we are, for messages: "rules[2].process". */
struct reader {
	const struct policy_names *names;
	struct error *err;
	char at[KEY_MAX];
};

static int wrong(const struct reader *reader, const char *key,
		 const char *remedy, const char *fmt, ...) NOPDB_PRINTF(4, 5);

static int wrong(const struct reader *reader, const char *key,
		 const char *remedy, const char *fmt, ...)
{
	const char *dot = reader->at[0] && key[0] && key[0] != '[' ? "." : "";
	char reason[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	error_set(reader->err, ERROR_USAGE, "%s%s%s: %s", reader->at, dot, key,
		  reason);
	return error_remedy(reader->err, "%s", remedy);
}

/* Puts the number of an item behind a key. */
static const char *item_key(const char *key, unsigned i, char buf[KEY_MAX])
{
	snprintf(buf, KEY_MAX, "%.60s[%u]", key, i);
	return buf;
}

/* No member that is not in the list, none twice. */
static int check_members(const struct reader *reader, const cJSON *object,
			 const char *const *known, const char *remedy)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object)
	{
		const char *const *name = known;

		while (*name && strcmp(*name, item->string) != 0)
			name++;
		if (!*name)
			return wrong(reader, "", remedy, "no key '%.40s'",
				     item->string);
		if (cJSON_GetObjectItemCaseSensitive(object, *name) != item)
			return wrong(reader, *name, "give it once",
				     "it is there twice");
	}
	return 0;
}

/* ---- lists
 * --------------------------------------------------------------------- */

/* A value alone stands for a list of one. */
static unsigned list_size(const cJSON *given)
{
	return cJSON_IsArray(given) ? (unsigned)cJSON_GetArraySize(given) : 1;
}

static const cJSON *list_first(const cJSON *given)
{
	return cJSON_IsArray(given) ? given->child : given;
}

static int check_list(const struct reader *reader, const char *key,
		      const cJSON *given)
{
	unsigned size = list_size(given);

	if (size < 1 || size > POLICY_ITEMS_MAX)
		return wrong(reader, key, "leave the key out to mean any",
			     "%u items, not 1 to %d", size, POLICY_ITEMS_MAX);
	return 0;
}

static int no_memory(const struct reader *reader)
{
	return error_set(reader->err, ERROR_NO_MEMORY,
			 "no memory for a policy");
}

static bool is_id(const cJSON *item)
{
	/* The greatest is "no user" to the kernel. */
	return cJSON_IsNumber(item) && item->valuedouble >= 0 &&
	       item->valuedouble < UINT32_MAX &&
	       item->valuedouble == (double)(uint32_t)item->valuedouble;
}

static int take_id(const struct reader *reader, const char *key,
		   const cJSON *item, bool group, uint32_t *ret_id)
{
	const char *name = cJSON_GetStringValue(item);
	const char *what = group ? "group" : "user";

	if (is_id(item)) {
		*ret_id = (uint32_t)item->valuedouble;
		return 0;
	}
	if (!name)
		return wrong(reader, key, "give a name or a number", "not a %s",
			     what);
	if ((group ? reader->names->group : reader->names->user)(name, ret_id))
		return 0;
	return wrong(reader, key, "create it, or correct the name",
		     "no %s '%.40s'", what, name);
}

static int take_ids(const struct reader *reader, const char *key,
		    const cJSON *given, bool group, struct policy_ids *ids)
{
	const cJSON *item = list_first(given);
	char place[KEY_MAX];

	if (!given)
		return 0;
	if (check_list(reader, key, given))
		return -1;
	ids->given = true;
	ids->list = calloc(list_size(given), sizeof(*ids->list));
	if (!ids->list)
		return no_memory(reader);
	for (unsigned i = 0; i < list_size(given); i++, item = item->next) {
		const char *text = cJSON_GetStringValue(item);
		const char *where =
			cJSON_IsArray(given) ? item_key(key, i, place) : key;

		if (!strcmp(key, "owner") && text && !strcmp(text, "self"))
			ids->self = true;
		else if (take_id(reader, where, item, group,
				 &ids->list[ids->count++]))
			return -1;
	}
	return 0;
}

static int take_patterns(const struct reader *reader, const char *key,
			 const cJSON *given, bool path,
			 struct policy_patterns *patterns)
{
	const cJSON *item = list_first(given);
	char place[KEY_MAX];

	if (!given)
		return 0;
	if (check_list(reader, key, given))
		return -1;
	patterns->given = true;
	patterns->list = calloc(list_size(given), sizeof(*patterns->list));
	if (!patterns->list)
		return no_memory(reader);
	for (unsigned i = 0; i < list_size(given); i++, item = item->next) {
		const char *text = cJSON_GetStringValue(item);
		const char *where =
			cJSON_IsArray(given) ? item_key(key, i, place) : key;

		if (!text || !*text || strlen(text) >= POLICY_PATTERN_MAX)
			return wrong(reader, where, "give a pattern",
				     "not a text of 1 to %d bytes",
				     POLICY_PATTERN_MAX - 1);
		if (path && *text != '/')
			return wrong(reader, where, "start it with /",
				     "'%.60s' is not an absolute path", text);
		patterns->list[patterns->count++] = text;
	}
	return 0;
}

/* ---- a rule
 * --------------------------------------------------------------------- */

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static int take_rights(const struct reader *reader, const cJSON *given,
		       uint32_t *rights)
{
	const cJSON *item;
	char place[KEY_MAX];
	unsigned i = 0;

	if (!cJSON_IsArray(given))
		return wrong(reader, "rights", "[] grants nothing",
			     given ? "not a list of rights" : "it is missing");
	cJSON_ArrayForEach(item, given)
	{
		const char *name = cJSON_GetStringValue(item);
		uint32_t right = name ? rights_find(name) : 0;

		if (!right)
			return wrong(reader, item_key("rights", i, place),
				     "one of see, stack, capture, eval, exec, "
				     "debug",
				     "no right '%.40s'", name ? name : "");
		*rights |= right;
		i++;
	}
	return 0;
}

static int take_process(struct reader *reader, const cJSON *given,
			struct policy_rule *rule)
{
	static const char *const known[] = { "owner", "program", "unit",
					     "cgroup", NULL };
	size_t length = strlen(reader->at);
	int failed;

	if (!given)
		return 0;
	if (!cJSON_IsObject(given))
		return wrong(reader, "process",
			     "{\"owner\", \"program\", \"unit\", \"cgroup\"}",
			     "not an object");
	snprintf(reader->at + length, KEY_MAX - length, ".process");
	failed = check_members(reader, given, known,
			       "one of owner, program, unit, cgroup") ||
		 take_ids(reader, "owner", member(given, "owner"), false,
			  &rule->owners) ||
		 take_patterns(reader, "program", member(given, "program"),
			       true, &rule->programs) ||
		 take_patterns(reader, "unit", member(given, "unit"), false,
			       &rule->units) ||
		 take_patterns(reader, "cgroup", member(given, "cgroup"), true,
			       &rule->cgroups);
	reader->at[length] = '\0';
	return failed ? -1 : 0;
}

static int take_name(const struct reader *reader, const cJSON *given,
		     unsigned number, struct policy_rule *rule)
{
	const char *name = cJSON_GetStringValue(given);

	if (!given) {
		snprintf(rule->name, sizeof(rule->name), "rule %u", number);
		return 0;
	}
	if (!name || !*name || strlen(name) >= sizeof(rule->name))
		return wrong(reader, "name", "shorten it, or leave it out",
			     "not a text of 1 to %zu bytes",
			     sizeof(rule->name) - 1);
	memcpy(rule->name, name, strlen(name) + 1);
	return 0;
}

static int take_rule(struct reader *reader, const cJSON *given, unsigned i,
		     struct policy_rule *rule)
{
	static const char *const known[] = { "name",	"user",	  "group",
					     "process", "rights", NULL };

	snprintf(reader->at, sizeof(reader->at), "rules[%u]", i);
	if (!cJSON_IsObject(given))
		return wrong(reader, "", "a rule is {\"rights\": [...], ...}",
			     "not an object");
	if (check_members(reader, given, known,
			  "one of name, user, group, process, rights") ||
	    take_name(reader, member(given, "name"), i + 1, rule) ||
	    take_ids(reader, "user", member(given, "user"), false,
		     &rule->users) ||
	    take_ids(reader, "group", member(given, "group"), true,
		     &rule->groups) ||
	    take_process(reader, member(given, "process"), rule) ||
	    take_rights(reader, member(given, "rights"), &rule->rights))
		return -1;
	reader->at[0] = '\0';
	return 0;
}

/* ---- the document
 * ----------------------------------------------------------------- */

static int take_rules(struct reader *reader, const cJSON *given,
		      struct policy *policy)
{
	int size = cJSON_IsArray(given) ? cJSON_GetArraySize(given) : -1;
	const cJSON *item;

	if (size < 0 || size > POLICY_RULES_MAX)
		return wrong(reader, "rules", "[] grants nothing to anybody",
			     size < 0 ? "not a list of rules"
				      : "more than 256 rules");
	policy->rules = calloc((size_t)size + 1, sizeof(*policy->rules));
	if (!policy->rules)
		return no_memory(reader);
	cJSON_ArrayForEach(item, given)
	{
		unsigned i = policy->count++;

		if (take_rule(reader, item, i, &policy->rules[i]))
			return -1;
	}
	return 0;
}

static int take_yama(const struct reader *reader, const cJSON *given,
		     bool *ret_own)
{
	const char *text = cJSON_GetStringValue(given);

	if (!given)
		return 0;
	if (!text || (strcmp(text, "kernel") != 0 && strcmp(text, "own") != 0))
		return wrong(reader, "yama",
			     "\"kernel\": what it refuses is refused; \"own\": "
			     "but for one's own processes",
			     "neither \"kernel\" nor \"own\"");
	*ret_own = !strcmp(text, "own");
	return 0;
}

static int take_document(struct reader *reader, struct policy *policy)
{
	static const char *const known[] = { "version", "yama", "rules",
					     "$schema", NULL };
	const cJSON *version = member(policy->root, "version");

	if (check_members(reader, policy->root, known,
			  "one of version, yama, rules"))
		return -1;
	if (!cJSON_IsNumber(version) || version->valuedouble != 1)
		return wrong(reader, "version", "write \"version\": 1",
			     version ? "only 1 is known" : "it is missing");
	if (take_yama(reader, member(policy->root, "yama"), &policy->yama_own))
		return -1;
	return take_rules(reader, member(policy->root, "rules"), policy);
}

/* Line ends between values become blanks, which is what the strict check
 * takes; those within a string stay, and are refused. */
static void unfold(char *text, size_t length)
{
	bool inside = false;

	for (size_t i = 0; i < length; i++) {
		if (inside && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			inside = !inside;
		else if (!inside && (text[i] == '\n' || text[i] == '\r'))
			text[i] = ' ';
	}
}

static int not_json(const char *text, size_t offset, const char *why,
		    struct error *err)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	error_set(err, ERROR_USAGE, "line %u: not JSON: %s", line, why);
	return error_remedy(err, "write it as nopdbd(8) describes");
}

static cJSON *parse_text(const char *text, size_t length, struct error *err)
{
	char *copy = malloc(length + 1);
	const char *why = "no memory";
	size_t offset = 0;
	cJSON *root = NULL;

	if (!copy) {
		error_set(err, ERROR_NO_MEMORY, "no memory for a policy");
		return NULL;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	unfold(copy, length);
	/* Blanks around the object are fine in a file. */
	while (length && copy[length - 1] == ' ')
		copy[--length] = '\0';
	why = json_check(copy, length, NULL, &offset);
	if (!why)
		root = cJSON_ParseWithLength(copy, length);
	free(copy);
	if (!root)
		not_json(text, offset, why ? why : "no memory", err);
	return root;
}

int policy_parse(const char *text, size_t length,
		 const struct policy_names *names, struct policy *ret_policy,
		 struct error *err)
{
	struct reader reader = { .names = names, .err = err };
	struct policy policy = { .count = 0 };

	if (length > POLICY_TEXT_MAX) {
		error_set(err, ERROR_USAGE, "longer than %u bytes",
			  POLICY_TEXT_MAX);
		return error_remedy(err, "use groups and patterns");
	}
	policy.root = parse_text(text, length, err);
	if (!policy.root)
		return -1;
	if (take_document(&reader, &policy)) {
		policy_release(&policy);
		return -1;
	}
	*ret_policy = policy;
	return 0;
}

void policy_release(struct policy *policy)
{
	if (!policy)
		return;
	for (unsigned i = 0; i < policy->count; i++) {
		struct policy_rule *rule = &policy->rules[i];

		free(rule->users.list);
		free(rule->groups.list);
		free(rule->owners.list);
		free(rule->programs.list);
		free(rule->units.list);
		free(rule->cgroups.list);
	}
	free(policy->rules);
	cJSON_Delete(policy->root);
	*policy = (struct policy){ .count = 0 };
}
