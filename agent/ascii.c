/* SPDX-License-Identifier: MIT */
#include "agent/ascii.h"

#include "agent/sys.h"

enum {
	LENGTH = 16, /* PyASCIIObject.length */
	STATE = 32,  /* its bits, 3.7-3.15 with the GIL */
	KIND_1 = 1 << 2,
	KIND = 7 << 2,
	COMPACT = 1 << 5,
	ASCII = 1 << 6,
	DATA_7 = 48, /* behind PyASCIIObject */
	DATA_12 = 40,
	PROOFS = 8, /* strings, with a character at least */
	LOOK_AT = 64,
};

static int proofs; /* -1: it is another layout */

/* Does the interpreter say the same? */
static bool agrees(struct object *str, const char *text, size_t length)
{
	if ((size_t)py.PyUnicode_GetLength(str) != length)
		return false;
	for (size_t i = 0; i < length && i < LOOK_AT; i++)
		if (py.PyUnicode_ReadChar(str, (pyssize)i) !=
		    (unsigned char)text[i])
			return false;
	return true;
}

const char *ascii_of(struct object *str, size_t *ret_length)
{
	uint32_t state = PY_FIELD(uint32_t, str, STATE);
	const char *text = (char *)str + (py.minor < 12 ? DATA_7 : DATA_12);

	if ((state & (KIND | COMPACT | ASCII)) != (KIND_1 | COMPACT | ASCII) ||
	    proofs < 0)
		return NULL;
	*ret_length = PY_FIELD(size_t, str, LENGTH);
	if (proofs == PROOFS)
		return text;
	if (!agrees(str, text, *ret_length)) {
		proofs = -1;
		return NULL;
	}
	proofs += *ret_length > 0;
	return text;
}
