/*
 * calendar.h - dates of the Gregorian calendar as days since 1970-01-01.
 */
#ifndef LOOP_CALENDAR_H
#define LOOP_CALENDAR_H

#include "landfall/schedule.h"

#define CALENDAR_DAY 86400 /* seconds */

/* A day outside its month counts on; years 1 to 9999, others are cut. */
int64_t calendar_days(int year, int month, int day);

/* The date and its weekday; the time of day is midnight. */
void calendar_date(int64_t days, struct civil *ret);

int calendar_month_days(int year, int month);

/* The day of local seconds, also before 1970. */
int64_t calendar_day_of(int64_t seconds);

/* The second that holds an instant. */
int64_t calendar_second(int64_t wall);

/* And back; what int64_t cannot hold ends at its limits. */
int64_t calendar_wall(int64_t second);

/* Is it one of these days? */
bool calendar_has(const struct days *d, int64_t day);

#endif
