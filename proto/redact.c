/* SPDX-License-Identifier: MIT */
#include "proto/redact.h"

#include "proto/glob.h"

enum {
	NAME_SIZE = 128, /* of a name without separators, with NUL */
	LETTERS = 26,
};

/* Names without separators. `*` at an end: more may stand there. */
static const char *const names[] = {
	"*password*",
	"*passwd*",
	"*passphrase*",
	"*passcode*",
	"*secret*",
	"*credential*",
	"*apikey*",
	"*accesskey*",
	"*privatekey*",
	"*signingkey*",
	"*encryptionkey*",
	"*masterkey*",
	"*sessionid*",
	"*creditcard*",
	"*cardnumber*",
	"*accountnumber*",
	"*authorization",
	"*token",
	"*tokens",
	"*cookie",
	"*cookies",
	"*pwd",
	"*jwt",
	"*authkey",
	"*keysecret",
	"*sharedkey",
	"*connectionstring",
	"*securitycode",
	"*bearer",
	"2fa",
	"2facode",
	"aeskey",
	"apisignature",
	"auth",
	"authcode",
	"authheader",
	"bankaccount",
	"basicauth",
	"cardcvc",
	"cardcvv",
	"cardno",
	"cardpin",
	"ccnum",
	"ccnumber",
	"clientkey",
	"connectsid",
	"cryptkey",
	"csrf",
	"cvc",
	"cvc2",
	"cvv",
	"cvv2",
	"databaseurl",
	"dbpass",
	"dburl",
	"decryptionkey",
	"dsakey",
	"dsn",
	"gpgkey",
	"hmackey",
	"iban",
	"licensekey",
	"mfacode",
	"nationalid",
	"nonce",
	"onetimecode",
	"otp",
	"otpcode",
	"otpseed",
	"pass",
	"passhash",
	"passport",
	"passportnumber",
	"passw",
	"pemfile",
	"pgpkey",
	"phpsessid",
	"pin",
	"pincode",
	"pinnumber",
	"pkcs8",
	"proxyauth",
	"pswd",
	"recoverycode",
	"rootpass",
	"routingnumber",
	"rsakey",
	"salt",
	"securityanswer",
	"sessionkey",
	"sid",
	"socialsecuritynumber",
	"sshkey",
	"ssn",
	"storagekey",
	"symmetrickey",
	"taxid",
	"totp",
	"userpass",
	"verificationcode",
	"xauth",
	"xcsrf",
	"xsrf",
};

enum { NAMES = sizeof names / sizeof *names };

/* A name as it is compared. */
struct name {
	char text[NAME_SIZE];
	size_t length;
	uint32_t letters; /* which of them occur */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_word(char c)
{
	c = lower(c);
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c & 0x80);
}

static uint32_t letter_bit(char c)
{
	return c >= 'a' && c < 'a' + LETTERS ? 1u << (c - 'a') : 0;
}

static void reduce(struct name *name, const char *text, size_t length)
{
	name->length = 0;
	name->letters = 0;
	for (size_t i = 0; i < length && name->length + 1 < NAME_SIZE; i++) {
		char c = lower(text[i]);

		if (!is_word(c))
			continue;
		name->text[name->length++] = c;
		name->letters |= letter_bit(c);
	}
	name->text[name->length] = '\0';
}

static uint32_t letters_of(const char *text)
{
	uint32_t letters = 0;

	for (; *text; text++)
		letters |= letter_bit(*text);
	return letters;
}

bool redact_known(const char *text, size_t length)
{
	/* Filled in once, always with the same. */
	static uint32_t letters[NAMES];
	struct name name;

	reduce(&name, text, length);
	for (int i = 0; i < NAMES; i++) {
		if (!letters[i])
			letters[i] = letters_of(names[i]);
		/* The mask spares nearly all of the comparisons. */
		if (!(letters[i] & ~name.letters) &&
		    glob_match(names[i], name.text))
			return true;
	}
	return false;
}

/* The next entry of a list into `entry`; what comes after it, NULL at the
 * end. */
static const char *next_entry(const char *list, char entry[LIMIT_REDACT])
{
	size_t length = 0;

	while (*list == ',' || *list == ' ')
		list++;
	if (!*list)
		return NULL;
	while (*list && *list != ',')
		entry[length++] = *list++;
	while (length && entry[length - 1] == ' ')
		length--;
	entry[length] = '\0';
	return list;
}

static bool is_type_entry(const char *entry)
{
	const char *prefix = "type:";

	while (*prefix && *prefix == *entry) {
		prefix++;
		entry++;
	}
	return !*prefix;
}

/* A pattern like a name: lower case, no separators, but with its wildcards. */
static void reduce_pattern(char *pattern)
{
	char *to = pattern;

	for (const char *c = pattern; *c; c++)
		if (is_word(*c) || *c == '*' || *c == '?')
			*to++ = lower(*c);
	*to = '\0';
}

static bool listed(const char *list, const struct name *name)
{
	char entry[LIMIT_REDACT];

	while ((list = next_entry(list, entry))) {
		if (is_type_entry(entry))
			continue;
		reduce_pattern(entry);
		if (glob_match(entry, name->text))
			return true;
	}
	return false;
}

bool redact_name(const struct redaction *redaction, const char *text,
		 size_t length, bool known)
{
	struct name name;

	if (!redaction->also[0] && !redaction->except[0])
		return known;
	reduce(&name, text, length);
	if (listed(redaction->except, &name))
		return false;
	return known || listed(redaction->also, &name);
}

bool redact_has_types(const struct redaction *redaction)
{
	const char *list = redaction->also;
	char entry[LIMIT_REDACT];

	while ((list = next_entry(list, entry)))
		if (is_type_entry(entry))
			return true;
	return false;
}

bool redact_type(const struct redaction *redaction, const char *type)
{
	const char *list = redaction->also;
	char entry[LIMIT_REDACT];

	while ((list = next_entry(list, entry)))
		if (is_type_entry(entry) && glob_match(entry + 5, type))
			return true;
	return false;
}
