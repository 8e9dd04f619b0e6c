//! How the frames of a range's errors were written: maps that were there when the log took a record name its frames.
//!
//! Before a range is folded, its errors are looked through for scripts ([`wanted`]), what leads to their maps is read, and the maps give the
//! places that are asked for ([`lookup`]); a map goes before the next one comes, unless the cache keeps it. The fold asks the result, which
//! is the same for every try at the range.

mod lookup;
mod wanted;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use playhead_domain::issue::naming::Written;
use playhead_domain::issue::origin;
use playhead_domain::issue::stack::Frame;
use playhead_domain::scope::Scope;
use playhead_domain::source_map::debug_id::{self, DebugId};
use playhead_domain::source_map::key::ArtifactId;

pub(crate) use lookup::{Maps, find_names};
pub(crate) use wanted::look_through;

/// By what the map of a script is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Script {
    scope: Scope,
    /// Empty: not known.
    release: String,
    debug_id: Option<DebugId>,
    file: String,
    is_of_site: bool,
}

/// Line and column, from 1.
type Place = (u32, u32);

/// What a range asks of one script.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// When the log took the records with its frames.
    times: BTreeSet<i64>,
    places: BTreeSet<Place>,
}

pub(crate) type Wanted = BTreeMap<Script, Asked>;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Names {
    maps: HashMap<Script, BTreeMap<i64, ArtifactId>>,
    written: HashMap<(Scope, ArtifactId), HashMap<Place, Written>>,
}

/// What an error tells, with its record, of where its maps are.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) scope: Scope,
    pub(crate) logged_us: i64,
    pub(crate) release: &'a str,
    pub(crate) debug_ids: &'a [(&'a str, DebugId)],
    pub(crate) page_url: &'a str,
}

impl Told<'_> {
    fn script(&self, file: &str) -> Script {
        Script {
            scope: self.scope,
            release: self.release.to_owned(),
            debug_id: debug_id::find(self.debug_ids.iter().copied(), file),
            file: file.to_owned(),
            is_of_site: origin::is_of_site(file, self.page_url),
        }
    }
}

impl Names {
    pub(crate) fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    pub(crate) fn written(&self, told: Told<'_>, frame: &Frame) -> Option<&Written> {
        if self.is_empty() {
            return None;
        }
        let map = self.maps.get(&told.script(&frame.file))?.get(&told.logged_us)?;
        self.written.get(&(told.scope, *map))?.get(&(frame.line, frame.column))
    }
}
