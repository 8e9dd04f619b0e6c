//! Segments: their names, and their content.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use object_store::ObjectStoreExt;
use object_store::path::Path as ObjectPath;
use playhead_domain::id::{SessionId, StreamId};
use playhead_domain::row::{Block, Frame};
use playhead_domain::scope::Scope;
use playhead_proto::frame::{Encoding, inflate_lossy};
use playhead_proto::limits;

use super::{LARGEST_SEGMENT_BYTES, source};
use crate::access::Caller;
use crate::error::ApiError;
use crate::model::Problem;
use crate::params::Segments;
use crate::sealed::SessionCipher;
use crate::session::routes;
use crate::state::Api;
use crate::turn;

/// What a segment is made of. Written as its id: `f-<stream>-<first>-<last>-<check>` or `b-<stream>-<first>-<index>-<check>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SegmentName {
    /// Consecutive batches.
    Frames { stream: StreamId, first: u64, last: u64 },
    /// A cut of a compacted block.
    Cut { stream: StreamId, first: u64, index: usize },
}

const CHECK_CHARACTERS: usize = 12;
const BUDGET_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

impl SegmentName {
    /// The id, with a check over where the bytes are: other bytes, another id.
    pub(crate) fn id(self, places: &[(&str, u64, u64)]) -> String {
        let mut hasher = blake3::Hasher::new();
        for (object, offset, bytes) in places {
            hasher
                .update(object.as_bytes())
                .update(&[0])
                .update(&offset.to_be_bytes())
                .update(&bytes.to_be_bytes());
        }
        let check = hasher.finalize().to_hex();
        let check = &check[..CHECK_CHARACTERS];
        match self {
            Self::Frames { stream, first, last } => format!("f-{stream}-{first}-{last}-{check}"),
            Self::Cut { stream, first, index } => format!("b-{stream}-{first}-{index}-{check}"),
        }
    }

    fn parse(id: &str) -> Result<Self, ApiError> {
        let bad = || ApiError::bad("segment", "not the id of a segment; take it from the manifest");
        let parts: Vec<&str> = id.split('-').collect();
        let [kind, stream, first, second, _] = parts[..] else { return Err(bad()) };
        let stream = stream.parse().map_err(|_| bad())?;
        let (first, second): (u64, u64) =
            (first.parse().map_err(|_| bad())?, second.parse().map_err(|_| bad())?);
        if first > limits::MAX_SEQ || second > limits::MAX_SEQ {
            return Err(bad());
        }
        match kind {
            "f" if first <= second && second - first < u64::from(limits::MAX_PARTS) => {
                Ok(Self::Frames { stream, first, last: second })
            }
            "b" => Ok(Self::Cut { stream, first, index: usize::try_from(second).map_err(|_| bad())? }),
            _ => Err(bad()),
        }
    }
}

/// Where the bytes of some frames are.
pub(crate) fn frame_places<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> Vec<(&'a str, u64, u64)> {
    frames.into_iter().map(|frame| (frame.object.as_str(), frame.offset, u64::from(frame.bytes))).collect()
}

/// Where the bytes of a cut are.
pub(crate) fn cut_place(block: &Block, index: usize) -> (&str, u64, u64) {
    let raw_offset = block.segments.get(index).map_or(0, |cut| cut.raw_offset);
    (block.object.as_str(), block.offset, u64::from(raw_offset))
}

/// A segment of a recording: rrweb events, one a line.
#[utoipa::path(get, path = "/api/v1/projects/{project}/sessions/{session}/segments/{segment}", tag = "replay",
    params(("project" = String, Path, description = "Project id"), ("session" = String, Path, description = "Session id"),
        ("segment" = String, Path, description = "Segment id, from the manifest")), responses(
    (status = 200, description = "Whole rrweb events, one a line", body = String, content_type = "application/x-ndjson",
        headers(("x-playhead-gap" = Option<String>, description = "Why reading stopped before the end of the segment"))),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "Not there any more under this id: read the manifest again", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "Deleted, or expired by retention", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_segment(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, session, segment)): Segments<(String, String, String)>,
) -> Result<Response, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let (session, _) = routes::load(&api, scope, &session).await?;
    let name = SegmentName::parse(&segment)?;
    let content = match name {
        SegmentName::Frames { stream, first, last } => {
            let frames = source::read_frames(&api, scope, session, stream, first..=last).await?;
            check_id(name, &segment, &frame_places(frames.iter().map(|(_, frame)| frame)))?;
            read_frames(&api, scope, session, frames.into_iter().map(|(_, frame)| frame).collect()).await?
        }
        SegmentName::Cut { stream, first, index } => {
            let block = source::read_block(&api, scope, session, stream, first).await?;
            let block =
                block.filter(|block| index < block.segments.len()).ok_or(ApiError::NotFound("segment"))?;
            check_id(name, &segment, &[cut_place(&block, index)])?;
            read_cut(&api, scope, session, &block, index).await?
        }
    };
    Ok(respond(content))
}

/// A segment that moved has another id: its old one is not found, and the player reads the manifest again.
fn check_id(name: SegmentName, id: &str, places: &[(&str, u64, u64)]) -> Result<(), ApiError> {
    if name.id(places) == id { Ok(()) } else { Err(ApiError::NotFound("segment")) }
}

