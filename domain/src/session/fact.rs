//! What a batch says, on the server's clock, as far as a session's summary is concerned.

use crate::id::StreamId;
use crate::issue::filter::Filter;
use crate::issue::grouping::{Fingerprint, Group};
use crate::performance::observation::Measured;
use crate::row::{Client, Gap, User};
use crate::session::span;

/// A batch, once it is known to be new.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub stream: StreamId,
    pub seq: u64,
    pub tab: u32,
    /// When the log took it, microseconds.
    pub append_us: i64,
    /// Time range of what is inside, milliseconds.
    pub from_ms: i64,
    pub to_ms: i64,
    pub dom_bytes: u64,
    pub dom_events: u64,
    pub signal_bytes: u64,
    pub sampled: bool,
    pub dom_rate: f64,
    pub dom_on_error_rate: f64,
    pub signal_rate: f64,
    /// The page ended the session.
    pub end: bool,
    pub dropped_signals: u64,
    pub dead_letters: u64,
    /// It brings the signals of a batch that was folded without them; its dom and its place in the stream are known.
    pub completes: bool,
    /// A time or duration in it was impossible.
    pub impossible_times: bool,
    pub facts: Vec<Fact>,
    /// What the server had to leave out.
    pub gaps: Vec<Gap>,
}

/// A moment of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub time_ms: i64,
    pub what: What,
    /// Of a request, a page load and a web vital.
    pub measured: Option<Box<Measured>>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    Page(Box<Page>),
    Navigation {
        url: String,
    },
    Error(Box<Occurrence>),
    Request {
        failed: bool,
        slow: bool,
        /// When the project has failed requests as issues.
        issue: Option<Box<Occurrence>>,
    },
    Console {
        error: bool,
    },
    Click,
    RageClick,
    DeadClick,
    Custom {
        name: String,
    },
    Identify(User),
    Gap(Gap),
    Degraded {
        reason: String,
    },
    End {
        reason: String,
    },
    /// What its backend did.
    Span(span::Told),
    Other,
}

impl What {
    /// What an issue sees of it.
    #[must_use]
    pub fn occurrence(&self) -> Option<&Occurrence> {
        match self {
            Self::Error(occurrence) => Some(occurrence),
            Self::Request { issue, .. } => issue.as_deref(),
            _ => None,
        }
    }

    /// As [`What::occurrence`].
    pub fn occurrence_mut(&mut self) -> Option<&mut Occurrence> {
        match self {
            Self::Error(occurrence) => Some(occurrence),
            Self::Request { issue, .. } => issue.as_deref_mut(),
            _ => None,
        }
    }

    /// As [`What::occurrence`].
    #[must_use]
    pub fn into_occurrence(self) -> Option<Occurrence> {
        match self {
            Self::Error(occurrence) => Some(*occurrence),
            Self::Request { issue, .. } => issue.map(|occurrence| *occurrence),
            _ => None,
        }
    }
}

/// An error or a failed request, as an issue sees it. Every text is bounded.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    /// The place of its signal in the batch.
    pub index: u32,
    pub group: Group,
    pub title: String,
    pub culprit: String,
    /// The error's type.
    pub kind: String,
    pub message: String,
    pub mechanism: String,
    pub handled: bool,
    /// Without query and fragment.
    pub page_url: String,
    /// It makes no issue, and why.
    pub filtered: Option<Filter>,
}

impl Occurrence {
    /// The issue it belongs to, unless it was filtered.
    #[must_use]
    pub fn issue(&self) -> Option<Fingerprint> {
        self.filtered.is_none().then_some(self.group.fingerprint)
    }
}

/// The first signal of a stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// Without query and fragment.
    pub url: String,
    pub viewport_width: u32,
    pub viewport_height: u32,
    pub release: String,
    pub environment: String,
    /// Country and IP are empty here: they come from the connection.
    pub client: Client,
}
