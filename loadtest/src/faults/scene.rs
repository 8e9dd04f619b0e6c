//! A scenario under way: the fleet, the project that is pressed, and what is found.

use std::time::Duration;

use anyhow::bail;
use rand::rngs::StdRng;
use serde_json::json;

use super::verdict::Verdict;
use crate::api::{Project, Reader, create_project};
use crate::delivery::Delivered;
use crate::installation::fleet::Fleet;
use crate::installation::services::Services;
use crate::installation::stage::ADMIN_TOKEN;
use crate::load::{Load, Plan};
use crate::verify::{compare, settle};

/// How long the read model may take to catch up after all faults are over.
pub(crate) const SETTLE: Duration = Duration::from_secs(180);
/// What every scenario is about.
pub(crate) const WHOLE: &str = "nothing acknowledged is lost or doubled, every recording plays whole";
const KNOWN_LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Scene {
    pub(crate) services: Services,
    pub(crate) fleet: Fleet,
    pub(crate) client: reqwest::Client,
    pub(crate) project: Project,
    pub(crate) random: StdRng,
    pub(crate) verdict: Verdict,
    /// How long to inject faults.
    pub(crate) time: Duration,
}

impl Scene {
    /// A project that every gateway knows.
    pub(crate) async fn new_project(client: &reqwest::Client, fleet: &Fleet) -> anyhow::Result<Project> {
        let project = create_project(client, &fleet.query_api.url(), ADMIN_TOKEN).await?;
        for gateway in fleet.gateway_urls() {
            wait_until_known(client, &gateway, &project).await?;
        }
        Ok(project)
    }

    pub(crate) fn reader(&self) -> Reader {
        self.reader_of(&self.project)
    }

    pub(crate) fn reader_of(&self, project: &Project) -> Reader {
        Reader { client: self.client.clone(), url: self.fleet.query_api.url(), project: project.clone() }
    }

    /// The usual load on the scene's project.
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            seed: self.verdict.seed,
            ..Plan::new(&self.client, &self.fleet.gateway_urls(), &self.project.public_key)
        }
    }

    /// Ends the load and checks that everything acknowledged is there once and plays.
    pub(crate) async fn check_all(&mut self, load: Load) -> anyhow::Result<Vec<Delivered>> {
        let witness = load.witness.clone();
        let delivered = load.finish().await?;
        self.verdict.figure("load", witness.report());
        let settled = settle(&self.reader(), &delivered, SETTLE).await;
        self.verdict.figure("settled_after_s", settled.as_secs_f64());
        self.check_delivered(&delivered).await?;
        Ok(delivered)
    }

    /// Compares the read model of the scene's project with what was acknowledged to its browsers.
    pub(crate) async fn check_delivered(&mut self, delivered: &[Delivered]) -> anyhow::Result<()> {
        self.tell_delivered(delivered);
        let differences = compare(&self.reader(), delivered).await?;
        self.verdict.check_none(WHOLE, &differences);
        let letters = self.reader().all("/dead-letters?limit=100").await?;
        let letters: Vec<String> = letters.iter().map(ToString::to_string).collect();
        self.verdict.check_none("there are no dead letters", &letters);
        Ok(())
    }

    pub(crate) fn tell_delivered(&mut self, delivered: &[Delivered]) {
        let total = |count: fn(&Delivered) -> u64| delivered.iter().map(count).sum::<u64>();
        let batches = total(|told| told.batches);
        self.verdict.figure(
            "delivered",
            json!({"sessions": delivered.len(), "batches_acknowledged": batches,
                "attempts": total(|told| told.attempts), "repeated_on_purpose": total(|told| told.repeated)}),
        );
        self.verdict.check("there was load", batches > 0, batches);
    }
}

/// Gateways hear of new projects through the log.
async fn wait_until_known(client: &reqwest::Client, gateway: &str, project: &Project) -> anyhow::Result<()> {
    let body = format!(
        "{{\"key\":\"{}\",\"session\":\"{:032x}\",\"stream\":\"{:016x}\"}}",
        project.public_key, 1, 1
    );
    let begun = std::time::Instant::now();
    loop {
        let request = client.post(format!("{gateway}/v1/sessions")).header("content-type", "text/plain");
        let last = match request.body(body.clone()).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => format!("{} {}", answer.status(), answer.text().await.unwrap_or_default()),
            Err(error) => error.to_string(),
        };
        if begun.elapsed() > KNOWN_LIMIT {
            bail!("{gateway} does not know the new project after {KNOWN_LIMIT:?}: {last}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
