/* SPDX-License-Identifier: MIT */
#include "proto/redact.h"

enum {
	TOKEN_LEAST = 8,   /* characters of what follows "Bearer " */
	PREFIX_LEAST = 12, /* and of what follows a vendor's prefix */
	CARD_LEAST = 13,
	CARD_MOST = 19,
	CARD_PART = 8, /* digits at a cut that may be half a card's */
	WORD_MOST = 64,
};

/* With what keys of well-known services start. */
static const char *const prefixes[] = {
	"eyJ",	  "ghp_",  "gho_",  "ghs_",	"github_pat_",
	"glpat-", "xoxb-", "xoxp-", "sk_live_", "rk_live_",
	"AKIA",	  "ASIA",  "AIza",  "sk-",
};

struct span {
	const char *text;
	size_t length;
	bool cut;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Of a token: base64, its variant for URLs, and dots. */
static bool is_token(char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '-' ||
	       c == '.' || c == '+' || c == '/' || c == '=' || c == '~';
}

static char fold(char c)
{
	return is_letter(c) ? (char)(c | 0x20) : c;
}

/* Does the text have this word at a place? */
static bool has_at(const struct span *span, size_t at, const char *word,
		   bool any_case)
{
	for (; *word; word++, at++) {
		if (at == span->length)
			return false;
		if (span->text[at] != *word &&
		    (!any_case || fold(span->text[at]) != fold(*word)))
			return false;
	}
	return true;
}

static size_t text_size(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

static size_t token_length(const struct span *span, size_t at)
{
	size_t end = at;

	while (end < span->length && is_token(span->text[end]))
		end++;
	return end - at;
}

/* A word's beginning: no letter or digit before it. */
static bool begins(const struct span *span, size_t at)
{
	return !at ||
	       !(is_letter(span->text[at - 1]) || is_digit(span->text[at - 1]));
}

static bool token_at(const struct span *span, size_t at)
{
	static const char *const schemes[] = { "bearer ", "basic ", "token " };

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (has_at(span, at, schemes[i], true) &&
		    token_length(span, at + text_size(schemes[i])) >=
			    TOKEN_LEAST)
			return true;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (has_at(span, at, prefixes[i], false) &&
		    token_length(span, at + text_size(prefixes[i])) >=
			    PREFIX_LEAST)
			return true;
	return false;
}

/* "-----BEGIN .. PRIVATE KEY-----" */
static bool private_key_at(const struct span *span, size_t at)
{
	if (!has_at(span, at, "-----BEGIN ", false))
		return false;
	for (size_t i = at; i < span->length && i < at + WORD_MOST; i++)
		if (has_at(span, i, "PRIVATE KEY", false))
			return true;
	return false;
}

/* "://user:password@" */
static bool url_at(const struct span *span, size_t at)
{
	bool colon = false;

	if (!has_at(span, at, "://", false))
		return false;
	for (size_t i = at + 3; i < span->length; i++) {
		char c = span->text[i];

		if (c == '@')
			return colon;
		if (c == '"')
			return colon && span->cut;
		if (c == '/' || c == ' ')
			return false;
		colon |= c == ':';
	}
	return colon && span->cut;
}

static bool luhn(const char *digits, int count)
{
	int sum = 0;

	for (int i = 0; i < count; i++) {
		int digit = digits[count - 1 - i] - '0';

		if (i & 1)
			digit *= 2;
		sum += digit > 9 ? digit - 9 : digit;
	}
	return sum % 10 == 0;
}

/* Reads digits in groups from a place; past: where they end. */
static bool card_at(const struct span *span, size_t at, size_t *ret_past)
{
	char digits[CARD_MOST + 1];
	int count = 0;
	size_t i = at;

	for (; i < span->length; i++) {
		char c = span->text[i];

		if (is_digit(c)) {
			if (count <= CARD_MOST)
				digits[count] = c;
			count += count <= CARD_MOST;
		} else if ((c != ' ' && c != '-') || i + 1 == span->length ||
			   !is_digit(span->text[i + 1])) {
			break;
		}
	}
	*ret_past = i;
	if (count > CARD_MOST || digits[0] < '2' || digits[0] > '6')
		return false;
	if (span->cut && count >= CARD_PART &&
	    (i == span->length || span->text[i] == '"'))
		return true;
	return count >= CARD_LEAST && luhn(digits, count);
}

/* At an `=` or `:`: is the word before it a name that is withheld, and does
 * something follow? */
static bool assignment_at(const struct redaction *redaction,
			  const struct span *span, size_t at)
{
	size_t end = at, start, next = at + 1;

	while (end && !is_letter(span->text[end - 1]) &&
	       !is_digit(span->text[end - 1]) && at - end < 4)
		end--;
	start = end;
	while (start && end - start < WORD_MOST &&
	       (is_letter(span->text[start - 1]) ||
		is_digit(span->text[start - 1]) ||
		span->text[start - 1] == '_' || span->text[start - 1] == '-'))
		start--;
	while (next < span->length && span->text[next] == ' ')
		next++;
	if (start == end || next == span->length)
		return false;
	return redact_name(redaction, span->text + start, end - start,
			   redact_known(span->text + start, end - start));
}

const char *redact_text(const struct redaction *redaction, const char *text,
			size_t length, bool cut)
{
	struct span span = { text, length, cut };
	size_t past;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (is_digit(c)) {
			if (card_at(&span, i, &past))
				return "card";
			i = past - 1;
		} else if (is_letter(c) && begins(&span, i)) {
			if (token_at(&span, i))
				return "token";
		} else if (c == '-' && private_key_at(&span, i)) {
			return "private-key";
		} else if (c == ':' && url_at(&span, i)) {
			return "url";
		} else if ((c == '=' || c == ':') &&
			   assignment_at(redaction, &span, i)) {
			return "name";
		}
	}
	return NULL;
}
