//! The demo shop: static pages with the first project's tag in them, and the small server that they talk to.

use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use playhead_domain::issue::filter::Filter;
use rust_embed::RustEmbed;

use crate::site;

#[derive(RustEmbed)]
#[folder = "demo"]
struct Pages;

const TAG_PLACE: &str = "<!-- playhead -->";
const SLOW: Duration = Duration::from_secs(3);
const MAX_ORDER_BYTES: usize = 64 << 10;
const MAX_MESSAGE_BYTES: usize = 64 << 10;
const MAX_MESSAGES: usize = 1_000;
/// A socket over which nothing comes for longer is closed: it holds one of the server's places.
const SOCKET_IDLE: Duration = Duration::from_secs(120);

/// The hosts of the shop's images, as the first project should allow them: where it is reached, under both names of the
/// loopback address.
pub(crate) fn image_hosts(public_url: &str) -> Vec<String> {
    let host = public_url.split_once("://").map_or(public_url, |(_, host)| host);
    let mut hosts = vec![host.to_owned()];
    if let Some(port) = host.strip_prefix("127.0.0.1") {
        hosts.push(format!("localhost{port}"));
    }
    hosts
}

/// The shop is mostly visited on one's own machine, and by browsers without a window: its errors are to become issues all the same.
pub(crate) fn error_filters_off() -> Vec<String> {
    [Filter::Localhost, Filter::Bot].map(|filter| filter.name().to_owned()).to_vec()
}

/// The routes under `/demo`; `script_tag` goes into the head of its pages.
pub(crate) fn router(script_tag: &str) -> Router {
    let page = Pages::get("index.html")
        .map(|file| String::from_utf8_lossy(&file.data).replace(TAG_PLACE, script_tag));
    let page: &'static str = page.unwrap_or_default().leak();
    Router::new()
        .route("/demo", get(move || async move { index(page) }))
        .route("/demo/", get(move || async move { index(page) }))
        .route("/demo/api/products", get(products))
        .route("/demo/api/cart", get(cart))
        .route("/demo/api/orders", post(order))
        .route("/demo/api/orders/fail", post(fail))
        .route("/demo/api/slow", get(slow))
        .route(
            "/demo/api/{*rest}",
            get(|| async { (StatusCode::NOT_FOUND, json(r#"{"error":"no such thing"}"#)) }),
        )
        .route("/demo/ws", get(echo))
        .route("/demo/{*path}", get(move |path: Path<String>| file(path, page)))
        .layer(DefaultBodyLimit::max(MAX_ORDER_BYTES))
}

fn index(page: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], page)
        .into_response()
}

/// A file; what is none is an address within the shop.
async fn file(Path(path): Path<String>, page: &'static str) -> Response {
    match Pages::get(&path) {
        Some(file) if path != "index.html" => site::file(&path, file, site::Caching::Revalidate),
        _ => index(page),
    }
}

fn json(body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

async fn products() -> Response {
    match Pages::get("products.json") {
        Some(file) => site::file("products.json", file, site::Caching::Never),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn cart() -> Response {
    json(r#"{"items":[],"currency":"EUR"}"#)
}

/// Takes the body, so that its size shows in the browser, and forgets it.
async fn order(_body: axum::body::Bytes) -> Response {
    let mut answer = json(r#"{"order_id":"FK-1001","state":"accepted"}"#);
    *answer.status_mut() = StatusCode::CREATED;
    answer
}

async fn fail(_body: axum::body::Bytes) -> Response {
    let mut answer = json(r#"{"error":"the payment provider did not answer"}"#);
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}

async fn slow() -> Response {
    tokio::time::sleep(SLOW).await;
    let mut answer = json(r#"{"report":"stock","rows":1204}"#);
    let timing = HeaderValue::from_static(r#"db;desc="stock query";dur=2740, render;dur=210"#);
    answer.headers_mut().insert("server-timing", timing);
    answer
}

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(MAX_MESSAGE_BYTES).on_upgrade(repeat)
}

async fn repeat(mut socket: WebSocket) {
    for _ in 0..MAX_MESSAGES {
        let received = tokio::time::timeout(SOCKET_IDLE, socket.recv()).await.unwrap_or(None);
        match received {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                if socket.send(message).await.is_err() {
                    return;
                }
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
        }
    }
}