/// Lines, and why there are not more.
struct Content {
    lines: Vec<u8>,
    gap: Option<&'static str>,
}

fn respond(content: Content) -> Response {
    let mut response = Body::from(content.lines).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    if let Some(gap) = content.gap {
        headers.insert("x-playhead-gap", HeaderValue::from_static(gap));
    }
    response
}

/// Inflates frames one after the other, stops at the first fault, and keeps whole lines only.
async fn read_frames(
    api: &Api,
    scope: Scope,
    session: SessionId,
    frames: Vec<Frame>,
) -> Result<Content, ApiError> {
    let stored: usize = frames.iter().map(|frame| frame.bytes as usize).sum();
    let raw: usize =
        frames.iter().map(|frame| (frame.raw_bytes as usize).min(limits::MAX_DOM_RAW_BYTES)).sum();
    let raw = raw.min(limits::MAX_JOINED_BYTES);
    let _permit = charge(api, stored + raw).await?;
    let cipher = SessionCipher::load(api, scope, session).await?;
    let mut content = Content { lines: Vec::new(), gap: None };
    for frame in &frames {
        let sealed = fetch(api, &frame.object, frame.offset, frame.bytes).await?;
        let packed = cipher.open_frame(&sealed)?;
        let declared = (frame.raw_bytes as usize).min(limits::MAX_DOM_RAW_BYTES);
        let Some(encoding) = Encoding::from_name(&frame.encoding) else {
            content.gap = Some("unknown_encoding");
            break;
        };
        let inflated = inflate_lossy(&packed, encoding, declared);
        if content.lines.len() + inflated.bytes.len() > limits::MAX_JOINED_BYTES {
            content.gap = Some("too_large");
            break;
        }
        content.lines.extend_from_slice(&inflated.bytes);
        if let Some(fault) = inflated.fault {
            content.gap = Some(fault.reason());
            break;
        }
    }
    keep_whole_lines(&mut content);
    Ok(content)
}

async fn read_cut(
    api: &Api,
    scope: Scope,
    session: SessionId,
    block: &Block,
    index: usize,
) -> Result<Content, ApiError> {
    let cut = &block.segments[index];
    let (start, length) = (cut.raw_offset as usize, cut.raw_bytes as usize);
    let _permit = charge(api, block.bytes as usize + start + length).await?;
    let cipher = SessionCipher::load(api, scope, session).await?;
    let sealed = fetch(api, &block.object, block.offset, block.bytes).await?;
    let mut raw = cipher.open_block(block, &sealed, start + length)?;
    let mut content = Content { lines: raw.split_off(start.min(raw.len())), gap: None };
    if content.lines.len() < length {
        content.gap = Some("frame_too_short");
    }
    keep_whole_lines(&mut content);
    Ok(content)
}

/// Waits for no one for long: what is over the budget is told to come back.
async fn charge(api: &Api, bytes: usize) -> Result<tokio::sync::OwnedSemaphorePermit, ApiError> {
    let permits = u32::try_from(bytes.min(LARGEST_SEGMENT_BYTES) >> 10).unwrap_or(u32::MAX).max(1);
    let budget = api.0.segment_budget.clone();
    turn::within(BUDGET_LIMIT, budget.acquire_many_owned(permits), ApiError::Busy).await
}

async fn fetch(api: &Api, object: &str, offset: u64, bytes: u32) -> Result<Bytes, ApiError> {
    let path = ObjectPath::parse(object).map_err(|e| ApiError::Corrupt(format!("name of an object: {e}")))?;
    match api.0.blobs.get_range(&path, offset..offset + u64::from(bytes)).await {
        Ok(bytes) => Ok(bytes),
        // The manifest that named it is older than a compaction or an erasure.
        Err(object_store::Error::NotFound { .. }) => Err(ApiError::NotFound("segment")),
        Err(error) => Err(error.into()),
    }
}

fn keep_whole_lines(content: &mut Content) {
    let whole = content.lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    if whole < content.lines.len() {
        content.lines.truncate(whole);
        content.gap = content.gap.or(Some("frame_too_short"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_changes_with_the_place() {
        let name = SegmentName::Frames { stream: StreamId([3; 8]), first: 4, last: 6 };
        let id = name.id(&[("flush/a", 0, 10)]);
        assert_eq!(SegmentName::parse(&id).unwrap(), name);
        assert_ne!(id, name.id(&[("flush/a", 1, 10)]));
        let cut = SegmentName::Cut { stream: StreamId([3; 8]), first: 4, index: 2 };
        assert_eq!(SegmentName::parse(&cut.id(&[("blocks/a", 0, 10)])).unwrap(), cut);
    }

    #[test]
    fn nonsense_is_refused() {
        for id in [
            "",
            "f",
            "f-1-2-3-4",
            "x-0303030303030303-1-2-a",
            "f-0303030303030303-2-1-a",
            "f-0303030303030303-0-99999-a",
            "b-0303030303030303-99999999999-0-a",
            "../../etc/passwd",
        ] {
            assert!(SegmentName::parse(id).is_err(), "{id}");
        }
    }
}
