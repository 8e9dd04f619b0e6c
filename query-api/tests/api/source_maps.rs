use std::io::Write;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use playhead_domain::id::{SessionId, StreamId};
use playhead_domain::source_map::key::ArtifactId;
use playhead_domain::source_map::repository;
use playhead_query_api::Config;
use serde_json::{Value, json};

use crate::app::{Answer, App, NOON, Project, summary};

const STREAM: StreamId = StreamId([1; 8]);
const ID: &str = "85314830-023f-4cf1-a267-535f4e37bb17";
const DAY: i64 = 86_400_000;

/// What a bundler made of three lines: `export function pay(cart) {`, `  return cart.total;`, `}`.
const CODE: &str = "function a(t){return t.total}export{a as pay};";
const SOURCE: &str = "// one\n// two\n// three\n// four\n// five\n// six\nexport function pay(cart) {\n  return cart.total;\n}\n// end\n";

/// `a` is `pay` of line 7, `t` in the body is `cart` of line 8.
fn map() -> Value {
    json!({"version": 3, "sources": ["../../src/pay.ts"], "sourcesContent": [SOURCE], "names": ["pay", "cart"],
        "mappings": "AAMO,SAASA,EAAIC,GAClB,OAAOA,EAAK,KACd"})
}

fn upload(release: &str, path: &str) -> Value {
    json!({"release": release, "path": path, "code": CODE, "map": map()})
}

async fn post(app: &App, project: &Project, body: Vec<u8>, encoding: Option<&str>) -> Answer {
    let mut request = Request::post(format!("/api/v1/projects/{}/source-maps", project.id))
        .header(header::AUTHORIZATION, format!("Bearer {}", project.secret));
    if let Some(encoding) = encoding {
        request = request.header(header::CONTENT_ENCODING, encoding);
    }
    app.send(request.body(Body::from(body)).unwrap()).await
}

async fn add(app: &App, project: &Project, body: &Value) -> Value {
    let answer = post(app, project, body.to_string().into_bytes(), None).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()
}

async fn list(app: &App, project: &Project, query: &str) -> Vec<Value> {
    app.read(project, &format!("/source-maps{query}")).await["items"].as_array().unwrap().clone()
}

fn frame(file: &str, line: u32, column: u32) -> Value {
    json!({"function": "a", "file": file, "line": line, "column": column, "kind": "script", "in_app": true})
}

/// A session with one error, of a document with that release.
async fn error(app: &App, project: &Project, release: &str, data: Value) -> SessionId {
    let mut known = summary(1, NOON - 1_000_000);
    known.release = release.to_owned();
    let session = app.session(project, known).await;
    let key = app.data_key(project, session).await;
    let event = |index: u32, kind: &str, data: &Value| json!({"id": format!("{STREAM}-0-{index}"), "time": NOON - 1_000_000, "kind": kind, "data": data});
    let events = [
        event(0, "page", &json!({"url": "https://shop.example/", "release": release})),
        event(1, "error", &data),
    ];
    app.chunk(project, session, &key, (STREAM, 0), &events).await;
    session
}

async fn stack(app: &App, project: &Project, session: SessionId) -> Value {
    app.read(project, &format!("/sessions/{session}/events/{STREAM}-0-1/stack")).await
}

#[tokio::test]
async fn a_frame_is_shown_as_it_was_written() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let file = "https://cdn.example/v7/assets/index-AbC.js?x=1";
    let native = json!({"function": "Array.map", "kind": "native", "in_app": false});
    let cause = json!({"type": "Error", "message": "x", "frames": [frame(file, 1, 23)]});
    let data = json!({"type": "TypeError", "message": "x", "frames": [frame(file, 1, 23), native], "causes": [cause, 7]});
    let session = error(&app, &project, "2.4.1", data).await;
    let before = stack(&app, &project, session).await;
    assert_eq!(
        (&before["frames"][0]["missing"], &before["frames"][0]["original"]),
        (&json!("no_map"), &Value::Null)
    );
    add(&app, &project, &upload("2.4.1", "assets/index-AbC.js")).await;
    let after = stack(&app, &project, session).await;
    insta::assert_json_snapshot!(after);
}

