#include <stdlib.h>

#include "base/mem.h"
#include "landfall/side.h"
#include "source/sftp/partner-state.h"

/* More side files than this are asked for one by one. */
#define SIDES_MAX 200000
#define SIDES_BYTES (16u << 20)

/* Some rule of `ready` is about a file beside each delivery. */
static bool
asks_for_sides(const struct source_config *cfg)
{
	for (size_t i = 0; i < cfg->ready.n; i++)
		if (cfg->ready.rule[i].side != NULL)
			return true;
	return false;
}

void
partner_sides_init(struct partner_sides *x, const struct source_config *c)
{
	*x = (struct partner_sides){
		.source = c,
		.wanted = asks_for_sides(c),
		.names = NAMES_INIT(SIDES_MAX, SIDES_BYTES),
	};
}

void
partner_sides_release(struct partner_sides *x)
{
	names_release(&x->names);
	free(x->attrs);
	free(x->type);
}

void
partner_sides_begin(struct partner_sides *x)
{
	names_release(&x->names);
	x->whole = x->wanted;
}

static bool
is_side(const struct partner_sides *x, const uint8_t *name, size_t len)
{
	CLEANUP(str_release) struct str base = STR_INIT;

	return side_of(x->source, name, len, &base, NULL) != SIDE_NONE;
}

void
partner_sides_note(struct partner_sides *x, const struct sftp_event *ev)
{
	size_t i;

	if (!x->whole || !is_side(x, ev->name, ev->name_len))
		return;
	i = names_put(&x->names, ev->name, ev->name_len);
	if (i == NAMES_FULL) {
		x->whole = false;
		return;
	}
	if (i >= x->cap) {
		x->cap = x->cap > 0 ? 2 * x->cap : 64;
		x->attrs = mem_resize(x->attrs, x->cap, sizeof(*x->attrs));
		x->type = mem_resize(x->type, x->cap, sizeof(*x->type));
	}
	x->attrs[i] = ev->attrs;
	x->type[i] = partner_type(ev->kind);
}

void
partner_sides_end(struct partner_sides *x, bool whole)
{
	x->whole &= whole;
}

bool
partner_sides_know(
	const struct partner_sides *x, const uint8_t *name, size_t len)
{
	return x->whole && is_side(x, name, len);
}

enum rc
partner_sides_find(const struct partner_sides *x, const uint8_t *name,
	size_t len, enum item_type *ret_type, struct signature *ret)
{
	size_t i = names_find(&x->names, name, len);

	if (i == NAMES_FULL)
		return END;
	if (ret_type != NULL)
		*ret_type = x->type[i];
	transfer_sign(ret, &x->attrs[i]);
	return OK;
}
