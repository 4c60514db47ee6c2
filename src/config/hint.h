/*
 * hint.h - what somebody meant whose text is not YAML, or other YAML.
 *
 * A hint is added to a message: "; and then in words". There may be none.
 */
#ifndef CONFIG_HINT_H
#define CONFIG_HINT_H

#include "base/str.h"

/*
 * A text without quotes that begins here with a character that means
 * something else: shows it with them. Line and column begin with 1; finding
 * them is work, for as long as the report is not full.
 */
void hint_quotes(struct str *s, const char *text, size_t len, unsigned line,
	unsigned column);

/* For libfyaml's words about the place. */
void hint_syntax(struct str *s, const char *text, size_t len, unsigned line,
	unsigned column, const char *words);

#endif
