//! What errors cost: reading stacks and finding groups, over what real browsers threw.

use playhead_domain::issue::filter::Filters;
use playhead_domain::issue::rule::Rules;
use playhead_domain::issue::{Thrown, examine};
use serde_json::{Value, json};

use crate::processor_time;

const CAPTURED: &str = include_str!("../../../domain/tests/issue/corpus/captured.json");
/// Enough that the clock's hundredths do not matter.
const ROUNDS: usize = 200;

/// Frames and errors per second of processor time.
pub(crate) fn measure() -> Value {
    let captured: Value = serde_json::from_str(CAPTURED).unwrap();
    let mut errors = Vec::new();
    collect(&captured["builds"], &mut errors);
    let (mut frames, before) = (0, processor_time::used());
    for _ in 0..ROUNDS {
        for thrown in &errors {
            frames += examine(thrown, Filters::default(), &Rules::default(), false).stack.frames.len();
        }
    }
    let spent = (processor_time::used() - before).as_secs_f64();
    json!({
        "frames_per_cpu_s": (frames as f64 / spent).round(),
        "errors_per_cpu_s": ((ROUNDS * errors.len()) as f64 / spent).round(),
        "frames_per_error": ((frames / ROUNDS) as f64 / errors.len() as f64).round(),
    })
}

/// Every object with a stack.
fn collect<'a>(value: &'a Value, errors: &mut Vec<Thrown<'a>>) {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    if value.get("stack").is_some() {
        errors.push(Thrown {
            kind: text("type"),
            message: text("message"),
            stack: text("stack"),
            mechanism: "uncaught",
            page_url: "https://shop.example/cart",
            ..Thrown::default()
        });
        return;
    }
    for inner in value.as_object().into_iter().flat_map(|object| object.values()) {
        collect(inner, errors);
    }
}
