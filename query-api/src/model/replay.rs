//! The time line and the recording of a session.

use serde::Serialize;
use utoipa::ToSchema;

use super::session::{ReplayState, Size};

/// One thing that happened.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Event {
    /// `<stream>-<seq>-<index>`: stable.
    pub id: String,
    /// Milliseconds of the Unix epoch, server's clock.
    pub time: f64,
    /// Milliseconds from the session's start.
    pub at_ms: f64,
    pub stream: String,
    /// `error`, `request`, `console`, … as the SDK names its signals.
    pub kind: String,
    /// The signal's fields, and what the server found (`failed`, `slow`, `clamped`).
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    pub data: Box<serde_json::value::RawValue>,
}

/// Some events in order of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventPage {
    pub items: Vec<Event>,
    pub next: Option<String>,
}

/// Everything a player needs to know before it fetches segments.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Manifest {
    pub session_id: String,
    pub state: ReplayState,
    /// Sentences that explain the state.
    pub reasons: Vec<String>,
    pub started_at: i64,
    pub ended_at: i64,
    pub duration_ms: i64,
    pub streams: Vec<Stream>,
    /// Hosts from which images may load.
    pub image_hosts: Vec<String>,
}

/// The recording of one document load. A moment of the session is
/// `event.timestamp + clock_offset_ms - manifest.started_at`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Stream {
    pub id: String,
    /// The number of the tab in the session, from 1.
    pub tab: u32,
    pub url: Option<String>,
    /// Milliseconds from the session's start, as all `from_ms` and `to_ms`.
    pub from_ms: i64,
    pub to_ms: i64,
    pub clock_offset_ms: f64,
    pub clock_skewed: bool,
    pub viewport: Option<Size>,
    /// In the order in which they were recorded. The times of neighbours may overlap by moments.
    pub segments: Vec<Segment>,
    pub gaps: Vec<Gap>,
}

impl Stream {
    /// Turns times of the Unix epoch into times from the session's start.
    pub(crate) fn count_from(&mut self, start_ms: i64) {
        let spans = self.segments.iter_mut().map(|segment| (&mut segment.from_ms, &mut segment.to_ms));
        let gaps = self.gaps.iter_mut().map(|gap| (&mut gap.from_ms, &mut gap.to_ms));
        let own = std::iter::once((&mut self.from_ms, &mut self.to_ms));
        for (from, to) in spans.chain(gaps).chain(own) {
            *from -= start_ms;
            *to -= start_ms;
        }
    }
}

/// A part of a recording that is fetched on its own: whole rrweb events, one a line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Segment {
    /// Changes when the content does.
    pub id: String,
    pub href: String,
    pub from_ms: i64,
    pub to_ms: i64,
    pub first_seq: u64,
    pub last_seq: u64,
    /// Starts with a full snapshot, so that playing can start here.
    pub key_frame: bool,
    /// Stored bytes of `range`.
    pub bytes: u64,
    pub raw_bytes: u64,
    /// Null where it is not counted.
    pub events: Option<u64>,
    /// Where the bytes are: object and byte range.
    pub object: String,
    pub range: [u64; 2],
}

/// A part of a recording that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gap {
    pub from_ms: i64,
    pub to_ms: i64,
    /// `missing`, `offline`, `buffer_full`, `unload`, …
    pub reason: String,
    /// A sentence for people.
    pub detail: String,
}
