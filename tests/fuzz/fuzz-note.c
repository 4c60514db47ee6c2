/*
 * Signed notes and vkeys as an attacker would write them. The input is a
 * checkpoint; what parses must also survive being read and verified, and
 * its parts must lie within it.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char vkey[] = "example.com/foo+530d903a+"
			   "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

static void
check(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct err e = ERR_INIT;
	struct checkpoint c;
	struct note note;
	struct key k;

	if (key_parse_vkey(&k, p, size, &e) == OK)
		key_release(&k);
	if (note_parse(p, size, &note, &e) != OK)
		return 0;
	check(note.text == p && note.text_len > 0);
	check(note.text[note.text_len - 1] == '\n');
	check(note.signatures == p + note.text_len + 1);
	check(note.text_len + 1 + note.signatures_len == size);
	if (note_checkpoint(&note, &c, &e) == OK)
		check(strlen(c.origin) > 0);
	/* Nobody can sign with the key of the specification's example. */
	if (key_parse_vkey(&k, vkey, sizeof(vkey) - 1, &e) != OK)
		abort();
	check(note_verify(&note, &k, &e) == BAD_ITEM);
	key_release(&k);
	return 0;
}
