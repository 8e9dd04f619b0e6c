//! `loadtest plan`: how large an installation has to be, from what one core was measured to carry.

mod measurements;
mod model;

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Context;
use measurements::Measurements;
use model::{Assumptions, Plan};

/// What is planned for when nothing is said: a million to ten billion sessions a day.
const DECADES: [f64; 5] = [1e6, 1e7, 1e8, 1e9, 1e10];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Sessions a day; may be given several times.
    #[arg(long)]
    sessions_per_day: Vec<f64>,
    /// What was measured.
    #[arg(long, default_value = "loadtest/measurements.toml")]
    measurements: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    assumptions: Assumptions,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&options.measurements)
        .with_context(|| format!("cannot read {}", options.measurements.display()))?;
    let measurements: Measurements = toml::from_str(&text)?;
    let wanted =
        if options.sessions_per_day.is_empty() { DECADES.to_vec() } else { options.sessions_per_day.clone() };
    let plans: Vec<Plan> =
        wanted.iter().map(|sessions| model::plan(*sessions, &measurements, &options.assumptions)).collect();
    let runs = model::compare(&measurements);
    if options.json {
        let document = serde_json::json!({"plans": plans, "measurements": measurements, "assumptions": options.assumptions, "compared_with_runs": runs});
        return crate::print(&serde_json::to_string_pretty(&document)?);
    }
    crate::print(&present(&plans, &measurements, &runs)?)
}

fn present(plans: &[Plan], measurements: &Measurements, runs: &[model::Compared]) -> anyhow::Result<String> {
    let mut text = String::new();
    for plan in plans {
        writeln!(text, "{} sessions a day", thousands(plan.sessions_per_day))?;
        for (name, value) in plan.rows() {
            writeln!(text, "  {name:<34} {}", thousands(value))?;
        }
        writeln!(text, "  {:<34} {}", "binds first", plan.binds_first)?;
        writeln!(text, "  {:<34} {}\n", "costs most", plan.costs_most)?;
    }
    writeln!(text, "Predictions at sizes that were run")?;
    for run in runs {
        let error = (run.predicted / run.measured - 1.0) * 100.0;
        writeln!(
            text,
            "  {}: {} predicted {:.3}, measured {:.3} ({error:+.0} %)",
            run.run, run.what, run.predicted, run.measured
        )?;
    }
    writeln!(text, "\nFrom these measurements ({})", measurements.machine)?;
    for (name, cost) in measurements.named() {
        writeln!(text, "  {name} = {} {} [{}]", cost.value, cost.unit, cost.source)?;
    }
    Ok(text)
}

/// A whole number with commas; a small one with digits behind the point.
fn thousands(value: f64) -> String {
    if value < 100.0 {
        return format!("{:.1}", value).trim_end_matches(".0").to_owned();
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
