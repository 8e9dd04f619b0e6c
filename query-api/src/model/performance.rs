//! How long requests and page loads take. Times are milliseconds of the Unix epoch, durations milliseconds; what is not known is null.

use serde::Serialize;
use utoipa::ToSchema;

/// Endpoints that were called in a window of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EndpointPage {
    pub window: PerformanceWindow,
    pub endpoints: Vec<Endpoint>,
    /// How many there are, those beyond `endpoints` included.
    pub total: usize,
}

/// What the numbers are about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PerformanceWindow {
    /// Rounded outwards to whole spans.
    pub from_ms: i64,
    pub to_ms: i64,
    /// How long the spans of trends are.
    pub span_minutes: i64,
    /// The window that changes are against begins so much earlier.
    pub compared_ms: i64,
    /// Not all that was counted could be read; the numbers are too low.
    pub partial: bool,
    /// What is not told apart everywhere, as there was too much of it: `countries`, `releases`, `environments` or `names`.
    pub merged: Vec<String>,
    /// What requests or pages of the window had, to filter by. Only when filters were asked with, or of a single endpoint or page.
    pub releases: Vec<String>,
    pub environments: Vec<String>,
    pub countries: Vec<String>,
}

/// Requests to one endpoint.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Endpoint {
    /// Method, host unless it is the page's own, and template of the path; `…other`: those beyond what is told apart.
    pub name: String,
    /// Of all sessions: one that was seen counts for as many as it stands for, by `signal_sample_rate`. So do all counts here.
    pub requests: u64,
    pub failed: u64,
    /// 0 to 1, of the requests that were not aborted.
    pub failure_share: Option<f64>,
    pub aborted: u64,
    /// 0 to 1, by `apdex_ms`: what takes up to four times as long counts half, and failures nothing.
    pub apdex: Option<f64>,
    pub durations: Durations,
    /// How the time splits, where it is known.
    pub parts: Parts,
    /// Of the answers whose size is known.
    pub mean_bytes: Option<f64>,
    pub trend: Vec<TrendPoint>,
    /// The same window earlier, if there were requests in it.
    pub before: Option<Earlier>,
}

/// Percentiles, each off by 1 % at most.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Durations {
    /// How many have a known duration.
    pub known: u64,
    pub p50_ms: Option<f64>,
    pub p75_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

/// Parts of a request's time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Parts {
    pub backend: Part,
    pub network: Part,
    /// After the response, until the next frame.
    pub frontend: Part,
}

/// A part of a request's time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Part {
    /// Of how many requests it is known.
    pub known: u64,
    pub mean_ms: Option<f64>,
    /// Only of a single endpoint.
    pub p95_ms: Option<f64>,
}

/// A span of the window.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TrendPoint {
    pub time_ms: i64,
    /// Or loads of a page.
    pub requests: u64,
    pub failed: u64,
    /// Only of a single endpoint.
    pub p95_ms: Option<f64>,
}

/// The window before.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Earlier {
    pub requests: u64,
    pub failure_share: Option<f64>,
    pub p95_ms: Option<f64>,
}

/// All about an endpoint.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EndpointDetail {
    pub window: PerformanceWindow,
    pub endpoint: Endpoint,
    pub histogram: Vec<HistogramBucket>,
    /// The newest session with a failed request.
    pub failed_sample: Option<RequestSample>,
    /// Those with an answer by status, then those without; the most first.
    pub statuses: Vec<StatusCount>,
    /// The most requested first.
    pub releases: Vec<Compared>,
    pub countries: Vec<Compared>,
}

/// Requests that took so long.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HistogramBucket {
    pub over_ms: f64,
    /// Null: without end.
    pub up_to_ms: Option<f64>,
    pub requests: u64,
    /// The newest session with one, whatever its release, environment and country.
    pub sample: Option<RequestSample>,
}

/// A moment of a session to open.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RequestSample {
    pub session_id: String,
    pub event_id: String,
    pub time_ms: i64,
}

/// Requests with that outcome.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatusCount {
    /// A status, `other`, or what happened: `network error`, `timeout`, `aborted`, `unknown`.
    pub status: String,
    pub requests: u64,
    pub failed: bool,
}

/// Requests of a release or country.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Compared {
    /// Empty: not known.
    pub name: String,
    pub requests: u64,
    pub failure_share: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
}

/// Pages that were loaded in a window of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PageList {
    pub window: PerformanceWindow,
    pub pages: Vec<PageLoads>,
    /// How many there are, those beyond `pages` included.
    pub total: usize,
}

/// Loads of one page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PageLoads {
    /// The template of the path; `…other`: those beyond what is told apart.
    pub name: String,
    pub loads: u64,
    pub vitals: Vec<Vital>,
    pub trend: Vec<TrendPoint>,
}

/// A web vital of a page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Vital {
    /// `LCP`, `INP`, `CLS`, `FCP` or `TTFB`.
    pub name: String,
    /// Of how many loads it is known.
    pub known: u64,
    /// Milliseconds; of `CLS` the score.
    pub p50: Option<f64>,
    pub p75: Option<f64>,
    pub p95: Option<f64>,
    /// Of the 75th percentile, as `web.dev` has it: `good`, `needs-improvement` or `poor`.
    pub rating: Option<String>,
    pub before_p75: Option<f64>,
}
