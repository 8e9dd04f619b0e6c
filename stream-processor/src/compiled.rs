//! Compiled rules of grouping, kept for the next range. Compiling takes a while: it is done beside the fold, and only for the versions
//! that a range obeys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use playhead_domain::issue::rule::{MAX_RULES, Rules};
use playhead_domain::row::{GroupingRule, Project};
use playhead_domain::scope::Scope;

use crate::batch::Batch;
use crate::shared::locked;

/// Rules that are kept, each of at most three patterns: those of twenty projects that have as many as they can.
const MAX_KEPT: usize = 20 * MAX_RULES;

/// A project, and the time from which a version of its rules counts.
type Version = (Scope, i64);

/// Those that were asked for longest ago go.
#[derive(Default)]
pub(crate) struct CompiledRules(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    versions: HashMap<Version, Entry>,
    rules: usize,
    asked: u64,
}

struct Entry {
    from: Vec<GroupingRule>,
    compiled: Arc<Rules>,
    /// Grows with every question.
    asked: u64,
}

impl CompiledRules {
    /// The rules that these batches obey.
    pub(crate) fn in_force(
        &self,
        projects: &HashMap<Scope, Arc<Project>>,
        batches: &[Batch],
    ) -> HashMap<Version, Arc<Rules>> {
        self.at(projects, batches.iter().map(|batch| (batch.scope, batch.logged_us)))
    }

    fn at(
        &self,
        projects: &HashMap<Scope, Arc<Project>>,
        times: impl Iterator<Item = (Scope, i64)>,
    ) -> HashMap<Version, Arc<Rules>> {
        let mut rules = HashMap::new();
        for (scope, append_us) in times {
            let version = projects.get(&scope).and_then(|project| project.issue_settings_at(append_us));
            if let Some(version) = version.filter(|version| !version.rules.is_empty()) {
                let key = (scope, version.from_us);
                rules.entry(key).or_insert_with(|| self.compiled(key, &version.rules));
            }
        }
        rules
    }

    fn compiled(&self, version: Version, rules: &[GroupingRule]) -> Arc<Rules> {
        if let Some(known) = locked(&self.0).find(version, rules) {
            return known;
        }
        // Nobody waits for it meanwhile. Two may do it at once.
        let compiled = Arc::new(Rules::new(rules));
        locked(&self.0).keep(version, rules, &compiled);
        compiled
    }
}

impl Kept {
    fn find(&mut self, version: Version, rules: &[GroupingRule]) -> Option<Arc<Rules>> {
        self.asked += 1;
        let entry = self.versions.get_mut(&version).filter(|entry| entry.from == rules)?;
        entry.asked = self.asked;
        Some(Arc::clone(&entry.compiled))
    }

    fn keep(&mut self, version: Version, rules: &[GroupingRule], compiled: &Arc<Rules>) {
        self.drop_version(version);
        while self.rules + rules.len() > MAX_KEPT
            && let Some((&oldest, _)) = self.versions.iter().min_by_key(|(_, entry)| entry.asked)
        {
            self.drop_version(oldest);
        }
        self.rules += rules.len();
        let entry = Entry { from: rules.to_vec(), compiled: Arc::clone(compiled), asked: self.asked };
        self.versions.insert(version, entry);
    }

    fn drop_version(&mut self, version: Version) {
        self.rules -= self.versions.remove(&version).map_or(0, |entry| entry.from.len());
    }
}

#[cfg(test)]
mod tests {
    use playhead_domain::id::{ProjectId, TenantId};
    use playhead_domain::row::IssueSettings;
    use playhead_domain::scope::Grant;

    use super::*;

    fn scope(number: u64) -> Scope {
        Scope::open(Grant::Operator, TenantId(1), ProjectId(number)).unwrap()
    }

    /// A version for each time, with as many rules as there can be.
    fn project(times: &[i64]) -> Arc<Project> {
        let rule =
            GroupingRule { kind: "A".to_owned(), fingerprint: "a".to_owned(), ..GroupingRule::default() };
        let rules = vec![rule; MAX_RULES];
        let version =
            |&from_us: &i64| IssueSettings { from_us, rules: rules.clone(), ..IssueSettings::default() };
        Arc::new(Project { issue_settings: times.iter().map(version).collect(), ..Project::default() })
    }

    fn kept(compiled: &CompiledRules) -> Vec<Version> {
        let mut kept: Vec<_> = locked(&compiled.0).versions.keys().copied().collect();
        kept.sort_unstable();
        kept
    }

    #[test]
    fn only_what_a_range_obeys_is_compiled() {
        let compiled = CompiledRules::default();
        let projects = HashMap::from([(scope(1), project(&[0, 10, 20, 30])), (scope(2), project(&[0]))]);
        let rules = compiled.at(&projects, [(scope(1), 12), (scope(1), 19), (scope(1), 25)].into_iter());
        let mut found: Vec<_> = rules.into_keys().collect();
        found.sort_unstable();
        assert_eq!(found, [(scope(1), 10), (scope(1), 20)]);
        assert_eq!(kept(&compiled), found);
    }

    #[test]
    fn what_was_asked_for_longest_ago_goes() {
        let compiled = CompiledRules::default();
        let most = (MAX_KEPT / MAX_RULES) as u64;
        let ask = |number: u64| {
            let projects = HashMap::from([(scope(number), project(&[0]))]);
            compiled.at(&projects, [(scope(number), 5)].into_iter()).remove(&(scope(number), 0)).unwrap()
        };
        let first = ask(0);
        (1..most).for_each(|number| drop(ask(number)));
        assert!(Arc::ptr_eq(&first, &ask(0)));
        ask(most);
        assert_eq!(locked(&compiled.0).rules, MAX_KEPT);
        assert!(Arc::ptr_eq(&first, &ask(0)), "it was asked for since");
        assert!(!kept(&compiled).contains(&(scope(1), 0)));
    }

    #[test]
    fn other_rules_of_the_same_time_are_compiled_anew() {
        let compiled = CompiledRules::default();
        let rule = |kind: &str| GroupingRule { kind: kind.to_owned(), ..GroupingRule::default() };
        let first = compiled.compiled((scope(1), 0), &[rule("A")]);
        assert!(!Arc::ptr_eq(&first, &compiled.compiled((scope(1), 0), &[rule("B")])));
        assert_eq!(locked(&compiled.0).rules, 1);
    }
}
