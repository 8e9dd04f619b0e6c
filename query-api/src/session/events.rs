//! The time line: events of a session in order of time, filtered and searched, a page at a time.
//!
//! Chunks of several streams overlap in time, so a page is the smallest events after the cursor over all chunks: one pass over
//! the session's chunks, of which only those that can contribute are opened.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use axum::Json;
use axum::extract::State;
use playhead_domain::id::{SessionId, StreamId};
use playhead_domain::row;
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{ClusteringRange, Order};
use playhead_domain::table;
use playhead_proto::span;
use prost::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::IntoParams;

use super::{routes, rows};
use crate::access::Caller;
use crate::cursor;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::replay::{Event, EventPage};
use crate::params::{Params, Segments, page_size};
use crate::sealed::SessionCipher;
use crate::state::Api;

/// Chunks read at once; each is at most a row's value.
const PAGE_ROWS: usize = 16;
/// Bytes of events that one answer holds, at least one event whatever its size.
const MAX_PAGE_BYTES: usize = 8 << 20;
const MAX_QUERY_BYTES: usize = 500;

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventParams {
    /// Kinds, separated by commas: `error,request`. Unless given, all but `span`: what the session's backend did.
    kinds: Option<String>,
    /// Text in any value of the event's data, in any case.
    q: Option<String>,
    /// 1 to 1000, 200 unless given.
    limit: Option<usize>,
    /// `next` of the page before, with the same filters.
    cursor: Option<String>,
}

/// The time line of a session.
#[utoipa::path(get, path = "/api/v1/projects/{project}/sessions/{session}/events", tag = "sessions",
    params(("project" = String, Path, description = "Project id"), ("session" = String, Path, description = "Session id"), EventParams),
    responses(
    (status = 200, body = EventPage),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "Deleted, or expired by retention", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_events(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, session)): Segments<(String, String)>,
    Params(params): Params<EventParams>,
) -> Result<Json<EventPage>, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let (id, summary) = routes::load(&api, scope, &session).await?;
    let limit = page_size(params.limit, 200, 1_000)?;
    let wanted = Wanted::read(&params)?;
    let question = wanted.question(id);
    let after = params.cursor.as_deref().map(|cursor| read_place(&question, cursor)).transpose()?;
    let mut page = PageBuilder { after, limit, events: BTreeMap::new(), bytes: 0, cut: false };
    collect(&api, scope, id, &wanted, &mut page).await?;
    Ok(Json(page.finish(&question, summary.start_ms)))
}

/// The filters, ready to be applied.
struct Wanted {
    kinds: BTreeSet<String>,
    /// Lower case.
    text: String,
}

impl Wanted {
    fn read(params: &EventParams) -> Result<Self, ApiError> {
        let kinds = params.kinds.as_deref().unwrap_or_default();
        let text = params.q.as_deref().unwrap_or_default().trim().to_lowercase();
        if kinds.len() > MAX_QUERY_BYTES {
            return Err(ApiError::bad("kinds", format!("longer than {MAX_QUERY_BYTES} bytes")));
        }
        if text.len() > MAX_QUERY_BYTES {
            return Err(ApiError::bad("q", format!("longer than {MAX_QUERY_BYTES} bytes")));
        }
        let kinds =
            kinds.split(',').map(str::trim).filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
        Ok(Self { kinds, text })
    }

    fn question(&self, session: SessionId) -> Vec<u8> {
        let kinds: Vec<&str> = self.kinds.iter().map(String::as_str).collect();
        format!("events {session} {} {}", kinds.join(","), self.text).into_bytes()
    }

    /// Whether a chunk can hold anything of it.
    fn looks_into(&self, chunk: &row::EventChunk) -> bool {
        let has_other = self.kinds.iter().any(|kind| kind != span::KIND);
        if chunk.spans { self.kinds.contains(span::KIND) } else { self.kinds.is_empty() || has_other }
    }

    fn takes(&self, event: &StoredEvent<'_>) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(event.kind.as_ref()))
            && (self.text.is_empty() || contains_text(event.data.get(), &self.text))
    }
}

/// Whether any text or number in the JSON contains `text`, which is lower case. Names of members do not count.
fn contains_text(json: &str, text: &str) -> bool {
    fn contains(value: &serde_json::Value, text: &str) -> bool {
        match value {
            serde_json::Value::String(value) => value.to_lowercase().contains(text),
            serde_json::Value::Number(value) => value.to_string().contains(text),
            serde_json::Value::Array(values) => values.iter().any(|value| contains(value, text)),
            serde_json::Value::Object(members) => members.values().any(|value| contains(value, text)),
            serde_json::Value::Bool(_) | serde_json::Value::Null => false,
        }
    }
    serde_json::from_str(json).is_ok_and(|value| contains(&value, text))
}

