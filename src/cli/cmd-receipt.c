/*
 * landfall receipt: the receipt of one entry of the ledger, on standard
 * output, whether its source gives receipts or not.
 */
#include <string.h>

#include "cli/commands.h"
#include "cli/place.h"
#include "daemon/receipts.h"

static enum status
print(const struct cli *c, const struct place *p, uint64_t index)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	struct receipts_sources from = {
		.catalog = p->catalog, .ledger = p->ledger};
	struct err e = ERR_INIT;
	enum rc rc = zone_open(c->config->zone, &from.zone, &e);

	if (rc == OK)
		rc = receipts_make(&from, index, &s, &e);
	zone_close(from.zone);
	if (rc == END) {
		fprintf(stderr,
			"landfall: error: ledger entry %llu is no delivery\n",
			(unsigned long long)index);
		return STATUS_USAGE;
	}
	if (rc != OK)
		return cli_fail(&e);
	fputs(s.s, stdout);
	return STATUS_DONE;
}

enum status
cmd_receipt(struct cli *c, int argc, char **argv)
{
	struct place p = PLACE_INIT;
	int parsed = cli_parse(c, argc, argv, NULL, 0);
	enum status st;
	uint64_t index;

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (c->n_args != 1 ||
		!str_parse_u64(c->arg[0], strlen(c->arg[0]), &index))
		return cli_usage(c, "expected the number of one ledger entry");
	st = place_open(c, PLACE_CATALOG | PLACE_LEDGER, &p);
	if (st == STATUS_DONE)
		st = print(c, &p, index);
	place_close(&p);
	return st;
}
