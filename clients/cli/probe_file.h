/* SPDX-License-Identifier: MIT */
/*
 * probe_file: probes from a file, in the form that `nopdb list --json` prints:
 * one JSON object a line, or an array of them. What a listing says beyond the
 * params of probe.add (id, state, counters) is passed over.
 */
#ifndef NOPDB_CLI_PROBE_FILE_H
#define NOPDB_CLI_PROBE_FILE_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "proto/error.h"

/* Reads params of probe.add without `pid`, an array that the caller deletes;
 * "-" is stdin. NULL with USAGE (what the file holds is no list of probes) or
 * PARSE (it is not JSON), naming file and line or probe. */
cJSON *probe_file_read(const char *path, struct error *err);

/* Do all of them persist? */
bool probe_file_persists(const cJSON *probes);

#endif
