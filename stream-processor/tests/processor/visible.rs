//! What batches become.

use playhead_domain::session::{facet, key};
use playhead_domain::table;
use serde_json::json;

use crate::world::{Batch, START_MS, World, scope, session, stream};

fn error(url: &str) -> serde_json::Value {
    json!({"k": "error", "type": "TypeError", "message": "Cannot read properties of undefined (reading 'total')", "url": url,
        "mechanism": "uncaught", "handled": false, "issue": "made up", "filtered": "made up",
        "stack": "TypeError: Cannot read properties of undefined (reading 'total')\n    at Cart.pay (https://shop.example/cart.js:3:4)\n    \
                  at onclick (https://shop.example/cart.js:7:1)",
        "causes": [{"type": "Error", "message": "x", "stack": "load@https://shop.example/cart.js:1:2"}]})
}

#[tokio::test]
async fn errors_that_are_nobodys_issue_count_by_what_dropped_them() {
    let world = World::new().await;
    let batch = Batch::new(1, 1, 0)
        .page("http://localhost:5173/cart")
        .signal(error("http://localhost:5173/cart"))
        .signal(json!({"k": "error", "message": "Script error.", "url": "https://shop.example/"}))
        .signal(json!({"k": "error", "message": "Script error.", "url": "https://shop.example/"}));
    world.send(&batch).await;
    world.process().await;

    let summary = world.summary(session(1)).await.unwrap();
    assert_eq!(
        (summary.counts.unwrap().errors, summary.issues.len()),
        (3, 0),
        "they are errors of the session"
    );
    let events = world.events(session(1)).await;
    let told = |at: usize, name: &str| events[at]["data"].get(name).cloned();
    assert_eq!((told(1, "filtered"), told(1, "issue")), (Some(json!("localhost")), None));
    assert_eq!((told(2, "filtered"), told(2, "issue")), (Some(json!("script_error")), None));
    let filtered = world.intake().await.filtered_errors;
    assert_eq!((filtered["localhost"], filtered["script_error"]), (1, 2));
}

/// The error, a request and what is of no known kind.
fn check_events(events: &[serde_json::Value]) {
    let data = &events[2]["data"];
    assert_eq!(
        (&data["title"], &data["culprit"], &data["frames"][1]["line"]),
        (
            &json!("TypeError: Cannot read properties of undefined (reading 'total')"),
            &json!("pay (/cart.js)"),
            &json!(7)
        )
    );
    assert_eq!(
        (&data["frames"][0]["in_app"], &data["grouping"], &data["causes"][0]["frames"][0]["function"]),
        (&json!(true), &json!({"version": 1, "basis": "stack"}), &json!("load"))
    );
    assert_eq!(events[3]["id"], format!("{}-0-3", stream(1)));
    assert_eq!((&events[3]["time"], &events[3]["kind"]), (&json!(START_MS), &json!("request")));
    assert_eq!((&events[3]["data"]["failed"], &events[3]["data"]["slow"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&events[5]["data"]["failed"], &events[5]["data"]["slow"]),
        (&json!(false), &json!(false)),
        "aborted"
    );
    assert_eq!((events[5]["data"].get("issue"), events[5]["data"].get("filtered")), (None, None));
    assert_eq!(events[8]["data"], json!({"depth": 3}));
}

#[tokio::test]
async fn a_batch_becomes_a_session_with_events_and_frames() {
    let world = World::new().await;
    let batch = Batch::new(1, 1, 0)
        .page("https://shop.example/cart?token=x#y")
        .signal(json!({"k": "identify", "id": "u1", "email": "ana@example.org", "traits": {"plan": "pro"}}))
        .signal(error("https://shop.example/cart?token=x"))
        .signal(json!({"k": "request", "method": "GET", "url": "/api", "status": 502, "duration_ms": 1200, "outcome": "http_error"}))
        .signal(json!({"k": "request", "method": "GET", "url": "/api", "status": 200, "duration_ms": 20, "outcome": "ok"}))
        .signal(json!({"k": "request", "method": "GET", "url": "/api", "outcome": "aborted",
            "issue": "made up", "filtered": "made up"}))
        .signal(json!({"k": "console", "level": "error", "args": ["x"]}))
        .signal(json!({"k": "custom", "name": "checkout"}))
        .signal(json!({"k": "hologram", "depth": 3}))
        .key_frame("hello");
    world.send(&batch).await;
    world.send(&Batch::new(1, 1, 1).dom_event(3, "more")).await;
    world.process().await;

    let summary = world.summary(session(1)).await.unwrap();
    let counts = summary.counts.unwrap();
    assert_eq!((counts.events, counts.errors, counts.requests), (9, 1, 3));
    assert_eq!((counts.failed_requests, counts.slow_requests, counts.console_errors), (1, 1, 1));
    assert_eq!(
        (summary.list_start_ms, summary.start_ms, summary.end_ms),
        (START_MS, START_MS, START_MS + 1_900)
    );
    assert_eq!(summary.pages, ["https://shop.example/cart"]);
    assert_eq!(
        (summary.release.as_str(), summary.custom_event_names.as_slice()),
        ("shop@1", &["checkout".to_owned()][..])
    );
    let client = summary.client.unwrap();
    assert_eq!(
        (client.browser.as_str(), client.os.as_str(), client.device.as_str()),
        ("Chrome", "Linux", "desktop")
    );
    assert_eq!((client.country.as_str(), client.ip.as_str(), client.screen_width), ("PT", "192.0.2.1", 1920));
    assert_eq!((summary.dom_events, summary.streams[0].seen, summary.streams[0].next_seq), (3, 2, 2));

    let events = world.events(session(1)).await;
    assert_eq!(events.len(), 9);
    check_events(&events);
    let issue = events[2]["data"]["issue"].as_str().unwrap();
    assert_eq!((issue.len(), summary.issues.as_slice()), (32, &[issue.to_owned()][..]));

    let frames = world.frames(session(1)).await;
    assert_eq!(frames[&(stream(1), 0)], batch.dom);
    assert_eq!(frames.len(), 2);

    for (name, value) in [
        (facet::USER, "u1"),
        (facet::EMAIL, "ana@example.org"),
        (facet::IP, "192.0.2.1"),
        (facet::PAGE, "https://shop.example/cart"),
        (facet::PAGE, "/cart"),
        (facet::RELEASE, "shop@1"),
        (facet::ISSUE, issue),
    ] {
        let key = key::facet(scope(), name, value, START_MS, session(1));
        assert!(world.store.get(&table::SESSION_FACETS, &key).await.unwrap().is_some(), "{name}");
    }
}
