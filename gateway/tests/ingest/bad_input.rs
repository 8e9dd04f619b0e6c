//! Headers that are not what they should be: each refusal names the field.

use proptest::prelude::*;
use serde_json::json;

use crate::app::App;
use crate::batch::{batch, good};

#[tokio::test]
async fn a_bad_header_is_refused_by_field() {
    let app = App::start().await;
    let cases = [
        (b"not json\nabc".to_vec(), "bad-header", "header"),
        (b"[1]\nabc".to_vec(), "bad-header", "header"),
        (Vec::new(), "bad-header", "header"),
        (b"{\"v\":1".to_vec(), "bad-header", "header"),
        (vec![b' '; 5_000], "bad-header", "header"),
        (batch(json!({"padding": "x".repeat(4_096)})), "bad-header", "header"),
        (batch(json!({"v": 2})), "unknown-version", "v"),
        (batch(json!({"v": null})), "bad-header", "v"),
        (batch(json!({"session": "xyz"})), "bad-header", "session"),
        (batch(json!({"stream": null})), "bad-header", "stream"),
        (batch(json!({"seq": -1})), "bad-header", "seq"),
        (batch(json!({"seq": 1.5})), "bad-header", "seq"),
        (batch(json!({"from": "yesterday"})), "bad-header", "from"),
        (batch(json!({"signals": {"len": 9, "raw": 9}})), "wrong-length", "dom"),
        (batch(json!({"signals": {"len": 9_999, "raw": 9_999}})), "wrong-length", "signals"),
        (
            batch(json!({"signals": {"len": 3, "raw": 5_000_000, "enc": "deflate"}})),
            "wrong-length",
            "signals",
        ),
        (batch(json!({"dom": {"len": 2, "raw": 99_000_000, "enc": "deflate"}})), "wrong-length", "dom"),
        (batch(json!({"dom": {"len": 18_446_744_073_709_551_615_u64, "raw": 1}})), "wrong-length", "dom"),
        (batch(json!({"dom": {"len": 2, "raw": 2, "enc": "br"}})), "bad-header", "dom"),
        (batch(json!({"part": [2, 2]})), "bad-header", "part"),
        (batch(json!({"rates": {"dom": 7}})), "bad-header", "rates.dom"),
    ];
    let count = cases.len() as u64;
    for (body, code, field) in cases {
        let answer = app.post("/v1/batches", &body).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
        assert_eq!(answer.problem(), (400, code.into()), "{shown}");
        assert_eq!(answer.json()["field"], field, "{shown}");
    }
    assert!(app.stored().await.is_empty());
    assert_eq!(app.metric("playhead_gateway_refused_total", None), count);
}

#[tokio::test]
async fn the_problem_of_a_bad_header() {
    let app = App::start().await;
    let answer = app.post("/v1/batches", &batch(json!({"v": 2}))).await;
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "detail": "header field `v`: version 2 is unknown; this server reads version 1",
      "field": "v",
      "status": 400,
      "title": "The batch cannot be read",
      "type": "urn:playhead:problem:unknown-version"
    }
    "#);
}

#[tokio::test]
async fn a_body_that_ends_early_is_not_stored() {
    use tokio::io::AsyncWriteExt;
    let app = App::start().await;
    let body = good();
    let length = body.len().to_string();
    let mut stream = app.connect().await;
    stream
        .write_all(crate::app::head("POST", "/v1/batches", &[("content-length", &length)]).as_bytes())
        .await
        .unwrap();
    stream.write_all(&body[..body.len() - 1]).await.unwrap();
    crate::app::eventually(|| app.metric("playhead_gateway_bytes_under_way", None) > 0).await;
    drop(stream);
    crate::app::eventually(|| app.metric("playhead_gateway_requests_under_way", None) == 0).await;
    assert_eq!(app.metric("playhead_gateway_bytes_under_way", None), 0);
    assert!(app.stored().await.is_empty());
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let random = prop::collection::vec(any::<u8>(), 0..600);
    let damaged = (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, with)| {
        let mut body = good();
        let at = at.index(body.len());
        body[at] = with;
        body
    });
    let cut = any::<prop::sample::Index>().prop_map(|at| {
        let body = good();
        body[..at.index(body.len())].to_vec()
    });
    prop_oneof![random, damaged, cut]
}

#[test]
fn any_body_is_stored_untouched_or_refused_readably() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let app = runtime.block_on(App::start());
    let mut runner =
        proptest::test_runner::TestRunner::new(ProptestConfig { cases: 200, ..ProptestConfig::default() });
    runner
        .run(&any_body(), |body| {
            let answer = runtime.block_on(app.post("/v1/batches", &body));
            if answer.status == 202 {
                let stored = runtime.block_on(app.stored());
                prop_assert!(stored.iter().any(|record| record.value == body));
            } else {
                let (status, _) = answer.problem();
                prop_assert!(status == 400 || status == 401, "{status}");
            }
            prop_assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            Ok(())
        })
        .unwrap();
    assert_eq!(app.metric("playhead_gateway_refused_total", Some("internal")), 0);
    drop(app);
}