#[tokio::test]
async fn a_debug_id_leads_to_the_map_without_a_release() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let file = "https://shop.example/assets/index.js";
    let told = json!({"https://shop.example/assets/index.js?v=2": ID, "https://shop.example/other.js": 7});
    let data = json!({"type": "Error", "message": "x", "frames": [frame(file, 1, 23), frame("https://shop.example/other.js", 1, 1)],
        "debug_ids": told});
    let session = error(&app, &project, "", data).await;
    let mut body = upload("", "whatever/it/is.js");
    body["code"] = json!(format!("{CODE}\n//# debugId={ID}\n"));
    let added = add(&app, &project, &body).await;
    assert_eq!((&added["debug_id"], &added["release"]), (&json!(ID), &Value::Null));
    let shown = stack(&app, &project, session).await;
    assert_eq!(shown["frames"][0]["original"]["function"], "pay");
    assert_eq!((&shown["frames"][1]["missing"], &shown["release"]), (&json!("no_release"), &Value::Null));
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let library = json!({"function": "b", "file": "https://unpkg.com/x.js", "line": 1, "column": 1, "kind": "script", "in_app": false});
    let files =
        ["bare.js", "broken.js", "good.js", "none.js"].map(|name| format!("https://shop.example/{name}"));
    let mut frames: Vec<Value> = files.iter().map(|file| frame(file, 1, 23)).collect();
    frames.extend([frame(&files[2], 9, 1), library]);
    let session =
        error(&app, &project, "1.0", json!({"type": "Error", "message": "x", "frames": frames})).await;
    add(&app, &project, &upload("1.0", "good.js")).await;
    let mut bare = upload("1.0", "bare.js");
    bare["map"]["sourcesContent"] = Value::Null;
    assert_eq!(add(&app, &project, &bare).await["sources_with_content"], 0);
    let broken = add(&app, &project, &upload("1.0", "broken.js")).await;
    let id: ArtifactId = broken["id"].as_str().unwrap().parse().unwrap();
    let (row, _) = repository::kept(&*app.store, project.scope, id).await.unwrap().unwrap();
    app.object(&row.object, b"no longer a map".to_vec()).await;
    let shown = stack(&app, &project, session).await;
    let missing: Vec<_> =
        shown["frames"].as_array().unwrap().iter().map(|frame| frame["missing"].clone()).collect();
    assert_eq!(
        missing,
        ["no_source", "broken_map", "", "no_map", "not_mapped", ""].map(|why| if why.is_empty() {
            Value::Null
        } else {
            json!(why)
        })
    );
    assert_eq!(shown["frames"][0]["original"]["line"], 8, "the place is known all the same");
    assert!(shown["frames"][1]["missing_detail"].as_str().unwrap().contains("cannot be read"), "{shown}");
}

