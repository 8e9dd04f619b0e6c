//! Who may send: a key or token, the project behind it, and the page that asks.

use std::sync::Arc;

use axum::http::HeaderMap;
use playhead_domain::id::{ProjectId, SessionId};
use playhead_domain::project::{Lookup, ProjectDirectory};
use playhead_domain::row::Project;
use playhead_proto::key::PublicKeys;

use crate::answer::{Readers, Refusal};
use crate::client;
use crate::error::ApiError;
use crate::origin;
use crate::token::Tokens;

/// What a request shows to be let in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credential<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) token: Option<&'a str>,
    pub(crate) session: SessionId,
}

/// Who was let in, and who may read the answer.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) id: ProjectId,
    pub(crate) project: Arc<Project>,
    pub(crate) readers: Readers,
}

/// The check at the door. Nothing here waits.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) keys: PublicKeys,
    pub(crate) tokens: Tokens,
    pub(crate) directory: Arc<ProjectDirectory>,
    pub(crate) retry_after_s: u32,
}

impl Door {
    /// Lets a request in, or says why not.
    pub(crate) fn admit(
        &self,
        credential: Credential<'_>,
        headers: &HeaderMap,
        now_s: u64,
    ) -> Result<Admitted, Refusal> {
        let id = self.identify(credential, now_s)?;
        let project = match self.directory.look_up(id) {
            Lookup::Known(project) => project,
            Lookup::Removed => return Err(ApiError::UnknownKey.into()),
            // The credential is genuine: the project may be seconds old, and its record under way.
            Lookup::Unknown => {
                let detail = "the project of this key is not known here yet";
                return Err(ApiError::LogUnavailable { detail, retry_after_s: self.retry_after_s }.into());
            }
        };
        let readers = readers(&project, headers);
        if readers == Readers::Nobody {
            return Err(Refusal { error: ApiError::OriginNotAllowed, readers });
        }
        if project.disabled {
            return Err(Refusal { error: ApiError::ProjectDisabled, readers });
        }
        Ok(Admitted { id, project, readers })
    }

    fn identify(&self, credential: Credential<'_>, now_s: u64) -> Result<ProjectId, ApiError> {
        let by_key = |key: &str| self.keys.verify(key).map_err(|_| ApiError::UnknownKey);
        let Some(token) = credential.token else {
            return by_key(credential.key.ok_or(ApiError::UnknownKey)?);
        };
        let claims = self.tokens.verify(token, now_s)?;
        if let Some(key) = credential.key
            && by_key(key)? != claims.project
        {
            return Err(ApiError::WrongProject);
        }
        if claims.session != credential.session {
            return Err(ApiError::WrongSession);
        }
        Ok(claims.project)
    }
}

fn readers(project: &Project, headers: &HeaderMap) -> Readers {
    let origin = client::origin(headers);
    if !origin::allows(&project.allowed_origins, origin.and_then(|value| value.to_str().ok())) {
        return Readers::Nobody;
    }
    match origin {
        Some(origin) if !project.allowed_origins.is_empty() => Readers::Origin(origin.clone()),
        _ => Readers::All,
    }
}
