//! Answers that any page can read: problems (RFC 9457) and CORS on everything.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::ApiError;

/// To which page an answer is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Any: the project allows all, or is not known (then the answer says nothing about one).
    All,
    /// The page that asked, whose origin the project allows.
    Origin(HeaderValue),
    /// None: the project does not allow the page that asked.
    Nobody,
}

/// A refusal, and who may read it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: ApiError,
    pub(crate) readers: Readers,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self { error, readers: Readers::All }
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Problem {
            r#type: format!("urn:playhead:problem:{}", self.code()),
            title: self.title(),
            status: self.status().as_u16(),
            detail: self.to_string(),
            field: self.field(),
        };
        let mut response = (self.status(), Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        open_to(self.readers, self.error.into_response())
    }
}

/// Marks who may read `response`; [`with_cors`] fills in what is not marked.
pub(crate) fn open_to(readers: Readers, mut response: Response) -> Response {
    match readers {
        Readers::All => {}
        Readers::Origin(origin) => {
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        Readers::Nobody => {
            response.extensions_mut().insert(Closed);
        }
    }
    response
}

/// Marks an answer that the page which asked must not read.
#[derive(Clone)]
struct Closed;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The last touch on every answer.
pub(crate) fn with_cors(mut response: Response) -> Response {
    let closed = response.extensions().get::<Closed>().is_some();
    let headers = response.headers_mut();
    if !closed && !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    // Who may read depends on who asks.
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    response
}

/// The answer to a preflight. The SDK needs none; a page's service worker or a proxy may still make one.
pub(crate) async fn preflight() -> Response {
    let allow = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST")),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("content-type, traceparent, tracestate"),
        ),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400")),
        (header::ALLOW, HeaderValue::from_static(POST_AND_OPTIONS)),
    ];
    (StatusCode::NO_CONTENT, allow).into_response()
}

const POST_AND_OPTIONS: &str = "POST, OPTIONS";

pub(crate) async fn not_found() -> ApiError {
    ApiError::NotFound
}

pub(crate) async fn method_not_allowed(_: Method) -> Response {
    ([(header::ALLOW, POST_AND_OPTIONS)], ApiError::MethodNotAllowed).into_response()
}
