/* fuzz.h - the one function a target has; libFuzzer or replay.c calls it. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Aborts when something is wrong with what the bytes made happen. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#endif
