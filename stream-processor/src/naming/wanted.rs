//! Which scripts and places the errors of a range ask for. Pure, and a function of the range and the states that it begins with: what is
//! bounded here is bounded alike in every try.

use std::collections::{BTreeMap, BTreeSet};

use playhead_domain::issue::naming::{MAX_NAMED_FRAMES, may_be_named};
use playhead_domain::issue::stack_of;
use playhead_domain::row::SessionState;
use playhead_domain::scope::Scope;
use playhead_domain::session::fold::release_name;
use playhead_proto::frame::inflate;
use playhead_proto::limits;
use playhead_proto::signal::Signal;

use super::{Told, Wanted};
use crate::batch::Batch;
use crate::cache::SessionRef;
use crate::compute::isolate;
use crate::occurrence;
use crate::range::Loaded;

/// Releases of one session that are asked for: it may go on through deployments.
const MAX_RELEASES: usize = 4;
/// Errors of a batch for whose frames names are looked for; further ones get those that were found.
const MAX_ERRORS_PER_BATCH: usize = 100;
/// Scripts of one batch: each costs some reads.
const MAX_SCRIPTS_PER_BATCH: usize = 16;
/// Scripts of one project in one range.
const MAX_SCRIPTS: usize = 512;

/// Looks through the batches of projects that have maps.
pub(crate) fn look_through(
    batches: &[Batch],
    sessions: &BTreeMap<SessionRef, Loaded>,
    with_maps: &BTreeSet<Scope>,
) -> Wanted {
    let is_looked_at = |batch: &&Batch| {
        with_maps.contains(&batch.scope) && sessions.contains_key(&(batch.scope, batch.session))
    };
    let read: Vec<(&Batch, Vec<Signal>)> =
        batches.iter().filter(is_looked_at).map(|batch| (batch, signals(batch))).collect();
    let mut releases: BTreeMap<SessionRef, BTreeSet<String>> = BTreeMap::new();
    for (batch, signals) in &read {
        let session = (batch.scope, batch.session);
        let known = releases.entry(session).or_insert_with(|| match sessions.get(&session) {
            Some(Loaded::Work(work)) => releases_of(&work.state),
            _ => BTreeSet::new(),
        });
        let pages = signals.iter().filter(|signal| signal.kind == "page");
        let told = pages.map(|page| release_name(page.text("release")).to_owned());
        known.extend(told.filter(|release| !release.is_empty()));
    }
    let mut wanted = Wanted::new();
    let mut scripts: BTreeMap<Scope, usize> = BTreeMap::new();
    for (batch, signals) in &read {
        let Some(releases) = releases.get(&(batch.scope, batch.session)) else { continue };
        let count = scripts.entry(batch.scope).or_default();
        *count += ask(&mut wanted, batch, signals, releases, MAX_SCRIPTS.saturating_sub(*count));
    }
    wanted
}

fn releases_of(state: &SessionState) -> BTreeSet<String> {
    let of_streams = state.streams.iter().map(|stream| &stream.release);
    let of_session = state.summary.iter().map(|summary| &summary.release);
    of_streams.chain(of_session).filter(|release| !release.is_empty()).cloned().collect()
}

/// Errors and pages. What cannot be read is told by the fold.
fn signals(batch: &Batch) -> Vec<Signal> {
    let read = || {
        let raw = inflate(&batch.signals, batch.signals_info.enc, batch.signals_info.raw).unwrap_or_default();
        let lines = raw.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let may_matter = |line: &&[u8]| has(line, b"\"error\"") || has(line, b"\"page\"");
        let parsed = lines.take(limits::MAX_SIGNALS_PER_BATCH).filter(may_matter);
        let parsed = parsed.filter_map(|line| Signal::parse(line).ok());
        let mut errors = 0;
        let is_wanted = |signal: &Signal| match signal.kind.as_str() {
            "error" => {
                errors += 1;
                errors <= MAX_ERRORS_PER_BATCH
            }
            kind => kind == "page",
        };
        parsed.filter(is_wanted).collect()
    };
    isolate(read).unwrap_or_default()
}

fn has(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

/// Returns how many scripts are new.
fn ask(
    wanted: &mut Wanted,
    batch: &Batch,
    signals: &[Signal],
    releases: &BTreeSet<String>,
    mut most: usize,
) -> usize {
    let before = wanted.len();
    let nothing = BTreeSet::from([String::new()]);
    let releases = if releases.is_empty() { &nothing } else { releases };
    let mut files: BTreeSet<String> = BTreeSet::new();
    for signal in signals.iter().filter(|signal| signal.kind == "error") {
        let thrown = occurrence::thrown(signal);
        // A panic is the fold's to tell.
        let Ok(stack) = isolate(|| stack_of(&thrown)) else { continue };
        let debug_ids = occurrence::debug_ids(signal);
        for frame in stack.frames.iter().take(MAX_NAMED_FRAMES).filter(|frame| may_be_named(frame)) {
            if !files.contains(&frame.file) {
                if files.len() >= MAX_SCRIPTS_PER_BATCH {
                    continue;
                }
                files.insert(frame.file.clone());
            }
            for release in releases.iter().take(MAX_RELEASES) {
                let told = Told {
                    scope: batch.scope,
                    logged_us: batch.logged_us,
                    release,
                    debug_ids: &debug_ids,
                    page_url: thrown.page_url,
                };
                let script = told.script(&frame.file);
                if !wanted.contains_key(&script) {
                    if most == 0 {
                        continue;
                    }
                    most -= 1;
                }
                let asked = wanted.entry(script).or_default();
                asked.times.insert(batch.logged_us);
                asked.places.insert((frame.line, frame.column));
            }
        }
    }
    wanted.len() - before
}
