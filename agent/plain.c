/* SPDX-License-Identifier: MIT */
#include "agent/plain.h"

#include "agent/code.h"
#include "agent/frames.h"
#include "agent/sys.h"

enum { DEPTH = 8 }; /* of the stack; what needs more is the interpreter's */

/* Ints that a double has exactly lie between -exact and exact. */
static const int64_t exact = (int64_t)1 << 53;

/* Which variable of the code has this name; -1: none. */
static int variable_of(const struct code *code, const char *name)
{
	size_t length = text_length(name);

	for (int i = 0; i < code->variable_count; i++) {
		const struct variable *v = &code->variables[i];

		/* "name": */
		if (v->key_length == length + 3 &&
		    !memcmp(v->key + 1, name, length))
			return i;
	}
	return -1;
}

static bool bind(const struct plain *plain, struct plain_binding *binding,
		 const struct code *code)
{
	if (binding->done)
		return binding->fits;
	binding->done = binding->fits = true;
	for (int i = 0; i < plain->name_count; i++) {
		int index = variable_of(code, plain->text + plain->name[i]);

		binding->index[i] = (short)index;
		binding->fits &= index >= 0;
	}
	return binding->fits;
}

static bool set_bool(struct plain_value *v, bool value)
{
	*v = (struct plain_value){ PLAIN_BOOL, value, value,
				   value ? py._Py_TrueStruct
					 : py._Py_FalseStruct };
	return true;
}

static bool set_int(struct plain_value *v, int64_t value)
{
	*v = (struct plain_value){ PLAIN_INT, value, 0, NULL };
	return true;
}

static bool set_float(struct plain_value *v, double value)
{
	*v = (struct plain_value){ PLAIN_FLOAT, 0, value, NULL };
	return true;
}

/* What an object is to us. */
static bool look_at(struct plain_value *v, struct object *object)
{
	int overflow = 0;

	*v = (struct plain_value){ PLAIN_OTHER, 0, 0, object };
	if (object == py._Py_NoneStruct)
		v->kind = PLAIN_NONE;
	else if (object == py._Py_TrueStruct || object == py._Py_FalseStruct)
		return set_bool(v, object == py._Py_TrueStruct);
	else if (py_is(object, py.PyUnicode_Type))
		v->kind = PLAIN_STR;
	else if (py_is(object, py.PyFloat_Type)) {
		v->kind = PLAIN_FLOAT;
		v->number = py.PyFloat_AsDouble(object);
	} else if (py_is(object, py.PyLong_Type)) {
		v->kind = PLAIN_INT;
		v->integer = py.PyLong_AsLongLongAndOverflow(object, &overflow);
	}
	return !overflow;
}

static bool push_name(struct plain_value *v, const struct code *code,
		      void *frame, int index)
{
	struct object *object = frames->local(frame, code, index);

	if (!object)
		return false;
	/* The frame holds it as well: never the last reference. */
	py_drop(object);
	return look_at(v, object);
}

static bool push_constant(struct plain_value *v,
			  const struct plain_value *constant)
{
	*v = *constant;
	if (v->kind == PLAIN_NONE)
		v->object = py._Py_NoneStruct;
	else if (v->kind == PLAIN_BOOL)
		return set_bool(v, v->integer);
	return true;
}

/* 1, 0, or -1: nobody knows. */
static int truth(const struct plain *plain, const struct plain_value *v)
{
	switch (v->kind) {
	case PLAIN_NONE:
		return 0;
	case PLAIN_BOOL:
	case PLAIN_INT:
		return v->integer != 0;
	case PLAIN_FLOAT:
		return v->number != 0;
	case PLAIN_STR:
		return v->object ? py.PyUnicode_GetLength(v->object) > 0
				 : plain->text[v->integer] != '\0';
	case PLAIN_OTHER:
		break;
	}
	return -1;
}

static bool is_whole(const struct plain_value *v)
{
	return v->kind == PLAIN_INT || v->kind == PLAIN_BOOL;
}

/* A number as a double, when that is what Python would compare it as. */
static bool as_double(const struct plain_value *v, double *ret_number)
{
	if (v->kind == PLAIN_FLOAT)
		*ret_number = v->number;
	else if (is_whole(v) && v->integer >= -exact && v->integer <= exact)
		*ret_number = (double)v->integer;
	else
		return false;
	return true;
}

static bool whole_arithmetic(struct plain_value *a, int64_t b,
			     enum plain_operation operation)
{
	int64_t left = a->integer, result = 0;

	switch (operation) {
	case PLAIN_ADD:
		return !__builtin_add_overflow(left, b, &result) &&
		       set_int(a, result);
	case PLAIN_SUBTRACT:
		return !__builtin_sub_overflow(left, b, &result) &&
		       set_int(a, result);
	case PLAIN_MULTIPLY:
		return !__builtin_mul_overflow(left, b, &result) &&
		       set_int(a, result);
	default:
		break;
	}
	if (!b || (left == INT64_MIN && b == -1))
		return false;
	/* Python rounds down. */
	result = left % b;
	if (operation == PLAIN_MODULO)
		return set_int(a, result && (result < 0) != (b < 0) ? result + b
								    : result);
	return set_int(a,
		       left / b - (result && (result < 0) != (b < 0) ? 1 : 0));
}

static bool arithmetic(struct plain_value *a, const struct plain_value *b,
		       enum plain_operation operation)
{
	double left, right;

