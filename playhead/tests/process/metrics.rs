//! Everything that the runbook tells about is in `/metrics`, and has values once a batch went through.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::product::Product;

/// The values of `/metrics` by name and labels.
pub(crate) async fn metrics(product: &Product) -> BTreeMap<String, f64> {
    let (status, text) = product.send("GET", "/metrics", "", "").await;
    assert_eq!(status, 200);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_seen_in_every_metric_of_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let product = Product::start(folder.path(), &[]).await;
    assert_eq!(product.send_batch(0, "").await, 202);
    assert_eq!(product.send("POST", "/v1/batches", "", "x").await.0, 400);
    let seen = [
        "playhead_gateway_batches_accepted_total",
        "playhead_gateway_accepted_bytes_total",
        r#"playhead_gateway_refused_total{code="bad-header"}"#,
        "playhead_gateway_append_seconds_count",
        "playhead_processor_records_total",
        "playhead_processor_flush_seconds_count",
        "playhead_processor_visible_after_seconds_count",
        "playhead_processor_freshness_seconds_count",
        "playhead_processor_session_cache_bytes",
        r#"playhead_store_request_seconds_count{operation="write"}"#,
        r#"playhead_store_request_seconds_count{operation="compare_and_set"}"#,
    ];
    // Nothing is behind in the end, which is told of every partition.
    let gauges = ["lag_records", "lag_seconds", "flush_age_seconds"];
    let name = |gauge, partition| format!("playhead_processor_{gauge}{{partition=\"{partition}\"}}");
    let zero: Vec<String> =
        gauges.iter().flat_map(|gauge| (0..4).map(move |partition| name(gauge, partition))).collect();
    let mut values = metrics(&product).await;
    while !seen.iter().all(|name| values.get(*name).is_some_and(|value| *value > 0.0))
        || !zero.iter().all(|name| values.get(name) == Some(&0.0))
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
        values = metrics(&product).await;
    }
    for name in [
        "playhead_gateway_bytes_under_way",
        "playhead_processor_waiting_bytes",
        r#"playhead_store_errors_total{operation="write"}"#,
        r#"playhead_blob_errors_total{operation="put"}"#,
        r#"playhead_blob_request_seconds_count{operation="put"}"#,
    ] {
        assert!(values.contains_key(name), "{name}");
    }
    product.stop().await;
}
