use std::time::Duration;

use axum::http::StatusCode;
use playhead_domain::id::ProjectId;
use playhead_domain::log::{Position, Record};
use playhead_domain::row::{self, DeadLetter, IntakeCounts};
use playhead_domain::session::key;
use playhead_domain::store::{Key, Swap, Value};
use playhead_domain::{table, topic};
use playhead_proto::key::secret_key_hash;
use playhead_proto::record::RecordMeta;
use playhead_query_api::project::{create_first, publish_all, unpublished};
use prost::Message;
use serde_json::json;

use crate::app::{ADMIN, App, NOON, Project, summary};

#[tokio::test]
async fn a_project_has_defaults_and_tags_and_can_be_changed() {
    let app = App::new().await;
    let project = app.project("  Shop  ").await;
    let shown = app.read(&project, "").await;
    insta::assert_json_snapshot!(shown, { ".id" => "[id]", ".public_key" => "[key]", ".script_tag" => "[tag]", ".script_tag_plain" => "[tag]" });
    let key = shown["public_key"].as_str().unwrap();
    assert_eq!(shown["script_tag"], format!("<script>http://play.test {key}</script>"));
    assert_eq!(
        shown["script_tag_plain"],
        format!(r#"<script defer src="http://play.test/sdk/playhead.js" data-key="{key}"></script>"#)
    );
    let path = format!("/api/v1/projects/{}", project.id);
    let patch = json!({"retention_days": 7, "image_hosts": ["cdn.shop.example"], "sample_rate": 0.5, "disabled": true,
        "error_filters_off": ["localhost", "bot"]});
    let changed = app.call("PATCH", &path, ADMIN, Some(patch)).await.json();
    assert_eq!(changed["settings"]["retention_days"], 7);
    assert_eq!(changed["settings"]["error_filters_off"], json!(["localhost", "bot"]));
    assert_eq!(changed["disabled"], true);
    assert_eq!(changed["name"], "Shop");
    assert_eq!(app.read(&project, "").await, changed);
}

#[tokio::test]
async fn a_bad_change_names_its_field_and_changes_nothing() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let before = app.read(&project, "").await;
    let path = format!("/api/v1/projects/{}", project.id);
    for (patch, field) in [
        (json!({"retention_days": 0}), "retention_days"),
        (json!({"name": ""}), "name"),
        (json!({"sample_rate": 2}), "sample_rate"),
        (json!({"image_hosts": ["a; script-src *"]}), "image_hosts"),
        (json!({"error_filters_off": ["script_error"]}), "error_filters_off"),
        (json!({"retention_days": 9, "allowed_origins": ["nonsense"]}), "allowed_origins"),
        (json!({"no_such": 1}), "body"),
        (json!([1]), "body"),
    ] {
        let answer = app.call("PATCH", &path, ADMIN, Some(patch.clone())).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{patch}");
        assert_eq!(answer.json()["field"], field, "{patch}");
    }
    assert_eq!(app.read(&project, "").await, before);
    let huge = app.call("PATCH", &path, ADMIN, Some(json!({"name": "x".repeat(100_000)}))).await;
    assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
}

/// The project's row, made `bytes` long behind the API's back.
async fn fill(app: &App, project: &Project, bytes: usize) {
    let id = project.scope.project();
    let key = Key { partition: vec!["all".into()], clustering: vec![id.0.cast_signed().into()] };
    let old = app.store.get_serial(&table::PROJECTS, &key).await.unwrap().unwrap();
    let mut row = row::Project::decode(old.clone()).unwrap();
    row.network_bodies = vec![String::new()];
    let room = bytes - row.encoded_len();
    row.network_bodies[0] = "x".repeat(room - 2);
    assert_eq!(row.encoded_len(), bytes);
    let new = Some(row.encode_to_vec().into());
    let swap = app.store.compare_and_set(&table::PROJECTS, &key, Some(&old), new, None).await.unwrap();
    assert_eq!(swap, Swap::Applied);
}

