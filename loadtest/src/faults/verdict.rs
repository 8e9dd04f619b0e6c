//! What a scenario did, found and concludes.

use std::fmt::Display;
use std::io::Write;
use std::time::Instant;

use serde::Serialize;
use serde_json::{Map, Value};

/// Differences that are shown; their number is always told.
const SHOWN: usize = 20;

#[derive(Debug, Serialize)]
struct Injected {
    at_s: f64,
    what: String,
}

#[derive(Debug, Serialize)]
struct Check {
    name: String,
    met: bool,
    #[serde(skip_serializing_if = "Value::is_null")]
    detail: Value,
}

/// The report of one scenario, as it grows.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) scenario: String,
    pub(crate) seed: u64,
    pub(crate) seconds: u64,
    met: bool,
    injected: Vec<Injected>,
    checks: Vec<Check>,
    figures: Map<String, Value>,
    #[serde(skip)]
    start: Instant,
    /// Whether figures that depend on the machine's pace are checked as well.
    #[serde(skip)]
    bounds: bool,
}

impl Verdict {
    pub(crate) fn new(scenario: &str, seed: u64, seconds: u64, bounds: bool) -> Self {
        Self {
            scenario: scenario.to_owned(),
            seed,
            seconds,
            met: true,
            injected: Vec::new(),
            checks: Vec::new(),
            figures: Map::new(),
            start: Instant::now(),
            bounds,
        }
    }

    pub(crate) fn met(&self) -> bool {
        self.met
    }

    /// Tells on standard error, and remembers, what is done to the system.
    pub(crate) fn inject(&mut self, what: impl Display) {
        let at_s = (self.start.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        // Nobody may be listening.
        let _ = writeln!(std::io::stderr(), "{:>8.3} s  {}: {what}", at_s, self.scenario);
        self.injected.push(Injected { at_s, what: what.to_string() });
    }

    /// Something that must be so.
    pub(crate) fn check(&mut self, name: &str, met: bool, detail: impl Into<Value>) {
        self.met &= met;
        let verdict = if met { "met" } else { "NOT MET" };
        let detail = detail.into();
        let _ = writeln!(
            std::io::stderr(),
            "{:>8.3} s  {}: {name}: {verdict} {detail}",
            self.start.elapsed().as_secs_f64(),
            self.scenario
        );
        self.checks.push(Check { name: name.to_owned(), met, detail });
    }

    /// Something that must be empty.
    pub(crate) fn check_none(&mut self, name: &str, differences: &[String]) {
        let detail = if differences.is_empty() {
            Value::Null
        } else {
            serde_json::json!({"number": differences.len(), "first": &differences[..differences.len().min(SHOWN)]})
        };
        self.check(name, differences.is_empty(), detail);
    }

    /// A figure that should stay at or below a bound: always reported, checked only when bounds are.
    pub(crate) fn bound(&mut self, name: &str, value: f64, limit: f64) {
        let rounded = (value * 1e3).round() / 1e3;
        self.figure(name, serde_json::json!({"value": rounded, "should_be_at_most": limit}));
        if self.bounds {
            self.check(name, value <= limit, rounded);
        }
    }

    pub(crate) fn figure(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }
}

/// The value below which `share` of the values lie; `None` of nothing.
pub(crate) fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let at = (last as f64 * share.clamp(0.0, 1.0)).round() as usize;
    values.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_check_that_is_not_met_decides() {
        let mut verdict = Verdict::new("x", 1, 2, false);
        verdict.check("a", true, Value::Null);
        verdict.bound("slow", 5.0, 1.0);
        assert!(verdict.met(), "bounds are not asked for");
        verdict.check_none("lost", &["one".to_owned()]);
        assert!(!verdict.met());
        let mut strict = Verdict::new("x", 1, 2, true);
        strict.bound("slow", 5.0, 1.0);
        assert!(!strict.met());
    }

    #[test]
    fn quantiles_of_few_values() {
        assert_eq!(quantile(vec![], 0.5), None);
        assert_eq!(quantile(vec![3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(quantile(vec![3.0, 1.0, 2.0], 0.99), Some(3.0));
    }
}
