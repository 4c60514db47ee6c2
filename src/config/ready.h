/*
 * ready.h - `ready:`, what shows that a delivery is complete.
 *
 *	ready: {stable: 2m}
 *	ready: {any: [{sentinel: "{name}.done"}, {stable: 10m}]}
 *	ready: {all: [{age: 1m}, {sentinel: "{name}.ok"}]}
 *	ready: {checksum: SHA256SUMS}
 *	ready: {manifest: "*.manifest"}
 *	ready: {manifest: {name: "*.manifest", unlisted: ignore}}
 */
#ifndef CONFIG_READY_H
#define CONFIG_READY_H

#include "config/field.h"

/* For field_read: into a struct ready. */
bool ready_read(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field);
void ready_release(struct ready *r);

#endif
