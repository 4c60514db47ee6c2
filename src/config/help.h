/*
 * help.h - the option table for a reader.
 */
#ifndef CONFIG_HELP_H
#define CONFIG_HELP_H

#include <stdbool.h>

#include "base/str.h"

/* For a terminal: one option, what it takes, its default, what it means. */
void help_text(struct str *s);

/*
 * One option, with all that is in it, as it is called in its source or in the
 * file ("schedule.every"); if none is called so, all that end like it
 * ("every"). False: there is none.
 */
bool help_key(struct str *s, const char *key);

/* What may have been meant by it, or NULL. */
const char *help_nearest(const char *key);

/* The same as an mdoc(7) list. */
void help_mdoc(struct str *s);

#endif
