/*
 * drop.h - a local directory that partners drop files into.
 */
#ifndef SOURCE_DROP_H
#define SOURCE_DROP_H

#include "landfall/source.h"

extern const struct source_ops drop_ops;

#endif
