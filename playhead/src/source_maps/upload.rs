//! Source maps to a running installation, one after the other.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, bail};
use playhead_domain::source_map::{MAX_UPLOAD_BYTES, reference};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;

use super::folder::{Bundle, Map, bundles};
use crate::remote::{Of, Remote, answered};

/// A map of the largest size over a slow line.
const TIMEOUT: Duration = Duration::from_secs(300);
/// While the installation is busy with other uploads.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(2);
const LEVEL: i32 = 3;

#[derive(Serialize)]
struct Upload<'a> {
    release: &'a str,
    path: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    map: Option<Box<RawValue>>,
}

/// Uploads the maps of all bundles of a folder.
pub(super) fn run(of: Of, release: &str, folder: &Path) -> anyhow::Result<()> {
    let remote = Remote::new(of, TIMEOUT)?;
    let (mut uploaded, mut without, mut failed) = (0, 0, 0);
    for file in bundles(folder)? {
        let bundle = Bundle::read(folder, file)?;
        let map = match bundle.map(folder) {
            Map::None => {
                without += 1;
                continue;
            }
            Map::Missing(named) => {
                eprintln!(
                    "{}: it names the source map {named}, which is not in {}; build with source maps, or upload before they are removed",
                    bundle.name,
                    folder.display()
                );
                without += 1;
                continue;
            }
            Map::Inline => None,
            Map::File(file) => Some(file),
        };
        match upload(&remote, release, &bundle, map.as_deref())? {
            Ok(()) => {
                println!("{}: uploaded", bundle.name);
                uploaded += 1;
            }
            Err(error) => {
                eprintln!("{}: {error:#}", bundle.name);
                failed += 1;
            }
        }
    }
    println!("{uploaded} source maps are uploaded, {without} scripts have none");
    if failed > 0 {
        bail!("{failed} source maps were not uploaded");
    }
    if uploaded == 0 {
        bail!("no script in {} has a source map; let the bundler write them", folder.display());
    }
    Ok(())
}

/// What is wrong with this bundle alone is the inner error; the outer one would be that of all others, too.
fn upload(
    remote: &Remote,
    release: &str,
    bundle: &Bundle,
    map: Option<&Path>,
) -> anyhow::Result<anyhow::Result<()>> {
    let body = match body(release, bundle, map) {
        Ok(body) => body,
        Err(error) => return Ok(Err(error)),
    };
    for attempt in 1.. {
        let request = remote.request(Method::POST, "source-maps")?;
        let request = request.header(CONTENT_TYPE, "application/json").header(CONTENT_ENCODING, "zstd");
        let response = request.body(body.clone()).send();
        let status = response.as_ref().map_or(StatusCode::OK, reqwest::blocking::Response::status);
        if status == StatusCode::SERVICE_UNAVAILABLE && attempt < ATTEMPTS {
            sleep(PAUSE);
            continue;
        }
        let answer = answered(response).map(drop);
        let is_its_own = matches!(
            status,
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
        );
        return if is_its_own { Ok(answer) } else { answer.map(Ok) };
    }
    bail!("the installation is busy")
}

fn body(release: &str, bundle: &Bundle, map: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    let map = map.map(read_map).transpose()?;
    let has_id = reference::read(&bundle.code).debug_id.is_some();
    if release.is_empty() && !has_id && !map.as_ref().is_some_and(|map| map.get().contains("\"debug")) {
        bail!(
            "it has no debug id; run `playhead sourcemaps inject` before it is deployed, or give --release"
        );
    }
    let upload = Upload { release, path: &bundle.name, code: &bundle.code, map };
    let body = serde_json::to_vec(&upload)?;
    if body.len() > MAX_UPLOAD_BYTES {
        bail!(
            "bundle and map have {} bytes, and {MAX_UPLOAD_BYTES} are the limit; split the bundle",
            body.len()
        );
    }
    zstd::bulk::compress(&body, LEVEL).context("it cannot be compressed")
}

fn read_map(file: &Path) -> anyhow::Result<Box<RawValue>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    // What some tools put before JSON so that it is no script.
    let text = match text.strip_prefix(")]}") {
        Some(rest) => rest.split_once('\n').map_or("", |(_, map)| map).to_owned(),
        None => text,
    };
    RawValue::from_string(text).with_context(|| format!("{} is not JSON", file.display()))
}
