//! What a rule about an endpoint or a page would have fired, by what is still counted.

use super::super::rehearsal::{Firing, Past};
use super::{Grain, Limit, MINUTE_MS, Series};

/// Firings, the oldest first: span by span as the evaluator would have judged them, where `series` has the spans of the rule's own grain. Where
/// it has coarser ones (`is_certain` is false then), windows of them are judged, of one at least.
#[must_use]
pub fn firings(limit: &Limit, grain_ms: i64, series: &Series, past: Past, is_certain: bool) -> Vec<Firing> {
    let own = Grain::of(limit.window_minutes);
    let spans = (own.length_ms() / grain_ms).max(1);
    let grain = Grain { ms: grain_ms, spans, ..own };
    let window_minutes = u32::try_from(grain.length_ms() / MINUTE_MS).unwrap_or(limit.window_minutes);
    let limit = &Limit { window_minutes, ..*limit };
    let (mut found, mut is_open): (Vec<Firing>, bool) = (Vec::new(), false);
    for span in past.from_ms.div_euclid(grain_ms)..=past.at_ms.div_euclid(grain_ms) {
        let (begin_ms, end_ms) = (span * grain_ms, (span + 1) * grain_ms);
        // Of a lack nothing is told before the window is whole.
        let judged_ms = if limit.is_lack() { begin_ms } else { end_ms };
        if is_open && !limit.is_held(series, grain, begin_ms) {
            if let Some(last) = found.last_mut() {
                last.to_ms = Some(begin_ms);
            }
            is_open = false;
        }
        let is_throttled = found.last().is_some_and(|last| begin_ms - last.from_ms < past.throttle_ms);
        if is_open || is_throttled {
            continue;
        }
        if let Some(measured) = limit.triggering(series, grain, judged_ms) {
            is_open = true;
            let why = limit.describe(&measured);
            found.push(Firing { from_ms: begin_ms, to_ms: None, why, grain_ms, is_certain });
        }
    }
    found
}
