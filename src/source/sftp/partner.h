/*
 * partner.h - a folder on a partner's SFTP server.
 */
#ifndef SOURCE_SFTP_PARTNER_H
#define SOURCE_SFTP_PARTNER_H

#include "landfall/source.h"

extern const struct source_ops partner_ops;

#endif
