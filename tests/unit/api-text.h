/*
 * api-text.h - a struct api from a few lines of YAML.
 */
#ifndef TESTS_API_TEXT_H
#define TESTS_API_TEXT_H

#include "config/parse.h"
#include "landfall/config.h"

/* keys: of one source, each line behind four spaces. */
static inline struct config *
api_text(const char *keys)
{
	struct str text = STR_INIT, told = STR_INIT;
	struct report r = REPORT_INIT;
	struct config *c = NULL;

	str_addf(&text, "zone: /z\nstate: /s\nsources:\n  a:\n%s", keys);
	if (!parse_config(text.s, text.len, "/etc/lf/f", &c, &r)) {
		report_write(&r, "f", &told);
		fail_msg("%s", told.s);
	}
	report_release(&r);
	str_release(&text);
	return c;
}

#endif
