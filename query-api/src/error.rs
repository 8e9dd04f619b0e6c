//! Every answer that is not a success: a problem as RFC 9457 has it.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use playhead_domain::{log, store};

use crate::jira::Failure;
use crate::model::Problem;

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{detail}")]
    BadRequest { field: &'static str, detail: String },
    #[error("sign in, or send a secret key as bearer token")]
    SignedOut,
    #[error("{0}")]
    BadCredential(&'static str),
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("there is no {0} of that id")]
    NotFound(&'static str),
    #[error("there is nothing at this address; see /api/openapi.json")]
    NoRoute,
    #[error("this address does not take that method")]
    WrongMethod,
    #[error("the session and its recording were deleted")]
    Deleted,
    #[error("the issue was discarded with what there was of it")]
    Discarded,
    #[error("the session is older than the project's retention")]
    Expired,
    #[error("the log no longer keeps the record of this dead letter")]
    RecordExpired,
    #[error("somebody else changed it at the same time; read it again")]
    Conflict,
    #[error("{0}")]
    OverQuota(String),
    #[error("the body is over {0} bytes")]
    TooLarge(usize),
    #[error("the body did not come in time; send it again")]
    TooSlow,
    #[error("too many wrong tokens from this address; wait")]
    TooManyAttempts { retry_after_s: u64 },
    #[error("{detail}")]
    TooManyChanges { detail: String, retry_after_s: u64 },
    #[error("too many recordings or source maps are being read; try again")]
    Busy,
    #[error("other source maps are being taken; try again")]
    TooManyUploads,
    #[error("other rules are being tried; try again")]
    TooManyDryRuns,
    /// What was sent has the right form but cannot be used.
    #[error("{0}")]
    Unusable(String),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Log(#[from] log::Error),
    #[error(transparent)]
    Blobs(#[from] object_store::Error),
    #[error(transparent)]
    Jira(#[from] Failure),
    /// What was stored cannot be read.
    #[error("{0}")]
    Corrupt(String),
    #[error("{0}")]
    Internal(String),
}

impl ApiError {
    /// A parameter or member that cannot be taken.
    pub(crate) fn bad(field: &'static str, detail: impl Into<String>) -> Self {
        Self::BadRequest { field, detail: detail.into() }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::TooManyAttempts { .. }
            | Self::TooManyChanges { .. }
            | Self::Busy
            | Self::TooManyUploads
            | Self::TooManyDryRuns
            | Self::Conflict
            | Self::TooSlow => true,
            Self::Store(error) => error.is_retryable(),
            Self::Log(error) => error.is_retryable(),
            Self::Jira(failure) => failure.is_retryable(),
            _ => false,
        }
    }

    /// Status, code and title.
    const fn describe(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest { .. } => (StatusCode::BAD_REQUEST, "bad-request", "The request cannot be read"),
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "signed-out", "Not signed in"),
            Self::BadCredential(_) => {
                (StatusCode::UNAUTHORIZED, "bad-credential", "The credential is not valid")
            }
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
            Self::NotFound(_) | Self::NoRoute => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Wrong method"),
            Self::Deleted => (StatusCode::GONE, "deleted", "Deleted"),
            Self::Discarded => (StatusCode::GONE, "discarded", "Discarded"),
            Self::Expired => (StatusCode::GONE, "expired", "Expired by retention"),
            Self::RecordExpired => (StatusCode::GONE, "expired", "Expired in the log"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "Changed meanwhile"),
            Self::OverQuota(_) => (StatusCode::CONFLICT, "over-quota", "The project has no room for it"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "Too slow"),
            Self::TooManyAttempts { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts")
            }
            Self::TooManyChanges { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-changes", "Too many changes")
            }
            Self::Busy | Self::TooManyUploads | Self::TooManyDryRuns => {
                (StatusCode::SERVICE_UNAVAILABLE, "too-busy", "Too busy")
            }
            Self::Unusable(_) => (StatusCode::UNPROCESSABLE_ENTITY, "unusable", "It cannot be used"),
            Self::Store(error) if !error.is_retryable() => {
                (StatusCode::INTERNAL_SERVER_ERROR, "corrupt", "Stored data cannot be read")
            }
            Self::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The store is not available"),
            Self::Log(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The log is not available"),
            Self::Blobs(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Recordings are not available")
            }
            Self::Jira(failure) => describe_jira(failure),
            Self::Corrupt(_) => (StatusCode::INTERNAL_SERVER_ERROR, "corrupt", "Stored data cannot be read"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here"),
        }
    }

    /// What the client is told: faults of ours stay in the log.
    fn detail(&self) -> String {
        match self {
            Self::Store(error) if !error.is_retryable() => "the reason is in the server's log".to_owned(),
            Self::Store(_) => "the store did not answer; try again".to_owned(),
            Self::Log(_) => {
                "the log did not answer, so the change may not be in force yet; try again".to_owned()
            }
            Self::Blobs(_) => "the storage of recordings did not answer; try again".to_owned(),
            Self::Corrupt(_) | Self::Internal(_) => "the reason is in the server's log".to_owned(),
            other => other.to_string(),
        }
    }
}

impl ApiError {
    /// What does not answer.
    const fn part(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) if error.is_retryable() => Some("store"),
            Self::Log(_) => Some("log"),
            Self::Blobs(_) => Some("blobs"),
            _ => None,
        }
    }
}

/// Nothing of it is a fault of ours.
const fn describe_jira(failure: &Failure) -> (StatusCode, &'static str, &'static str) {
    const UNUSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    match failure {
        Failure::NotConnected => (StatusCode::CONFLICT, "jira-not-connected", "Not connected to Jira"),
        Failure::Credentials => (UNUSABLE, "jira-credentials", "Jira does not take the credentials"),
        Failure::Forbidden { .. } => (UNUSABLE, "jira-forbidden", "Jira does not allow it"),
        Failure::NotFound { .. } => (UNUSABLE, "jira-not-found", "Jira does not have it"),
        Failure::Gone(_) => (UNUSABLE, "jira-gone", "The Jira issue is gone"),
        Failure::OtherSite { .. } => (UNUSABLE, "jira-other-site", "The Jira issue is in another site"),
        Failure::Refused { .. } | Failure::NoTransition(_) | Failure::NoUser(_) => {
            (UNUSABLE, "jira-refused", "Jira refused it")
        }
        Failure::UnderWay { .. } => (StatusCode::CONFLICT, "jira-under-way", "A Jira issue may be there"),
        Failure::RateLimited { .. } => (StatusCode::SERVICE_UNAVAILABLE, "jira-busy", "Jira is busy"),
        Failure::Unreachable { .. } | Failure::Unreadable(_) => {
            (StatusCode::BAD_GATEWAY, "jira-unreachable", "Jira was not reached")
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, title) = self.describe();
        if status.is_server_error() && !matches!(self, Self::Jira(_)) {
            tracing::error!(code, error = %self, "request failed");
        }
        let field = match &self {
            Self::BadRequest { field, .. } => Some((*field).to_owned()),
            Self::Jira(Failure::Refused { fields, .. }) => fields.keys().next().cloned(),
            _ => None,
        };
        let fields = match &self {
            Self::Jira(Failure::Refused { fields, .. }) => fields.clone(),
            _ => std::collections::BTreeMap::new(),
        };
        let problem = Problem {
            kind: format!("urn:playhead:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail(),
            field,
            fields,
            part: self.part().map(str::to_owned),
        };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let wait_s = match self {
            Self::TooManyAttempts { retry_after_s } | Self::TooManyChanges { retry_after_s, .. } => {
                Some(retry_after_s)
            }
            Self::Jira(failure) if failure.wait_s().is_some() => failure.wait_s(),
            _ if status == StatusCode::SERVICE_UNAVAILABLE => Some(1),
            _ => None,
        };
        if let Some(wait_s) = wait_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
        }
        response
    }
}
