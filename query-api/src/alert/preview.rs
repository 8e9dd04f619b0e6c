//! What a rule would have fired over the last seven days, by what is still counted.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use playhead_domain::alert::judge::Reach;
use playhead_domain::alert::performance::{self, Grain};
use playhead_domain::alert::rehearsal::{self, Firing, Past};
use playhead_domain::alert::rule::{Condition, Measure, Seen};
use playhead_domain::alert::window;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::{AlertRule, Project};
use playhead_domain::scope::Scope;

use super::gather::{self, Asked, Issues, Wanted};
use super::measure::{self, Readings};
use super::notice;
use crate::error::ApiError;
use crate::model::alert::{AlertPreview, PreviewedFiring};
use crate::state::Api;

const SPAN_MS: i64 = 7 * 86_400_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const MAX_ITEMS: usize = 100;

pub(crate) async fn of(
    api: &Api,
    scope: Scope,
    project: &Project,
    rule: &AlertRule,
) -> Result<AlertPreview, ApiError> {
    let asked = Asked::of(rule)?;
    let at_ms = api.now_ms();
    let throttle_ms = i64::from(rule.throttle_minutes) * MINUTE_MS;
    let past = Past { from_ms: at_ms - SPAN_MS, at_ms, throttle_ms };
    if let Some(measured) = measure::Asked::of(rule, asked.condition) {
        return of_performance(api, (scope, project), rule, (&measured, past)).await;
    }
    // What happened before may have been over within the span.
    let wanted = Wanted { since_ms: past.from_ms - SPAN_MS, ..Wanted::default() };
    let mut issues = gather::gather(api, scope, project, at_ms, &wanted).await?;
    let mut items = Vec::new();
    for id in issues.issues.keys().copied().collect::<Vec<_>>() {
        let Some(windows) = issues.issues.get(&id).map(|issue| {
            rehearsal::windows_asked(asked.condition, &issue.as_judged(asked.is_about(issue)), past)
        }) else {
            continue;
        };
        let mut reach = issues.reach_of(asked.condition, id, &windows).await?;
        if is_of_users(asked.condition) && issues.issues.get(&id).is_some_and(|issue| asked.is_about(issue)) {
            reach = Reach { users: issues.users(id).await?.0, ..reach };
        }
        let Some(issue) = issues.issues.get(&id) else { continue };
        let firings =
            rehearsal::firings(asked.condition, &issue.as_judged(asked.is_about(issue)), past, &reach);
        items.extend(
            firings
                .into_iter()
                .map(|firing| PreviewedFiring { issue: Some(id.to_string()), ..shown(firing, "") }),
        );
    }
    let mut preview = answer(past, items, notes(rule, asked.condition), issues.partial || issues.left_out);
    name(&mut preview, &issues).await?;
    Ok(preview)
}

/// Reads the titles of those that are shown: there may be thousands of others.
async fn name(preview: &mut AlertPreview, issues: &Issues<'_>) -> Result<(), ApiError> {
    let issue = |item: &PreviewedFiring| item.issue.as_ref()?.parse::<Fingerprint>().ok();
    let shown: BTreeSet<Fingerprint> = preview.items.iter().filter_map(issue).collect();
    let titles = shown.into_iter().map(|issue| async move {
        let latest = issues.whole(issue).await?.and_then(|totals| totals.latest);
        Ok::<_, ApiError>((issue, latest.map_or_else(String::new, |latest| latest.title)))
    });
    let titles: BTreeMap<_, _> = try_join_all(titles).await?.into_iter().collect();
    for item in &mut preview.items {
        if let Some(title) = issue(item).and_then(|issue| titles.get(&issue)) {
            item.title.clone_from(title);
        }
    }
    Ok(())
}

fn answer(past: Past, mut items: Vec<PreviewedFiring>, notes: Vec<String>, partial: bool) -> AlertPreview {
    items.sort_by(|one, other| (other.from_ms, &other.issue).cmp(&(one.from_ms, &one.issue)));
    let total = items.len();
    items.truncate(MAX_ITEMS);
    AlertPreview { from_ms: past.from_ms, to_ms: past.at_ms, total, items, notes, partial }
}

