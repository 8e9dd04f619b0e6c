//! Endpoints and pages over HTTP.

use axum::Json;
use axum::extract::State;
use futures::future::try_join;
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
    let (summary, before) = both(&api, (scope, &project), &question, &Wanted::Endpoints, Depth::List).await?;
    let place = |sum: &Sum| order(sum, question.apdex_ms);
    let (names, total) = sorted(&summary, params.query.as_deref(), place, limit);
    let endpoints = names.into_iter().map(|(name, sum)| {
        let before = before.sums.get(name);
        present::endpoint(name, sum, before, &question)
    });
    let endpoints = endpoints.collect();
    Ok(Json(EndpointPage { window: present::window(&summary, &question), endpoints, total }))
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
    let wanted = Wanted::Endpoint(&endpoint);
    let now = async {
        // By minutes, examples are in the same rows.
        let (mut detail, samples) = try_join(gather(&api, scope, &question, Kind::Detail), async {
            match question.span_minutes {
                1 => Ok(Gathered::default()),
                _ => gather(&api, scope, &question, Kind::Samples).await,
            }
        })
        .await?;
        detail.sample_rows = samples.rows;
        Ok(detail)
    };
    let (now, before) = try_join(now, gather(&api, scope, &earlier, kind(&question))).await?;
    let names = Names::load(&api, scope, &project.endpoint_templates).await?;
    let summary = sum(&now, &names, &question, &wanted, Depth::Whole)?;
    let before = sum(&before, &names, &earlier, &wanted, Depth::List)?;
    let detail = present::detail(&endpoint, &summary, before.sums.get(&endpoint), &question);
    detail.map(Json).ok_or(ApiError::NotFound("endpoint"))
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
    let (summary, before) = both(&api, (scope, &project), &question, &Wanted::Pages, Depth::List).await?;
    let (names, total) = sorted(&summary, params.query.as_deref(), order, limit);
    let pages = names.into_iter().map(|(name, sum)| present::page(name, sum, before.sums.get(name)));
    let pages = pages.collect();
    Ok(Json(PageList { window: present::window(&summary, &question), pages, total }))
}

const fn kind(question: &Question) -> Kind {
    if question.has_filters() { Kind::Detail } else { Kind::Plain }
}

async fn both(
    api: &Api,
    (scope, project): (Scope, &Project),
    question: &Question,
    wanted: &Wanted<'_>,
    depth: Depth,
) -> Result<(Summary, Summary), ApiError> {
    let (earlier, kind) = (question.earlier(), kind(question));
    let (now, before) =
        try_join(gather(api, scope, question, kind), gather(api, scope, &earlier, kind)).await?;
    let names = Names::load(api, scope, &project.endpoint_templates).await?;
    Ok((sum(&now, &names, question, wanted, depth)?, sum(&before, &names, &earlier, wanted, depth)?))
}

/// The highest number first, then by name; and how many there are.
fn sorted<'a>(
    summary: &'a Summary,
    query: Option<&str>,
    place: impl Fn(&Sum) -> f64,
    limit: usize,
) -> (Vec<(&'a str, &'a Sum)>, usize) {
    let query = query.unwrap_or_default().to_lowercase();
    let named = summary.sums.iter().filter(|(name, _)| name.to_lowercase().contains(&query));
    let mut named: Vec<_> = named.map(|(name, sum)| (place(sum), name.as_str(), sum)).collect();
    let total = named.len();
    named.sort_by(|one, two| two.0.total_cmp(&one.0).then(one.1.cmp(two.1)));
    (named.into_iter().take(limit).map(|(_, name, sum)| (name, sum)).collect(), total)
}

fn endpoint_order(sort: Option<&str>) -> Result<fn(&Sum, f64) -> f64, ApiError> {
    Ok(match sort {
        None | Some("requests") => |sum, _| sum.count as f64,
        Some("failures") => |sum, _| sum.failed as f64,
        Some("failure_share") => |sum, _| sum.failure_share().unwrap_or(-1.0),
        Some("p95") => |sum, _| sum.total().quantile(0.95).unwrap_or(-1.0),
        Some("time") => |sum, _| sum.measure(Measure::Total).map_or(-1.0, |value| value.sum as f64),
        Some("apdex") => |sum, limit| -sum.apdex(limit).unwrap_or(2.0),
        Some(_) => {
            return Err(ApiError::bad(
                "sort",
                "must be requests, failures, failure_share, p95, time or apdex",
            ));
        }
    })
}

fn page_order(sort: Option<&str>) -> Result<fn(&Sum) -> f64, ApiError> {
    Ok(match sort {
        None | Some("loads") => |sum| sum.count as f64,
        Some("LCP") => |sum| worst(sum, Measure::Lcp),
        Some("INP") => |sum| worst(sum, Measure::Inp),
        Some("CLS") => |sum| worst(sum, Measure::Cls),
        Some(_) => return Err(ApiError::bad("sort", "must be loads, LCP, INP or CLS")),
    })
}

fn worst(sum: &Sum, what: Measure) -> f64 {
    sum.measure(what).and_then(|value| value.sketch.quantile(0.75)).unwrap_or(-1.0)
}
