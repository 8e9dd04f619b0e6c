//! How many maps a project may have, and how large they may be together.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use playhead_domain::row::SourceMapArtifact;
use playhead_domain::scope::Scope;

use super::repository;
use crate::error::ApiError;
use crate::state::Api;

/// How long what a project has is remembered: a pipeline uploads hundreds in a row. Other processes upload meanwhile, so that the limits are
/// not exact.
const REMEMBERED_FOR: Duration = Duration::from_secs(30);
const MAX_REMEMBERED: usize = 1_000;

#[derive(Default)]
pub(crate) struct Quota(Mutex<HashMap<Scope, (Instant, Usage)>>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Usage {
    maps: u64,
    bytes: u64,
}

impl Usage {
    fn of<'a>(maps: impl Iterator<Item = &'a SourceMapArtifact>) -> Self {
        maps.fold(Self::default(), |sum, map| sum.with(map.stored_bytes))
    }

    const fn with(self, bytes: u64) -> Self {
        Self { maps: self.maps + 1, bytes: self.bytes.saturating_add(bytes) }
    }

    fn fits(self, api: &Api) -> bool {
        let config = &api.0.config;
        self.maps <= config.max_source_maps as u64 && self.bytes <= config.max_source_map_bytes
    }
}

impl Quota {
    /// Takes room for one more map.
    ///
    /// # Errors
    /// [`ApiError::OverQuota`], which says what to delete.
    pub(crate) async fn take(&self, api: &Api, scope: Scope, bytes: u64) -> Result<(), ApiError> {
        let known = self.0.lock().get(&scope).copied();
        let known = known.filter(|(since, _)| since.elapsed() < REMEMBERED_FOR);
        if let Some((since, usage)) = known.filter(|(_, usage)| usage.with(bytes).fits(api)) {
            self.remember(scope, since, usage.with(bytes));
            return Ok(());
        }
        // Before it is refused, what is there now is counted.
        let since = Instant::now();
        let (maps, _) = repository::all(api, scope).await?;
        let usage = Usage::of(maps.iter().map(|(_, map)| map));
        if !usage.with(bytes).fits(api) {
            let config = &api.0.config;
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            return Err(ApiError::OverQuota(format!(
                "the project has {} source maps of {} MiB; it may have {} of {} MiB in all; {}",
                usage.maps,
                mib(usage.bytes),
                config.max_source_maps,
                mib(config.max_source_map_bytes),
                advice(maps.iter().map(|(_, map)| map)),
            )));
        }
        self.remember(scope, since, usage.with(bytes));
        Ok(())
    }

    fn remember(&self, scope: Scope, since: Instant, usage: Usage) {
        let mut known = self.0.lock();
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.insert(scope, (since, usage));
    }

    pub(crate) fn forget(&self, scope: Scope) {
        self.0.lock().remove(&scope);
    }
}

/// The release whose newest map is the oldest.
fn advice<'a>(maps: impl Iterator<Item = &'a SourceMapArtifact>) -> String {
    let mut releases: BTreeMap<&str, (i64, u64)> = BTreeMap::new();
    for map in maps {
        let (newest_us, count) = releases.entry(&map.release).or_default();
        *newest_us = map.uploaded_us.max(*newest_us);
        *count += 1;
    }
    match releases.into_iter().min_by_key(|(_, (newest_us, _))| *newest_us) {
        Some(("", (_, count))) => {
            format!("delete those without a release ({count}), with ?release=, or single ones of them")
        }
        Some((release, (_, count))) => {
            format!(
                "delete those of releases that are not deployed any more, first those of {release} ({count})"
            )
        }
        None => "upload smaller ones".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_that_was_uploaded_longest_ago_goes_first() {
        let map = |release: &str, uploaded_us| SourceMapArtifact {
            release: release.to_owned(),
            uploaded_us,
            ..SourceMapArtifact::default()
        };
        let maps = [map("1.0", 5), map("1.0", 9), map("1.1", 7), map("1.1", 8)];
        assert!(advice(maps.iter()).ends_with("first those of 1.1 (2)"));
        assert!(advice([map("", 1)].iter()).contains("without a release (1)"));
    }
}