fn shown(firing: Firing, title: &str) -> PreviewedFiring {
    PreviewedFiring {
        issue: None,
        title: title.to_owned(),
        from_ms: firing.from_ms,
        to_ms: firing.to_ms,
        why: firing.why,
        grain_ms: firing.grain_ms,
        certain: firing.is_certain,
    }
}

/// Rules of long windows are judged by the hours by which they move. Of the others the last hours are judged by minutes; what came before by
/// whole hours, which only says what may have triggered.
async fn of_performance(
    api: &Api,
    of: (Scope, &Project),
    rule: &AlertRule,
    (asked, past): (&measure::Asked<'_>, Past),
) -> Result<AlertPreview, ApiError> {
    let (limit, at_ms) = (&asked.limit, past.at_ms);
    let window_ms = i64::from(limit.window_minutes) * MINUTE_MS;
    let is_by_minutes = Grain::of(limit.window_minutes).is_by_minutes();
    let fine_ms = if is_by_minutes { floor(at_ms, HOUR_MS) - 2 * HOUR_MS } else { past.from_ms };
    let from_ms = past.from_ms - window_ms.max(HOUR_MS);
    let mut hours = Readings::of_span(api, of, false, (from_ms, at_ms + 1));
    let hours = hours.read(asked, false).await?;
    let mut partial = hours.partial;
    let mut firings = Vec::new();
    if is_by_minutes {
        let before = Past { at_ms: fine_ms - 1, ..past };
        firings = performance::firings(limit, HOUR_MS, &hours.series, before, false);
        let mut minutes = Readings::of_span(api, of, true, (fine_ms - window_ms - MINUTE_MS, at_ms + 1));
        let minutes = minutes.read(asked, true).await?;
        partial |= minutes.partial;
        let late = Past { from_ms: fine_ms, ..past };
        firings.extend(performance::firings(limit, MINUTE_MS, &minutes.series, late, true));
    } else {
        firings.extend(performance::firings(limit, HOUR_MS, &hours.series, past, true));
    }
    let title = notice::title(asked);
    let items = firings.into_iter().map(|firing| shown(firing, &title)).collect();
    Ok(answer(past, items, notes(rule, Condition::Performance(*limit)), partial))
}

const fn floor(time_ms: i64, grain_ms: i64) -> i64 {
    time_ms.div_euclid(grain_ms) * grain_ms
}

const fn is_of_users(condition: Condition) -> bool {
    matches!(condition, Condition::Seen(Seen { measure: Measure::Users, .. }))
}

fn notes(rule: &AlertRule, condition: Condition) -> Vec<String> {
    let mut notes = Vec::new();
    if !(rule.filter.is_empty() && rule.priority.is_empty()) {
        notes.push("issues are filtered as they are now, not as they were then".to_owned());
    }
    match condition {
        Condition::NewIssue => {}
        Condition::Regressed => notes.push("only regressions that are there now are known".to_owned()),
        Condition::Escalating => {
            notes.push("hours are kept for two days before an issue's last event: what escalated before is not known".to_owned());
        }
        Condition::Silent { .. } => notes.push("when a project was silent is not kept".to_owned()),
        Condition::Performance(limit) if Grain::of(limit.window_minutes).is_by_minutes() => notes.push(
            "the last two to three hours are judged as the rule would have; before that whole hours that are beyond the limit are \
             shown as what may have triggered, and shorter peaks do not show"
                .to_owned(),
        ),
        Condition::Performance(_) => {}
        Condition::Seen(seen) => {
            let (kept, coarse) = match window::Grain::of(seen.window_minutes).ms / MINUTE_MS {
                5 => ("three hours by five minutes", "whole hours, and before two days whole days"),
                _ => ("two days by hours", "whole days"),
            };
            notes.push(format!(
                "the last {kept} before an issue's last event are judged as the rule would have; before that {coarse} with \
                 enough in them are shown as what may have triggered"
            ));
            match seen.measure {
                Measure::Users => notes.push("users are those of today".to_owned()),
                Measure::Share => {
                    notes.push("of what is not kept by its windows no share is told".to_owned())
                }
                Measure::Events | Measure::Sessions => {}
            }
        }
    }
    notes
}
