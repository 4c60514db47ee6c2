/*
 * proof.h - inclusion proofs: RFC 6962 section 2.1.1 makes them,
 * RFC 9162 section 2.1.3.2 checks them.
 */
#ifndef LEDGER_PROOF_H
#define LEDGER_PROOF_H

#include "base/attr.h"
#include "base/hash.h"

/*
 * The root that n hashes, sibling first, give for a leaf at index of size;
 * false when the proof has a wrong length or index is not in the tree.
 */
bool proof_root(uint64_t index, uint64_t size, const uint8_t leaf[HASH_LEN],
	const uint8_t *proof, size_t n, uint8_t ret[HASH_LEN]) MUST_USE;

#endif
