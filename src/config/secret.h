/*
 * secret.h - a reference to a secret in the file (landfall/secret.h).
 */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include "config/yaml.h"
#include "landfall/secret.h"

/*
 * Reads a reference; dir is where a relative file starts. False: reported,
 * and there is nothing to release. option: what messages call it.
 */
bool secret_parse(struct secret *s, const struct yaml_node *n, const char *dir,
	const char *option, struct report *r) MUST_USE;
void secret_release(struct secret *s);

#endif
