/*
 * fingerprint.h - how a server's public key is written in a configuration:
 * "SHA256:" and 43 characters of base64, as ssh-keygen -l prints it.
 */
#ifndef LANDFALL_FINGERPRINT_H
#define LANDFALL_FINGERPRINT_H

#include <stdbool.h>

#include "base/attr.h"

#define HOST_KEY_FINGERPRINT_LEN 50

/* Is it written like a fingerprint? Padding is not part of it. */
bool host_key_is_fingerprint(const char *text) MUST_USE;

#endif
