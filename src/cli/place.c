#include "cli/place.h"

static enum status
none(const char *what, const char *where)
{
	fprintf(stderr,
		"landfall: error: %s: no %s here yet: `landfall init` makes "
		"one, and the first `landfall run` or `landfall land` fills "
		"it\n",
		where, what);
	return STATUS_USAGE;
}

enum status
place_open(struct cli *c, unsigned want, struct place *p)
{
	struct err e = ERR_INIT;
	enum status st = c->config == NULL ? cli_config(c) : STATUS_DONE;
	enum rc rc;

	if (st != STATUS_DONE)
		return st;
	if (p->zone == NULL && zone_open(c->config->zone, &p->zone, &e) != OK)
		return cli_fail(&e);
	if ((want & PLACE_CATALOG) && p->catalog == NULL) {
		rc = catalog_open(c->config->state, false, &p->catalog, &e);
		if (rc == END)
			return none("catalog", c->config->state);
		if (rc != OK)
			return cli_fail(&e);
	}
	if ((want & PLACE_LEDGER) && p->ledger == NULL) {
		rc = ledger_view_open(zone_dir(p->zone), NULL, &p->ledger, &e);
		if (rc == END)
			return none("ledger", c->config->zone);
		if (rc != OK) {
			fprintf(stderr, "landfall: error: %s/%s\n",
				c->config->zone, e.text);
			return STATUS_DAMAGE;
		}
	}
	return STATUS_DONE;
}

void
place_close(struct place *p)
{
	ledger_view_close(p->ledger);
	catalog_close(p->catalog);
	zone_close(p->zone);
	*p = (struct place)PLACE_INIT;
}
