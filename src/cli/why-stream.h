/*
 * why-stream.h - what became of a record of a polled API, or of a moment of
 * one of its streams, for `why`.
 */
#ifndef CLI_WHY_STREAM_H
#define CLI_WHY_STREAM_H

#include "cli/cli.h"
#include "cli/place.h"

/* One of key and at; the stream is c->arg[0], "SOURCE.STREAM". */
enum status
why_stream(struct cli *c, struct place *p, const char *key, const char *at);

#endif
