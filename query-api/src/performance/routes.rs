//! Endpoints and pages over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use futures::future::try_join;
use playhead_domain::performance::filter::Filter;
use playhead_domain::performance::key::Kind;
use playhead_domain::performance::observation::Measure;
use playhead_domain::row::Project;
use playhead_domain::scope::Scope;

use super::gather::{Gathered, gather};
use super::names::Names;
use super::present;
use super::question::{PerformanceParams, Question};
use super::sum::{Depth, Sum, Summary, Wanted, sum};
use crate::access::Caller;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::performance::{EndpointDetail, EndpointPage, PageList};
use crate::params::{Params, Segments, page_size};
use crate::state::Api;
use crate::turn;

/// Sums at once: each keeps a core busy.
pub(crate) const MAX_SUMS: usize = 4;
/// How long one waits for others.
const TURN_LIMIT: Duration = Duration::from_secs(20);

/// Endpoints that the pages called, with how long they took.
#[utoipa::path(get, path = "/api/v1/projects/{project}/endpoints", tag = "performance",
    params(("project" = String, Path, description = "Project id"), PerformanceParams), responses(
    (status = 200, body = EndpointPage),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_endpoints(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(params): Params<PerformanceParams>,
) -> Result<Json<EndpointPage>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    let limit = page_size(params.limit, 50, 200)?;
    let question = Question::of(&params, api.now_ms())?;
    let order = endpoint_order(params.sort.as_deref())?;
    let ask = Ask { wanted: Wanted::ENDPOINTS, order, query: params.query.unwrap_or_default(), limit };
    let listed = list(&api, (scope, &project), &question, ask).await?;
    let endpoint = |name: &String| {
        present::endpoint(name, listed.now.get(name)?, listed.before.get(name), &question).into()
    };
    let endpoints = listed.names.iter().filter_map(endpoint).collect();
    let window = present::window(&listed.all, &question);
    Ok(Json(EndpointPage { window, endpoints, total: listed.total }))
}

/// One endpoint, by its name as the list gives it.
#[utoipa::path(get, path = "/api/v1/projects/{project}/endpoints/{endpoint}", tag = "performance",
    params(("project" = String, Path, description = "Project id"), ("endpoint" = String, Path, description = "Its name, percent-encoded"),
        PerformanceParams), responses(
    (status = 200, body = EndpointDetail),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_endpoint(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, endpoint)): Segments<(String, String)>,
    Params(params): Params<PerformanceParams>,
) -> Result<Json<EndpointDetail>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    let question = Question::of(&params, api.now_ms())?;
    let earlier = question.earlier();
    let wanted = Wanted::ENDPOINTS.only([endpoint.clone()]);
    // What does not pass is told of, too: releases and countries to choose from.
    let whole = Filter::default();
    let now = async {
        // By minutes, examples are in the same rows.
        let (mut detail, samples) = try_join(gather(&api, scope, &question, Kind::Detail, &whole), async {
            match question.span_minutes {
                1 => Ok(Gathered::default()),
                _ => gather(&api, scope, &question, Kind::Samples, &whole).await,
            }
        })
        .await?;
        detail.sample_rows = samples.rows;
        Ok(detail)
    };
    let (now, before) =
        try_join(now, gather(&api, scope, &earlier, kind(&question), &question.filter)).await?;
    let names = Names::load(&api, scope, &project.endpoint_templates).await?;
    let answer = move || {
        let summary = sum(&now, &names, &question, &wanted, Depth::Whole)?;
        let before = sum(&before, &names, &earlier, &wanted, Depth::List)?;
        Ok(present::detail(&endpoint, &summary, before.sums.get(&endpoint), &question))
    };
    summing(&api, answer).await?.map(Json).ok_or(ApiError::NotFound("endpoint"))
}

