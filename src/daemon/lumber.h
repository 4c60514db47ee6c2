/*
 * lumber.h - what sources that are no longer configured have left in the spool.
 */
#ifndef DAEMON_LUMBER_H
#define DAEMON_LUMBER_H

#include "landfall/config.h"

/*
 * Parts of files that were fetched for a source nobody has any more; the
 * names are spool.h's. spool: directory. What cannot go stays.
 */
void lumber_clear(int spool, const struct config *c);

#endif
