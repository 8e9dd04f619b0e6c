//! What commands do over the API of a running installation have in common: where it is, whose token, and what it answers.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

use crate::installation;

/// Which project of which installation, and by which right.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// Project id.
    #[arg(long, value_name = "ID")]
    project: String,
    /// Where the installation's API is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7700")]
    url: Url,
    /// The administrator's token, or a secret key of the project.
    #[arg(long, value_name = "TOKEN", env = "PLAYHEAD_ADMIN_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Data folder of `playhead up`, which has the administrator's token.
    #[arg(long, value_name = "DIR", default_value = "playhead-data")]
    data: PathBuf,
}

/// A project over the API.
pub(crate) struct Remote {
    client: Client,
    /// Of the project, with a slash at the end.
    project: Url,
    token: String,
}

impl Remote {
    /// # Errors
    /// There is no token, or the address is none.
    pub(crate) fn new(of: Of, timeout: Duration) -> anyhow::Result<Self> {
        let token = match of.token {
            Some(token) => token,
            None => installation::stored_admin_token(&of.data).with_context(|| {
                format!("set PLAYHEAD_ADMIN_TOKEN or --token; {} has no token", of.data.display())
            })?,
        };
        let path = format!("api/v1/projects/{}/", of.project);
        let project = of.url.join(&path).with_context(|| format!("{} is not an address", of.url))?;
        Ok(Self { client: Client::builder().timeout(timeout).build()?, project, token })
    }

    /// A request under the project.
    ///
    /// # Errors
    /// `path` makes no address.
    pub(crate) fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        Ok(self.client.request(method, self.project.join(path)?).bearer_auth(&self.token))
    }
}

/// The answer, if it is good; else what the problem says.
///
/// # Errors
/// The API does not answer, or refuses.
pub(crate) fn answered(response: reqwest::Result<Response>) -> anyhow::Result<Response> {
    let response = response.context("the API does not answer")?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let problem: Value = response.json().unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or("no reason given");
    match status {
        StatusCode::UNAUTHORIZED => bail!("the token is not accepted: {detail}"),
        _ => bail!("{status}: {detail}"),
    }
}
