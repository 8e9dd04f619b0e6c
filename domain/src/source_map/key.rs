//! Keys and names of maps: one spelling for whoever writes or reads them.
//!
//! A project's rows are in one partition, so that a map and what leads to it are written at once: `map` (the artifact by its id), `debug`
//! (a debug id) and `path` (release and path of the bundle). What leads to a map has a row for each time from which another one, or none,
//! counts: its name, then the time in microseconds as eight bytes.

use bytes::Bytes;

use super::debug_id::DebugId;
use std::ops::Bound;

use crate::id::{ProjectId, TenantId};
use crate::scope::Scope;
use crate::session::key::scope_columns;
use crate::store::{ClusteringRange, Key, Value};

/// Where the objects of maps are.
pub const OBJECTS: &str = "maps";
const MAP: &str = "map";
const DEBUG: &str = "debug";
const PATH: &str = "path";
/// Directories before a file's name that may be those of the deployment alone.
const MAX_DIRECTORIES: usize = 8;

/// Which artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArtifactId(pub [u8; 16]);

impl std::fmt::Display for ArtifactId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for ArtifactId {
    type Err = super::debug_id::NotADebugId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = Self(text.parse::<DebugId>()?.0);
        if id.to_string() == text { Ok(id) } else { Err(super::debug_id::NotADebugId) }
    }
}

impl ArtifactId {
    /// The same content under the same names has the same id, so that an upload may be repeated.
    #[must_use]
    pub fn of(release: &str, path: &str, debug_id: Option<DebugId>, code: &str, map: &str) -> Self {
        let debug_id = debug_id.map(|id| id.to_string()).unwrap_or_default();
        Self(hash("artifact", &[release, path, &debug_id, code, map]))
    }