async fn published(app: &App) -> Vec<row::Project> {
    let records = app.log.read(topic::PROJECTS.name, 0, 0, 1 << 30, Duration::ZERO).await.unwrap();
    records.into_iter().map(|record| row::Project::decode(record.value).unwrap()).collect()
}

#[tokio::test]
async fn a_change_that_the_topic_would_not_take_is_not_stored() {
    let app = App::new().await;
    let project = app.project("shop").await;
    fill(&app, &project, topic::PROJECTS.max_record_bytes - 20).await;
    let path = format!("/api/v1/projects/{}", project.id);
    let patch = async |body| app.call("PATCH", &path, ADMIN, Some(body)).await;
    let refused = patch(json!({"image_hosts": ["images.shop.example"]})).await;
    assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "unusable"));
    assert!(refused.text().contains("shorten its grouping rules"), "{}", refused.text());
    assert_eq!(app.read(&project, "").await["settings"]["image_hosts"], json!([]));
    assert_eq!(patch(json!({"name": "shops"})).await.status, StatusCode::OK);
    assert_eq!(published(&app).await.last().unwrap().name, "shops");
}

#[tokio::test]
async fn a_project_that_cannot_be_published_does_not_keep_others_from_it() {
    let app = App::new().await;
    let first = app.project("first").await;
    app.advance(1);
    for number in 0..40 {
        app.project(&format!("{number}")).await;
    }
    fill(&app, &first, topic::PROJECTS.max_record_bytes + 1).await;
    let end = async || app.log.offsets(topic::PROJECTS.name, 0).await.unwrap().end;
    let before = end().await;
    assert!(publish_all(&app.api).await.is_err());
    assert_eq!(end().await - before, 40);
}

#[tokio::test]
async fn a_change_that_was_not_published_is_told_of() {
    let app = App::new().await;
    let soon = Duration::from_millis(10);
    assert!(tokio::time::timeout(soon, unpublished(&app.api)).await.is_err());
    let bytes = topic::PROJECTS.max_record_bytes;
    let set = move |row: &mut row::Project| row.network_bodies = vec!["x".repeat(bytes)];
    assert!(create_first(&app.api, "shop", &set).await.is_err());
    tokio::time::timeout(Duration::from_secs(10), unpublished(&app.api)).await.unwrap();
    app.project("other").await;
    assert!(tokio::time::timeout(soon, unpublished(&app.api)).await.is_err(), "this one was");
}

#[tokio::test]
async fn every_change_reaches_the_topic_of_projects() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let path = format!("/api/v1/projects/{}", project.id);
    app.call("PATCH", &path, ADMIN, Some(json!({"disabled": true}))).await;
    let directory = std::sync::Arc::new(playhead_domain::project::ProjectDirectory::new());
    let log = app.log.clone();
    let follower = directory.clone();
    let task = tokio::spawn(async move { follower.follow(log).await });
    let found = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Some(found) = directory.get(project.id.parse().unwrap()) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(found.await.unwrap().disabled);
    task.abort();
}

#[tokio::test]
async fn secret_keys_are_listed_by_hint_and_revoked_at_once() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let path = format!("/api/v1/projects/{}/secret-keys", project.id);
    let second = app.call("POST", &path, ADMIN, None).await;
    assert_eq!(second.status, StatusCode::CREATED);
    let secret = second.json()["secret_key"].as_str().unwrap().to_owned();
    let listed = app.get(&path, ADMIN).await;
    assert!(!listed.text().contains(&secret), "only the hint");
    let items = listed.json()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 2);
    let one = items
        .as_array()
        .unwrap()
        .iter()
        .find(|item| secret.ends_with(item["hint"].as_str().unwrap()))
        .unwrap();
    assert_eq!(app.get("/api/v1/me", &secret).await.status, StatusCode::OK);
    let key_path = format!("{path}/{}", one["id"].as_str().unwrap());
    assert_eq!(app.call("DELETE", &key_path, ADMIN, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get("/api/v1/me", &secret).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.get("/api/v1/me", &project.secret).await.status, StatusCode::OK, "the other one stays");
    assert_eq!(app.call("DELETE", &key_path, ADMIN, None).await.status, StatusCode::NOT_FOUND);
}

