//! One line in the terminal that tells how it goes; nothing where no one looks.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use super::chronicle::Chronicle;

pub(super) struct Line {
    is_seen: bool,
    shown_second: u64,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { is_seen: std::io::stderr().is_terminal(), shown_second: 0 }
    }

    /// Writes the line anew, at most once a second.
    pub(super) fn show(&mut self, chronicle: &Chronicle, elapsed: Duration) {
        let second = elapsed.as_secs();
        if !self.is_seen || second == self.shown_second {
            return;
        }
        self.shown_second = second;
        // The second before: this one is still being counted.
        let Some(tally) = chronicle.seconds.get(&second.saturating_sub(1)) else { return };
        let phase = chronicle
            .scenario
            .spans()
            .into_iter()
            .find(|(_, from, to)| (*from..*to).contains(&(second as f64)));
        let latency = |quantile| tally.latency.quantile_ms(quantile).unwrap_or(0.0);
        let cpu: Vec<String> = chronicle.processes.iter().map(|process| process.newest()).collect();
        let _ = write!(
            std::io::stderr(),
            "\r\x1b[K{second} s {} | due {}/s, acknowledged {}/s, told to wait {}/s | p50 {:.1} ms, p99 {:.1} ms | shows after {:.0} ms (p99) | lag {:.0} | {}",
            phase.map_or("draining", |(phase, _, _)| phase.name.as_str()),
            tally.due,
            tally.acknowledged,
            tally.told_to_wait(),
            latency(0.5),
            latency(0.99),
            chronicle.queryable.quantile_ms(0.99).unwrap_or(0.0),
            chronicle.newest("playhead_processor_lag_records").unwrap_or(0.0),
            cpu.join(", "),
        );
    }

    pub(super) fn end(&self) {
        if self.is_seen {
            let _ = writeln!(std::io::stderr());
        }
    }
}
