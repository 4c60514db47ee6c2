/*
 * help.h - the option table for a reader.
 */
#ifndef CONFIG_HELP_H
#define CONFIG_HELP_H

#include "base/str.h"

/* For a terminal: one option, what it takes, its default, what it means. */
void help_text(struct str *s);

/* The same as an mdoc(7) list. */
void help_mdoc(struct str *s);

#endif