/// The hashes by which gateways know the project's keys.
async fn told_to_gateways(app: &App, project: &str) -> Vec<bytes::Bytes> {
    let records =
        app.log.read(topic::PROJECTS.name, 0, 0, usize::MAX, std::time::Duration::ZERO).await.unwrap();
    let mut rows = records.into_iter().map(|record| row::Project::decode(record.value).unwrap());
    let id: ProjectId = project.parse().unwrap();
    rows.rfind(|row| row.project == id.0).unwrap().secret_keys
}

#[tokio::test]
async fn gateways_hear_of_secret_keys() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let hash = |secret: &str| bytes::Bytes::copy_from_slice(&secret_key_hash(secret).unwrap());
    assert_eq!(told_to_gateways(&app, &project.id).await, [hash(&project.secret)]);
    let path = format!("/api/v1/projects/{}/secret-keys", project.id);
    let second = app.call("POST", &path, ADMIN, None).await.json()["secret_key"].as_str().unwrap().to_owned();
    assert_eq!(told_to_gateways(&app, &project.id).await, [hash(&project.secret), hash(&second)]);
    let items = app.get(&path, ADMIN).await.json()["items"].clone();
    let hint = |item: &&serde_json::Value| project.secret.ends_with(item["hint"].as_str().unwrap());
    let first = items.as_array().unwrap().iter().find(hint).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        app.call("DELETE", &format!("{path}/{first}"), ADMIN, None).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(told_to_gateways(&app, &project.id).await, [hash(&second)]);
    // Keys of before gateways knew any.
    let id: ProjectId = project.id.parse().unwrap();
    let key = Key { partition: vec!["all".into()], clustering: vec![Value::Int(id.0.cast_signed())] };
    let old = app.store.get_serial(&table::PROJECTS, &key).await.unwrap().unwrap();
    let forgotten = row::Project { secret_keys: Vec::new(), ..row::Project::decode(old.clone()).unwrap() };
    let forgotten = forgotten.encode_to_vec().into();
    app.store.compare_and_set(&table::PROJECTS, &key, Some(&old), Some(forgotten), None).await.unwrap();
    publish_all(&app.api).await.unwrap();
    assert_eq!(told_to_gateways(&app, &project.id).await, [hash(&second)]);
}

#[tokio::test]
async fn the_status_tells_what_came_in() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let before = app.read(&project, "/status").await;
    assert_eq!((&before["first_event_at"], &before["last_event_at"]), (&json!(null), &json!(null)));
    app.session(&project, summary(1, NOON - 600_000)).await;
    app.session(&project, summary(2, NOON - 300_000)).await;
    // Of a log partition's two slots the newer one counts.
    for (partition, slot, next_offset, batches) in [(0, 0, 9, 3), (0, 1, 7, 1), (1, 0, 2, 4)] {
        let counts = IntakeCounts {
            batches,
            next_offset,
            bytes: 100,
            dead_letters: [("frame_too_long".to_owned(), 1)].into(),
            ..IntakeCounts::default()
        };
        let key = key::intake(project.scope, key::day(NOON), partition, slot);
        app.put(&table::INTAKE_COUNTS, key, counts).await;
    }
    let status = app.read(&project, "/status").await;
    assert_eq!(status["first_event_at"], NOON - 600_000);
    assert_eq!(status["last_event_at"], NOON - 240_000);
    assert_eq!(status["intake"]["batches"], 7);
    assert_eq!(status["intake"]["dead_letters"], json!({"frame_too_long": 2}));
}

