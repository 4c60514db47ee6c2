/*
 * alert.h - the value of `alert:`: who is told what is wrong, and how.
 */
#ifndef CONFIG_ALERT_H
#define CONFIG_ALERT_H

#include "config/field.h"

/* A reader of field.c; the field is a struct alert_config. */
bool alert_read(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field);
void alert_release(struct alert_config *a);

/* After all is read: whom each source tells. */
void alert_inherit(struct config *c);

#endif
