//! Whole totals of issues that pages showed. They are shown again as of the last look, without reading two rows for each log partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::IssueTotals;
use playhead_domain::store::Store;

use super::{Index, decoded_bytes};
use crate::error::ApiError;
use crate::issue::read;

/// Some pages of each order and filter that people look at. Beyond it all are forgotten.
const MAX_SHOWN: usize = 400;

#[derive(Default)]
pub(super) struct Shown {
    totals: BTreeMap<Fingerprint, Arc<IssueTotals>>,
    pub(super) bytes: usize,
}

impl Shown {
    fn keep(&mut self, issue: Fingerprint, totals: Arc<IssueTotals>) {
        self.forget(issue);
        self.bytes += decoded_bytes(&*totals);
        self.totals.insert(issue, totals);
    }

    pub(super) fn forget(&mut self, issue: Fingerprint) {
        if let Some(known) = self.totals.remove(&issue) {
            self.bytes -= decoded_bytes(&*known);
        }
    }

    /// Takes what rows tell now of an issue, if it was shown.
    pub(super) fn renew(&mut self, issue: Fingerprint, totals: &IssueTotals) {
        if self.totals.contains_key(&issue) {
            self.keep(issue, Arc::new(totals.clone()));
        }
    }
}

impl Index {
    /// What is to be shown of these issues, of each that is there.
    pub(in crate::issue) async fn show(
        &mut self,
        store: &dyn Store,
        page: impl Iterator<Item = Fingerprint>,
        now_ms: i64,
    ) -> Result<BTreeMap<Fingerprint, Arc<IssueTotals>>, ApiError> {
        let there = page.filter(|issue| self.issues.contains_key(issue));
        let (known, missing): (Vec<_>, Vec<_>) =
            there.partition(|issue| self.shown.totals.contains_key(issue));
        let mut page: BTreeMap<_, _> =
            known.into_iter().map(|issue| (issue, Arc::clone(&self.shown.totals[&issue]))).collect();
        if self.shown.totals.len() + missing.len() > MAX_SHOWN {
            self.shown = Shown::default();
        }
        for (issue, totals) in self.read_whole(store, missing.into_iter().collect(), now_ms).await? {
            let totals = Arc::new(totals);
            self.shown.keep(issue, Arc::clone(&totals));
            page.insert(issue, totals);
        }
        page.retain(|_, totals| read::is_there(totals, now_ms));
        Ok(page)
    }
}
