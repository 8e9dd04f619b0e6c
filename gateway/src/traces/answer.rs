//! Answers in the encoding of the request.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prost::Message;
use serde_json::json;

use super::sort::Outcome;
use crate::answer::{self, Readers};
use crate::error::ApiError;

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    /// What the content type says, if it is one of both.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let media_type = text.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| media_type.eq_ignore_ascii_case(name);
        if is("application/x-protobuf") {
            Some(Self::Protobuf)
        } else if is("application/json") {
            Some(Self::Json)
        } else {
            None
        }
    }
}

/// `opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse`.
#[derive(Clone, PartialEq, Eq, Message)]
struct Export {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_spans: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Eq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// All, or all but some, were taken.
pub(super) fn accepted(encoding: Option<Encoding>, outcome: &Outcome) -> Response {
    let rejected = i64::try_from(outcome.rejected()).unwrap_or(i64::MAX);
    let partial_success =
        outcome.message().map(|error_message| PartialSuccess { rejected_spans: rejected, error_message });
    let body = match encoding {
        Some(Encoding::Protobuf) => Export { partial_success }.encode_to_vec(),
        _ => match partial_success {
            // 64-bit integers are texts in protobuf's JSON.
            Some(told) => json!({"partialSuccess": {
                "rejectedSpans": told.rejected_spans.to_string(), "errorMessage": told.error_message}}),
            None => json!({}),
        }
        .to_string()
        .into_bytes(),
    };
    whole(encoding, StatusCode::OK, body)
}

/// Nothing was taken.
pub(super) fn refused(encoding: Option<Encoding>, error: &ApiError) -> Response {
    let (code, message) = (rpc_code(error.status()), error.to_string());
    let body = match encoding {
        Some(Encoding::Protobuf) => Status { code, message }.encode_to_vec(),
        _ => json!({"code": code, "message": message}).to_string().into_bytes(),
    };
    let mut response = whole(encoding, error.status(), body);
    if let Some(seconds) = error.retry_after_s() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    if error.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// No page may read it: a secret key has no business in one.
fn whole(encoding: Option<Encoding>, status: StatusCode, body: Vec<u8>) -> Response {
    let content_type = match encoding {
        Some(Encoding::Protobuf) => "application/x-protobuf",
        _ => "application/json",
    };
    let response = (status, [(header::CONTENT_TYPE, content_type)], body).into_response();
    answer::open_to(Readers::Nobody, response)
}

/// The code of `google.rpc.Code` that goes with a status.
fn rpc_code(status: StatusCode) -> i32 {
    match status {
        StatusCode::UNAUTHORIZED => 16,
        StatusCode::FORBIDDEN => 7,
        StatusCode::NOT_FOUND => 5,
        StatusCode::REQUEST_TIMEOUT => 4,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS => 8,
        StatusCode::SERVICE_UNAVAILABLE => 14,
        status if status.is_server_error() => 13,
        _ => 3,
    }
}
