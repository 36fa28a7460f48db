/* SPDX-License-Identifier: MIT */
/*
 * ascii: the characters of a str where they lie, when it is compact ASCII, as
 * nearly all are: no function of the interpreter gives them without making a
 * copy of them for good (PyUnicode_AsUTF8) or one of four bytes each.
 * PyASCIIObject has been the same since 3.3 but for one word that 3.12 took
 * out; what is read by layout is compared with what the functions say for the
 * first strings, and by layout no more when they differ.
 *
 * GIL held.
 */
#ifndef NOPDB_AGENT_ASCII_H
#define NOPDB_AGENT_ASCII_H

#include "agent/python.h"

/* The characters of a str, or of a class made of it; as long as it lives. NULL:
 * ask the interpreter. */
const char *ascii_of(struct object *str, size_t *ret_length);

#endif
