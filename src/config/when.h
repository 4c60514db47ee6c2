/*
 * when.h - times of day, days, dates, zones and bands: the values of
 * schedules and arrival contracts. Each reads one option into its field or
 * reports what is wrong, as field_read() does.
 */
#ifndef CONFIG_WHEN_H
#define CONFIG_WHEN_H

#include "config/field.h"

field_reader when_read_time;	  /* "06:00": uint16_t, minutes */
field_reader when_read_window;	  /* "22:00-05:30": struct window */
field_reader when_read_zone;	  /* struct zoneinfo *; NULL is UTC */
field_reader when_read_cron;	  /* struct cron * */
field_reader when_read_days;	  /* "mon-fri": struct days, but its dates */
field_reader when_read_dates;	  /* a list: struct days, its dates alone */
field_reader when_read_band;	  /* "1..", "1..5", "..5", "3": struct band */
field_reader when_read_size_band; /* the same with units */

#endif
