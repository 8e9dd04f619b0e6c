//! SIGTERM to each role under load: readiness goes first, requests under way are answered, nothing is lost.

use std::time::{Duration, Instant};

use anyhow::Context;
use rand::Rng;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::scene::Scene;
use crate::browser::Browser;
use crate::installation::fleet::READY_LIMIT;
use crate::installation::member::Member;
use crate::installation::stage::ADMIN_TOKEN;
use crate::load::Load;

const END_LIMIT: Duration = Duration::from_secs(60);
const OWNED_LIMIT: Duration = Duration::from_secs(90);
/// How long a request is under way when the signal comes, and how long after.
const HALF_WAY: Duration = Duration::from_millis(700);

/// What a stop looked like from outside.
struct Seen {
    /// From the signal to the first readiness that said no.
    unready_after: Option<Duration>,
    /// Whether it could not be reached before it had said no.
    unreachable_first: bool,
    ended_after: Duration,
}

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let load = Load::start(scene.plan());
    tokio::time::sleep(Duration::from_secs(3)).await;
    stop_gateway(scene).await?;
    tokio::time::sleep(scene.time / 3).await;
    stop_query_api(scene).await?;
    tokio::time::sleep(scene.time / 3).await;
    stop_processor(scene).await?;
    tokio::time::sleep(scene.time / 3).await;
    scene.check_all(load).await?;
    Ok(())
}

async fn stop_gateway(scene: &mut Scene) -> anyhow::Result<()> {
    let gateway = scene.fleet.gateways.remove(0);
    let head = format!(
        "POST /v1/batches HTTP/1.1\r\nhost: {}\r\ncontent-type: text/plain\r\n",
        gateway.recipe.listen
    );
    // The session of this batch is not of the load: it goes to a project of its own.
    let other = Scene::new_project(&scene.client, &scene.fleet).await?;
    let body = Browser::new(&mut scene.random, 20_000).next_batch()?.body(&other.public_key)?;
    let mut again = gateway.recipe.clone();
    let answers = stop(scene, gateway, "gateway", &head, &body).await?;
    check_answer(scene, "gateway", &answers, &[202, 503]);
    again.name.push_str("-again");
    let mut again = again.start()?;
    again.wait_until_ready(&scene.client, READY_LIMIT).await?;
    scene.fleet.gateways.insert(0, again);
    Ok(())
}

async fn stop_query_api(scene: &mut Scene) -> anyhow::Result<()> {
    let recipe = scene.fleet.query_api.recipe.clone();
    let mut next = recipe.clone();
    next.name.push_str("-again");
    next.listen = crate::installation::stage::free_address()?;
    next.arguments = next
        .arguments
        .iter()
        .map(|argument| if *argument == recipe.listen { next.listen.clone() } else { argument.clone() })
        .collect();
    let mut next = next.start()?;
    next.wait_until_ready(&scene.client, READY_LIMIT).await?;
    let stopped = std::mem::replace(&mut scene.fleet.query_api, next);
    let head = format!(
        "POST /api/v1/projects HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nauthorization: Bearer {ADMIN_TOKEN}\r\n",
        recipe.listen
    );
    let answers = stop(scene, stopped, "query-api", &head, br#"{"name":"made while it stops"}"#).await?;
    check_answer(scene, "query-api", &answers, &[201]);
    Ok(())
}

async fn stop_processor(scene: &mut Scene) -> anyhow::Result<()> {
    let index = scene.random.random_range(0..scene.fleet.processors.len());
    let processor = scene.fleet.take_processor(index);
    scene.verdict.inject(format!("SIGTERM to {}", processor.name()));
    let (seen, owned) =
        tokio::join!(watch_end(scene.client.clone(), processor), scene.fleet.wait_until_owned(OWNED_LIMIT));
    let (seen, owned) = (seen?, owned?);
    tell(scene, "stream-processor", &seen);
    scene.verdict.bound("taken_over_after_s", owned.as_secs_f64(), 3.0);
    Ok(())
}

fn check_answer(scene: &mut Scene, role: &str, answer: &str, good: &[u16]) {
    let status = answer.split(' ').nth(1).and_then(|word| word.parse::<u16>().ok());
    let met = status.is_some_and(|status| good.contains(&status));
    let first = answer.lines().next().unwrap_or("nothing");
    scene.verdict.check(&format!("{role}: a request under way is answered"), met, first);
}

/// SIGTERM while a request is half sent; gives the answer to it.
async fn stop(
    scene: &mut Scene,
    member: Member,
    role: &str,
    head: &str,
    body: &[u8],
) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(&member.recipe.listen).await.context("no connection")?;
    let head = format!("{head}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let (first, rest) = body.split_at(body.len() / 2);
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(first).await?;
    tokio::time::sleep(HALF_WAY).await;
    scene.verdict.inject(format!("SIGTERM to {}", member.name()));
    let ending = tokio::spawn(watch_end(scene.client.clone(), member));
    tokio::time::sleep(HALF_WAY).await;
    let mut answer = Vec::new();
    let sent = stream.write_all(rest).await;
    let read = stream.read_to_end(&mut answer).await;
    let answer = match sent.and(read.map(drop)) {
        Ok(()) => String::from_utf8_lossy(&answer).into_owned(),
        Err(error) if answer.is_empty() => error.to_string(),
        Err(_) => String::from_utf8_lossy(&answer).into_owned(),
    };
    tell(scene, role, &ending.await??);
    Ok(answer)
}

/// Signals, then asks for readiness until it ends.
async fn watch_end(client: reqwest::Client, member: Member) -> anyhow::Result<Seen> {
    let url = format!("{}/readyz", member.url());
    let begun = Instant::now();
    member.ask_to_end()?;
    let watch = tokio::spawn(async move {
        let (mut unready, mut unreachable_first) = (None, false);
        while unready.is_none() && !unreachable_first && begun.elapsed() < END_LIMIT {
            match client.get(&url).timeout(Duration::from_secs(2)).send().await {
                Ok(answer) if answer.status().as_u16() == 503 => unready = Some(begun.elapsed()),
                Ok(_) => {}
                Err(_) => unreachable_first = true,
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        (unready, unreachable_first)
    });
    let ended_after = member.wait_for_end(END_LIMIT).await?;
    let (unready_after, unreachable_first) = watch.await?;
    Ok(Seen { unready_after, unreachable_first, ended_after })
}

fn tell(scene: &mut Scene, role: &str, seen: &Seen) {
    let unready_ms = seen.unready_after.map(|after| after.as_secs_f64() * 1e3);
    let detail: Value =
        json!({"not_ready_after_ms": unready_ms, "ended_after_s": seen.ended_after.as_secs_f64()});
    scene.verdict.figure(&format!("stop_of_{role}"), detail.clone());
    let first = seen.unready_after.is_some() && !seen.unreachable_first;
    scene.verdict.check(&format!("{role}: readiness goes before the door closes"), first, detail);
}
