//! 500 uploads of 1 MB at once to one gateway: its memory stays bounded, what does not fit is refused for now, nothing acknowledged
//! is lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::memory::of_process;
use super::scene::{SETTLE, Scene};
use crate::browser::Browser;
use crate::delivery::{Delivered, Target, deliver};
use crate::verify::settle;
use crate::witness::Witness;

const UPLOADS: usize = 500;
/// Random bytes in a batch, as hex digits: deflated quickly they make a body of 1 MB, somewhat less than the limit of 1 MiB.
const PADDING_BYTES: usize = 583_000;
const PATIENCE: Duration = Duration::from_secs(600);
const MIB: f64 = 1_048_576.0;

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let witness = Arc::new(Witness::default());
    let target = Target {
        client: reqwest::Client::builder().timeout(Duration::from_secs(120)).build()?,
        gateways: scene.fleet.gateway_urls().into(),
        public_key: scene.project.public_key.clone(),
        pause: Duration::ZERO,
        padding_bytes: PADDING_BYTES,
        patience: PATIENCE,
        witness: witness.clone(),
    };
    let template = Browser::new(&mut scene.random, PADDING_BYTES).next_batch()?;
    let body_bytes = template.body(&target.public_key)?.len();
    let pid = scene.fleet.gateways[0].pid();
    let idle = of_process(pid, "VmHWM:").unwrap_or_default();
    scene.verdict.inject(format!("{UPLOADS} uploads of {body_bytes} bytes at once"));
    let begun = Instant::now();
    let uploads = (0..UPLOADS).map(|_| {
        let (target, (session, stream, batch)) = (target.clone(), template.for_another_session());
        tokio::spawn(async move {
            let mut told = Delivered { session, stream, ..Delivered::default() };
            match deliver(&target, &batch, &mut 0).await {
                Ok(attempts) => (told.attempts, told.batches) = (attempts, 1),
                Err(error) => told.trouble = Some(format!("{error:#}")),
            }
            told
        })
    });
    let mut delivered = Vec::new();
    for upload in uploads.collect::<Vec<_>>() {
        delivered.push(upload.await?);
    }
    let took_s = begun.elapsed().as_secs_f64();
    let peak = of_process(pid, "VmHWM:").unwrap_or_default();
    scene.verdict.figure(
        "uploads",
        json!({"body_bytes": body_bytes, "took_s": took_s, "mb_per_s": (UPLOADS * body_bytes) as f64 / 1e6 / took_s,
            "refused_for_now": witness.count("429"), "load": witness.report()}),
    );
    scene.verdict.figure("gateway_mib", json!({"idle": (idle / MIB).round(), "peak": (peak / MIB).round()}));
    scene.verdict.check("the gateway's peak is known", peak > 0.0, peak);
    scene.verdict.bound("gateway_peak_mib", peak / MIB, 256.0);
    // A refusal before the body was read may reach the sender as a cut connection; it sends again either way.
    let failed = witness.count("500");
    scene.verdict.check("no upload fails inside", failed == 0, failed);
    settle(&scene.reader(), &delivered, SETTLE * 3).await;
    scene.check_delivered(&delivered).await
}
