//! A log that was lost is followed by another generation of it, as the runbook says.

use std::time::Duration;

use crate::metrics::metrics;
use crate::product::Product;

async fn send_and_see(product: &Product, seq: u32) {
    assert_eq!(product.send_batch(seq, "").await, 202);
    while metrics(product).await.get("playhead_processor_visible_after_seconds_count") != Some(&1.0) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_in_the_next_generation_which_may_have_other_partitions() {
    let folder = tempfile::tempdir().unwrap();
    let product = Product::start(folder.path(), &[]).await;
    send_and_see(&product, 0).await;
    product.stop().await;
    std::fs::remove_dir_all(folder.path().join("data/log")).unwrap();
    let next = [("PLAYHEAD_BATCHES__GENERATION", "1"), ("PLAYHEAD_BATCHES__PARTITIONS", "7")];
    let product = Product::start(folder.path(), &next).await;
    send_and_see(&product, 1).await;
    assert_eq!(metrics(&product).await["playhead_processor_lost_partitions_total"], 0.0);
    let text = product.stop().await;
    assert!(!text.contains("expired in the log") && !text.contains("ahead of the partition"), "{text}");
}
