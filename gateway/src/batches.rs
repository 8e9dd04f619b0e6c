//! `POST /v1/batches`.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use playhead_domain::log::{self, Record};
use playhead_proto::record::RecordMeta;
use playhead_proto::{batch, limits};
use prost::Message;
use tracing::Instrument;

use crate::admission::{Admitted, Credential};
use crate::answer::{self, Refusal};
use crate::client::{self, Client};
use crate::error::ApiError;
use crate::gateway::Gateway;

pub(crate) async fn post(State(gateway): State<Gateway>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let span = tracing::debug_span!("batch", project = tracing::field::Empty, bytes = tracing::field::Empty);
    let outcome = take(&gateway, &parts, body).instrument(span).await;
    gateway.finish(outcome)
}

async fn take(gateway: &Gateway, parts: &Parts, body: Body) -> Result<Response, Refusal> {
    let _under_way = gateway.enter()?;
    let client = Client::of(parts, &gateway.0.config.trusted_proxies);
    let charged = gateway.read(parts, &client, body, limits::MAX_BODY_BYTES).await?;
    let received_us = gateway.0.clock.now_us();
    let (key, admitted) = check(gateway, parts, &charged.bytes, received_us)?;
    let meta = meta(&admitted, parts, &client, received_us);
    let size = charged.bytes.len();
    tracing::Span::current().record("project", tracing::field::display(admitted.id)).record("bytes", size);
    append(gateway, Record { key, value: charged.bytes, meta })
        .await
        .map_err(|error| Refusal { error, readers: admitted.readers.clone() })?;
    // Held until the log has let go of the bytes.
    drop(charged.permit);
    gateway.0.metrics.accept(size);
    Ok(answer::open_to(admitted.readers, StatusCode::ACCEPTED.into_response()))
}

/// The record's key and who was let in.
fn check(gateway: &Gateway, parts: &Parts, body: &Bytes, now_us: i64) -> Result<(Bytes, Admitted), Refusal> {
    let header_len = batch::header_len(body).map_err(ApiError::from)?;
    let header = batch::parse_header(&body[..header_len], body.len()).map_err(ApiError::from)?;
    let credential =
        Credential { key: header.key.as_deref(), token: header.token.as_deref(), session: header.session };
    let now_s = u64::try_from(now_us / 1_000_000).unwrap_or(0);
    let admitted = gateway.0.door.admit(credential, &parts.headers, now_s)?;
    gateway.0.quotas.take(admitted.id, body.len(), now_us).map_err(|retry_after_s| Refusal {
        error: ApiError::OverQuota { retry_after_s },
        readers: admitted.readers.clone(),
    })?;
    Ok((Bytes::copy_from_slice(&header.session.0), admitted))
}

fn meta(admitted: &Admitted, parts: &Parts, client: &Client, received_us: i64) -> Bytes {
    let meta = RecordMeta {
        tenant_id: admitted.project.tenant,
        project_id: admitted.id.0,
        received_us,
        client_ip: client.address_bytes().into(),
        user_agent: client::user_agent(&parts.headers),
        traceparent: client::traceparent(&parts.headers),
    };
    meta.encode_to_vec().into()
}

/// Waits for the log, but not for ever.
async fn append(gateway: &Gateway, record: Record) -> Result<(), ApiError> {
    let inner = &gateway.0;
    let timer = inner.metrics.append_seconds.start_timer();
    let append = inner.log.append(&inner.config.batches_topic, record);
    let result = tokio::time::timeout(inner.config.append_timeout(), append).await;
    timer.observe_duration();
    let detail = match result {
        Ok(Ok(_)) => {
            if inner.log_failing.load(Ordering::Relaxed) && inner.log_failing.swap(false, Ordering::Relaxed) {
                tracing::info!("the log takes batches again");
            }
            return Ok(());
        }
        Ok(Err(log::Error::Busy(_))) => "the log is busy",
        Ok(Err(error)) => {
            report_failing_log(gateway, &error);
            "the log does not take records"
        }
        Err(elapsed) => {
            report_failing_log(gateway, &elapsed);
            "the log did not answer in time"
        }
    };
    Err(ApiError::LogUnavailable { detail, retry_after_s: inner.config.retry_after_s })
}

/// Says it once per outage: each of thousands of refused batches says it in the metrics.
fn report_failing_log(gateway: &Gateway, error: &dyn std::error::Error) {
    if !gateway.0.log_failing.swap(true, Ordering::Relaxed) {
        tracing::error!(%error, "the log does not take batches; senders are asked to come back");
    }
}
