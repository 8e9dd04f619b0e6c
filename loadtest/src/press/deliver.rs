//! A visit's batches on their way: one at a time, again and again until the server says that it has them.

use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::Rng;

use super::backoff::Backoff;
use super::connection::Answer;
use super::worker::{Shared, Visit};
use super::{News, Sample};
use crate::browser::now_ms;
use crate::ledger::What;

/// How often a delivery that waits looks whether everything is given up.
const LOOK: Duration = Duration::from_millis(200);

/// Sends what waits, in order, until nothing does.
pub(super) async fn deliver(shared: Rc<Shared>, visit: Rc<Visit>) {
    let mut backoff = Backoff::default();
    loop {
        let Some((index, due)) = visit.waiting.borrow_mut().pop_front() else { break };
        if shared.given_up.get() {
            // Never sent: the read model must not have it, so there is nothing to note.
            shared.tally.borrow_mut().unacknowledged += 1;
            continue;
        }
        send(&shared, &visit, index, due, &mut backoff).await;
        if index == 0 && shared.settings.job.scenario.visitors.open_sessions {
            open_session(&shared, &visit).await;
        }
    }
    visit.is_sending.set(false);
    shared.under_way.set(shared.under_way.get() - 1);
}

async fn send(shared: &Shared, visit: &Visit, index: usize, due: Instant, backoff: &mut Backoff) {
    loop {
        shared.tally.borrow_mut().attempts += 1;
        let outcome = attempt(shared, visit, index).await;
        if let Ok(answer) = &outcome {
            shared.tally.borrow_mut().attempt.record(answer.took);
        }
        let retry_after = match outcome {
            Ok(answer) if answer.status == 202 => {
                backoff.succeed();
                return acknowledged(shared, visit, index, due).await;
            }
            Ok(answer) => {
                *shared.tally.borrow_mut().refusals.entry(answer.status).or_default() += 1;
                if matches!(answer.status, 401 | 403) && visit.token.take().is_some() {
                    continue;
                }
                if answer.status < 500 && !matches!(answer.status, 408 | 429) {
                    return rejected(shared, visit, index, &answer);
                }
                answer.retry_after
            }
            Err(error) => {
                let mut tally = shared.tally.borrow_mut();
                tally.broken += 1;
                tally.complain(|| format!("an attempt had no answer: {error}"));
                None
            }
        };
        let wait = backoff.fail(retry_after, &mut *shared.random.borrow_mut());
        if !wait_unless_given_up(shared, wait).await {
            shared.tally.borrow_mut().unacknowledged += 1;
            return note(shared, What::Unknown, visit.visitor.number, index);
        }
    }
}

async fn attempt(shared: &Shared, visit: &Visit, index: usize) -> std::io::Result<Answer> {
    let recording = visit.recording(shared);
    let batch = &recording.batches[index];
    let now = now_ms();
    // The browser's clock stands at the recording's end when the visit begins: everything lies in the past, however fast it is sent.
    let clock_ms = visit.clock_ms.get().unwrap_or(now - recording.last_ms - 1.0);
    visit.clock_ms.set(Some(clock_ms));
    let body = visit.visitor.body(batch, index);
    let credential = match &*visit.token.borrow() {
        Some(token) => format!("\"token\":\"{token}\""),
        None => format!("\"key\":\"{}\"", shared.settings.job.public_keys[visit.visitor.project]),
    };
    let is_last = visit.visitor.ends && index + 1 == recording.batches.len();
    let header = visit.visitor.header(batch, &body, &credential, now - clock_ms, is_last);
    let pieces = [header.as_bytes(), body.signals, &body.signals_end, body.dom, &body.dom_end];
    visit.body_bytes.set(pieces.iter().map(|piece| piece.len() as u64).sum());
    shared.pool.post("/v1/batches", &headers(shared, visit), &pieces).await
}

/// What a browser sends along.
fn headers(shared: &Shared, visit: &Visit) -> String {
    let mut headers = "content-type: text/plain;charset=UTF-8\r\norigin: https://shop.example\r\n\
        user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"
        .to_owned();
    if shared.settings.job.scenario.visitors.own_addresses {
        let n = visit.visitor.number;
        headers.push_str(&format!(
            "x-forwarded-for: 100.{}.{}.{}\r\n",
            64 + (n >> 16) % 64,
            (n >> 8) & 255,
            n & 255
        ));
    }
    headers
}

async fn acknowledged(shared: &Shared, visit: &Visit, index: usize, due: Instant) {
    let visitor = &visit.visitor;
    let batch = &visit.recording(shared).batches[index];
    visit.custom_events.set(visit.custom_events.get() + batch.counts.custom_events + 1);
    {
        let mut tally = shared.tally.borrow_mut();
        tally.acknowledged += 1;
        tally.latency.record(due.elapsed());
        tally.events += batch.counts.events + 1 + u64::from(index == 0);
        tally.dom_events += u64::from(batch.dom_events);
        tally.acknowledged_bytes += visit.body_bytes.get();
    }
    note(shared, What::Acknowledged, visitor.number, index);
    if visitor.erase_after == Some(index) {
        let _ = shared.settings.news.send(News::Erase(visitor.number));
    }
    if visitor.erase_after.is_none() && shared.samples.get() > 0 {
        shared.samples.set(shared.samples.get() - 1);
        let (session, custom_events) = (visitor.session.clone(), visit.custom_events.get());
        let sample = Sample { session, project: visitor.project, custom_events, acknowledged_ms: now_ms() };
        let _ = shared.settings.news.send(News::Sample(sample));
    }
    let repeat_share = shared.settings.job.scenario.visitors.repeat_share;
    let again = repeat_share > 0.0 && shared.random.borrow_mut().random_bool(repeat_share.min(1.0));
    if again {
        shared.tally.borrow_mut().repeated += 1;
        // Whatever becomes of it: the batch was acknowledged.
        let _ = attempt(shared, visit, index).await;
    }
}

fn rejected(shared: &Shared, visit: &Visit, index: usize, answer: &Answer) {
    let mut tally = shared.tally.borrow_mut();
    tally.rejected += 1;
    tally.complain(|| {
        let name = &visit.recording(shared).name;
        format!(
            "batch {index} of {name} was refused: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        )
    });
    drop(tally);
    note(shared, What::Refused, visit.visitor.number, index);
}

async fn wait_unless_given_up(shared: &Shared, wait: Duration) -> bool {
    let end = Instant::now() + wait;
    while !shared.given_up.get() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        tokio::time::sleep(left.min(LOOK)).await;
    }
    false
}

/// Asks for a token, as the SDK does; without one the key goes on to serve.
async fn open_session(shared: &Shared, visit: &Visit) {
    let visitor = &visit.visitor;
    let key = &shared.settings.job.public_keys[visitor.project];
    let body = format!(
        "{{\"key\":\"{key}\",\"session\":\"{}\",\"stream\":\"{}\"}}",
        visitor.session, visitor.streams[0]
    );
    let answer = shared.pool.post("/v1/sessions", &headers(shared, visit), &[body.as_bytes()]).await;
    let Ok(answer) = answer else { return };
    if answer.status != 200 {
        *shared.tally.borrow_mut().refusals.entry(answer.status).or_default() += 1;
        return;
    }
    let read: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    *visit.token.borrow_mut() = read["token"].as_str().map(str::to_owned);
    shared.tally.borrow_mut().sessions_opened += 1;
}

fn note(shared: &Shared, what: What, visit: u64, batch: usize) {
    if let Err(error) = shared.ledger.borrow_mut().note(what, visit, batch) {
        shared.failure.borrow_mut().get_or_insert(error);
    }
}
