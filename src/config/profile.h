/*
 * profile.h - the part of a source that polls an API: its profile is found
 * and read, the source's own keys are laid over it, and all is checked.
 *
 * Rules of the overlay: mappings merge and everything else is replaced. A
 * mapping with `type`, and a selector, is replaced whole. `streams` of a
 * source with a profile says which streams are wanted; `config` gives the
 * values of what the profile declares.
 *
 * A profile is a NAME, found as NAME.yaml in the directory of the shipped
 * ones ($LANDFALL_PROFILES instead, when it is set), or a path (it has a
 * slash) from the directory of the configuration.
 */
#ifndef CONFIG_PROFILE_H
#define CONFIG_PROFILE_H

#include "config/yaml.h"
#include "landfall/api.h"

/* Whether a source with these keys polls an API. */
bool profile_is_asked_for(const struct yaml_node *source);

/* Whether a key of a source is one of ours. */
bool profile_has_key(const char *key);

/*
 * n: the source, a mapping; keys that are not ours are passed over. dir: of
 * the configuration. NULL: reported.
 */
struct api *
profile_read(const struct yaml_node *n, const char *dir, struct report *r);

/* The table as text, and as the body of landfall-profile(5). */
void profile_help_text(struct str *s);
void profile_help_mdoc(struct str *s);

/* One block as text; one key ("window", "incremental.window"). False: none. */
bool profile_help_block(struct str *s, const char *name);
bool profile_help_key(struct str *s, const char *key);

#endif