#[tokio::test]
async fn maps_inside_bundles_and_maps_of_sections_are_taken() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let inline = playhead_domain::source_map::reference::to_inline(&map().to_string());
    let code = format!("{CODE}\n//# sourceMappingURL={inline}");
    add(&app, &project, &json!({"release": "1.0", "path": "inline.js", "code": code})).await;
    let sections = json!([{"offset": {"line": 0, "column": 0}, "map": map()}]);
    add(&app, &project, &json!({"release": "1.0", "path": "sections.js", "code": CODE, "map": {"version": 3, "sections": sections}})).await;
    let frames = ["inline.js", "sections.js"].map(|name| frame(&format!("https://a.b/{name}"), 1, 23));
    let session =
        error(&app, &project, "1.0", json!({"type": "Error", "message": "x", "frames": frames})).await;
    let shown = stack(&app, &project, session).await;
    for frame in shown["frames"].as_array().unwrap() {
        let original = &frame["original"];
        assert_eq!((&original["function"], &original["line"]), (&json!("pay"), &json!(8)), "{frame}");
        assert_eq!(original["source"]["first_line"], 3);
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_with_the_reason() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let with = |name: &str, value: Value| {
        let mut body = upload("1.0", "a.js");
        body[name] = value;
        body
    };
    let (bad, unusable) = (StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY);
    let outside = json!({"version": 3, "sources": ["a"], "names": [], "mappings": "AAAAA"});
    for (body, status, told) in [
        (with("map", Value::Null), unusable, "neither `map` nor"),
        (with("map", json!({"version": 2, "mappings": ""})), unusable, "version 2"),
        (with("map", json!({"version": 3})), unusable, "neither mappings nor sections"),
        (with("map", json!({"version": 3, "mappings": "!!"})), unusable, "contradicts itself"),
        (with("map", outside), unusable, "contradicts itself"),
        (
            with(
                "map",
                json!({"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "url": "http://a.b/x.map"}]}),
            ),
            unusable,
            "section 0",
        ),
        (with("map", json!([1])), unusable, "not the JSON"),
        (
            with("map", json!({"version": 3, "mappings": ";".repeat(4_000_001)})),
            unusable,
            "more than 4000000 mappings",
        ),
        (
            with("map", json!({"version": 3, "mappings": "", "names": vec![0; 2_000_001]})),
            unusable,
            "more than 2000000 values",
        ),
        (with("code", json!("//# sourceMappingURL=data:x")), StatusCode::CREATED, ""),
        (with("path", json!("https://a.b/")), bad, "path of the bundle"),
        (with("release", json!("a\nb")), bad, "printable"),
        (with("release", json!("")), bad, "no debug id"),
        (with("colour", json!("red")), bad, "colour"),
    ] {
        let answer = post(&app, &project, body.to_string().into_bytes(), None).await;
        let text = answer.text();
        assert_eq!(answer.status, status, "{told}: {text}");
        assert!(text.contains(told), "{told}: {text}");
    }
    for (body, encoding) in
        [(&b"{"[..], None), (b"\x1f\x8b", Some("gzip")), (b"x", Some("zstd")), (b"{}", Some("br"))]
    {
        assert_eq!(post(&app, &project, body.to_vec(), encoding).await.status, bad, "{encoding:?}");
    }
}

#[tokio::test]
async fn size_is_bounded_before_and_after_inflating() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let huge = vec![b' '; 100 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&huge).unwrap();
    let bombs = [
        (gzip.finish().unwrap(), Some("gzip")),
        (zstd::bulk::compress(&huge, 1).unwrap(), Some("zstd")),
        (huge, None),
    ];
    for (body, encoding) in bombs {
        let answer = post(&app, &project, body, encoding).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{encoding:?}");
        assert!(answer.text().contains("67108864"), "the limit is told: {}", answer.text());
    }
    let body = upload("1.0", "a.js").to_string().into_bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&body).unwrap();
    assert_eq!(post(&app, &project, gzip.finish().unwrap(), Some("gzip")).await.status, StatusCode::CREATED);
    assert_eq!(
        post(&app, &project, zstd::bulk::compress(&body, 1).unwrap(), Some("zstd")).await.status,
        StatusCode::CREATED
    );
    assert_eq!(list(&app, &project, "").await.len(), 1);
    // What is announced is refused before it comes.
    let request = Request::post(format!("/api/v1/projects/{}/source-maps", project.id))
        .header(header::AUTHORIZATION, format!("Bearer {}", project.secret))
        .header(header::CONTENT_LENGTH, 65 << 20);
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn maps_are_listed_replaced_and_deleted() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let first = add(&app, &project, &upload("1.0", "a.js")).await;
    app.advance(1_000);
    assert_eq!(
        add(&app, &project, &upload("1.0", "/a.js")).await["uploaded_at"],
        first["uploaded_at"],
        "repeating changes nothing"
    );
    let mut changed = upload("1.0", "a.js");
    changed["map"]["sources"] = json!(["src/other.ts"]);
    let second = add(&app, &project, &changed).await;
    assert_ne!(first["id"], second["id"]);
    app.advance(1_000);
    for path in ["b.js", "c.js"] {
        add(&app, &project, &upload("2.0", path)).await;
    }
    let ids = |items: Vec<Value>| {
        items.iter().map(|item| item["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        ids(list(&app, &project, "?release=1.0").await),
        ["a.js"],
        "the new one took the place of the old one"
    );
    let page = app.read(&project, "/source-maps?limit=2").await;
    let next = page["next"].as_str().unwrap();
    assert_eq!(ids(list(&app, &project, &format!("?limit=2&cursor={next}")).await), ["a.js"]);
    app.advance(1_000);
    let path = |rest: &str| format!("/api/v1/projects/{}/source-maps{rest}", project.id);
    let one = path(&format!("/{}", second["id"].as_str().unwrap()));
    assert_eq!(app.call("DELETE", &one, &project.secret, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.call("DELETE", &one, &project.secret, None).await.status, StatusCode::NOT_FOUND);
    let deleted = app.call("DELETE", &path("?release=2.0"), &project.secret, None).await;
    assert_eq!(deleted.json(), json!({"deleted": 2}));
    assert_eq!(list(&app, &project, "").await.len(), 0);
    // Records of the last minute are grouped by them still: their objects go with their rows.
    assert_ne!(app.objects("maps").await, 0);
    add(&app, &project, &changed).await;
    assert_eq!(list(&app, &project, "").await.len(), 1, "what was deleted may come again");
    assert_eq!(app.call("DELETE", &one, &project.secret, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.call("DELETE", &path(""), &project.secret, None).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_map_that_is_used_lives_on() {
    let app = App::new().await;
    let project = app.project("shop").await;
    for path in ["used.js", "unused.js"] {
        add(&app, &project, &upload("1.0", path)).await;
    }
    let data = json!({"type": "Error", "message": "x", "frames": [frame("https://a.b/used.js", 1, 23)]});
    let session = error(&app, &project, "1.0", data).await;
    app.advance(20 * DAY);
    assert_eq!(stack(&app, &project, session).await["frames"][0]["original"]["line"], 8);
    app.advance(15 * DAY);
    let kept = list(&app, &project, "").await;
    assert_eq!((kept.len(), &kept[0]["path"]), (1, &json!("used.js")));
    app.advance(20 * DAY);
    assert_eq!(list(&app, &project, "").await.len(), 0);
}

#[tokio::test]
async fn a_map_that_lives_on_takes_nothing_back_from_a_later_one() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let mut first = upload("main", "a.js");
    first["code"] = json!(format!("{CODE}\n//# debugId=85314830-023f-4cf1-a267-535f4e37bb17"));
    add(&app, &project, &first).await;
    app.advance(1_000);
    let mut second = upload("main", "a.js");
    second["map"]["sources"] = json!(["src/second.ts"]);
    add(&app, &project, &second).await;
    // The one is found by its id, the other by its path.
    let frames = [frame("https://a.b/a.js", 1, 23), frame("https://c.d/a.js", 1, 23)];
    let ids = json!({"https://a.b/a.js": "85314830-023f-4cf1-a267-535f4e37bb17"});
    let data = json!({"type": "Error", "message": "x", "frames": frames, "debug_ids": ids});
    let session = error(&app, &project, "main", data).await;
    app.advance(20 * DAY);
    for _ in 0..2 {
        let stack = stack(&app, &project, session).await;
        let files = [0, 1].map(|at| stack["frames"][at]["original"]["file"].as_str().unwrap());
        assert_eq!(files, ["../../src/pay.ts", "src/second.ts"]);
    }
}

#[tokio::test]
async fn a_project_has_so_many_maps_and_is_told_which_to_delete() {
    let app = App::with(Config { max_source_maps: 2, ..Config::default() }).await;
    let project = app.project("shop").await;
    for (release, path) in [("1.0", "a.js"), ("1.1", "a.js")] {
        add(&app, &project, &upload(release, path)).await;
        app.advance(1_000);
    }
    let body = upload("1.2", "a.js").to_string().into_bytes();
    let refused = post(&app, &project, body.clone(), None).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text().contains("first those of 1.0 (1)"), "{}", refused.text());
    add(&app, &project, &upload("1.1", "a.js")).await;
    let path = format!("/api/v1/projects/{}/source-maps?release=1.0", project.id);
    app.call("DELETE", &path, &project.secret, None).await;
    assert_eq!(post(&app, &project, body, None).await.status, StatusCode::CREATED);
    let other = app.project("other").await;
    add(&app, &other, &upload("1.0", "a.js")).await;
}

#[tokio::test]
async fn a_file_of_that_name_on_a_foreign_host_has_another_map() {
    let app = App::new().await;
    let project = app.project("shop").await;
    for path in ["index.js", "assets/widget.js"] {
        add(&app, &project, &upload("1.0", path)).await;
    }
    let files = [
        "https://www.shop.example/index.js",
        "https://static.shop.example/v2/index.js",
        "https://widget.example/index.js",
        "https://cdn.example/v7/assets/widget.js",
    ];
    let frames = files.map(|file| frame(file, 1, 23));
    let data = json!({"type": "Error", "message": "x", "url": "https://shop.example/cart", "frames": frames});
    let session = error(&app, &project, "1.0", data).await;
    let shown = stack(&app, &project, session).await;
    let missing: Vec<_> = (0..4).map(|at| shown["frames"][at]["missing"].clone()).collect();
    assert_eq!(missing, [Value::Null, Value::Null, json!("no_map"), Value::Null]);
}

#[tokio::test]
async fn an_upload_that_meets_a_deletion_never_names_an_object_that_is_gone() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let added = add(&app, &project, &upload("1.0", "a.js")).await;
    let path = format!("/api/v1/projects/{}/source-maps/{}", project.id, added["id"].as_str().unwrap());
    let data = json!({"type": "Error", "message": "x", "frames": [frame("https://a.b/a.js", 1, 23)], "url": "https://a.b/"});
    let session = error(&app, &project, "1.0", data).await;
    for _ in 0..20 {
        let body = upload("1.0", "a.js");
        let (_, _) =
            tokio::join!(app.call("DELETE", &path, &project.secret, None), add(&app, &project, &body));
        app.advance(1);
        let listed = list(&app, &project, "").await.len();
        let is_shown = stack(&app, &project, session).await["frames"][0]["original"].is_object();
        assert_eq!(listed == 1, is_shown, "what is listed is shown");
    }
}

#[tokio::test]
async fn an_event_that_is_no_error_has_no_stack() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let session = error(&app, &project, "1.0", json!({"type": "Error", "message": "x"})).await;
    assert_eq!(stack(&app, &project, session).await["frames"], json!([]));
    for (event, status) in [("0-0", 404), ("0-2", 404), ("9-1", 404), ("x-1", 400), ("", 400)] {
        let path =
            format!("/api/v1/projects/{}/sessions/{session}/events/{STREAM}-{event}/stack", project.id);
        assert_eq!(app.get(&path, &project.secret).await.status.as_u16(), status, "{event}");
    }
}