/// A line of a chunk.
#[derive(Deserialize)]
struct StoredEvent<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
    time: f64,
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// What tells a span from any other, however often it was exported.
#[derive(Deserialize)]
struct SpanIds<'a> {
    trace_id: &'a str,
    span_id: &'a str,
}

/// A place in the time line: microseconds, so that it has an order, then where the event is from. A span's is made of its ids: sent
/// again, in whatever company, it has the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    time_us: i64,
    stream: StreamId,
    seq: u64,
    index: u32,
}

/// The smallest events after the cursor, within bounds.
struct PageBuilder {
    after: Option<Place>,
    limit: usize,
    events: BTreeMap<Place, Event>,
    bytes: usize,
    /// Events were left out because the page is full.
    cut: bool,
}

impl PageBuilder {
    /// Whether something in `from_ms..=to_ms` can still get into the page. A millisecond of slack covers rounding.
    fn may_take(&self, from_ms: i64, to_ms: i64) -> bool {
        let after = self.after.is_none_or(|place| (to_ms + 1).saturating_mul(1_000) >= place.time_us);
        let before = !self.is_full()
            || self
                .events
                .last_key_value()
                .is_some_and(|(last, _)| (from_ms - 1).saturating_mul(1_000) <= last.time_us);
        after && before
    }

    fn is_full(&self) -> bool {
        self.events.len() >= self.limit || (self.bytes >= MAX_PAGE_BYTES && !self.events.is_empty())
    }

    fn offer(&mut self, place: Place, stream: &str, event: &StoredEvent<'_>) {
        if self.after.is_some_and(|after| place <= after) {
            return;
        }
        if self.is_full() && self.events.last_key_value().is_some_and(|(last, _)| place > *last) {
            self.cut = true;
            return;
        }
        let event = Event {
            id: event.id.clone().into_owned(),
            time: event.time,
            at_ms: 0.0,
            stream: stream.to_owned(),
            kind: event.kind.clone().into_owned(),
            data: event.data.to_owned(),
        };
        self.bytes += event.data.get().len();
        if let Some(same) = self.events.insert(place, event) {
            self.bytes -= same.data.get().len();
        }
        while self.events.len() > self.limit || (self.bytes > MAX_PAGE_BYTES && self.events.len() > 1) {
            let Some((_, dropped)) = self.events.pop_last() else { break };
            self.bytes -= dropped.data.get().len();
            self.cut = true;
        }
    }

    fn finish(self, question: &[u8], start_ms: i64) -> EventPage {
        let next = self
            .events
            .last_key_value()
            .filter(|_| self.cut)
            .map(|(place, _)| cursor::write(question, &write_place(*place)));
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era are far below 2^53")]
        let start = start_ms as f64;
        let items =
            self.events.into_values().map(|event| Event { at_ms: event.time - start, ..event }).collect();
        EventPage { items, next }
    }
}

async fn collect(
    api: &Api,
    scope: Scope,
    session: SessionId,
    wanted: &Wanted,
    page: &mut PageBuilder,
) -> Result<(), ApiError> {
    let partition = key::session_partition(scope, session);
    let mut range = ClusteringRange::ALL;
    let mut cipher = None;
    loop {
        let rows =
            api.store().scan(&table::SESSION_EVENTS, &partition, &range, Order::Ascending, PAGE_ROWS).await?;
        let Some(last) = rows.rows.last().map(|row| row.key.clustering.clone()) else { return Ok(()) };
        for row in rows.rows {
            let (stream, seq) = key::batch_of(&row.key.clustering)
                .ok_or_else(|| ApiError::Corrupt("key of an event chunk".to_owned()))?;
            let chunk = row::EventChunk::decode(row.value)
                .map_err(|e| ApiError::Corrupt(format!("event chunk: {e}")))?;
            if !wanted.looks_into(&chunk) {
                continue;
            }
            if !page.may_take(chunk.from_ms, chunk.to_ms) {
                page.cut |= page.is_full();
                continue;
            }
            if cipher.is_none() {
                cipher = Some(SessionCipher::load(api, scope, session).await?);
            }
            let Some(cipher) = &cipher else { continue };
            let lines = cipher.open_events(&chunk)?;
            read_lines(&lines, (stream, seq, chunk.spans), wanted, page)?;
        }
        if !rows.more {
            return Ok(());
        }
        range.from = Bound::Excluded(last);
    }
}

