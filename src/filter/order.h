/*
 * order.h - what supervisor and child of a filter say to each other.
 */
#ifndef FILTER_ORDER_H
#define FILTER_ORDER_H

#include "landfall/filter.h"
#include "landfall/message.h"

enum { FILTER_IN = 4, FILTER_OUT, FILTER_PASSWORD };

#define FILTER_WORDS_MAX 256u /* arguments, and paths to be read */
#define FILTER_SAID_MAX 600u  /* of what it says on stderr, the end */

enum filter_message {
	/* to the child: has_password; home; number and arguments; number and
	 * paths to be read */
	FILTER_START = 1,
	/* from the child: wait status; the end of what it said on stderr */
	FILTER_DONE,
	/* from the child: text, why it was not even started */
	FILTER_FAILED,
};

#endif
