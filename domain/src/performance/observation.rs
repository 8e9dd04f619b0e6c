//! A request or a page load, as far as statistics are concerned.

use std::sync::Arc;

use super::name::NameId;

/// What is measured. Milliseconds, of [`Measure::Cls`] thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// From the request's start to the response's end.
    Total = 1,
    /// What the answer, or the server's span, says that the server took.
    Backend = 2,
    /// The rest of the total, when the server's part is known.
    Network = 3,
    /// From the response's end to the next frame.
    Frontend = 4,
    Lcp = 11,
    Inp = 12,
    Cls = 13,
    Fcp = 14,
    Ttfb = 15,
}

impl Measure {
    pub const PARTS: [Self; 3] = [Self::Backend, Self::Network, Self::Frontend];
    pub const VITALS: [Self; 5] = [Self::Lcp, Self::Inp, Self::Cls, Self::Fcp, Self::Ttfb];

    #[must_use]
    pub fn of_vital(name: &str) -> Option<Self> {
        Self::VITALS.into_iter().find(|measure| measure.name() == name)
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Backend => "backend",
            Self::Network => "network",
            Self::Frontend => "frontend",
            Self::Lcp => "LCP",
            Self::Inp => "INP",
            Self::Cls => "CLS",
            Self::Fcp => "FCP",
            Self::Ttfb => "TTFB",
        }
    }
}

/// How a request ended, or that it is a page load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Unknown = 0,
    Informational = 1,
    Success = 2,
    Redirect = 3,
    ClientError = 4,
    ServerError = 5,
    NetworkError = 6,
    Timeout = 7,
    /// The page gave it up: how long it took says nothing.
    Aborted = 8,
    Page = 20,
}

impl Class {
    pub const ALL: [Self; 10] = [
        Self::Unknown,
        Self::Informational,
        Self::Success,
        Self::Redirect,
        Self::ClientError,
        Self::ServerError,
        Self::NetworkError,
        Self::Timeout,
        Self::Aborted,
        Self::Page,
    ];

    /// Of a request.
    #[must_use]
    pub fn of(status: u32, outcome: &str) -> Self {
        match (outcome, status) {
            ("aborted", _) => Self::Aborted,
            ("timeout", _) => Self::Timeout,
            (_, 100..200) => Self::Informational,
            (_, 200..300) => Self::Success,
            (_, 300..400) => Self::Redirect,
            (_, 400..500) => Self::ClientError,
            (_, 500..) => Self::ServerError,
            ("network_error", _) => Self::NetworkError,
            // A beacon, or an answer that the page may not look into.
            _ => Self::Unknown,
        }
    }

    /// Whether durations of such requests are kept apart from the others'.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::ClientError | Self::ServerError | Self::NetworkError | Self::Timeout)
    }

    /// As it is stored.
    #[must_use]
    pub fn of_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|class| *class as u32 == number)
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Informational => "1xx",
            Self::Success => "2xx",
            Self::Redirect => "3xx",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
            Self::NetworkError => "network error",
            Self::Timeout => "timeout",
            Self::Aborted => "aborted",
            Self::Page => "page",
        }
    }
}

/// In what an observation was made; what is not known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Context {
    pub release: Arc<str>,
    pub environment: Arc<str>,
    pub country: Arc<str>,
}

/// What a signal tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Method and template of the path, or the page's template. Empty when it tells more of what was counted, and named, before.
    pub name: String,
    pub class: Class,
    /// 0: none.
    pub status: u32,
    pub failed: bool,
    pub sent_bytes: Option<u64>,
    pub received_bytes: Option<u64>,
    /// Each kind once; what is unknown is absent.
    pub measures: Vec<(Measure, f64)>,
    /// A web vital tells of a page load that was counted with its page, a span of a request that was.
    pub counts: bool,
    /// For which of the [`BUCKETS`] it is an example.
    pub bucket: Option<u32>,
    /// The place of its signal in the batch.
    pub index: u32,
    /// The span as which a request went out, see [`crate::session::span`].
    pub span: Option<u64>,
}

impl Measured {
    /// Whether the name is its own: what tells more of what was counted before has none.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.counts || self.class == Class::Page || !self.name.is_empty()
    }
}

/// An example to open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    pub time_ms: i64,
    pub session: [u8; 16],
    pub event: String,
}

/// Something measured, with where and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Where in the log: record, and signal in its batch.
    pub place: (u64, u32),
    /// In which hour the log took it, since 1970.
    pub hour: i64,
    /// How many such its session stands for, itself included: see [`crate::session::weight`].
    pub weight: u64,
    /// Of [`Measured::name`].
    pub name: NameId,
    pub context: Arc<Context>,
    pub measured: Measured,
    pub sample: Sample,
}

/// Upper bounds of the buckets of a histogram, milliseconds; what is longer is in one more.
pub const BUCKETS: [f64; 14] = [
    5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 20_000.0, 50_000.0,
    100_000.0,
];

/// The bucket of examples that failed, however long they took.
pub const FAILED_BUCKET: u32 = 31;

/// In which bucket a duration is.
#[must_use]
pub fn bucket(duration_ms: f64) -> u32 {
    let at = BUCKETS.iter().position(|bound| duration_ms <= *bound).unwrap_or(BUCKETS.len());
    u32::try_from(at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_request_ended() {
        for (status, outcome, class) in [
            (200, "ok", Class::Success),
            (404, "http_error", Class::ClientError),
            (503, "http_error", Class::ServerError),
            (0, "network_error", Class::NetworkError),
            (0, "timeout", Class::Timeout),
            (200, "aborted", Class::Aborted),
            (0, "ok", Class::Unknown),
        ] {
            assert_eq!(Class::of(status, outcome), class, "{status} {outcome}");
            assert_eq!(Class::of_number(class as u32), Some(class));
        }
        assert_eq!((bucket(0.0), bucket(5.0), bucket(5.1), bucket(1e9)), (0, 0, 1, 14));
        assert_eq!((Measure::of_vital("INP"), Measure::of_vital("total")), (Some(Measure::Inp), None));
    }
}
