//! The store or S3 is gone for a while: gateways go on, processors wait with bounded memory, readers are told which part is missing,
//! and afterwards everything catches up.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use super::memory::Memory;
use super::scene::{SETTLE, Scene};
use crate::api::Reader;
use crate::load::Load;
use crate::verify::settle;

/// What is taken away.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// As the services' script calls it.
    service: &'static str,
    /// As problems call it.
    name: &'static str,
    /// Whether lists and time lines are read without it.
    lists_without: bool,
}

pub(crate) const STORE: Part = Part { service: "cassandra", name: "store", lists_without: false };
pub(crate) const S3: Part = Part { service: "s3", name: "blobs", lists_without: true };

/// How it is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Connections are refused.
    Stopped,
    /// Connections stay and nothing is answered.
    Hangs,
}

const MEMORY_LIMIT_MIB: f64 = 512.0;
/// A reader's patience.
const ANSWER_LIMIT: Duration = Duration::from_secs(12);
/// How long the API may take to find out that a part is away.
const NOTICE: Duration = Duration::from_secs(8);

pub(crate) async fn play(scene: &mut Scene, part: Part, manner: Manner) -> anyhow::Result<()> {
    let load = Load::start(scene.plan());
    tokio::time::sleep(Duration::from_secs(6)).await;
    let session = readable_session(&scene.reader(), &load).await?;
    let (away, back) = match manner {
        Manner::Stopped => ("stop", "start"),
        Manner::Hangs => ("pause", "continue"),
    };
    let memory = Memory::watch(scene.fleet.pids());
    let before = load.witness.count("202");
    scene.services.call(away, &[part.service]).await?;
    let began = Instant::now();
    scene.verdict.inject(format!("{away} {}", part.service));
    tokio::time::sleep(NOTICE.min(scene.time / 2)).await;
    check_readers(scene, part, &session).await;
    tokio::time::sleep(scene.time.saturating_sub(began.elapsed())).await;
    let during = load.witness.count("202") - before;
    scene.services.call(back, &[part.service]).await?;
    let away_for = began.elapsed();
    scene.verdict.inject(format!("{back} {}", part.service));

    let waiting = load.witness.so_far();
    let caught_up = settle(&scene.reader(), &waiting, SETTLE.max(away_for)).await;
    tell(scene, &load, (before, during), away_for, caught_up);
    check_memory(scene, &memory);
    scene.check_all(load).await?;
    Ok(())
}

fn tell(
    scene: &mut Scene,
    load: &Load,
    (before, during): (u64, u64),
    away_for: Duration,
    caught_up: Duration,
) {
    let verdict = &mut scene.verdict;
    verdict.check(
        "gateways accept batches meanwhile",
        during > 0,
        json!({"before": before, "during": during}),
    );
    let refused = load.witness.count("5") + load.witness.count("timeout") + load.witness.count("cut off");
    verdict.check("gateways refuse none for it", refused == 0, refused);
    verdict.figure("away_s", away_for.as_secs_f64());
    verdict.figure("caught_up_after_s", caught_up.as_secs_f64());
    // What came in while it was away and while it caught up was processed in the time of catching up.
    let ratio = (away_for + caught_up).as_secs_f64() / caught_up.as_secs_f64().max(1e-3);
    verdict.figure("times_real_time", ratio);
    verdict.bound("catch_up_share_of_real_time", 1.0 / ratio, 0.2);
}

fn check_memory(scene: &mut Scene, memory: &Memory) {
    let peaks = memory.peaks_mib();
    let over = peaks.iter().filter(|(name, mib)| name.starts_with("processor") && **mib > MEMORY_LIMIT_MIB);
    let over: Vec<String> = over.map(|(name, mib)| format!("{name} had {mib} MiB")).collect();
    scene.verdict.figure("peak_memory_mib", json!(peaks));
    scene.verdict.check_none("processors stay within 512 MiB", &over);
}

/// A session that is there, with the address of a segment of its recording.
struct Known {
    id: String,
    segment: String,
}

