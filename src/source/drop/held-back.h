/*
 * held-back.h - what is left in ROOT/.landfall-held goes back to where it
 * came from, never over anything.
 */
#ifndef DROP_HELD_BACK_H
#define DROP_HELD_BACK_H

#include "source/drop/held.h"

typedef void
held_trouble(void *arg, const uint8_t *name, size_t len, const struct err *why);

/* One hex folder; trouble may be NULL. */
void held_back_one(int root, const char *id, held_trouble *trouble, void *arg);

/* All of them. BAD_SOURCE: they cannot be read. */
enum rc held_back_all(
	int root, held_trouble *trouble, void *arg, struct err *e) MUST_USE;

/* BAD_ITEM: the file at path stays held; says where and what to do. */
enum rc held_back_stuck(
	const char *path, size_t len, const struct err *why, struct err *e);

#endif
