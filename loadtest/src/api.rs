//! The public API, as any other program would use it.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// For how long a reader is sent away before it says so.
const COME_BACK_FOR: Duration = Duration::from_secs(15);

/// A project's credentials.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Project {
    pub(crate) project_id: String,
    pub(crate) public_key: String,
    pub(crate) secret_key: String,
}

/// Makes a project with the administrator's token.
pub(crate) async fn create_project(
    client: &reqwest::Client,
    url: &str,
    token: &str,
) -> anyhow::Result<Project> {
    let request = client.post(format!("{url}/api/v1/projects")).bearer_auth(token);
    let answer = request.json(&serde_json::json!({"name": "load"})).send().await?;
    if answer.status().as_u16() != 201 {
        bail!("creating a project answered {}: {}", answer.status(), answer.text().await?);
    }
    Ok(answer.json().await?)
}

/// Reads through a project's secret key.
pub(crate) struct Reader {
    pub(crate) client: reqwest::Client,
    pub(crate) url: String,
    pub(crate) project: Project,
}

impl Reader {
    /// Anything under the project.
    pub(crate) async fn json(&self, path: &str) -> anyhow::Result<Value> {
        let text = self.text(&format!("/api/v1/projects/{}{path}", self.project.project_id)).await?;
        serde_json::from_str(&text).with_context(|| format!("{path} is not JSON"))
    }

    /// The body at an absolute path.
    async fn text(&self, path: &str) -> anyhow::Result<String> {
        self.text_if_there(path).await?.with_context(|| format!("{path} is not there"))
    }

    /// Asks, and comes back as it is told, as the dashboard does: a store that collects garbage is no difference.
    async fn get(&self, path: &str) -> anyhow::Result<reqwest::Response> {
        let begun = Instant::now();
        loop {
            let request =
                self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.project.secret_key);
            let answer = request.send().await?;
            let comes_back = answer.status().as_u16() == 503 && answer.headers().contains_key("retry-after");
            if !comes_back || begun.elapsed() > COME_BACK_FOR {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// The body at an absolute path, or `None` where nothing is.
    pub(crate) async fn text_if_there(&self, path: &str) -> anyhow::Result<Option<String>> {
        let answer = self.get(path).await?;
        if answer.status().as_u16() == 404 {
            return Ok(None);
        }
        if !answer.status().is_success() {
            bail!("{path} answered {}: {}", answer.status(), answer.text().await?);
        }
        if let Some(gap) = answer.headers().get("x-playhead-gap") {
            bail!("{path} has a gap: {}", gap.to_str().unwrap_or("?"));
        }
        Ok(Some(answer.text().await?))
    }

    /// Every item of a paged list.
    pub(crate) async fn all(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        self.each(path, |item| items.push(item)).await?;
        Ok(items)
    }

    /// Tells every item of a paged list, which may be longer than memory.
    pub(crate) async fn each(&self, path: &str, mut tell: impl FnMut(Value)) -> anyhow::Result<()> {
        let mut cursor = None::<String>;
        loop {
            let mut page = match &cursor {
                Some(cursor) => self.json(&format!("{path}&cursor={cursor}")).await?,
                None => self.json(path).await?,
            };
            let items = page["items"].as_array_mut().context("no items")?;
            items.drain(..).for_each(&mut tell);
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(()),
            }
        }
    }
}
