/*
 * Which names of a source are deliveries, when they are complete, and what
 * becomes of them.
 */
#include "config/option-part.h"

static const char *const duplicate_names[] = {
	[DUPLICATE_NOTE] = "note",
	[DUPLICATE_LAND] = "land",
	NULL,
};

static const struct option rows[] = {
	{
		.path = "sources.*.match",
		.type = OPTION_PATTERNS,
		SOURCE(match),
		.min = 1,
		.fallback = "everything",
		.source = FALLBACK_WORDS,
		.help = "Only names that match one of these globs are "
			"deliveries. A glob without a slash matches the name "
			"in any directory, one with a slash the path below "
			"the source's root.",
	},
	{
		.path = "sources.*.ignore",
		.type = OPTION_PATTERNS,
		SOURCE(ignore),
		.fallback = "[\"*.filepart\", \"*.part\", \"*.tmp\", \".*\"]",
		.help = "Names that match one of these globs are left alone, "
			"even when match has them. A list given here replaces "
			"the default.",
	},
	{
		.path = "sources.*.ready",
		.type = OPTION_READY,
		SOURCE(ready),
		.max = UINT64_C(30) * 86400 * 1000000000,
		.fallback = "{stable: 2s}",
		.help = "What shows that a delivery is complete. stable: size "
			"and times of change stood still for so long (0s: one "
			"look is enough); age: the last change lies so far "
			"back; sentinel: a side file in the same folder is "
			"there ({name} is the delivery's name, {stem} the "
			"same without its last extension); checksum: a side "
			"file, or one such as SHA256SUMS for all of the "
			"folder, has the delivery's MD5, SHA-1, SHA-256 or "
			"SHA-512, and one whose bytes add up to something "
			"else is quarantined; closed: nobody on "
			"this machine has it open for writing (asked by a "
			"read lease, so for files of our own or with "
			"CAP_LEASE); manifest: a file that fits this glob "
			"names a set of deliveries, which land together or "
			"not at all; see SETS. any or all of a list of rules "
			"combines them. What held is in the provenance; side "
			"files and manifests are ignored as deliveries.",
	},
	{
		.path = "sources.*.duplicates",
		.type = OPTION_CHOICE,
		SOURCE(duplicates),
		.names = duplicate_names,
		.fallback = "note",
		.help = "Bytes that this source has landed before, under a "
			"new name: note them in the ledger, or land them in a "
			"file of their own.",
	},
	{
		.path = "sources.*.after",
		.type = OPTION_AFTER,
		SOURCE(after),
		.fallback = "keep",
		.help = "What becomes of a file in the drop once the ledger "
			"holds it, if it is still exactly the one that "
			"landed. A folder to move to is relative to the "
			"source's root; what lies in it is ignored, and a "
			"name that is taken there gets a suffix. Its sentinel, "
			"checksum and control totals go the same way behind "
			"it, if they are what it was judged by; a {stem} file "
			"goes with the last of its deliveries, and one for all "
			"of a folder, such as SHA256SUMS, stays, and so does a "
			"manifest.",
	},
	{
		.path = "sources.*.receipt",
		.type = OPTION_BLOCK,
		.help = "A receipt for each delivery that the ledger holds, "
			"for the partner to keep. See RECEIPTS.",
	},
	{
		.path = "sources.*.receipt.path",
		.type = OPTION_PATH,
		SOURCE(receipt.path),
		.help = "The outbox: a local directory, which must be there, "
			"for this source alone. Not in the zone or the state, "
			"nor where a drop would take receipts for deliveries: "
			"there its ignore must have *.receipt*.json and "
			"*.tmp. This or folder is required in receipt.",
	},
	{
		.path = "sources.*.receipt.folder",
		.type = OPTION_FOLDER,
		SOURCE(receipt.folder),
		.help = "The outbox at the partner of a source with sftp: a "
			"folder there, as path is one, made where it is "
			"missing. Receipts are written at the end of a look, "
			"under a name that ends in .part first, and are "
			"ignored as deliveries.",
	},
};

const struct option_part option_delivery = {rows, ARRAY_LEN(rows)};
