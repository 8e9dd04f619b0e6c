//! The hours in which a rule tells: what triggers outside of them waits until they begin.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::rule::{Fault, fault};
use crate::row::AlertHours;

const MINUTES_OF_DAY: u32 = 24 * 60;
const ALL_DAYS: u32 = 0b111_1111;

/// Hours of days of the week, by the wall clock of a place.
#[derive(Debug, Clone)]
pub struct Hours {
    zone: TimeZone,
    days: u32,
    from: Time,
    to: Time,
}

impl Hours {
    /// # Errors
    /// [`Fault`] for what is not known or out of bounds.
    pub fn of(row: &AlertHours) -> Result<Self, Fault> {
        let zone = TimeZone::get(&row.zone).map_err(|_| {
            fault("hours", "zone must be a name of the IANA time zone database, as Europe/Lisbon")
        })?;
        if row.days == 0 || row.days > ALL_DAYS {
            return Err(fault("hours", "days must name at least one day of the week"));
        }
        let time = |minute: u32| {
            let known = (minute < MINUTES_OF_DAY).then_some(minute);
            known.and_then(|minute| Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).ok())
        };
        let (Some(from), Some(to)) = (time(row.from_minute), time(row.to_minute)) else {
            return Err(fault("hours", "from and to must be times of day, as 09:30"));
        };
        Ok(Self { zone, days: row.days, from, to })
    }

    /// `at_ms` if that is within the hours, else when the next ones begin.
    #[must_use]
    pub fn begin_ms(&self, at_ms: i64) -> i64 {
        let Ok(at) = Timestamp::from_millisecond(at_ms) else { return at_ms };
        let today = at.to_zoned_datetime(self.zone.clone()).date();
        // Yesterday's may go on past midnight, and hours that are over today come again in a week.
        let spans = (-1..=7).filter_map(|days| self.span(today.checked_add(days.days()).ok()?));
        let next = spans.into_iter().find(|(_, to_ms)| at_ms < *to_ms);
        next.map_or(at_ms, |(from_ms, _)| from_ms.max(at_ms))
    }

    /// The hours that begin on a day. A time that a change of clocks leaves out is as much later; of one that comes twice, the first counts.
    fn span(&self, date: Date) -> Option<(i64, i64)> {
        let day = date.weekday().to_monday_zero_offset();
        if self.days >> day & 1 == 0 {
            return None;
        }
        let until = if self.to > self.from { date } else { date.tomorrow().ok()? };
        let ms = |date: Date, time| {
            let at = self.zone.to_timestamp(date.to_datetime(time)).ok()?;
            Some(at.as_millisecond())
        };
        Some((ms(date, self.from)?, ms(until, self.to)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEKDAYS: u32 = 0b001_1111;

    fn hours(zone: &str, days: u32, from_minute: u32, to_minute: u32) -> Hours {
        Hours::of(&AlertHours { zone: zone.to_owned(), days, from_minute, to_minute }).unwrap()
    }

    fn ms(at: &str) -> i64 {
        at.parse::<Timestamp>().unwrap().as_millisecond()
    }

    /// When they begin, in UTC.
    fn begin(hours: &Hours, at: &str) -> String {
        Timestamp::from_millisecond(hours.begin_ms(ms(at))).unwrap().to_string()
    }

    #[test]
    fn what_triggers_outside_waits_until_they_begin() {
        let hours = hours("Europe/Lisbon", WEEKDAYS, 9 * 60, 18 * 60);
        for (at, begins) in [
            // A Monday in winter, when Lisbon has UTC.
            ("2026-11-30T08:59:59Z", "2026-11-30T09:00:00Z"),
            ("2026-11-30T09:00:00Z", "2026-11-30T09:00:00Z"),
            ("2026-11-30T17:59:59Z", "2026-11-30T17:59:59Z"),
            ("2026-11-30T18:00:00Z", "2026-12-01T09:00:00Z"),
            // From Friday's evening to Monday.
            ("2026-11-27T18:00:00Z", "2026-11-30T09:00:00Z"),
            ("2026-11-29T12:00:00Z", "2026-11-30T09:00:00Z"),
            // In summer nine o'clock is at eight.
            ("2026-07-01T07:00:00Z", "2026-07-01T08:00:00Z"),
            // The clocks change between Friday and Monday.
            ("2026-10-23T18:00:00Z", "2026-10-26T09:00:00Z"),
            ("2026-03-27T19:00:00Z", "2026-03-30T08:00:00Z"),
        ] {
            assert_eq!(begin(&hours, at), begins, "{at}");
        }
    }

    #[test]
    fn hours_may_go_past_midnight_and_around_the_clock() {
        let night = hours("Asia/Kolkata", 0b001_0000, 22 * 60, 6 * 60);
        // Friday 22:00 to Saturday 06:00, five and a half hours before UTC.
        assert_eq!(begin(&night, "2026-11-27T16:29:00Z"), "2026-11-27T16:30:00Z");
        assert_eq!(begin(&night, "2026-11-28T00:29:00Z"), "2026-11-28T00:29:00Z");
        assert_eq!(begin(&night, "2026-11-28T00:30:00Z"), "2026-12-04T16:30:00Z");
        let always = hours("UTC", ALL_DAYS, 0, 0);
        assert_eq!(begin(&always, "2026-11-28T00:00:00Z"), "2026-11-28T00:00:00Z");
        assert_eq!(begin(&always, "2026-11-28T23:59:59Z"), "2026-11-28T23:59:59Z");
    }

    #[test]
    fn a_time_that_is_left_out_is_later_and_one_that_comes_twice_is_the_first() {
        // Berlin has no 02:30 on 2026-03-29, and two on 2026-10-25.
        let early = hours("Europe/Berlin", ALL_DAYS, 2 * 60 + 30, 4 * 60);
        assert_eq!(begin(&early, "2026-03-29T00:00:00Z"), "2026-03-29T01:30:00Z");
        assert_eq!(begin(&early, "2026-10-25T00:00:00Z"), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn bad_hours_are_refused_by_name() {
        let of = |zone: &str, days, from_minute, to_minute| {
            Hours::of(&AlertHours { zone: zone.to_owned(), days, from_minute, to_minute })
                .unwrap_err()
                .to_string()
        };
        assert!(of("Lisbon", 1, 0, 60).starts_with("hours: zone"));
        assert!(of("UTC", 0, 0, 60).starts_with("hours: days"));
        assert!(of("UTC", 128, 0, 60).starts_with("hours: days"));
        assert!(of("UTC", 1, 1_440, 60).starts_with("hours: from"));
    }
}
