//! Sending batches as the SDK does: again and again until the server says that it has them.

use std::time::Duration;

use anyhow::bail;
use rand::Rng;

use crate::browser::{Batch, Browser, now_ms};

/// How one browser went.
pub(crate) struct Delivered {
    pub(crate) session: String,
    pub(crate) stream: String,
    /// Every batch below this was acknowledged.
    pub(crate) batches: u64,
    pub(crate) attempts: u64,
    /// Batches that were sent again after they had been acknowledged.
    pub(crate) repeated: u64,
}

/// Where to send, and until when.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) client: reqwest::Client,
    pub(crate) url: String,
    pub(crate) public_key: String,
    /// No new batch is made after this; what is made is still delivered.
    pub(crate) until_ms: f64,
    pub(crate) pause: Duration,
}

/// Runs one browser until its time is over and all its batches are acknowledged.
pub(crate) async fn run_browser(target: Target) -> anyhow::Result<Delivered> {
    let mut browser = Browser::new();
    let (mut attempts, mut repeated) = (0, 0);
    while now_ms() < target.until_ms {
        let batch = browser.next_batch()?;
        attempts += deliver(&target, &batch).await?;
        if rand::rng().random_bool(0.05) {
            attempts += deliver(&target, &batch).await?;
            repeated += 1;
        }
        let pause = target.pause.mul_f64(rand::rng().random_range(0.5..1.5));
        tokio::time::sleep(pause).await;
    }
    Ok(Delivered {
        batches: browser.batches(),
        session: browser.session,
        stream: browser.stream,
        attempts,
        repeated,
    })
}

/// Sends one batch until it is acknowledged; returns the number of attempts.
async fn deliver(target: &Target, batch: &Batch) -> anyhow::Result<u64> {
    let give_up_ms = now_ms() + 120_000.0;
    let mut wait = Duration::from_millis(20);
    for attempt in 1.. {
        let request =
            target.client.post(format!("{}/v1/batches", target.url)).header("content-type", "text/plain");
        match request.body(batch.body(&target.public_key)?).send().await {
            Ok(answer) if answer.status().as_u16() == 202 => return Ok(attempt),
            Ok(answer)
                if answer.status().is_client_error() && ![408, 429].contains(&answer.status().as_u16()) =>
            {
                bail!("batch {} was refused: {} {}", batch.seq, answer.status(), answer.text().await?)
            }
            // Unreachable, refused for now, or cut off before the answer: nobody knows, so send it again.
            Ok(_) | Err(_) => {}
        }
        if now_ms() > give_up_ms {
            bail!("batch {} was not acknowledged within two minutes", batch.seq);
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_millis(400));
    }
    Ok(0)
}
