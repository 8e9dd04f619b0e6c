//! Query-apis, which evaluate alerts and deliver them, are killed again and again while new issues come: each issue is told, and what is told
//! twice has one id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use rand::Rng;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::{JoinHandle, JoinSet};

use super::scene::Scene;
use super::verdict::quantile;
use crate::browser::{hex, now_ms};
use crate::delivery::post;
use crate::installation::fleet::READY_LIMIT;
use crate::installation::stage::ADMIN_TOKEN;

/// A project sends up to 750 messages an hour that are not of high priority.
const BETWEEN_ISSUES: Duration = Duration::from_millis(400);
const MOST_ISSUES: usize = 600;
/// A lease of a killed process, what was refused for now, and a busy machine.
const TOLD_LIMIT: Duration = Duration::from_secs(120);
/// Leases of the dead end, and what they held is tried again.
const TAKEN_OVER_AFTER: Duration = Duration::from_secs(40);
const ATTEMPTS_LIMIT: Duration = Duration::from_secs(60);
/// Answers that come late: their sender may be dead by then, and what it sent is sent again.
const LATE_EVERY: usize = 3;
const LATE: Duration = Duration::from_millis(1_500);
/// Messages that are refused for now.
const REFUSED_EVERY: usize = 11;

pub(super) fn settings() -> Vec<(&'static str, String)> {
    vec![("PLAYHEAD_QUERY_API__OUTBOUND_ALLOW", "[\"127.0.0.1\"]".to_owned())]
}

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let hook = Hook::start().await?;
    let mut second = scene.fleet.stage.recipe("query-api", "query-api-2")?.start()?;
    second.wait_until_ready(&scene.client, READY_LIMIT).await?;
    tell_the_hook_of_new_issues(scene, &hook).await?;

    let is_over = Arc::new(AtomicBool::new(false));
    let mut errors = JoinSet::new();
    errors.spawn(send_errors(
        scene.client.clone(),
        scene.fleet.gateway_urls(),
        scene.project.public_key.clone(),
        is_over.clone(),
    ));
    let begun = Instant::now();
    let (mut kills, mut sent) = (0, None);
    while begun.elapsed() < scene.time {
        tokio::time::sleep(Duration::from_millis(scene.random.random_range(1_000..6_000))).await;
        // One of the two: the other may take over, or the lease of the dead waits for it to come back.
        let victim = if scene.random.random_bool(0.5) { &mut scene.fleet.query_api } else { &mut second };
        scene.verdict.inject(format!("kill -9 {}", victim.name()));
        victim.kill_and_start().await?;
        kills += 1;
        // All were sent: further kills would meet nothing.
        sent = errors.try_join_next();
        if sent.is_some() {
            break;
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let sent = if sent.is_some() { sent } else { errors.join_next().await };
    let acknowledged = sent.context("nobody sent errors")???;
    scene.fleet.query_api.wait_until_ready(&scene.client, READY_LIMIT).await?;
    second.wait_until_ready(&scene.client, READY_LIMIT).await?;
    let told = hook.wait_for(&acknowledged).await;
    judge(scene, &acknowledged, &told, kills);
    Ok(())
}

/// Sets up a channel and a rule, and waits until the rule tells.
async fn tell_the_hook_of_new_issues(scene: &Scene, hook: &Hook) -> anyhow::Result<()> {
    let settings = scene.reader().json("/alerts/settings").await?;
    let settings = json!({"version": settings["version"], "maintenance": [], "messages_per_hour": 1_000});
    change(scene, reqwest::Method::PUT, "settings", &settings).await?;
    let channel = json!({"name": "hook", "settings": {"kind": "webhook", "url": hook.url}});
    let channel = change(scene, reqwest::Method::POST, "channels", &channel).await?;
    let id = &channel["channel"]["id"];
    let rule = json!({"name": "new", "condition": {"kind": "new_issue"}, "channels": [id]});
    change(scene, reqwest::Method::POST, "rules", &rule).await?;
    let begun = Instant::now();
    for number in 0.. {
        let name = format!("Probe{}", letters(number));
        let body = error_body(&scene.project.public_key, &name)?;
        post(&scene.client, &scene.fleet.gateway_urls()[0], body).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        if !hook.told.lock().await.is_empty() {
            break;
        }
        if begun.elapsed() > TOLD_LIMIT {
            bail!("the rule tells nothing after {TOLD_LIMIT:?}");
        }
    }
    Ok(())
}

async fn change(scene: &Scene, method: reqwest::Method, path: &str, body: &Value) -> anyhow::Result<Value> {
    let (url, project) = (scene.fleet.query_api.url(), &scene.project.project_id);
    let request = scene.client.request(method, format!("{url}/api/v1/projects/{project}/alerts/{path}"));
    let answer = request.bearer_auth(ADMIN_TOKEN).json(body).send().await?;
    if !answer.status().is_success() {
        bail!("{path} answered {}: {}", answer.status(), answer.text().await?);
    }
    Ok(answer.json().await?)
}

/// One session after the other, each with an error that nobody saw before. Returns their types, and when they were acknowledged.
async fn send_errors(
    client: reqwest::Client,
    gateways: Vec<String>,
    public_key: String,
    is_over: Arc<AtomicBool>,
) -> anyhow::Result<BTreeMap<String, f64>> {
    let mut acknowledged = BTreeMap::new();
    for (number, gateway) in gateways.iter().cycle().take(MOST_ISSUES).enumerate() {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("Broken{}", letters(number));
        let (body, begun) = (error_body(&public_key, &name)?, Instant::now());
        while post(&client, gateway, body.clone()).await.status != Some(202) {
            if begun.elapsed() > ATTEMPTS_LIMIT {
                bail!("{name} was not acknowledged within {ATTEMPTS_LIMIT:?}");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        acknowledged.insert(name, now_ms());
        tokio::time::sleep(BETWEEN_ISSUES).await;
    }
    Ok(acknowledged)
}

/// A number without digits, which grouping would leave out: always four letters.
fn letters(number: usize) -> String {
    let letter = |place: u32| (b'a'..=b'z').nth(number / 26_usize.pow(place) % 26).map_or('a', char::from);
    (0..4).rev().map(letter).collect()
}

fn error_body(public_key: &str, error_type: &str) -> anyhow::Result<Vec<u8>> {
    let now = now_ms();
    let error =
        json!({"k": "error", "t": now, "type": error_type, "message": "it broke", "mechanism": "onerror"});
    let signals = format!("{error}\n");
    let header = json!({
        "v": 1, "key": public_key, "session": hex(&rand::rng().random::<[u8; 16]>()),
        "stream": hex(&rand::rng().random::<[u8; 8]>()), "seq": 0, "tab": 1, "sent": now, "from": now, "to": now,
        "signals": {"len": signals.len(), "raw": signals.len(), "enc": "none"},
        "rates": {"dom": 1, "dom_on_error": 1, "signals": 1}, "sampled": true,
    });
    Ok(format!("{header}\n{signals}").into_bytes())
}

/// A message as it came.
#[derive(Debug, Clone)]
struct Told {
    at_ms: f64,
    id: String,
    title: String,
    transition: String,
}

/// Somebody's web hook: notes everything, takes its time now and then, and refuses some for now.
struct Hook {
    url: String,
    told: Arc<Mutex<Vec<Told>>>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Taking {
    told: Arc<Mutex<Vec<Told>>>,
    number: Arc<AtomicUsize>,
}

impl Hook {
    async fn start() -> anyhow::Result<Self> {
        let listener =
            tokio::net::TcpListener::bind("127.0.0.1:0").await.context("no port for the web hook")?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let told = Arc::new(Mutex::default());
        let taking = Taking { told: told.clone(), number: Arc::default() };
        let router = axum::Router::new().route("/hook", axum::routing::post(take)).with_state(taking);
        let task = tokio::spawn(async move {
            // It ends with the scenario.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, told, task })
    }

    /// What was told once every one of these was, or the time is over.
    async fn wait_for(&self, acknowledged: &BTreeMap<String, f64>) -> Vec<Told> {
        let begun = Instant::now();
        loop {
            let told = self.told.lock().await.clone();
            let is_told = |name: &str| told.iter().any(|message| is_about(message, name));
            if acknowledged.keys().all(|name| is_told(name)) || begun.elapsed() > TOLD_LIMIT {
                // Who takes over from the last killed may tell something again.
                tokio::time::sleep(TAKEN_OVER_AFTER).await;
                return self.told.lock().await.clone();
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(taking): State<Taking>, headers: HeaderMap, body: String) -> StatusCode {
    let number = taking.number.fetch_add(1, Ordering::Relaxed);
    if number % REFUSED_EVERY == REFUSED_EVERY - 1 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let id = headers.get("idempotency-key").and_then(|id| id.to_str().ok());
    let message: Value = serde_json::from_str(&body).unwrap_or_default();
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    taking.told.lock().await.push(Told {
        at_ms: now_ms(),
        id: id.unwrap_or_default().to_owned(),
        title: text("title"),
        transition: text("transition"),
    });
    if number % LATE_EVERY == LATE_EVERY - 1 {
        tokio::time::sleep(LATE).await;
    }
    StatusCode::NO_CONTENT
}

fn is_about(message: &Told, name: &str) -> bool {
    message.transition == "triggered" && message.title.contains(name)
}

fn judge(scene: &mut Scene, acknowledged: &BTreeMap<String, f64>, told: &[Told], kills: usize) {
    let (mut missed, mut under_two_ids, mut waited_ms, mut repeated) = (vec![], vec![], vec![], 0);
    for (name, acknowledged_ms) in acknowledged {
        let messages: Vec<&Told> = told.iter().filter(|message| is_about(message, name)).collect();
        let ids: BTreeSet<&str> = messages.iter().map(|message| message.id.as_str()).collect();
        match messages.first() {
            None => missed.push(name.clone()),
            Some(first) => waited_ms.push(first.at_ms - acknowledged_ms),
        }
        if ids.len() > 1 || ids.contains("") {
            under_two_ids.push(format!("{name}: {ids:?}"));
        }
        repeated += messages.len().saturating_sub(1);
    }
    let verdict = &mut scene.verdict;
    verdict.check("there were new issues and kills", acknowledged.len() > 5 && kills > 1, acknowledged.len());
    verdict.check_none("every new issue was told", &missed);
    verdict.check_none("what was told again had the same id", &under_two_ids);
    let waited = |share| quantile(waited_ms.clone(), share).map(f64::round);
    verdict.figure("kills", kills);
    verdict.figure("new_issues", acknowledged.len());
    verdict.figure("told_again", repeated);
    verdict.figure("told_after_ms", json!({"p50": waited(0.5), "p95": waited(0.95), "max": waited(1.0)}));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_names_of_their_own() {
        let names: BTreeSet<String> = (0..MOST_ISSUES).map(letters).collect();
        assert_eq!((names.len(), letters(27).as_str()), (MOST_ISSUES, "aabb"));
        assert!(names.iter().all(|name| name.len() == 4));
    }
}
