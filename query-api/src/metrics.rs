//! How many requests each route answered, how, and how long it took; and the span of each.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use playhead_proto::trace;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::alert::metrics::AlertMetrics;
use crate::jira::metrics::JiraMetrics;
use crate::state::Api;

/// Labels are routes and classes of statuses: bounded by the code.
pub(crate) struct Metrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    /// Of [`crate::performance::past`].
    pub(crate) statistics_cache_bytes: IntGauge,
    pub(crate) alerts: AlertMetrics,
    pub(crate) jira: JiraMetrics,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let requests =
            Opts::new("playhead_api_requests_total", "Requests answered, by route and class of status");
        let seconds = HistogramOpts::new("playhead_api_request_seconds", "Time until the head of the answer")
            .buckets(vec![0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0]);
        let metrics = Self {
            requests: IntCounterVec::new(requests, &["route", "method", "status"])?,
            seconds: HistogramVec::new(seconds, &["route"])?,
            statistics_cache_bytes: IntGauge::new(
                "playhead_api_statistics_cache_bytes",
                "Statistics of past hours and days that are kept in memory",
            )?,
            alerts: AlertMetrics::register(registry)?,
            jira: JiraMetrics::register(registry)?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        registry.register(Box::new(metrics.statistics_cache_bytes.clone()))?;
        Ok(metrics)
    }
}

/// Counts a request, in a span that goes on from the caller's.
pub(crate) async fn observe(State(api): State<Api>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    let method = known_method(request.method().as_str());
    let metrics = &api.0.metrics;
    let timer = metrics.seconds.with_label_values(&[route]).start_timer();
    let span = server_span(method, route);
    if !span.is_disabled() {
        span.record("otel.name", format!("{method} {route}"));
        let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
        trace::go_on(&span, traceparent.unwrap_or_default());
    }
    let response = next.run(request).instrument(span.clone()).await;
    timer.observe_duration();
    let class = match response.status().as_u16() {
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    metrics.requests.with_label_values(&[route, method, class]).inc();
    span.record("http.response.status_code", i64::from(response.status().as_u16()));
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}

fn server_span(method: &str, route: &str) -> Span {
    tracing::debug_span!(
        "request",
        otel.name = Empty,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    )
}

/// Methods come from clients and can be any text.
fn known_method(method: &str) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}
