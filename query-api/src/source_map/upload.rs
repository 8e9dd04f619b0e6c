//! Taking a map: bounded before and after inflating, looked through, and stored.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use playhead_domain::row::{SourceMapArtifact, SourceMapContent};
use playhead_domain::source_map::debug_id::DebugId;
use playhead_domain::source_map::key::{ArtifactId, bundle_path};
use playhead_domain::source_map::shape::{self, Checked};
use playhead_domain::source_map::{Broken, MAX_UPLOAD_BYTES, artifact, reference};
use tokio::sync::Semaphore;

use crate::error::ApiError;
use crate::model::source_map::NewSourceMap;
use crate::state::Api;
use crate::turn;

/// Maps that are looked through at once: each takes some hundred MB while it is.
const MAX_CHECKS: usize = 2;
/// Bytes of bodies under way, in KiB.
const BODIES_KIB: usize = 256 << 10;
/// How long a body may take.
const BODY_LIMIT: Duration = Duration::from_secs(300);
/// How long an upload waits for others.
const TURN_LIMIT: Duration = Duration::from_secs(20);
const MAX_NAME_BYTES: usize = 512;

/// What uploads share.
pub(crate) struct Uploads {
    bodies_kib: Semaphore,
    checks: Arc<Semaphore>,
}

impl Uploads {
    pub(crate) fn new() -> Self {
        Self { bodies_kib: Semaphore::new(BODIES_KIB), checks: Arc::new(Semaphore::new(MAX_CHECKS)) }
    }
}

/// A map that is ready to be stored.
pub(crate) struct Taken {
    pub(crate) id: ArtifactId,
    /// Without its times and its object.
    pub(crate) artifact: SourceMapArtifact,
    pub(crate) packed: Vec<u8>,
}

/// Reads and checks the body of an upload.
pub(crate) async fn take(api: &Api, headers: &HeaderMap, body: Body) -> Result<Taken, ApiError> {
    let uploads = &api.0.uploads;
    let encoding = Encoding::of(headers)?;
    let room = uploads.bodies_kib.acquire_many(announced_kib(headers)?);
    let _room = turn::within(TURN_LIMIT, room, ApiError::TooManyUploads).await?;
    let body = tokio::time::timeout(BODY_LIMIT, axum::body::to_bytes(body, MAX_UPLOAD_BYTES))
        .await
        .map_err(|_| ApiError::TooSlow)?
        .map_err(|_| ApiError::TooLarge(MAX_UPLOAD_BYTES))?;
    let permit = Arc::clone(&uploads.checks).acquire_owned();
    let permit = turn::within(TURN_LIMIT, permit, ApiError::TooManyUploads).await?;
    let checking = tokio::task::spawn_blocking(move || {
        // It goes with the work, which a client that goes away does not end.
        let _permit = permit;
        check(&encoding.inflate(body)?)
    });
    match checking.await {
        Ok(taken) => taken,
        // What makes a reader panic is a broken map.
        Err(error) => Err(ApiError::Unusable(format!("the source map cannot be read: {error}"))),
    }
}

