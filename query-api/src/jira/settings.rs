//! What connects a project to Jira, each value within its bounds.

use std::collections::BTreeMap;
use std::fmt;

use lettre::Address;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ApiError;
use crate::model::jira::{JiraDefaults, JiraDraft, JiraKind};
use crate::outbound::{AllowList, check_target};

const MAX_TOKEN_BYTES: usize = 2_000;
const MAX_EMAIL_BYTES: usize = 254;
/// Values of fields that a connection keeps.
const MAX_FIELDS: usize = 50;
const MAX_FIELDS_BYTES: usize = 16 << 10;

/// Which of both APIs a site has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// REST v3, Atlassian document format, account ids.
    Cloud,
    /// REST v2, wiki markup, user names.
    DataCenter,
}

/// With what issues are created unless somebody says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Defaults {
    /// Key of the Jira project.
    pub(crate) project: String,
    /// Id of the type.
    pub(crate) issue_type: String,
    /// Values as people give them, by the id of the field.
    pub(crate) fields: BTreeMap<String, Value>,
}

/// All of it, opened. Stored as JSON, sealed.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Without a slash at the end.
    pub(crate) site: String,
    pub(crate) kind: Kind,
    /// Of Cloud.
    pub(crate) email: String,
    pub(crate) token: String,
    /// In the address that Jira's web hook calls.
    pub(crate) hook_token: String,
    /// With which Jira signs what its web hook sends.
    pub(crate) hook_secret: String,
    pub(crate) defaults: Option<Defaults>,
    pub(crate) sync_state: bool,
    pub(crate) sync_assignee: bool,
    pub(crate) comments: bool,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settings({:?}, …)", self.kind)
    }
}

impl Settings {
    /// What was given, checked. What the client cannot know stays as it is in `old`, or is made.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] that names the field.
    pub(crate) fn checked(draft: JiraDraft, old: Option<&Self>, allow: &AllowList) -> Result<Self, ApiError> {
        let kind = match draft.kind {
            JiraKind::Cloud => Kind::Cloud,
            JiraKind::DataCenter => Kind::DataCenter,
        };
        let site = checked_site(&draft.site, allow)?;
        let email = checked_email(draft.email.as_deref().unwrap_or_default(), kind)?;
        // A token goes to the site, and as the account, for which it was given.
        let same = |old: &&Self| old.site == site && old.kind == kind && old.email == email;
        let token = match (draft.token, old.filter(same)) {
            (Some(token), _) => checked_token(&token)?,
            (None, Some(old)) => old.token.clone(),
            (None, None) => {
                return Err(ApiError::bad("token", "is needed: a new site or account needs its own"));
            }
        };
        let (hook_token, hook_secret) = match old {
            Some(old) => (old.hook_token.clone(), old.hook_secret.clone()),
            None => new_hook()?,
        };
        Ok(Self {
            site,
            kind,
            email,
            token,
            hook_token,
            hook_secret,
            defaults: draft.defaults.map(checked_defaults).transpose()?,
            sync_state: draft.sync_state,
            sync_assignee: draft.sync_assignee,
            comments: draft.comments,
        })
    }
}

/// Token and secret of a web hook.
pub(crate) fn new_hook() -> Result<(String, String), ApiError> {
    let hex = |bytes: [u8; 24]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok((hex(crate::random::bytes()?), hex(crate::random::bytes()?)))
}

