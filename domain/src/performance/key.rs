//! The keys of rows of [`crate::table::PERFORMANCE`].

use crate::scope::Scope;
use crate::session::key::scoped;
use crate::store::{Key, Value};

/// Into how many partitions the rows of a level are spread, by log partition.
pub const SHARDS: i64 = 8;
/// Days of [`Level::Day`] that are in one partition.
const DAYS_TOGETHER: i64 = 8;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What of a roll-up is in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Releases, environments and countries together.
    Plain = 0,
    /// All told apart.
    Detail = 1,
    /// Only the examples.
    Samples = 2,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Plain, Self::Detail, Self::Samples];
}

/// How rows follow from each other: what a log partition takes goes into its head, which is written with every flush. A head that is full, or
/// begun in an earlier hour, is sealed: it becomes a segment, and the next one begins. Segments of an hour are added to their hour and day some at a
/// time, at the latest when the next hour begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Spans of a minute. Two slots.
    Head,
    /// Spans of a minute; written once.
    Segment,
    /// Of an hour of the log, spans of an hour. Two slots.
    Hour(Kind),
    /// Of a day of the log, spans of a day. Two slots.
    Day(Kind),
}

impl Level {
    const fn number(self) -> i64 {
        match self {
            Self::Head => 0,
            Self::Segment => 1,
            Self::Hour(kind) => 2 + kind as i64,
            Self::Day(kind) => 5 + kind as i64,
        }
    }

    /// How long its spans are.
    #[must_use]
    pub const fn span_minutes(self) -> i64 {
        match self {
            Self::Head | Self::Segment => 1,
            Self::Hour(_) => 60,
            Self::Day(_) => 1_440,
        }
    }

    /// Which partition holds what the log took in that hour.
    #[must_use]
    pub const fn bucket(self, hour: i64) -> i64 {
        match self {
            Self::Head => 0,
            Self::Segment => hour,
            Self::Hour(_) => hour.div_euclid(24),
            Self::Day(_) => hour.div_euclid(24).div_euclid(DAYS_TOGETHER),
        }
    }

    /// The hour, or day, of a roll-up.
    #[must_use]
    pub const fn unit(self, hour: i64) -> i64 {
        match self {
            Self::Head | Self::Segment => 0,
            Self::Hour(_) => hour,
            Self::Day(_) => hour.div_euclid(24),
        }
    }

    /// The hours, or days, of the roll-ups in a partition.
    #[must_use]
    pub const fn units(self, bucket: i64) -> std::ops::RangeInclusive<i64> {
        let together = match self {
            Self::Head | Self::Segment => return 0..=0,
            Self::Hour(_) => 24,
            Self::Day(_) => DAYS_TOGETHER,
        };
        bucket * together..=bucket * together + together - 1
    }

    /// When what the log took in that hour is dropped. A head must last until somebody comes again.
    #[must_use]
    pub const fn expires_at_ms(self, hour: i64) -> i64 {
        let days = match self {
            Self::Head | Self::Day(_) => 400,
            Self::Segment => 9,
            Self::Hour(_) => 35,
        };
        (hour + 1) * HOUR_MS + days * DAY_MS
    }
}

/// A partition of the table.
#[must_use]
pub fn partition(scope: Scope, level: Level, bucket: i64, shard: i64) -> Vec<Value> {
    scoped(scope, [Value::Int(level.number()), Value::Int(bucket), Value::Int(shard)])
}

/// A row but for its slot. `unit` is [`Level::unit`], of a segment its number.
#[must_use]
pub fn prefix(log_partition: u32, unit: i64) -> Vec<Value> {
    vec![Value::Int(i64::from(log_partition)), Value::Int(unit)]
}

/// A row; `slot` is 0 or 1.
#[must_use]
pub fn row(scope: Scope, level: Level, hour: i64, log_partition: u32, unit: i64, slot: i64) -> Key {
    let mut clustering = prefix(log_partition, unit);
    clustering.push(Value::Int(slot));
    let shard = i64::from(log_partition) % SHARDS;
    Key { partition: partition(scope, level, level.bucket(hour), shard), clustering }
}

/// Log partition and unit of the clustering key that [`row`] made.
#[must_use]
pub fn of(clustering: &[Value]) -> Option<(i64, i64)> {
    match clustering {
        [Value::Int(partition), Value::Int(unit), Value::Int(_)] => Some((*partition, *unit)),
        _ => None,
    }
}