	if (is_whole(a) && is_whole(b))
		return whole_arithmetic(a, b->integer, operation);
	if (!as_double(a, &left) || !as_double(b, &right))
		return false;
	switch (operation) {
	case PLAIN_ADD:
		return set_float(a, left + right);
	case PLAIN_SUBTRACT:
		return set_float(a, left - right);
	case PLAIN_MULTIPLY:
		return set_float(a, left * right);
	default:
		return false;
	}
}

/* Two that are not both numbers: only whether they are equal. */
static bool equal(const struct plain *plain, const struct plain_value *a,
		  const struct plain_value *b, bool *ret_equal)
{
	const struct plain_value *text = a->object ? b : a;
	const struct plain_value *object = a->object ? a : b;

	if (a->kind == PLAIN_OTHER || b->kind == PLAIN_OTHER)
		return false;
	*ret_equal = a->kind == b->kind;
	if (a->kind != PLAIN_STR || b->kind != PLAIN_STR)
		return true;
	if (a->object && a->object == b->object)
		return true;
	if (!object->object || text->object)
		return false;
	*ret_equal = !py.PyUnicode_CompareWithASCIIString(
		object->object, plain->text + text->integer);
	return true;
}

/* What a comparison says of two in this order: -1, 0, 1. */
static bool says(enum plain_operation operation, int order)
{
	switch (operation) {
	case PLAIN_LESS:
		return order < 0;
	case PLAIN_LESS_EQUAL:
		return order <= 0;
	case PLAIN_GREATER:
		return order > 0;
	case PLAIN_GREATER_EQUAL:
		return order >= 0;
	case PLAIN_EQUAL:
		return order == 0;
	default:
		return order != 0;
	}
}

static bool compare(const struct plain *plain, struct plain_value *a,
		    const struct plain_value *b, enum plain_operation operation)
{
	bool same, is_equality = operation == PLAIN_EQUAL ||
				 operation == PLAIN_NOT_EQUAL;
	double x, y;

	if (is_whole(a) && is_whole(b))
		return set_bool(
			a, says(operation, (a->integer > b->integer) -
						   (a->integer < b->integer)));
	if (as_double(a, &x) && as_double(b, &y))
		/* A nan is in no order to anything. */
		return set_bool(a,
				x != x || y != y
					? operation == PLAIN_NOT_EQUAL
					: says(operation, (x > y) - (x < y)));
	/* An int beyond what a double has, and a float. */
	if ((is_whole(a) || a->kind == PLAIN_FLOAT) &&
	    (is_whole(b) || b->kind == PLAIN_FLOAT))
		return false;
	return is_equality && equal(plain, a, b, &same) &&
	       set_bool(a, same == (operation == PLAIN_EQUAL));
}

static bool combine(const struct plain *plain, struct plain_value *a,
		    const struct plain_value *b, enum plain_operation operation)
{
	int left, right;

	if (operation <= PLAIN_MODULO)
		return arithmetic(a, b, operation);
	if (operation < PLAIN_IS)
		return compare(plain, a, b, operation);
	if (operation <= PLAIN_IS_NOT)
		return a->object && b->object &&
		       set_bool(a, (a->object == b->object) ==
					   (operation == PLAIN_IS));
	left = truth(plain, a);
	right = truth(plain, b);
	if (left < 0 || right < 0)
		return false;
	return set_bool(a,
			operation == PLAIN_AND ? left & right : left | right);
}

static bool alone(const struct plain *plain, struct plain_value *a,
		  enum plain_operation operation)
{
	int64_t negative;

	if (operation == PLAIN_NOT) {
		int true_ = truth(plain, a);

		return true_ >= 0 && set_bool(a, !true_);
	}
	if (a->kind == PLAIN_FLOAT)
		return set_float(a, -a->number);
	return is_whole(a) &&
	       !__builtin_sub_overflow((int64_t)0, a->integer, &negative) &&
	       set_int(a, negative);
}

/* How many values an operation takes off the stack. */
static int taken_by(unsigned char operation)
{
	if (operation <= PLAIN_CONSTANT)
		return 0;
	return operation < PLAIN_ADD ? 1 : 2;
}

int plain_truth(const struct plain *plain, struct plain_binding *binding,
		const struct code *code, void *frame)
{
	struct plain_value stack[DEPTH] = { 0 };
	int depth = 0;

	if (!plain->count || !bind(plain, binding, code))
		return -1;
	for (int i = 0; i < plain->count; i++) {
		struct plain_step step = plain->step[i];
		struct plain_value *to;
		bool known;

		depth -= taken_by(step.operation);
		if (depth < 0 || depth == DEPTH)
			return -1;
		to = &stack[depth++];
		if (step.operation == PLAIN_NAME)
			known = push_name(to, code, frame,
					  binding->index[step.argument]);
		else if (step.operation == PLAIN_CONSTANT)
			known = push_constant(to,
					      &plain->constant[step.argument]);
		else if (step.operation < PLAIN_ADD)
			known = alone(plain, to, step.operation);
		else
			known = combine(plain, to, to + 1, step.operation);
		if (!known)
			return -1;
	}
	return truth(plain, &stack[0]);
}

struct object *plain_variable(const struct plain *plain,
			      struct plain_binding *binding,
			      const struct code *code, void *frame)
{
	if (plain->count != 1 || plain->step[0].operation != PLAIN_NAME ||
	    !bind(plain, binding, code))
		return NULL;
	return frames->local(frame, code, binding->index[0]);
}
