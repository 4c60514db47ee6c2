/*
 * held.h - files on their way out of a drop.
 *
 * To remove or move a file that others may replace at any moment, it is
 * first taken out of everybody's way by one rename, and only then looked at:
 *
 *	ROOT/sub/a.csv  ->  ROOT/.landfall-held/<16 hex>/sub/a.csv
 *
 * The path below the hex folder is the path it came from, whatever bytes its
 * name is made of: after a crash held_recover() knows where each file
 * belongs. A hex folder belongs to one open source and goes with it.
 *
 * Where the kernel grants a read lease (F_SETLEASE, fcntl(2): local disk,
 * our own files or CAP_LEASE) nobody has the file open for writing while it
 * goes, and nobody waits to. Elsewhere a writer that opened it before and
 * has not written yet writes into a file that has left.
 */
#ifndef DROP_HELD_H
#define DROP_HELD_H

#include <stdbool.h>

#include "landfall/source.h"

#define HELD_FOLDER ".landfall-held"

struct held {
	int root;   /* not ours */
	int folder; /* ROOT/.landfall-held/<id>; -1: not made yet */
	char id[17];
};

void held_init(struct held *h, int root);

/* Puts back what is still there, and removes the folder. */
void held_close(struct held *h);

/* The path below a drop's root is that folder, which holds no deliveries. */
bool held_is_folder(const char *path);

/* source.h says what these do. */
enum rc held_remove(struct held *h, const uint8_t *name, size_t len,
	const struct signature *expected, struct err *e) MUST_USE;
enum rc held_move(struct held *h, const uint8_t *name, size_t len,
	const char *folder, const struct signature *expected,
	struct str *ret_to, struct err *e) MUST_USE;
enum rc held_recover(struct held *h,
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e) MUST_USE;

#endif
