/* SPDX-License-Identifier: MIT */
#include "agent/plain.h"

#include "agent/sys.h"

/* Recursive descent, with Python's precedences; whatever it does not know ends
 * it, and the expression is the interpreter's. */

enum {
	NESTED_MOST = 16,
	DIGITS_MOST = 15, /* of a number: exact in a double */
};

/* What a part of the expression yields: `and` and `or` yield one of their
 * operands, which this machine does not keep, so no other operation may use
 * what they say but for its truth. */
enum yield { NOTHING, VALUE, TRUTH };

struct parser {
	struct plain *plain;
	const char *next;
	size_t used; /* of plain->text */
	int nested;
	bool failed;
};

static enum yield fail(struct parser *p)
{
	p->failed = true;
	return NOTHING;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_blank(struct parser *p)
{
	while (*p->next == ' ' || *p->next == '\t')
		p->next++;
}

static void emit(struct parser *p, enum plain_operation operation, int argument)
{
	struct plain *plain = p->plain;

	if (plain->count == PLAIN_STEPS) {
		fail(p);
		return;
	}
	plain->step[plain->count++] =
		(struct plain_step){ (unsigned char)operation,
				     (unsigned char)argument };
}

/* Takes a sign, unless a longer one begins with it. */
static bool take(struct parser *p, const char *sign)
{
	size_t length = text_length(sign);

	skip_blank(p);
	for (size_t i = 0; i < length; i++)
		if (p->next[i] != sign[i])
			return false;
	if (is_letter(sign[0]) &&
	    (is_letter(p->next[length]) || is_digit(p->next[length])))
		return false;
	p->next += length;
	return true;
}

/* Keeps a text; where it is. */
static int keep(struct parser *p, const char *text, size_t length)
{
	size_t at = p->used;

	if (length >= PLAIN_TEXT - at) {
		fail(p);
		return 0;
	}
	memcpy(p->plain->text + at, text, length);
	p->plain->text[at + length] = '\0';
	p->used += length + 1;
	return (int)at;
}

static enum yield constant(struct parser *p, struct plain_value value)
{
	struct plain *plain = p->plain;

	if (plain->constant_count == PLAIN_CONSTANTS)
		return fail(p);
	plain->constant[plain->constant_count] = value;
	emit(p, PLAIN_CONSTANT, plain->constant_count++);
	return VALUE;
}

static enum yield name(struct parser *p)
{
	struct plain *plain = p->plain;
	const char *start = p->next;
	int at;

	while (is_letter(*p->next) || is_digit(*p->next))
		p->next++;
	/* A string's prefix, a call, an attribute, an item. */
	if (*p->next == '"' || *p->next == '\'')
		return fail(p);
	at = keep(p, start, (size_t)(p->next - start));
	for (int i = 0; i < plain->name_count; i++)
		if (text_equal(plain->text + plain->name[i],
			       plain->text + at)) {
			emit(p, PLAIN_NAME, i);
			return VALUE;
		}
	if (plain->name_count == PLAIN_NAMES)
		return fail(p);
	plain->name[plain->name_count] = (short)at;
	emit(p, PLAIN_NAME, plain->name_count++);
	return VALUE;
}

/* Digits, and maybe a point and more of them. A quotient of two integers that
 * a double has exactly is rounded once, as the number is. */
static enum yield number(struct parser *p)
{
	struct plain_value value = { .kind = PLAIN_INT };
	const char *start = p->next;
	double scale = 1;

	while (is_digit(*p->next) && p->next - start < DIGITS_MOST)
		value.integer = value.integer * 10 + (*p->next++ - '0');
	/* 017 is no number, 0 and 000 are. */
	if (*start == '0' && p->next - start > 1)
		return fail(p);
	if (*p->next == '.') {
		value.kind = PLAIN_FLOAT;
		for (p->next++;
		     is_digit(*p->next) && p->next - start < DIGITS_MOST;
		     scale *= 10)
			value.integer = value.integer * 10 + (*p->next++ - '0');
	}
	if (is_letter(*p->next) || is_digit(*p->next) || *p->next == '.')
		return fail(p);
	value.number = (double)value.integer / scale;
	return constant(p, value);
}

/* Printable ASCII without a backslash, quoted once. */
static enum yield string(struct parser *p)
{
	struct plain_value value = { .kind = PLAIN_STR };
	char quote = *p->next++;
	const char *start = p->next;

	while (*p->next >= ' ' && *p->next < 0x7f && *p->next != quote &&
	       *p->next != '\\')
		p->next++;
	if (*p->next != quote)
		return fail(p);
	value.integer = keep(p, start, (size_t)(p->next - start));
	p->next++;
	skip_blank(p);
	/* Strings side by side are one; three quotes begin another kind. */
	if (*p->next == '"' || *p->next == '\'')
		return fail(p);
	return constant(p, value);
}

static enum yield or_test(struct parser *p);

static enum yield atom(struct parser *p)
{
	enum yield inner;

