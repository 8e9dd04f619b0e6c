//! How many users issues have, for lists. Users are rows, and to count those of 25 issues takes longer than all else that a list does. So what was
//! counted for the list before is shown: of an issue that has had nothing since as it is, and of many users while they are counted again beside the
//! request. The page of an issue and alerts count for themselves, exactly.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::scope::Scope;
use tokio::sync::Semaphore;

use super::read;
use crate::error::ApiError;
use crate::state::Api;

/// Fewer are counted again before they are shown, when their issue has had anything since.
const MANY: u64 = 200;
/// Users may get a name, or be erased, without anything else being counted. Nothing is counted again within this time: to count thousands of users of
/// each issue that goes on would keep the store busier than the lists do.
const FRESH_MS: i64 = 60_000;
/// What is older is not shown: it is waited for. As long as a project's issues are kept before all are read, and counted, again.
const SHOWN_FOR_MS: i64 = 3_600_000;
/// Some 100 bytes each; of issues that many were merged into, 900.
const MAX_KEPT: usize = 20_000;
/// Issues that are counted beside requests at a time. After each there is a rest as long as it took: requests have half of the time to themselves.
const CONCURRENT: usize = 1;

/// How many, and whether all were counted.
pub(super) type Users = (u64, bool);

/// A project, and the issues that are counted together.
type Whole = (Scope, Box<[Fingerprint]>);

#[derive(Debug, Clone, Copy)]
struct Counted {
    users: Users,
    /// Of the issues together, if whoever counted knew that.
    events: Option<u64>,
    counted_ms: i64,
    /// Somebody counts them again.
    is_under_way: bool,
}

/// What lists counted.
pub(crate) struct UserCounts {
    kept: Mutex<HashMap<Whole, Counted>>,
    counting: Arc<Semaphore>,
}

impl UserCounts {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::default(), counting: Arc::new(Semaphore::new(CONCURRENT)) }
    }

    /// What is known, and whether the caller must see to it that it is counted again.
    fn known(&self, whole: &Whole, events: Option<u64>, now_ms: i64) -> Option<(Users, bool)> {
        let mut kept = self.kept.lock();
        let counted = kept.get_mut(whole)?;
        let age_ms = now_ms - counted.counted_ms;
        let is_shown = counted.users.0 >= MANY || (events.is_some() && events == counted.events);
        if !is_shown || !(0..=SHOWN_FOR_MS).contains(&age_ms) {
            return None;
        }
        let is_due = age_ms > FRESH_MS && !counted.is_under_way;
        counted.is_under_way |= is_due;
        Some((counted.users, is_due))
    }

    fn keep(&self, whole: Whole, users: Users, events: Option<u64>, now_ms: i64) {
        let mut kept = self.kept.lock();
        if kept.len() >= MAX_KEPT {
            kept.retain(|_, counted| (0..=SHOWN_FOR_MS).contains(&(now_ms - counted.counted_ms)));
        }
        let known = kept.get(&whole);
        // Whoever began later knows more.
        if known.is_some_and(|known| known.counted_ms > now_ms) {
            return;
        }
        // As many users as before, and nobody said of how many events: those of before.
        let events = events.or_else(|| known.filter(|known| known.users == users)?.events);
        if kept.len() < MAX_KEPT || kept.contains_key(&whole) {
            kept.insert(whole, Counted { users, events, counted_ms: now_ms, is_under_way: false });
        }
    }

    /// It was not counted: the next one tries again.
    fn give_up(&self, whole: &Whole) {
        if let Some(counted) = self.kept.lock().get_mut(whole) {
            counted.is_under_way = false;
        }
    }
}

/// How many users these issues have together: as of the list before if they are many, or if these still have so many events.
pub(super) async fn count(
    api: &Api,
    scope: Scope,
    issues: Vec<Fingerprint>,
    events: Option<u64>,
) -> Result<Users, ApiError> {
    let whole: Whole = (scope, issues.into());
    match api.0.user_counts.known(&whole, events, api.now_ms()) {
        Some((users, is_due)) => {
            if is_due {
                count_beside(api.clone(), whole, events);
            }
            Ok(users)
        }
        None => count_now(api, whole, events).await,
    }
}

async fn count_now(api: &Api, whole: Whole, events: Option<u64>) -> Result<Users, ApiError> {
    let began_ms = api.now_ms();
    let users = read::users(api, whole.0, &whole.1).await?;
    api.0.user_counts.keep(whole, users, events, began_ms);
    Ok(users)
}

fn count_beside(api: Api, whole: Whole, events: Option<u64>) {
    let counting = Arc::clone(&api.0.user_counts.counting);
    tokio::spawn(async move {
        let Ok(_turn) = counting.acquire_owned().await else { return };
        let begun = Instant::now();
        if let Err(error) = count_now(&api, whole.clone(), events).await {
            tracing::warn!(%error, "users of an issue could not be counted for lists");
            api.0.user_counts.give_up(&whole);
        }
        tokio::time::sleep(begun.elapsed()).await;
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::id::{ProjectId, TenantId};

    fn whole(number: u8) -> Whole {
        (Scope::of_log_record(TenantId(1), ProjectId(2)), [Fingerprint([number; 16])].into())
    }

    #[test]
    fn many_are_shown_while_they_are_counted_again_by_one() {
        let counts = UserCounts::new();
        let known = |now_ms| counts.known(&whole(1), Some(7), now_ms);
        counts.keep(whole(1), (500, true), None, 1_000);
        assert_eq!(known(1_000 + FRESH_MS), Some(((500, true), false)));
        assert_eq!(known(1_001 + FRESH_MS), Some(((500, true), true)), "is counted again");
        assert_eq!(known(1_001 + FRESH_MS), Some(((500, true), false)), "by one");
        counts.give_up(&whole(1));
        assert_eq!(known(1_001 + FRESH_MS), Some(((500, true), true)), "and by the next one");
        counts.keep(whole(1), (501, true), Some(7), 20_000);
        assert_eq!(known(20_000), Some(((501, true), false)));
    }

    #[test]
    fn few_are_counted_when_their_issue_has_had_anything_since() {
        let counts = UserCounts::new();
        counts.keep(whole(1), (MANY - 1, true), Some(7), 0);
        assert_eq!(counts.known(&whole(1), Some(7), FRESH_MS), Some(((MANY - 1, true), false)));
        assert_eq!(counts.known(&whole(1), Some(8), 0), None);
        assert_eq!(counts.known(&whole(1), None, 0), None);
        counts.keep(whole(2), (1, true), None, 0);
        assert_eq!(counts.known(&whole(2), None, 0), None, "nobody knows of how many events");
    }

    #[test]
    fn what_is_old_is_counted_for_the_list() {
        let counts = UserCounts::new();
        counts.keep(whole(1), (MANY, false), Some(7), 0);
        assert_eq!(counts.known(&whole(1), Some(7), SHOWN_FOR_MS + 1), None);
        assert_eq!(counts.known(&whole(1), Some(7), -1), None, "the clock was set back");
        assert_eq!(counts.known(&whole(2), Some(7), 0), None);
    }
}
