//! What endpoints are shown as: a project's own templates, and what is learnt; for lists, one endpoint and rules alike.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;

use crate::alerting::{Post, round, rule, without_defaults, worker};
use crate::app::{ADMIN, App, NOON};
use crate::performance::{fill, request};

#[tokio::test]
async fn names_that_differ_in_one_segment_are_one_endpoint_and_a_rule_measures_them_all() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let mut all = Vec::new();
    for n in 0..40_i64 {
        all.push(request(&format!("GET /articles/about-{n}x"), NOON - 1 - n, 10.0, "1", 500));
        all.push(request(&format!("GET /products/shoe-{n}x"), NOON - 1 - n, 10.0, "1", 200));
    }
    all.push(request("GET /cart", NOON - 1, 10.0, "1", 200));
    fill(&app, &project, 0, &all).await;
    let names = async |app: &App| {
        let list =
            app.read(&project, &format!("/endpoints?from_ms={}&to_ms={}", NOON - 60_000, NOON + 1)).await;
        let endpoints = list["endpoints"].as_array().unwrap().clone();
        endpoints
            .iter()
            .map(|one| (one["name"].as_str().unwrap().to_owned(), one["requests"].clone()))
            .collect::<Vec<_>>()
    };
    let expected = [("GET /articles/{}", 40), ("GET /products/{}", 40), ("GET /cart", 1)];
    assert_eq!(names(&app).await, expected.map(|(name, count)| (name.to_owned(), json!(count))));
    let one = app.read(&project, "/endpoints/GET%20%2Farticles%2F%7B%7D").await;
    assert_eq!(one["endpoint"]["failed"], 40);
    assert_ne!(one["failed_sample"], serde_json::Value::Null);

    let path = format!("/api/v1/projects/{}", project.id);
    let wrong = app.call("PATCH", &path, ADMIN, Some(json!({"endpoint_templates": ["/a{b}"]}))).await;
    assert_eq!(
        (wrong.status, &wrong.json()["field"]),
        (StatusCode::BAD_REQUEST, &json!("endpoint_templates"))
    );
    let templates = json!({"endpoint_templates": ["/products/{product}"]});
    let changed = app.call("PATCH", &path, ADMIN, Some(templates.clone())).await;
    assert_eq!(changed.json()["settings"]["endpoint_templates"], templates["endpoint_templates"]);
    assert_eq!(names(&app).await[1].0, "GET /products/{product}");

    for (name, minimum) in [("GET /articles/{}", 40), ("GET /articles/{}", 41), ("GET /articles/about-7x", 2)]
    {
        let limit = json!({"measure": "error_share", "name": name, "trigger_at": 50, "minimum": minimum});
        let condition = json!({"kind": "endpoint", "window_minutes": 5, "limit": limit});
        rule(&app, &project, json!({"name": "fails", "channels": ["ops"], "condition": condition})).await;
    }
    let worker = worker(&app, &post);
    round(&app, &project, &worker).await;
    let told: Vec<_> = post.messages.lock().iter().map(|message| message.title.clone()).collect();
    assert_eq!(told, ["High error share of GET /articles/{}"]);
}
