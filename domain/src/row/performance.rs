//! Rows of what requests and page loads took: see [`crate::performance`].

use std::collections::BTreeMap;

use bytes::Bytes;

/// What a log partition tells of a project's requests and pages, in one of the levels of [`crate::performance::key::Level`].
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Performance {
    /// Of a row with slots: it holds what records below this brought.
    #[prost(uint64, tag = "1")]
    pub next_offset: u64,
    /// Of a head: how many were sealed before it. Of a roll-up: how many have been rolled up.
    #[prost(uint64, tag = "2")]
    pub sequence: u64,
    /// Of a head and a segment: the hour of the log in which its records were taken, since 1970.
    #[prost(int64, tag = "3")]
    pub hour: i64,
    /// Of a head: the hour of those that were rolled up last, and how many have been.
    #[prost(int64, tag = "4")]
    pub rolled_hour: i64,
    #[prost(uint64, tag = "9")]
    pub rolled: u64,
    /// What the numbers of series and samples stand for.
    #[prost(string, repeated, tag = "5")]
    pub names: Vec<String>,
    #[prost(message, repeated, tag = "6")]
    pub spans: Vec<PerformanceSpan>,
    #[prost(message, repeated, tag = "7")]
    pub samples: Vec<PerformanceSample>,
    /// Bits of [`crate::performance::totals::Merged`]: what is not told apart any more.
    #[prost(uint32, tag = "8")]
    pub merged: u32,
}

/// What is to be known of a [`Performance`] before it is read: the same tags.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct PerformanceHead {
    #[prost(uint64, tag = "1")]
    pub next_offset: u64,
    #[prost(uint64, tag = "2")]
    pub sequence: u64,
    #[prost(int64, tag = "3")]
    pub hour: i64,
    #[prost(int64, tag = "4")]
    pub rolled_hour: i64,
    #[prost(uint64, tag = "9")]
    pub rolled: u64,
}

/// What happened in a span of time.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct PerformanceSpan {
    /// Its first minute since 1970; how long it is depends on the row's level.
    #[prost(sint64, tag = "1")]
    pub minute: i64,
    #[prost(message, repeated, tag = "2")]
    pub series: Vec<PerformanceSeries>,
}

/// Requests of one endpoint with one class of status, or loads of one page, of one release, environment and country.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct PerformanceSeries {
    /// These four are places in [`Performance::names`].
    #[prost(uint32, tag = "1")]
    pub name: u32,
    #[prost(uint32, tag = "2")]
    pub class: u32,
    #[prost(uint32, tag = "3")]
    pub release: u32,
    #[prost(uint32, tag = "4")]
    pub environment: u32,
    #[prost(uint32, tag = "5")]
    pub country: u32,
    #[prost(uint64, tag = "6")]
    pub count: u64,
    #[prost(uint64, tag = "7")]
    pub failed: u64,
    #[prost(uint64, tag = "8")]
    pub sent_bytes: u64,
    #[prost(uint64, tag = "9")]
    pub received_bytes: u64,
    /// Requests of which it is known how much was received.
    #[prost(uint64, tag = "10")]
    pub sized: u64,
    /// Requests by status; bounded.
    #[prost(btree_map = "uint32, uint64", tag = "11")]
    pub statuses: BTreeMap<u32, u64>,
    #[prost(message, repeated, tag = "12")]
    pub measures: Vec<PerformanceMeasure>,
}

/// Values of one kind. Of how many of the series nothing is known is the difference to its count.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct PerformanceMeasure {
    /// [`crate::performance::observation::Measure`].
    #[prost(uint32, tag = "1")]
    pub what: u32,
    #[prost(uint64, tag = "2")]
    pub count: u64,
    /// Thousandths of the unit.
    #[prost(uint64, tag = "3")]
    pub sum: u64,
    /// [`crate::performance::sketch::Sketch`].
    #[prost(bytes = "bytes", tag = "4")]
    pub sketch: Bytes,
}

/// The newest session with a request or page load of that bucket.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct PerformanceSample {
    /// A place in [`Performance::names`].
    #[prost(uint32, tag = "1")]
    pub name: u32,
    #[prost(uint32, tag = "2")]
    pub bucket: u32,
    #[prost(int64, tag = "3")]
    pub time_ms: i64,
    #[prost(bytes = "bytes", tag = "4")]
    pub session: Bytes,
    /// The event's id within the session.
    #[prost(string, tag = "5")]
    pub event: String,
}
