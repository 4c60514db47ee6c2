/*
 * note.h - C2SP signed-note and the tlog-checkpoint in it.
 *
 *	<origin>\n
 *	<tree size>\n
 *	<base64 of the root>\n
 *	[extension lines]\n
 *	\n
 *	EM DASH, space, <key name>, space, base64(key ID || signature)\n ...
 *
 * The signed text is everything before the last empty line. Nothing in a
 * note means anything before note_verify said OK.
 */
#ifndef LEDGER_NOTE_H
#define LEDGER_NOTE_H

#include "ledger/key.h"

#define NOTE_SIGNATURES_MAX 64 /* the specification asks for 16 */

/* Points into the bytes that were parsed. */
struct note {
	const char *text; /* with its final newline */
	size_t text_len;
	const char *signatures; /* whole lines, at least one */
	size_t signatures_len;
};

struct checkpoint {
	char origin[LEDGER_ORIGIN_MAX + 1];
	uint64_t size;
	uint8_t root[HASH_LEN];
};

/* Checks the form of every byte. BAD_ITEM: the text says what is wrong. */
enum rc
note_parse(const char *p, size_t n, struct note *ret, struct err *e) MUST_USE;

/*
 * OK when at least one signature is by this key (its name and ID) and each
 * one that is verifies; others are ignored. BAD_ITEM otherwise.
 */
enum rc note_verify(
	const struct note *note, const struct key *k, struct err *e) MUST_USE;

/* Reads the text as a checkpoint; extension lines are skipped. */
enum rc note_checkpoint(const struct note *note, struct checkpoint *ret,
	struct err *e) MUST_USE;

/* Appends the checkpoint, signed by k. */
void note_add_checkpoint(
	struct str *s, const struct checkpoint *c, const struct key *k);

#endif
