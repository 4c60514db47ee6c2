/*
 * unit.h - what every cmocka test needs, in the order cmocka wants it.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The call must succeed; its error text is shown when it does not. */
#define must(call, e) \
	do { \
		if ((call) != OK) \
			fail_msg("%s: %s", #call, (e)->text); \
	} while (0)

#endif