#[tokio::test]
async fn dead_letters_are_paged() {
    let app = App::new().await;
    let project = app.project("shop").await;
    for offset in 0..5 {
        let letter =
            DeadLetter { reason: format!("r{offset}"), session: vec![1; 16].into(), ..DeadLetter::default() };
        app.put(&table::DEAD_LETTERS, key::dead_letter(project.scope, 0, offset), letter).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.read(&project, &format!("/dead-letters?limit=2{cursor}")).await;
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["reason"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["r0", "r1", "r2", "r3", "r4"]);
}

/// A record in the log as the gateway appends them, and a dead letter that tells of it.
async fn dead_record(app: &App, project: &Project) -> Position {
    app.log.ensure_topic(&topic::batches(1, Duration::from_secs(86_400))).await.unwrap();
    let meta = RecordMeta {
        tenant_id: project.scope.tenant().0,
        project_id: project.scope.project().0,
        received_us: NOON * 1_000,
        ..RecordMeta::default()
    };
    let record = Record { key: vec![1; 16].into(), value: "body".into(), meta: meta.encode_to_vec().into() };
    let at = app.log.append(topic::BATCHES, record).await.unwrap();
    let letter = DeadLetter {
        reason: "panicked".to_owned(),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        topic: topic::BATCHES.to_owned(),
        ..DeadLetter::default()
    };
    app.put(&table::DEAD_LETTERS, key::dead_letter(project.scope, at.partition, at.offset), letter).await;
    at
}

#[tokio::test]
async fn a_dead_letter_is_replayed_as_a_copy_that_names_it() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let at = dead_record(&app, &project).await;
    let listed = app.read(&project, "/dead-letters").await;
    assert_eq!(listed["items"][0]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    let path = format!("/api/v1/projects/{}/dead-letters/{}/{}/replay", project.id, at.partition, at.offset);
    let answer = app.call("POST", &path, &project.secret, None).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_eq!(answer.json(), json!({"partition": at.partition, "offset": at.offset + 1}));
    let copy =
        app.log.read(topic::BATCHES, at.partition, at.offset + 1, 1_000, Duration::ZERO).await.unwrap();
    assert_eq!((&copy[0].key[..], &copy[0].value[..]), (&[1; 16][..], &b"body"[..]));
    let meta = RecordMeta::decode(copy[0].meta.clone()).unwrap();
    assert_eq!((meta.replay_of, meta.received_us), (Some(at.offset), NOON * 1_000));
}

#[tokio::test]
async fn a_replay_says_why_there_is_nothing_to_replay() {
    let app = App::new().await;
    let (project, other) = (app.project("shop").await, app.project("other").await);
    let at = dead_record(&app, &project).await;
    let replay = async |of: &Project, place: &str| {
        let path = format!("/api/v1/projects/{}/dead-letters/{place}/replay", of.id);
        let answer = app.call("POST", &path, &of.secret, None).await;
        (answer.status, answer.problem())
    };
    let here = format!("{}/{}", at.partition, at.offset);
    let not_found = (StatusCode::NOT_FOUND, "not-found".to_owned());
    assert_eq!(replay(&project, &format!("{}/{}", at.partition, at.offset + 1)).await, not_found);
    assert_eq!(replay(&other, &here).await, not_found);
    let bad = (StatusCode::BAD_REQUEST, "bad-request".to_owned());
    assert_eq!(replay(&project, "first/0").await, bad);
    assert_eq!(replay(&project, "0/-1").await, bad);
    // A letter under the other project that points at this one's record.
    let letter = DeadLetter { reason: "x".to_owned(), ..DeadLetter::default() };
    app.put(&table::DEAD_LETTERS, key::dead_letter(other.scope, at.partition, at.offset), letter).await;
    assert_eq!(replay(&other, &here).await, (StatusCode::INTERNAL_SERVER_ERROR, "corrupt".to_owned()));
    assert_eq!(app.log.offsets(topic::BATCHES, at.partition).await.unwrap().end, at.offset + 1, "no copy");
    let expired = (StatusCode::GONE, "expired".to_owned());
    // Of a topic that another one took the place of.
    let letter = DeadLetter { topic: "batches-1".to_owned(), ..DeadLetter::default() };
    app.put(&table::DEAD_LETTERS, key::dead_letter(project.scope, at.partition, at.offset + 7), letter).await;
    assert_eq!(replay(&project, &format!("{}/{}", at.partition, at.offset + 7)).await, expired);
    app.advance(2 * 86_400_000);
    assert_eq!(replay(&project, &here).await, expired);
}