/// Pages that were loaded, with their web vitals.
#[utoipa::path(get, path = "/api/v1/projects/{project}/pages", tag = "performance",
    params(("project" = String, Path, description = "Project id"), PerformanceParams), responses(
    (status = 200, body = PageList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_pages(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(params): Params<PerformanceParams>,
) -> Result<Json<PageList>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    let limit = page_size(params.limit, 50, 200)?;
    let question = Question::of(&params, api.now_ms())?;
    let order = page_order(params.sort.as_deref())?;
    let ask = Ask { wanted: Wanted::PAGES, order, query: params.query.unwrap_or_default(), limit };
    let listed = list(&api, (scope, &project), &question, ask).await?;
    let page = |name: &String| present::page(name, listed.now.get(name)?, listed.before.get(name)).into();
    let pages = listed.names.iter().filter_map(page).collect();
    Ok(Json(PageList { window: present::window(&listed.all, &question), pages, total: listed.total }))
}

const fn kind(question: &Question) -> Kind {
    if question.filter.is_empty() { Kind::Plain } else { Kind::Detail }
}

/// How names are ranked, and what must be known of all of them for it.
struct Order {
    depth: Depth,
    /// The highest goes first. Given the duration that satisfies.
    place: fn(&Sum, f64) -> f64,
}

/// Which part of a list is wanted.
struct Ask {
    wanted: Wanted,
    order: Order,
    /// In the name, in any case.
    query: String,
    limit: usize,
}

struct Listed {
    /// Of all names.
    all: Summary,
    /// How many were found, and the first of them in order.
    total: usize,
    names: Vec<String>,
    /// Of those at least.
    now: BTreeMap<String, Sum>,
    before: BTreeMap<String, Sum>,
}

async fn list(
    api: &Api,
    (scope, project): (Scope, &Project),
    question: &Question,
    ask: Ask,
) -> Result<Listed, ApiError> {
    let (earlier, kind) = (question.earlier(), kind(question));
    let filter = &question.filter;
    let now = gather(api, scope, question, kind, filter);
    let (now, before) = try_join(now, gather(api, scope, &earlier, kind, filter)).await?;
    let names = Names::load(api, scope, &project.endpoint_templates).await?;
    let question = question.clone();
    summing(api, move || {
        let mut all = sum(&now, &names, &question, &ask.wanted, ask.order.depth)?;
        let (listed, total) = first(&all, &ask, question.apdex_ms);
        // Sketches are most of the work, and few names are shown.
        let shown = ask.wanted.only(listed.iter().cloned());
        let now = match ask.order.depth {
            Depth::Counts => sum(&now, &names, &question, &shown, Depth::List)?.sums,
            Depth::List | Depth::Whole => std::mem::take(&mut all.sums),
        };
        let before = sum(&before, &names, &earlier, &shown, Depth::List)?.sums;
        Ok(Listed { all, total, names: listed, now, before })
    })
    .await
}

/// Runs what keeps a core busy beside the requests that need none.
async fn summing<T: Send + 'static>(
    api: &Api,
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let permit = Arc::clone(&api.0.summing).acquire_owned();
    let permit = turn::within(TURN_LIMIT, permit, ApiError::Busy).await?;
    turn::apart(move || {
        // The permit goes with the work, which a client that goes away does not end.
        let _permit = permit;
        work()
    })
    .await?
}

/// The highest first, then by name; and how many there are.
fn first(summary: &Summary, ask: &Ask, apdex_ms: f64) -> (Vec<String>, usize) {
    let query = ask.query.to_lowercase();
    let named = summary.sums.iter().filter(|(name, _)| name.to_lowercase().contains(&query));
    let mut named: Vec<_> = named.map(|(name, sum)| ((ask.order.place)(sum, apdex_ms), name)).collect();
    let total = named.len();
    named.sort_by(|one, two| two.0.total_cmp(&one.0).then(one.1.cmp(two.1)));
    (named.into_iter().take(ask.limit).map(|(_, name)| name.clone()).collect(), total)
}

fn endpoint_order(sort: Option<&str>) -> Result<Order, ApiError> {
    let order = |depth, place| Order { depth, place };
    Ok(match sort {
        None | Some("requests") => order(Depth::Counts, |sum, _| sum.count as f64),
        Some("failures") => order(Depth::Counts, |sum, _| sum.failed as f64),
        Some("failure_share") => order(Depth::Counts, |sum, _| sum.failure_share().unwrap_or(-1.0)),
        Some("p95") => order(Depth::List, |sum, _| sum.total().quantile(0.95).unwrap_or(-1.0)),
        Some("time") => {
            order(Depth::Counts, |sum, _| sum.measure(Measure::Total).map_or(-1.0, |value| value.sum as f64))
        }
        Some("apdex") => order(Depth::List, |sum, limit| -sum.apdex(limit).unwrap_or(2.0)),
        Some(_) => {
            return Err(ApiError::bad(
                "sort",
                "must be requests, failures, failure_share, p95, time or apdex",
            ));
        }
    })
}

fn page_order(sort: Option<&str>) -> Result<Order, ApiError> {
    let order = |depth, place| Order { depth, place };
    Ok(match sort {
        None | Some("loads") => order(Depth::Counts, |sum, _| sum.count as f64),
        Some("LCP") => order(Depth::List, |sum, _| worst(sum, Measure::Lcp)),
        Some("INP") => order(Depth::List, |sum, _| worst(sum, Measure::Inp)),
        Some("CLS") => order(Depth::List, |sum, _| worst(sum, Measure::Cls)),
        Some(_) => return Err(ApiError::bad("sort", "must be loads, LCP, INP or CLS")),
    })
}

fn worst(sum: &Sum, what: Measure) -> f64 {
    sum.measure(what).and_then(|value| value.sketch.quantile(0.75)).unwrap_or(-1.0)
}
