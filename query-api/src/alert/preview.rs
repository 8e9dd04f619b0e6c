//! What a rule would have fired over the last seven days, by what is still counted.

use playhead_domain::alert::judge::Reach;
use playhead_domain::alert::rehearsal::{self, Past};
use playhead_domain::alert::rule::{Condition, Measure, Seen};
use playhead_domain::alert::window::Grain;
use playhead_domain::row::{AlertRule, Project};
use playhead_domain::scope::Scope;

use super::gather::{self, Asked};
use crate::error::ApiError;
use crate::model::alert::{AlertPreview, PreviewedFiring};
use crate::state::Api;

const SPAN_MS: i64 = 7 * 86_400_000;
const MINUTE_MS: i64 = 60_000;
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
    let mut issues = gather::gather(api, scope, project, at_ms).await?;
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
        let title = issue.totals.latest.as_ref().map_or("", |latest| &latest.title);
        let firings =
            rehearsal::firings(asked.condition, &issue.as_judged(asked.is_about(issue)), past, &reach);
        items.extend(firings.into_iter().map(|firing| PreviewedFiring {
            issue: id.to_string(),
            title: title.to_owned(),
            from_ms: firing.from_ms,
            to_ms: firing.to_ms,
            why: firing.why,
            grain_ms: firing.grain_ms,
            certain: firing.is_certain,
        }));
    }
    items.sort_by(|one, other| (other.from_ms, &other.issue).cmp(&(one.from_ms, &one.issue)));
    let total = items.len();
    items.truncate(MAX_ITEMS);
    let notes = notes(rule, asked.condition);
    Ok(AlertPreview { from_ms: past.from_ms, to_ms: at_ms, total, items, notes, partial: issues.partial })
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
        Condition::Seen(seen) => {
            let (kept, coarse) = match Grain::of(seen.window_minutes).ms / MINUTE_MS {
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
