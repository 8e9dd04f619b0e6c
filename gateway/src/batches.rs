//! `POST /v1/batches`.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use playhead_domain::log::{self, Record};
use playhead_proto::record::RecordMeta;
use playhead_proto::{batch, limits, trace};
use prost::Message;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::admission::{Admitted, Credential};
use crate::answer::{self, Refusal};
use crate::circuit::Outage;
use crate::client::{self, Client};
use crate::error::ApiError;
use crate::gateway::Gateway;

pub(crate) async fn post(State(gateway): State<Gateway>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let traceparent = client::traceparent(&parts.headers);
    let span = server_span();
    trace::go_on(&span, &traceparent);
    let outcome = take(&gateway, &parts, body, traceparent, &span).instrument(span.clone()).await;
    if let Err(refusal) = &outcome {
        span.record("error.type", refusal.error.code());
        if refusal.error.status().is_server_error() {
            span.record("otel.status_code", "ERROR");
        }
    }
    let response = gateway.finish(outcome);
    span.record("http.response.status_code", i64::from(response.status().as_u16()));
    response
}

fn server_span() -> Span {
    tracing::debug_span!(
        "batch",
        otel.name = "POST /v1/batches",
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = "POST",
        http.route = "/v1/batches",
        http.response.status_code = Empty,
        error.type = Empty,
        project = Empty,
        bytes = Empty,
    )
}

async fn take(
    gateway: &Gateway,
    parts: &Parts,
    body: Body,
    traceparent: String,
    span: &Span,
) -> Result<Response, Refusal> {
    let _under_way = gateway.enter()?;
    let client = Client::of(parts, &gateway.0.config.trusted_proxies);
    let charged = gateway.read(parts, &client, body, limits::MAX_BODY_BYTES).await?;
    let received_us = gateway.0.clock.now_us();
    let (key, admitted) = check(gateway, parts, &charged.bytes, received_us)?;
    let size = charged.bytes.len();
    span.record("project", tracing::field::display(admitted.id)).record("bytes", size as i64);
    let meta = RecordMeta {
        tenant_id: admitted.project.tenant,
        project_id: admitted.id.0,
        received_us,
        client_ip: client.address_bytes().into(),
        user_agent: client::user_agent(&parts.headers),
        traceparent: trace::pass_on(span, traceparent),
        awaits_spans: !admitted.project.secret_keys.is_empty(),
        ..RecordMeta::default()
    };
    append(gateway, Record { key, value: charged.bytes, meta: meta.encode_to_vec().into() })
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
    gateway
        .0
        .quotas
        .take_batch(admitted.id, header.session, body.len(), now_us)
        .map_err(|error| Refusal { error, readers: admitted.readers.clone() })?;
    Ok((Bytes::copy_from_slice(&header.session.0), admitted))
}

/// Waits for the log, but not for ever, and not while it is known to be away.
pub(crate) async fn append(gateway: &Gateway, record: Record) -> Result<(), ApiError> {
    let inner = &gateway.0;
    let unavailable = |detail| ApiError::LogUnavailable { detail, retry_after_s: inner.config.retry_after_s };
    let pass = inner.circuit.pass().ok_or(unavailable("the log is away"))?;
    let timer = inner.metrics.append_seconds.start_timer();
    let append = inner.log.append(&inner.config.batches_topic, record);
    let result = tokio::time::timeout(inner.config.append_timeout(), append).await;
    timer.observe_duration();
    let (outage, error, detail) = match result {
        Ok(Ok(_)) => {
            if pass.succeed() == Outage::Over {
                tracing::info!("the log takes batches again");
            }
            return Ok(());
        }
        Ok(Err(log::Error::Busy(_))) => return Err(unavailable("the log is busy")),
        Ok(Err(error @ log::Error::TooLarge { .. })) => {
            // Of this batch alone, and of limits that do not agree.
            tracing::error!(%error, "a batch within the limits is refused by the log");
            return Err(unavailable("the log does not take records of this size"));
        }
        Ok(Err(error)) => (pass.fail(), error.to_string(), "the log does not take records"),
        Err(elapsed) => (pass.fail(), elapsed.to_string(), "the log did not answer in time"),
    };
    // Once per outage: each of thousands of refused batches says it in the metrics.
    if outage == Outage::Begun {
        tracing::error!(%error, "the log does not take batches; senders are asked to come back");
    }
    Err(unavailable(detail))
}
