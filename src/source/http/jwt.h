/*
 * jwt.h - a signed assertion (RFC 7519, RFC 7523) by libcrypto.
 */
#ifndef SOURCE_HTTP_JWT_H
#define SOURCE_HTTP_JWT_H

#include "source/http/vars.h"

/*
 * header.claims.signature: the auth's header and claims with alg, typ, iat
 * and exp. BAD_SOURCE: the key is not one of the algorithm's; e never shows
 * it.
 */
enum rc jwt_sign(const struct api_auth *auth, const struct vars *v, int64_t now,
	struct str *ret, struct err *e) MUST_USE;

#endif
