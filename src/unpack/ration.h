/*
 * ration.h - memory that one archive of a process may have at a time.
 *
 *	while (!ration_take(ns))
 *		... does anybody want us to stop? ...
 *	ration_give();
 */
#ifndef UNPACK_RATION_H
#define UNPACK_RATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

/* False: somebody else had it, all of this time (ns). */
bool ration_take(int64_t wait) MUST_USE;
void ration_give(void);

#endif
