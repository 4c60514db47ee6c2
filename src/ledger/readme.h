/*
 * readme.h - what <zone>/_ledger/README says: how to check a zone with the
 * tools every system has. A test runs its commands.
 */
#ifndef LEDGER_README_H
#define LEDGER_README_H

extern const char readme_text[];

#endif