    /// The id in a row.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

fn hash(purpose: &str, parts: &[&str]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key("playhead source maps v1");
    for part in std::iter::once(&purpose).chain(parts) {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    short
}

/// The partition of a project's maps.
#[must_use]
pub fn partition(scope: Scope) -> Vec<Value> {
    scope_columns(scope)
}

fn row(scope: Scope, kind: &str, id: [u8; 16]) -> Key {
    Key { partition: partition(scope), clustering: vec![Value::from(kind), Value::from(id)] }
}

/// The row of an artifact.
#[must_use]
pub fn artifact(scope: Scope, id: ArtifactId) -> Key {
    row(scope, MAP, id.0)
}

/// All artifacts of the partition.
#[must_use]
pub fn artifacts() -> ClusteringRange {
    ClusteringRange::prefix(vec![Value::from(MAP)])
}

/// The id of the clustering key that [`artifact`] made.
#[must_use]
pub fn artifact_of(clustering: &[Value]) -> Option<ArtifactId> {
    match clustering {
        [Value::Text(kind), Value::Bytes(id)] if kind == MAP => ArtifactId::of_bytes(id),
        _ => None,
    }
}

/// The row of what a reference leads to from that time on.
#[must_use]
pub fn lead(reference: &Key, from_us: i64) -> Key {
    Key { partition: reference.partition.clone(), clustering: timed(reference, from_us.to_be_bytes()) }
}

/// What a reference led to, up to a time of the log or until ever.
#[must_use]
pub fn leads(reference: &Key, up_to_us: Option<i64>) -> ClusteringRange {
    let end = up_to_us.map_or([0xff; 8], |up_to_us| up_to_us.max(0).to_be_bytes());
    let from = Bound::Included(reference.clustering.clone());
    ClusteringRange { from, to: Bound::Included(timed(reference, end)) }
}

fn timed(reference: &Key, time: [u8; 8]) -> Vec<Value> {
    let with_time = |value: &Value| match value {
        Value::Bytes(name) => Value::from([name.as_ref(), &time].concat()),
        other => other.clone(),
    };
    reference.clustering.iter().map(with_time).collect()
}

/// The time of the clustering key that [`lead`] made; `None`: of a row without one.
#[must_use]
pub fn from_us(clustering: &[Value]) -> Option<i64> {
    let [_, Value::Bytes(id)] = clustering else { return None };
    let time = id.get(16..)?;
    Some(i64::from_be_bytes(time.try_into().ok()?))
}

/// What a debug id leads to.
#[must_use]
pub fn by_debug_id(scope: Scope, id: DebugId) -> Key {
    row(scope, DEBUG, id.0)
}

/// What a bundle's path in a release leads to; `path` as [`bundle_path`] writes it.
#[must_use]
pub fn by_path(scope: Scope, release: &str, path: &str) -> Key {
    row(scope, PATH, hash("path", &[release, path]))
}

/// Every key under which an artifact is found.
#[must_use]
pub fn references(scope: Scope, release: &str, path: &str, debug_id: &Bytes) -> Vec<Key> {
    let debug_id = <[u8; 16]>::try_from(debug_id.as_ref()).ok().map(DebugId);
    let by_path = (!release.is_empty()).then(|| by_path(scope, release, path));
    by_path.into_iter().chain(debug_id.map(|id| by_debug_id(scope, id))).collect()
}

/// The object that held an artifact when each had but one.
#[must_use]
pub fn object(scope: Scope, id: ArtifactId) -> String {
    format!("{OBJECTS}/{:016x}/{:016x}/{id}", scope.tenant().0, scope.project().0)
}

/// The object that an artifact's row names.
#[must_use]
pub fn object_of_artifact(scope: Scope, id: ArtifactId, named: &str) -> String {
    if named.is_empty() { object(scope, id) } else { named.to_owned() }
}

/// The object of an upload. Each has its own, so that whoever deletes one never takes what another upload is about to refer to.
#[must_use]
pub fn object_of_upload(scope: Scope, id: ArtifactId, upload: [u8; 8]) -> String {
    format!("{}-{:016x}", object(scope, id), u64::from_be_bytes(upload))
}

/// Whose object of that name is, and of which artifact.
#[must_use]
pub fn object_of(name: &str) -> Option<(TenantId, ProjectId, ArtifactId)> {
    let mut parts = name.split('/');
    let number = |text: Option<&str>| u64::from_str_radix(text?, 16).ok();
    (parts.next() == Some(OBJECTS)).then_some(())?;
    let (tenant, project) = (number(parts.next())?, number(parts.next())?);
    let name = parts.next()?;
    let id = name.split_once('-').map_or(name, |(id, _)| id).parse().ok()?;
    parts.next().is_none().then_some((TenantId(tenant), ProjectId(project), id))
}

/// The path of a bundle, from a folder or from an address: no host, no query, no slash or `./` at the front.
#[must_use]
pub fn bundle_path(file: &str) -> &str {
    let file = file.find(['?', '#']).map_or(file, |at| &file[..at]);
    let path = file.split_once("://").map_or(file, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
    let path = path.strip_prefix("~/").unwrap_or(path);
    path.trim_start_matches("./").trim_start_matches('/')
}

/// The paths under which an address's map may have been uploaded, the most exact first: a deployment may have put the folder anywhere. Of
/// a script that is not of the page's site, the name of a file alone says nothing, unless the build made it: `index.js` is anybody's.
pub fn candidates(file: &str, is_of_site: bool) -> impl Iterator<Item = &str> {
    let whole = bundle_path(file);
    let shorter = whole.match_indices('/').map(move |(at, _)| &whole[at + 1..]);
    let says_something =
        move |path: &&str| is_of_site || path.contains('/') || crate::issue::name::file(path).contains('<');
    let paths = std::iter::once(whole).chain(shorter).filter(|path| !path.is_empty()).take(MAX_DIRECTORIES);
    paths.filter(says_something)
}

/// What leads to the map of a script, the most exact first.
pub fn references_of(
    scope: Scope,
    release: &str,
    debug_id: Option<DebugId>,
    file: &str,
    is_of_site: bool,
) -> impl Iterator<Item = Key> {
    let paths = candidates(file, is_of_site).filter(move |_| !release.is_empty());
    debug_id
        .into_iter()
        .map(move |id| by_debug_id(scope, id))
        .chain(paths.map(move |path| by_path(scope, release, path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_that_of_the_address() {
        for file in [
            "https://a.b:80/assets/x.js?v=1#y",
            "/assets/x.js",
            "./assets/x.js",
            "assets/x.js",
            "~/assets/x.js",
        ] {
            assert_eq!(bundle_path(file), "assets/x.js", "{file}");
        }
        assert_eq!(bundle_path("https://a.b"), "");
        let of = |file: &'static str, is_of_site| candidates(file, is_of_site).collect::<Vec<_>>();
        let address = "https://cdn.example/app/v1/x.js";
        assert_eq!(of(address, true), ["app/v1/x.js", "v1/x.js", "x.js"]);
        assert_eq!(of(address, false), ["app/v1/x.js", "v1/x.js"], "a file's name alone is anybody's");
        assert_eq!(of("https://cdn.example/index-BxY12abc.js", false), ["index-BxY12abc.js"]);
        assert_eq!(candidates("https://a.b/", true).count(), 0);
        let deep = format!("https://a.b/{}x.js", "d/".repeat(500));
        assert_eq!(candidates(&deep, true).count(), MAX_DIRECTORIES);
    }

    #[test]
    fn what_leads_to_a_map_has_a_time() {
        let scope = Scope::of_log_record(TenantId(1), ProjectId(2));
        let reference = by_path(scope, "1.0", "x.js");
        let [early, late] = [5, 7].map(|from| lead(&reference, from).clustering);
        assert_eq!((from_us(&early), from_us(&reference.clustering)), (Some(5), None));
        let ClusteringRange { from: Bound::Included(from), to: Bound::Included(to) } =
            leads(&reference, Some(6))
        else {
            panic!("bounds that are included");
        };
        assert!(from < early && early < to && to < late);
        assert_eq!(leads(&reference, Some(-1)), leads(&reference, Some(0)));
    }

    #[test]
    fn an_object_tells_whose_it_is() {
        let scope = Scope::of_log_record(TenantId(1), ProjectId(u64::MAX));
        let id = ArtifactId::of("1.0", "x.js", None, "code", "{}");
        for name in [object(scope, id), object_of_upload(scope, id, [7; 8])] {
            assert_eq!(object_of(&name), Some((TenantId(1), ProjectId(u64::MAX), id)));
        }
        for other in ["maps", "maps/1/2", "flush/1/2/3", "maps/x/2/00000000000000000000000000000000"] {
            assert_eq!(object_of(other), None, "{other}");
        }
    }

    #[test]
    fn an_artifact_without_release_is_found_by_its_id_alone() {
        let scope = Scope::of_log_record(TenantId(1), ProjectId(2));
        let id = Bytes::from_static(&[1; 16]);
        assert_eq!(references(scope, "", "x.js", &id), [by_debug_id(scope, DebugId([1; 16]))]);
        assert_eq!(references(scope, "1.0", "x.js", &Bytes::new()), [by_path(scope, "1.0", "x.js")]);
        assert_eq!(references(scope, "", "x.js", &Bytes::new()), []);
    }
}