	skip_blank(p);
	if (take(p, "(")) {
		inner = ++p->nested > NESTED_MOST ? fail(p) : or_test(p);
		p->nested--;
		return take(p, ")") ? inner : fail(p);
	}
	if (take(p, "None"))
		return constant(p,
				(struct plain_value){ PLAIN_NONE, 0, 0, NULL });
	if (take(p, "True"))
		return constant(p,
				(struct plain_value){ PLAIN_BOOL, 1, 1, NULL });
	if (take(p, "False"))
		return constant(p,
				(struct plain_value){ PLAIN_BOOL, 0, 0, NULL });
	if (is_digit(*p->next))
		return number(p);
	if (*p->next == '"' || *p->next == '\'')
		return string(p);
	return is_letter(*p->next) ? name(p) : fail(p);
}

/* An atom, behind which nothing may stand that belongs to it. */
static enum yield primary(struct parser *p)
{
	enum yield result = atom(p);

	skip_blank(p);
	if (*p->next == '(' || *p->next == '[' || *p->next == '.')
		return fail(p);
	return p->failed ? NOTHING : result;
}

static enum yield factor(struct parser *p)
{
	bool minus = take(p, "-");
	enum yield result;

	if (minus && ++p->nested > NESTED_MOST)
		return fail(p);
	result = minus ? factor(p) : primary(p);
	if (!minus)
		return result;
	p->nested--;
	if (result == TRUTH)
		return fail(p);
	emit(p, PLAIN_MINUS, 0);
	return VALUE;
}

/* An operator of a level and the operation. */
struct sign {
	const char *text;
	enum plain_operation operation;
};

static const struct sign *sign_of(struct parser *p, const struct sign *signs)
{
	for (; signs->text; signs++)
		if (take(p, signs->text))
			return signs;
	return NULL;
}

static enum yield term(struct parser *p)
{
	static const struct sign signs[] = { { "//", PLAIN_DIVIDE },
					     { "%", PLAIN_MODULO },
					     { "*", PLAIN_MULTIPLY },
					     { NULL, 0 } };
	enum yield left = factor(p), right;
	const struct sign *sign;

	while (!p->failed && (sign = sign_of(p, signs))) {
		/* ** binds tighter, on its right. */
		if (*p->next == '*')
			return fail(p);
		right = factor(p);
		if (left == TRUTH || right == TRUTH)
			return fail(p);
		emit(p, sign->operation, 0);
	}
	return left;
}

static enum yield arithmetic(struct parser *p)
{
	static const struct sign signs[] = { { "+", PLAIN_ADD },
					     { "-", PLAIN_SUBTRACT },
					     { NULL, 0 } };
	enum yield left = term(p), right;
	const struct sign *sign;

	while (!p->failed && (sign = sign_of(p, signs))) {
		right = term(p);
		if (left == TRUTH || right == TRUTH)
			return fail(p);
		emit(p, sign->operation, 0);
	}
	return left;
}

/* Says a part of the program once more: to look twice does nothing. */
static void again(struct parser *p, int from, int to)
{
	for (int i = from; i < to; i++)
		emit(p, p->plain->step[i].operation,
		     p->plain->step[i].argument);
}

static const struct sign *comparison_sign(struct parser *p)
{
	static const struct sign signs[] = {
		{ "<=", PLAIN_LESS_EQUAL }, { ">=", PLAIN_GREATER_EQUAL },
		{ "==", PLAIN_EQUAL },	    { "!=", PLAIN_NOT_EQUAL },
		{ "<", PLAIN_LESS },	    { ">", PLAIN_GREATER },
		{ "is", PLAIN_IS },	    { NULL, 0 }
	};
	static const struct sign is_not = { "is not", PLAIN_IS_NOT };
	const struct sign *sign = sign_of(p, signs);

	if (sign && sign->operation == PLAIN_IS && take(p, "not"))
		return &is_not;
	return sign;
}

static enum yield comparison(struct parser *p)
{
	enum yield left = arithmetic(p), right;
	const struct sign *sign;
	int links = 0, from = 0, to = 0;

	for (; !p->failed && (sign = comparison_sign(p)); links++) {
		/* a < b < c is a < b and b < c. */
		again(p, from, to);
		from = p->plain->count;
		right = arithmetic(p);
		to = p->plain->count;
		if (left == TRUTH || right == TRUTH)
			return fail(p);
		emit(p, sign->operation, 0);
		if (links)
			emit(p, PLAIN_AND, 0);
	}
	return left;
}

static enum yield not_test(struct parser *p)
{
	if (!take(p, "not"))
		return comparison(p);
	if (++p->nested > NESTED_MOST)
		return fail(p);
	not_test(p);
	p->nested--;
	emit(p, PLAIN_NOT, 0);
	return VALUE;
}

static enum yield and_test(struct parser *p)
{
	enum yield result = not_test(p);

	while (!p->failed && take(p, "and")) {
		not_test(p);
		emit(p, PLAIN_AND, 0);
		result = TRUTH;
	}
	return result;
}

static enum yield or_test(struct parser *p)
{
	enum yield result = and_test(p);

	while (!p->failed && take(p, "or")) {
		and_test(p);
		emit(p, PLAIN_OR, 0);
		result = TRUTH;
	}
	return result;
}

void plain_parse(struct plain *plain, const char *text)
{
	struct parser p = { .plain = plain, .next = text };

	*plain = (struct plain){ 0 };
	or_test(&p);
	skip_blank(&p);
	if (p.failed || *p.next)
		plain->count = 0;
}
