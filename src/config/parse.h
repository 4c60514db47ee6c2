/*
 * parse.h - from the text of landfall.yaml to a checked configuration.
 *
 * What config_load() does once the file is in memory, and where fuzzing
 * comes in.
 */
#ifndef CONFIG_PARSE_H
#define CONFIG_PARSE_H

#include "config/report.h"
#include "landfall/config.h"

#define PARSE_SOURCES_MAX 4096

/*
 * file: its absolute path, which need not exist; relative paths start from
 * its directory. True: *ret is the caller's. False: r says why.
 */
bool parse_config(const char *text, size_t len, const char *file,
	struct config **ret, struct report *r) MUST_USE;

#endif
