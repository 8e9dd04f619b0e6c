//! The committed OpenAPI document, from which the dashboard's client is generated, is the one that the code makes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use std::path::Path;

#[test]
fn the_committed_document_is_what_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard/openapi.json");
    let generated = playhead_query_api::openapi_json().unwrap();
    if std::env::var_os("PLAYHEAD_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "dashboard/openapi.json is stale: run `PLAYHEAD_WRITE_OPENAPI=1 cargo test -p playhead-query-api --test openapi`"
    );
}

#[test]
fn the_document_is_openapi_3_1_and_names_every_operation_once() {
    let document: serde_json::Value =
        serde_json::from_str(&playhead_query_api::openapi_json().unwrap()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut names: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), all >= 18), (all, true));
}
