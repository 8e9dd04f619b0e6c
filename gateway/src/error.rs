//! Every way in which the gateway says no.

use axum::http::StatusCode;
use playhead_proto::batch::{HeaderError, HeaderFault};

/// Why a request was refused. The code of each is part of the wire contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    #[error("{0}")]
    Header(#[from] HeaderError),
    #[error("{field}: {detail}")]
    BadRequest { field: &'static str, detail: String },
    #[error("the public key is missing, mistyped, of another installation, or its project was removed")]
    UnknownKey,
    #[error("send the project's secret key: `Authorization: Bearer phs_…`")]
    NoSecretKey,
    #[error(
        "this is the public key, which every page shows; traces need a secret key (phs_…) of the project's settings"
    )]
    PublicKey,
    #[error("the secret key is mistyped, unknown or revoked; a new one is known here within seconds")]
    UnknownSecretKey,
    #[error("send application/x-protobuf or application/json, as it is or with gzip")]
    UnsupportedType,
    #[error("{0}")]
    BadExport(String),
    #[error("the session token was not issued by this installation; send the public key instead")]
    BadToken,
    #[error("the session token has expired; send the public key and ask for a new token")]
    ExpiredToken,
    #[error("the session token belongs to another project than the key")]
    WrongProject,
    #[error("the session token belongs to another session")]
    WrongSession,
    #[error("the project is disabled; enable it in its settings")]
    ProjectDisabled,
    #[error("this origin is not in the project's list of allowed origins")]
    OriginNotAllowed,
    #[error("the body came too slowly; send at least {min_rate_bytes_per_s} bytes a second")]
    TooSlow { min_rate_bytes_per_s: u32 },
    #[error("the body ended early")]
    Incomplete,
    #[error("the body is over the limit of {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    #[error("too many bytes are under way; come back later")]
    TooBusy { retry_after_s: u32 },
    #[error("the project sends more than its quota; come back later")]
    OverQuota { retry_after_s: u32 },
    #[error("the session sends more than one session may; come back later")]
    SessionOverQuota { retry_after_s: u32 },
    #[error("{detail}; nothing was stored, come back later")]
    LogUnavailable { detail: &'static str, retry_after_s: u32 },
    #[error("this server is stopping; come back in a moment")]
    ShuttingDown { retry_after_s: u32 },
    #[error("there is nothing at this address; batches go to POST /v1/batches")]
    NotFound,
    #[error("this address takes POST only")]
    MethodNotAllowed,
    #[error("the server failed; the failure is in its log")]
    Internal,
}

impl ApiError {
    /// The last part of the problem's type.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Header(error) => match error.fault {
                HeaderFault::Malformed => "bad-header",
                HeaderFault::UnknownVersion => "unknown-version",
                HeaderFault::WrongLength => "wrong-length",
            },
            Self::BadRequest { .. } => "bad-header",
            Self::Incomplete => "wrong-length",
            Self::UnknownKey => "unknown-key",
            Self::NoSecretKey | Self::PublicKey | Self::UnknownSecretKey => "unknown-secret-key",
            Self::UnsupportedType => "unsupported-type",
            Self::BadExport(_) => "bad-export",
            Self::BadToken => "bad-token",
            Self::ExpiredToken => "expired-token",
            Self::WrongProject => "wrong-project",
            Self::WrongSession => "wrong-session",
            Self::ProjectDisabled => "project-disabled",
            Self::OriginNotAllowed => "origin-not-allowed",
            Self::TooSlow { .. } => "too-slow",
            Self::TooLarge { .. } => "too-large",
            Self::TooBusy { .. } => "too-busy",
            Self::OverQuota { .. } => "over-quota",
            Self::SessionOverQuota { .. } => "session-over-quota",
            Self::LogUnavailable { .. } => "log-unavailable",
            Self::ShuttingDown { .. } => "shutting-down",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Internal => "internal",
        }
    }

    /// What people read first.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Header(_) | Self::BadRequest { .. } | Self::Incomplete => "The batch cannot be read",
            Self::UnknownKey | Self::NoSecretKey | Self::PublicKey | Self::UnknownSecretKey => "Unknown key",
            Self::UnsupportedType => "Unsupported type",
            Self::BadExport(_) => "The export cannot be read",
            Self::BadToken => "Unknown token",
            Self::ExpiredToken => "Expired token",
            Self::WrongProject | Self::WrongSession => "The token is not for this",
            Self::ProjectDisabled => "Project disabled",
            Self::OriginNotAllowed => "Origin not allowed",
            Self::TooSlow { .. } => "Too slow",
            Self::TooLarge { .. } => "Too large",
            Self::TooBusy { .. } => "Too busy",
            Self::OverQuota { .. } | Self::SessionOverQuota { .. } => "Over quota",
            Self::LogUnavailable { .. } | Self::ShuttingDown { .. } => "Not available now",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Internal => "Internal error",
        }
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Header(_) | Self::BadRequest { .. } | Self::Incomplete | Self::BadExport(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::UnknownKey
            | Self::NoSecretKey
            | Self::PublicKey
            | Self::UnknownSecretKey
            | Self::BadToken
            | Self::ExpiredToken => StatusCode::UNAUTHORIZED,
            Self::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::WrongProject | Self::WrongSession | Self::ProjectDisabled | Self::OriginNotAllowed => {
                StatusCode::FORBIDDEN
            }
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooBusy { .. } | Self::OverQuota { .. } | Self::SessionOverQuota { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::LogUnavailable { .. } | Self::ShuttingDown { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::TooSlow { .. }
                | Self::Incomplete
                | Self::TooBusy { .. }
                | Self::OverQuota { .. }
                | Self::SessionOverQuota { .. }
                | Self::LogUnavailable { .. }
                | Self::ShuttingDown { .. }
                | Self::Internal
        )
    }

    /// Seconds after which to come back, where the answer says so.
    #[must_use]
    pub const fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::TooBusy { retry_after_s }
            | Self::OverQuota { retry_after_s }
            | Self::SessionOverQuota { retry_after_s }
            | Self::LogUnavailable { retry_after_s, .. }
            | Self::ShuttingDown { retry_after_s } => Some(*retry_after_s),
            _ => None,
        }
    }

    /// The field to blame, where there is one.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Header(error) => Some(error.field),
            Self::BadRequest { field, .. } => Some(field),
            Self::Incomplete => Some("body"),
            _ => None,
        }
    }
}
