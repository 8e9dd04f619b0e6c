//! Waiting for what a process cannot start without, and telling those who ask what it waits for.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parking_lot::Mutex;
use serde::Serialize;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why something is not there.
pub(crate) enum Unready {
    /// It may be there later.
    Later(String),
    Never(anyhow::Error),
}

/// What a process that starts is waiting for.
#[derive(Clone, Default)]
pub(crate) struct Waiting(Arc<Mutex<Option<WaitingFor>>>);

/// A part that is not there, and why.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WaitingFor {
    pub(crate) part: &'static str,
    pub(crate) reason: String,
}

impl Waiting {
    /// Tries until it succeeds, with growing pauses.
    ///
    /// # Errors
    /// What no waiting cures.
    pub(crate) async fn until<T, F: Future<Output = Result<T, Unready>>>(
        &self,
        part: &'static str,
        mut attempt: impl FnMut() -> F,
    ) -> anyhow::Result<T> {
        let mut pause = FIRST_PAUSE;
        loop {
            let reason = match attempt().await {
                Ok(found) => {
                    *self.0.lock() = None;
                    return Ok(found);
                }
                Err(Unready::Never(error)) => return Err(error),
                Err(Unready::Later(reason)) => reason,
            };
            tracing::warn!(part, reason, "waiting for a part that does not answer");
            *self.0.lock() = Some(WaitingFor { part, reason });
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// What a process answers until it has started.
    pub(crate) fn router(&self) -> Router {
        let waiting = self.clone();
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(move || async move { waiting.readiness() }))
            .fallback(not_yet)
    }

    fn readiness(&self) -> Response {
        let waiting_for: Vec<_> = self.0.lock().clone().into_iter().collect();
        let body = serde_json::json!({ "ready": false, "waiting_for": waiting_for });
        (StatusCode::SERVICE_UNAVAILABLE, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}

/// Browsers' pages must be able to read the answer, wherever they come from.
async fn not_yet() -> Response {
    let problem = r#"{"type":"about:blank","title":"not ready yet","status":503,"code":"starting","detail":"this process is starting; try again in some seconds"}"#;
    let headers = [
        (header::CONTENT_TYPE, "application/problem+json"),
        (header::RETRY_AFTER, "2"),
        (header::CACHE_CONTROL, "no-store"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After"),
    ];
    (StatusCode::SERVICE_UNAVAILABLE, headers, problem).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    #[tokio::test(start_paused = true)]
    async fn what_is_waited_for_is_told_until_it_is_there() {
        let waiting = Waiting::default();
        let (attempts, router) = (std::cell::Cell::new(0), waiting.router());
        let ask = |path: &'static str| {
            let router = router.clone();
            async move {
                let request = Request::builder().uri(path).body(Body::empty()).unwrap();
                let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
                (parts, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
            }
        };
        let found = waiting.until("store", || {
            attempts.set(attempts.get() + 1);
            let attempt = attempts.get();
            async move {
                if attempt < 4 { Err(Unready::Later("no node answers".to_owned())) } else { Ok(attempt) }
            }
        });
        let asked = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            ask("/readyz").await
        };
        let (found, (parts, body)) = tokio::join!(found, asked);
        assert_eq!(found.unwrap(), 4);
        assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains(r#""part":"store""#) && body.contains("no node answers"), "{body}");
        let (parts, _) = ask("/v1/batches").await;
        assert_eq!(
            (parts.status, &parts.headers[header::RETRY_AFTER]),
            (StatusCode::SERVICE_UNAVAILABLE, &"2".parse().unwrap())
        );
        let refused =
            waiting.until("store", || async { Err::<(), _>(Unready::Never(anyhow::anyhow!("no"))) }).await;
        assert_eq!(refused.unwrap_err().to_string(), "no");
    }
}
