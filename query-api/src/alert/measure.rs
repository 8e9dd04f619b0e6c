//! What rules about endpoints and pages go by: spans of what is counted, read once for all rules of an evaluation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use playhead_domain::alert::judge::Moment;
use playhead_domain::alert::performance::{self, Grain, Limit, Measured, Series};
use playhead_domain::alert::rule::Condition;
use playhead_domain::endpoint::learn;
use playhead_domain::id::SessionId;
use playhead_domain::performance::key::Kind;
use playhead_domain::performance::totals::OTHER;
use playhead_domain::row::{AlertLimit, AlertRule, Project};
use playhead_domain::scope::Scope;

use crate::error::ApiError;
use crate::performance::gather::{self, Gathered};
use crate::performance::names::Names;
use crate::performance::question::{Question, WEEK_MS};
use crate::performance::spans::{self, Wanted};
use crate::state::Api;
use crate::turn;

/// What a rule measures, as it was written.
pub(crate) struct Asked<'a> {
    pub(crate) limit: Limit,
    pub(crate) given: &'a AlertLimit,
}

impl<'a> Asked<'a> {
    /// `None`: the rule is about something else.
    pub(crate) fn of(rule: &'a AlertRule, condition: Condition) -> Option<Self> {
        let Condition::Performance(limit) = condition else { return None };
        let given = rule.condition.as_ref()?.limit.as_ref()?;
        Some(Self { limit, given })
    }

    fn wanted(&self, ids: Option<BTreeSet<String>>) -> Wanted {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        Wanted {
            ids,
            vital: self.limit.measure.vital(),
            environment: some(&self.given.environment),
            release: some(&self.given.release),
        }
    }
}

/// Which rows are read: of minutes or hours, with releases and environments or without, of a week before or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    by_minutes: bool,
    kind: Kind,
    is_week_before: bool,
}

/// Rows of a project, read when they are first asked for.
pub(crate) struct Readings<'a> {
    api: &'a Api,
    scope: Scope,
    templates: &'a [String],
    names: Option<Names>,
    /// From when on, by whether it is by minutes: as early as any rule asks.
    from_ms: BTreeMap<bool, i64>,
    to_ms: i64,
    rows: BTreeMap<Place, Arc<(Question, Gathered)>>,
}

/// What a rule is judged by.
pub(crate) struct Reading {
    pub(crate) series: Series,
    /// Not all could be read.
    pub(crate) partial: bool,
    wanted: Wanted,
    rows: Arc<(Question, Gathered)>,
}

impl<'a> Readings<'a> {
    /// For rules that are judged at these moments.
    pub(crate) fn of_moments(
        api: &'a Api,
        (scope, project): (Scope, &'a Project),
        limits: impl Iterator<Item = (Limit, Moment)>,
        at_ms: i64,
    ) -> Self {
        let mut from_ms: BTreeMap<bool, i64> = BTreeMap::new();
        for (limit, moment) in limits {
            let first_ms = performance::reads_from_ms(&limit, moment);
            let known = from_ms.entry(Grain::of(limit.window_minutes).is_by_minutes()).or_insert(first_ms);
            *known = first_ms.min(*known);
        }
        let templates = &project.endpoint_templates;
        Self { api, scope, templates, names: None, from_ms, to_ms: at_ms + 1, rows: BTreeMap::new() }
    }

    /// Of one span of time, by minutes or by hours.
    pub(crate) fn of_span(
        api: &'a Api,
        (scope, project): (Scope, &'a Project),
        by_minutes: bool,
        (from_ms, to_ms): (i64, i64),
    ) -> Self {
        let (templates, from_ms) = (&project.endpoint_templates, [(by_minutes, from_ms)].into());
        Self { api, scope, templates, names: None, from_ms, to_ms, rows: BTreeMap::new() }
    }

    /// The ids of what a rule calls so, and whether those are all. What is shown for several is looked for among all names.
    async fn ids(&mut self, name: &str) -> Result<(Option<BTreeSet<String>>, bool), ApiError> {
        if name.is_empty() {
            return Ok((None, true));
        }
        if name == OTHER {
            return Ok((Some([OTHER.to_owned()].into()), true));
        }
        let mut is_whole = true;
        let mut ids = BTreeSet::from([self.api.0.names.id(self.scope, name).to_string()]);
        if name.contains(learn::LEARNT) || !self.templates.is_empty() {
            let names = match self.names.take() {
                Some(names) => names,
                None => Names::load(self.api, self.scope, self.templates).await?,
            };
            let shown = names.ids(name);
            // What is not shown so any more cannot be measured: that is not nothing.
            is_whole = !names.partial && (!shown.is_empty() || !name.contains(learn::LEARNT));
            ids.extend(shown);
            self.names = Some(names);
        }
        Ok((Some(ids), is_whole))
    }

    pub(crate) async fn read(&mut self, asked: &Asked<'_>, by_minutes: bool) -> Result<Reading, ApiError> {
        let (ids, is_whole) = self.ids(&asked.given.name).await?;
        let wanted = asked.wanted(ids);
        let kind = if wanted.has_filters() { Kind::Detail } else { Kind::Plain };
        let place = Place { by_minutes, kind, is_week_before: false };
        let rows = self.rows(place).await?;
        let mut series = Series { now: by_span(&rows, &wanted).await?, ..Series::default() };
        let mut partial = rows.1.partial || !is_whole;
        if asked.limit.is_of_last_week {
            let before = self.rows(Place { is_week_before: true, ..place }).await?;
            let spans = by_span(&before, &wanted).await?;
            series.before =
                spans.into_iter().map(|(start_ms, counts)| (start_ms + WEEK_MS, counts)).collect();
            partial |= before.1.partial;
        }
        Ok(Reading { series, partial, wanted, rows })
    }

    async fn rows(&mut self, place: Place) -> Result<Arc<(Question, Gathered)>, ApiError> {
        if let Some(rows) = self.rows.get(&place) {
            return Ok(Arc::clone(rows));
        }
        let earlier_ms = if place.is_week_before { WEEK_MS } else { 0 };
        let from_ms = self.from_ms.get(&place.by_minutes).copied().unwrap_or(self.to_ms - 1);
        // The week before is compared by whole windows: its last span is read to its end.
        let span = (from_ms.max(0) - earlier_ms, self.to_ms - earlier_ms);
        let question = Question::of_spans((span.0.max(0), span.1.max(1)), place.by_minutes);
        let gathered = gather::gather(self.api, self.scope, &question, place.kind, &question.filter).await?;
        let rows = Arc::new((question, gathered));
        self.rows.insert(place, Arc::clone(&rows));
        Ok(rows)
    }
}

async fn by_span(
    rows: &Arc<(Question, Gathered)>,
    wanted: &Wanted,
) -> Result<BTreeMap<i64, performance::Counts>, ApiError> {
    let (rows, wanted) = (Arc::clone(rows), wanted.clone());
    turn::apart(move || spans::by_span(&rows.1, &rows.0, &wanted)).await?
}

impl Reading {
    /// A session to look at: of what failed where it is about failures, else of what is slow.
    pub(crate) fn example(
        &self,
        limit: &Limit,
        since_ms: i64,
        measured: &Measured,
    ) -> Option<(SessionId, i64)> {
        let is_of_failures = limit.measure == performance::Measure::ErrorShare
            || limit.measure == performance::Measure::Apdex && measured.counts.failed > 0;
        let span = (since_ms, since_ms + i64::from(limit.window_minutes) * 60_000);
        spans::example(&self.rows.1, &self.wanted, span, is_of_failures)
    }
}