async fn readable_session(reader: &Reader, load: &Load) -> anyhow::Result<Known> {
    for _ in 0..200 {
        for told in load.witness.so_far() {
            let Ok(manifest) = reader.json(&format!("/sessions/{}/replay", told.session)).await else {
                continue;
            };
            if let Some(segment) = manifest["streams"][0]["segments"][0]["href"].as_str() {
                return Ok(Known { id: told.session, segment: segment.to_owned() });
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("no session can be read before anything is taken away")
}

/// Asks everything that a page asks, while a part is away.
async fn check_readers(scene: &mut Scene, part: Part, known: &Known) {
    let project = format!("/api/v1/projects/{}", scene.project.project_id);
    let session = format!("{project}/sessions/{}", known.id);
    let asked = [
        ("list", format!("{project}/sessions?limit=50"), part.lists_without),
        ("session", session.clone(), part.lists_without),
        ("events", format!("{session}/events?limit=100"), part.lists_without),
        ("manifest", format!("{session}/replay"), part.lists_without),
        ("segment", known.segment.clone(), false),
    ];
    let mut wrong = Vec::new();
    let mut answers = serde_json::Map::new();
    for (name, path, works) in asked {
        match ask(scene, &path).await {
            Ok(answer) => {
                wrong.extend(answer.fault(works, part.name).map(|fault| format!("{name}: {fault}")));
                answers.insert(name.to_owned(), answer.told());
            }
            Err(error) => wrong.push(format!("{name}: {error:#}")),
        }
    }
    scene.verdict.figure("readers_meanwhile", answers);
    scene.verdict.check_none("readers are served, or told at once which part is away", &wrong);
}

struct Told {
    status: u16,
    kind: String,
    retry_after: bool,
    body: String,
    took: Duration,
}

impl Told {
    /// What is wrong with the answer, if anything is.
    fn fault(&self, works: bool, part: &str) -> Option<String> {
        if works {
            return (self.status != 200).then(|| format!("answered {} {}", self.status, self.body));
        }
        if self.status != 503 || !self.kind.starts_with("application/problem+json") {
            return Some(format!("answered {} as {} instead of a 503 problem", self.status, self.kind));
        }
        if !self.retry_after {
            return Some("the 503 does not say when to come back".to_owned());
        }
        let problem = serde_json::from_str::<Value>(&self.body).unwrap_or_default();
        (problem["part"] != part).then(|| format!("the problem does not name the part: {}", self.body))
    }

    fn told(&self) -> Value {
        let problem = serde_json::from_str::<Value>(&self.body).unwrap_or_default();
        json!({"status": self.status, "took_ms": self.took.as_millis() as u64, "detail": problem["detail"]})
    }
}

async fn ask(scene: &Scene, path: &str) -> anyhow::Result<Told> {
    let begun = Instant::now();
    let request = scene.client.get(format!("{}{path}", scene.fleet.query_api.url()));
    let request = request.bearer_auth(&scene.project.secret_key).timeout(ANSWER_LIMIT);
    let answer = request.send().await.with_context(|| format!("no answer within {ANSWER_LIMIT:?}"))?;
    let kind = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
    Ok(Told {
        status: answer.status().as_u16(),
        kind: kind.unwrap_or_default().to_owned(),
        retry_after: answer.headers().contains_key("retry-after"),
        body: answer.text().await?,
        took: begun.elapsed(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_the_part_or_is_at_fault() {
        let told = |status, kind: &str, body: &str| Told {
            status,
            kind: kind.to_owned(),
            retry_after: true,
            body: body.to_owned(),
            took: Duration::ZERO,
        };
        let problem = "application/problem+json";
        let good = told(503, problem, r#"{"part":"store"}"#);
        assert_eq!(good.fault(false, STORE.name), None);
        assert!(good.fault(false, S3.name).unwrap().contains("does not name"));
        assert!(good.fault(true, STORE.name).is_some());
        assert!(told(500, problem, "{}").fault(false, STORE.name).is_some());
        assert!(told(503, "text/html", "store").fault(false, STORE.name).is_some());
        assert_eq!(told(200, "application/json", "{}").fault(true, STORE.name), None);
    }
}
