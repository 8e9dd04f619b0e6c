//! Who asks: a bearer token (an administrator's or a project's secret key) or the cookie of a browser that signed in.

pub mod attempts;
pub mod routes;
pub mod sign_in;

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use playhead_domain::id::{ProjectId, TenantId};
use playhead_domain::row;
use playhead_domain::scope::{Grant, Scope};
use playhead_domain::store::Key;
use playhead_domain::table;
use playhead_proto::key::secret_key_hash;
use prost::Message;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::error::ApiError;
use crate::project::repository;
use crate::state::Api;

/// A caller whose credential was checked.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    grant: Grant,
    /// The last characters of the secret key, if it is one.
    hint: Option<[u8; 4]>,
}

impl Caller {
    /// The project and the scope of its rows. A project that the credential does not open is not found, so that nobody
    /// learns which exist.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a malformed id, [`ApiError::NotFound`].
    pub async fn open(self, api: &Api, project: &str) -> Result<(Scope, row::Project), ApiError> {
        let id: ProjectId = project.parse().map_err(|e| ApiError::bad("project", format!("{e}")))?;
        if let Grant::Project { project: granted, .. } = self.grant
            && granted != id
        {
            return Err(ApiError::NotFound("project"));
        }
        let row = repository::find(api, id).await?.ok_or(ApiError::NotFound("project"))?;
        let scope =
            Scope::open(self.grant, TenantId(row.tenant), id).map_err(|_| ApiError::NotFound("project"))?;
        Ok((scope, row))
    }

    /// The same, for what only an administrator may do.
    ///
    /// # Errors
    /// As [`Caller::open`], and [`ApiError::Forbidden`].
    pub async fn administer(self, api: &Api, project: &str) -> Result<(Scope, row::Project), ApiError> {
        let opened = self.open(api, project).await?;
        self.require_administrator()?;
        Ok(opened)
    }

    /// # Errors
    /// [`ApiError::Forbidden`] for a secret key.
    pub const fn require_administrator(self) -> Result<(), ApiError> {
        match self.grant {
            Grant::Project { .. } => {
                Err(ApiError::Forbidden("a secret key cannot do this; sign in, or use the admin token"))
            }
            Grant::Tenant { .. } | Grant::Operator => Ok(()),
        }
    }

    /// Who it is, in a history of changes.
    pub(crate) fn name(self) -> String {
        match self.hint {
            Some(hint) => format!("secret key …{}", String::from_utf8_lossy(&hint)),
            None => "administrator".to_owned(),
        }
    }

    /// The one project that the credential opens, or `None` for all.
    pub(crate) const fn only_project(self) -> Option<ProjectId> {
        match self.grant {
            Grant::Project { project, .. } => Some(project),
            Grant::Tenant { .. } | Grant::Operator => None,
        }
    }

    /// Whether projects of that tenant are opened.
    pub(crate) fn opens(self, project: &row::Project) -> bool {
        Scope::open(self.grant, TenantId(project.tenant), ProjectId(project.project)).is_ok()
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        if let Some(token) = bearer(&parts.headers)? {
            return check_bearer(api, token, client(parts)).await;
        }
        let cookie = sign_in::cookie(&parts.headers).ok_or(ApiError::SignedOut)?;
        if !api.0.sign_ins.verify_cookie(cookie, api.now_ms()) {
            return Err(ApiError::SignedOut);
        }
        if !is_safe(&parts.method) {
            check_same_origin(&parts.headers)?;
        }
        Ok(Self { grant: Grant::Operator, hint: None })
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().map_err(|_| ApiError::BadCredential("the authorization header is not text"))?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(ApiError::BadCredential("the authorization header is not `Bearer <token>`")),
    }
}

/// The address that attempts are counted for. Behind a proxy all share one: stricter, never looser.
pub(crate) fn client(parts: &Parts) -> IpAddr {
    parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip())
}

async fn check_bearer(api: &Api, token: &str, client: IpAddr) -> Result<Caller, ApiError> {
    if let Ok(hash) = secret_key_hash(token) {
        return check_secret_key(api, hash).await;
    }
    api.0.attempts.check(client, api.now_ms())?;
    if is_admin_token(api, token) {
        return Ok(Caller { grant: Grant::Operator, hint: None });
    }
    api.0.attempts.count_failure(client, api.now_ms());
    Err(ApiError::BadCredential("neither a secret key of this installation nor its admin token"))
}

/// Compares hashes, so that neither content nor length shows in the time it takes.
pub(crate) fn is_admin_token(api: &Api, token: &str) -> bool {
    let ours = blake3::hash(api.0.admin_token.expose_secret().as_bytes());
    blake3::hash(token.as_bytes()).as_bytes().ct_eq(ours.as_bytes()).into()
}

async fn check_secret_key(api: &Api, hash: [u8; 32]) -> Result<Caller, ApiError> {
    let key = Key { partition: vec![hash.into()], clustering: vec![] };
    // Every request asks: a plain read sees all keys and revocations that were answered with success, and does not take part in a
    // consensus round, which requests with the same key would hold up for each other.
    let found = api.store().get(&table::SECRET_KEYS, &key).await?;
    let found = found.ok_or(ApiError::BadCredential("the secret key is unknown or was revoked"))?;
    let row =
        row::SecretKey::decode(found.value).map_err(|e| ApiError::Corrupt(format!("secret key row: {e}")))?;
    let grant = Grant::Project { tenant: TenantId(row.tenant), project: ProjectId(row.project) };
    Ok(Caller { grant, hint: Some(row.hint.as_bytes().try_into().unwrap_or(*b"....")) })
}

/// A cookie comes along by itself, so a change needs what only our own pages can send.
pub(crate) fn check_same_origin(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let marked = headers.get("x-playhead-csrf").is_some_and(|value| value == "1");
    let host = text(header::HOST);
    let origin =
        text(header::ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    if marked && host.is_some() && origin == host {
        return Ok(());
    }
    Err(ApiError::Forbidden(
        "a change by cookie needs the header x-playhead-csrf and an origin of this installation",
    ))
}
