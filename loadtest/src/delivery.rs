//! Sending batches as the SDK does: again and again until the server says that it has them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use rand::Rng;
use rand::rngs::StdRng;

use crate::browser::{Batch, Browser, now_ms};
use crate::witness::{Answer, Witness};

/// How one browser went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delivered {
    pub(crate) session: String,
    pub(crate) stream: String,
    /// Every batch below this was acknowledged.
    pub(crate) batches: u64,
    pub(crate) attempts: u64,
    /// Batches that were sent again after they had been acknowledged.
    pub(crate) repeated: u64,
    /// Why it ended before its time.
    pub(crate) trouble: Option<String>,
}

/// Where to send, and until when.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) client: reqwest::Client,
    /// A browser stays with one gateway until it fails, as behind a load balancer.
    pub(crate) gateways: Arc<[String]>,
    pub(crate) public_key: String,
    pub(crate) pause: Duration,
    pub(crate) padding_bytes: usize,
    /// How long one batch is sent again before it counts as refused.
    pub(crate) patience: Duration,
    pub(crate) witness: Arc<Witness>,
}

/// Runs one browser until its time is over and all its batches are acknowledged.
pub(crate) async fn run_browser(target: Target, until_ms: f64, mut random: StdRng) -> Delivered {
    let mut browser = Browser::new(&mut random, target.padding_bytes);
    let mut delivered = Delivered {
        session: browser.session.clone(),
        stream: browser.stream.clone(),
        ..Delivered::default()
    };
    if let Err(error) = press(&target, &mut browser, until_ms, &mut random, &mut delivered).await {
        delivered.trouble = Some(format!("{error:#}"));
    }
    target.witness.end(&delivered.session);
    delivered
}

async fn press(
    target: &Target,
    browser: &mut Browser,
    until_ms: f64,
    random: &mut StdRng,
    delivered: &mut Delivered,
) -> anyhow::Result<()> {
    let mut gateway = random.random_range(0..target.gateways.len());
    while now_ms() < until_ms && !target.witness.is_over() {
        let batch = browser.next_batch()?;
        delivered.attempts += deliver(target, &batch, &mut gateway).await?;
        delivered.batches = browser.batches();
        target.witness.acknowledge(delivered);
        if random.random_bool(0.05) {
            delivered.attempts += deliver(target, &batch, &mut gateway).await?;
            delivered.repeated += 1;
        }
        tokio::time::sleep(target.pause.mul_f64(random.random_range(0.5..1.5))).await;
    }
    Ok(())
}

/// Sends one batch until it is acknowledged; returns the number of attempts.
pub(crate) async fn deliver(target: &Target, batch: &Batch, gateway: &mut usize) -> anyhow::Result<u64> {
    let begun = Instant::now();
    let mut wait = Duration::from_millis(20);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let url = &target.gateways[*gateway % target.gateways.len()];
        let answer = post(&target.client, url, batch.body(&target.public_key)?).await;
        target.witness.see(&answer);
        match answer.status {
            Some(202) => return Ok(attempts),
            Some(status) if (400..500).contains(&status) && ![408, 429].contains(&status) => {
                bail!("batch {} was refused: {status} {}", batch.seq, answer.body)
            }
            // Unreachable, refused for now, or cut off before the answer: nobody knows, so send it again.
            Some(429) => {}
            Some(_) | None => *gateway += 1,
        }
        if begun.elapsed() > target.patience {
            bail!(
                "batch {} was not acknowledged within {:?}; last: {}",
                batch.seq,
                target.patience,
                answer.in_words()
            );
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_millis(400));
    }
}

/// One attempt.
pub(crate) async fn post(client: &reqwest::Client, gateway: &str, body: Vec<u8>) -> Answer {
    let (begun, begun_ms) = (Instant::now(), now_ms());
    let request = client.post(format!("{gateway}/v1/batches")).header("content-type", "text/plain");
    let mut answer = Answer { begun_ms, ..Answer::default() };
    match request.body(body).send().await {
        Ok(response) => {
            answer.status = Some(response.status().as_u16());
            answer.retry_after = response.headers().contains_key("retry-after");
            answer.body = response.text().await.unwrap_or_default();
        }
        Err(error) if error.is_timeout() => "timeout".clone_into(&mut answer.body),
        Err(error) if error.is_connect() => "no connection".clone_into(&mut answer.body),
        Err(_) => "cut off".clone_into(&mut answer.body),
    }
    answer.took = begun.elapsed();
    answer
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const BUSY: &str =
        "HTTP/1.1 429 Too Many\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    const AWAY: &str = "HTTP/1.1 503 Away\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    const TAKEN: &str = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    const BAD: &str = "HTTP/1.1 400 Bad\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbad";

    /// A gateway that gives these answers in turn, the last one for ever; an empty one cuts the connection.
    async fn gateway(answers: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for number in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let answer = answers[number.min(answers.len() - 1)];
                let mut buffer = vec![0; 1 << 16];
                let read = stream.read(&mut buffer).await.unwrap();
                assert!(read > 0);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        url
    }

    async fn target(gateways: &[String]) -> (Target, Batch) {
        let target = Target {
            client: reqwest::Client::new(),
            gateways: gateways.to_vec().into(),
            public_key: "phk_x".to_owned(),
            pause: Duration::from_millis(1),
            padding_bytes: 0,
            patience: Duration::from_secs(60),
            witness: Arc::default(),
        };
        let batch = Browser::new(&mut StdRng::seed_from_u64(1), 0).next_batch().unwrap();
        (target, batch)
    }

    #[tokio::test]
    async fn a_batch_goes_to_another_gateway_until_one_takes_it() {
        let (first, second) = (gateway(&[BUSY, AWAY]).await, gateway(&["", TAKEN]).await);
        let (target, batch) = target(&[first, second]).await;
        // Busy, away; then the second cuts it off, the first is away, and the second takes it.
        assert_eq!(deliver(&target, &batch, &mut 0).await.unwrap(), 5);
        let counts = ["429", "503", "cut off", "202"].map(|words| target.witness.count(words));
        assert_eq!(counts, [1, 2, 1, 1]);
    }

    #[tokio::test]
    async fn what_is_wrong_is_not_sent_again() {
        let (target, batch) = target(&[gateway(&[BAD]).await]).await;
        let error = deliver(&target, &batch, &mut 0).await.unwrap_err().to_string();
        assert!(error.contains("400 bad"), "{error}");
    }

    #[tokio::test]
    async fn a_browser_tells_what_was_acknowledged_and_why_it_stopped() {
        let (mut target, _) = target(&[gateway(&[TAKEN, TAKEN, TAKEN, TAKEN, AWAY]).await]).await;
        target.patience = Duration::from_millis(50);
        let told = run_browser(target.clone(), now_ms() + 60_000.0, StdRng::seed_from_u64(1)).await;
        assert!(told.batches > 0 && told.batches + told.repeated == 4, "{told:?}");
        assert!(told.trouble.unwrap().contains("503"));
        assert!(target.witness.under_way(0).is_empty());
    }
}