fn read_lines(
    lines: &[u8],
    (stream, seq, is_spans): (StreamId, u64, bool),
    wanted: &Wanted,
    page: &mut PageBuilder,
) -> Result<(), ApiError> {
    for (index, line) in (0u32..).zip(lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())) {
        let event: StoredEvent<'_> = serde_json::from_slice(line)
            .map_err(|e| ApiError::Corrupt(format!("event of {stream} {seq}: {e}")))?;
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
        let time_us = (event.time * 1_000.0) as i64;
        if !wanted.takes(&event) {
            continue;
        }
        match is_spans.then(|| span_place(time_us, &event)).flatten() {
            // Of no document.
            Some(place) => page.offer(place, "", &event),
            None => page.offer(Place { time_us, stream, seq, index }, &stream.to_string(), &event),
        }
    }
    Ok(())
}

fn span_place(time_us: i64, event: &StoredEvent<'_>) -> Option<Place> {
    let ids: SpanIds<'_> = serde_json::from_str(event.data.get()).ok()?;
    let seq = u64::from_str_radix(ids.trace_id.get(16..)?, 16).ok()?;
    Some(Place { time_us, stream: ids.span_id.parse().ok()?, seq, index: 0 })
}

/// The data of the event of that id, if it is kept.
///
/// # Errors
/// [`ApiError::Deleted`] when the session was erased; the store's.
pub(crate) async fn data_of(
    api: &Api,
    scope: Scope,
    session: SessionId,
    event: &str,
) -> Result<Option<serde_json::Map<String, serde_json::Value>>, ApiError> {
    let mut parts = event.splitn(3, '-');
    let stream = parts.next().and_then(|stream| stream.parse::<StreamId>().ok());
    let seq = parts.next().and_then(|seq| seq.parse::<u64>().ok());
    let (Some(stream), Some(seq)) = (stream, seq) else { return Ok(None) };
    let key = key::batch(scope, session, stream, seq);
    let Some(row) = api.store().get(&table::SESSION_EVENTS, &key).await? else { return Ok(None) };
    let chunk =
        row::EventChunk::decode(row.value).map_err(|e| ApiError::Corrupt(format!("event chunk: {e}")))?;
    let lines = SessionCipher::load(api, scope, session).await?.open_events(&chunk)?;
    for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let stored: StoredEvent<'_> = serde_json::from_slice(line)
            .map_err(|e| ApiError::Corrupt(format!("event of {stream} {seq}: {e}")))?;
        if stored.id == event {
            return Ok(serde_json::from_str(stored.data.get()).ok());
        }
    }
    Ok(None)
}

fn write_place(place: Place) -> Vec<u8> {
    [&place.time_us.to_be_bytes()[..], &place.stream.0, &place.seq.to_be_bytes(), &place.index.to_be_bytes()]
        .concat()
}

fn read_place(question: &[u8], text: &str) -> Result<Place, ApiError> {
    let position = cursor::read(question, text)?;
    let read = || {
        Some(Place {
            time_us: i64::from_be_bytes(position.get(..8)?.try_into().ok()?),
            stream: rows::stream_id(position.get(8..16)?)?,
            seq: u64::from_be_bytes(position.get(16..24)?.try_into().ok()?),
            index: u32::from_be_bytes(position.get(24..28)?.try_into().ok()?),
        })
    };
    read().ok_or_else(|| ApiError::bad("cursor", "not a cursor of this list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_in_values_and_not_in_names() {
        let json = r#"{"url":"https://shop.example/Cart","status":502,"deep":[{"message":"Gr\u00fcn"}]}"#;
        for text in ["cart", "502", "grün", "shop.example"] {
            assert!(contains_text(json, text), "{text}");
        }
        for text in ["url", "status", "message", "404"] {
            assert!(!contains_text(json, text), "{text}");
        }
    }

    #[test]
    fn a_page_holds_the_smallest_events_whatever_their_order() {
        let data = RawValue::from_string("{}".to_owned()).unwrap();
        let mut page = PageBuilder { after: None, limit: 3, events: BTreeMap::new(), bytes: 0, cut: false };
        for time in [9, 2, 7, 1, 8, 3] {
            let event =
                StoredEvent { id: "x".into(), time: f64::from(time), kind: "click".into(), data: &data };
            page.offer(
                Place { time_us: i64::from(time) * 1_000, stream: StreamId([0; 8]), seq: 0, index: 0 },
                "",
                &event,
            );
        }
        let page = page.finish(b"", 1);
        assert_eq!(page.items.iter().map(|event| event.at_ms).collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
        assert!(page.next.is_some());
    }
}