/// What the body says that it takes; without that, the most that it may.
fn announced_kib(headers: &HeaderMap) -> Result<u32, ApiError> {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    match length.unwrap_or(MAX_UPLOAD_BYTES) {
        bytes if bytes > MAX_UPLOAD_BYTES => Err(ApiError::TooLarge(MAX_UPLOAD_BYTES)),
        bytes => Ok(u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX)),
    }
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Plain,
    Gzip,
    Zstd,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        match headers.get(header::CONTENT_ENCODING).map(header::HeaderValue::as_bytes) {
            None | Some(b"identity") => Ok(Self::Plain),
            Some(b"gzip") => Ok(Self::Gzip),
            Some(b"zstd") => Ok(Self::Zstd),
            Some(_) => Err(ApiError::bad("content-encoding", "must be gzip or zstd, or be left out")),
        }
    }

    /// Never more than [`MAX_UPLOAD_BYTES`].
    fn inflate(self, body: Bytes) -> Result<Bytes, ApiError> {
        let garbled =
            |e: std::io::Error| ApiError::bad("body", format!("not in the encoding that it claims: {e}"));
        let mut inflated = Vec::new();
        let most = MAX_UPLOAD_BYTES as u64 + 1;
        match self {
            Self::Plain => return Ok(body),
            Self::Gzip => flate2::bufread::MultiGzDecoder::new(&*body)
                .take(most)
                .read_to_end(&mut inflated)
                .map_err(garbled)?,
            Self::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(&*body).map_err(garbled)?;
                decoder.take(most).read_to_end(&mut inflated).map_err(garbled)?
            }
        };
        if inflated.len() > MAX_UPLOAD_BYTES {
            return Err(ApiError::TooLarge(MAX_UPLOAD_BYTES));
        }
        Ok(inflated.into())
    }
}

fn check(body: &[u8]) -> Result<Taken, ApiError> {
    let new: NewSourceMap<'_> = serde_json::from_slice(body)
        .map_err(|error| ApiError::bad("body", format!("not the JSON that is expected: {error}")))?;
    let path = bundle_path(&new.path);
    for (field, text) in [("release", new.release.as_str()), ("path", path)] {
        if text.len() > MAX_NAME_BYTES || text.chars().any(char::is_control) {
            return Err(ApiError::bad(
                field,
                format!("must be printable text of at most {MAX_NAME_BYTES} bytes"),
            ));
        }
    }
    if path.is_empty() {
        return Err(ApiError::bad("path", "is missing: the path of the bundle, such as assets/index.js"));
    }
    let references = reference::read(&new.code);
    let map = checked(&new, references.map).map_err(|broken| ApiError::Unusable(broken.to_string()))?;
    let debug_id = references.debug_id.or(map.debug_id);
    if new.release.is_empty() && debug_id.is_none() {
        return Err(ApiError::bad(
            "release",
            "is missing, and the bundle has no debug id: nothing would lead to the map",
        ));
    }
    let code = without_inline(&new.code, references.map);
    pack(&new.release, path, debug_id, code, map)
}

fn checked(new: &NewSourceMap<'_>, named: Option<&str>) -> Result<Checked, Broken> {
    if let Some(map) = new.map {
        return shape::check(map.get());
    }
    match named.and_then(reference::inline) {
        Some(map) => shape::check(&map?),
        None => Err(Broken::Inline("there is neither `map` nor a map inside `code`".to_owned())),
    }
}

/// The map inside a bundle is stored by itself.
fn without_inline<'a>(code: &'a str, named: Option<&str>) -> &'a str {
    match named.filter(|url| url.starts_with("data:")).and_then(|url| code.rfind(url)) {
        Some(at) => &code[..at],
        None => code,
    }
}

fn pack(
    release: &str,
    path: &str,
    debug_id: Option<DebugId>,
    code: &str,
    map: Checked,
) -> Result<Taken, ApiError> {
    let content = SourceMapContent { code: code.to_owned(), map: map.json };
    let id = ArtifactId::of(release, path, debug_id, &content.code, &content.map);
    let packed = artifact::pack(&content).map_err(|error| ApiError::Internal(error.to_string()))?;
    let artifact = SourceMapArtifact {
        release: release.to_owned(),
        path: path.to_owned(),
        debug_id: debug_id.map(|id| Bytes::copy_from_slice(&id.0)).unwrap_or_default(),
        uploaded_us: 0,
        stored_bytes: packed.len() as u64,
        raw_bytes: (content.code.len() + content.map.len()) as u64,
        mappings: map.mappings,
        sources: map.sources,
        contents: map.contents,
        expires_at_ms: 0,
        deleted_us: 0,
        object: String::new(),
    };
    Ok(Taken { id, artifact, packed })
}