fn checked_site(site: &str, allow: &AllowList) -> Result<String, ApiError> {
    let site = site.trim().trim_end_matches('/');
    let url = check_target(site, allow).map_err(|refused| ApiError::bad("site", refused.to_string()))?.url;
    if url.query().is_some() || site.contains('#') {
        return Err(ApiError::bad(
            "site",
            "must be the address of the site alone: https://example.atlassian.net",
        ));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn checked_email(email: &str, kind: Kind) -> Result<String, ApiError> {
    let email = email.trim();
    match kind {
        Kind::DataCenter => Ok(String::new()),
        Kind::Cloud if email.len() <= MAX_EMAIL_BYTES && email.parse::<Address>().is_ok() => {
            Ok(email.to_owned())
        }
        Kind::Cloud => Err(ApiError::bad("email", "must be the e-mail address of the account")),
    }
}

fn checked_token(token: &str) -> Result<String, ApiError> {
    let token = token.trim();
    if (1..=MAX_TOKEN_BYTES).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(token.to_owned());
    }
    Err(ApiError::bad("token", format!("must be 1 to {MAX_TOKEN_BYTES} visible ASCII characters")))
}

fn checked_defaults(given: JiraDefaults) -> Result<Defaults, ApiError> {
    let fields = checked_fields(given.fields, "defaults.fields")?;
    Ok(Defaults {
        project: checked_project(&given.project, "defaults.project")?,
        issue_type: checked_type(&given.issue_type, "defaults.issue_type")?,
        fields,
    })
}

/// The key of a Jira project: letters, digits and underscores (Jira's own default pattern, and what administrators make of it).
pub(crate) fn checked_project(key: &str, field: &'static str) -> Result<String, ApiError> {
    let key = key.trim();
    let is_key =
        (1..=255).contains(&key.len()) && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if is_key { Ok(key.to_owned()) } else { Err(ApiError::bad(field, "must be the key of a Jira project")) }
}

pub(crate) fn checked_type(id: &str, field: &'static str) -> Result<String, ApiError> {
    let is_id = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    if is_id { Ok(id.to_owned()) } else { Err(ApiError::bad(field, "must be the id of an issue type")) }
}

pub(crate) fn checked_fields(
    fields: BTreeMap<String, Value>,
    name: &'static str,
) -> Result<BTreeMap<String, Value>, ApiError> {
    let bytes: usize = fields.iter().map(|(id, value)| id.len() + value.to_string().len()).sum();
    if fields.len() > MAX_FIELDS || bytes > MAX_FIELDS_BYTES {
        let detail = format!("must be at most {MAX_FIELDS} fields of {MAX_FIELDS_BYTES} bytes together");
        return Err(ApiError::bad(name, detail));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(site: &str, token: Option<&str>) -> JiraDraft {
        JiraDraft {
            site: site.to_owned(),
            kind: JiraKind::Cloud,
            email: Some("bot@acme.example".to_owned()),
            token: token.map(str::to_owned),
            defaults: None,
            sync_state: true,
            sync_assignee: true,
            comments: false,
            version: None,
        }
    }

    fn checked(draft: JiraDraft, old: Option<&Settings>) -> Result<Settings, ApiError> {
        Settings::checked(draft, old, &AllowList::parse(&[]).unwrap())
    }

    #[test]
    fn a_token_does_not_follow_to_another_site_or_account() {
        let old = checked(draft("https://acme.atlassian.net/", Some("t0k3n")), None).unwrap();
        assert_eq!(old.site, "https://acme.atlassian.net");
        let kept = checked(draft("https://acme.atlassian.net", None), Some(&old)).unwrap();
        assert_eq!((kept.token.as_str(), &kept.hook_token), ("t0k3n", &old.hook_token));
        assert!(checked(draft("https://evil.example", None), Some(&old)).is_err());
        let other = JiraDraft { email: Some("eve@acme.example".to_owned()), ..draft(&old.site, None) };
        assert!(checked(other, Some(&old)).is_err());
    }

    #[test]
    fn what_is_no_site_is_refused() {
        for site in [
            "",
            "acme",
            "http://acme.atlassian.net",
            "https://10.0.0.1",
            "https://a.example/?x=1",
            "https://u:p@a.example",
        ] {
            assert!(checked(draft(site, Some("t")), None).is_err(), "{site}");
        }
        assert!(checked(draft("https://a.example/jira", Some("t")), None).is_ok());
        assert!(checked(draft("https://a.example", Some("a b")), None).is_err());
    }
}
