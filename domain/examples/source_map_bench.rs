//! What it costs to make stacks readable: reading maps of several sizes, and how many frames a second get their place, function and lines
//! from a map that was read. Made-up bundles of many small functions, one thread. Prints JSON.
//!
//! ```sh
//! cargo run --release -p playhead-domain --example source_map_bench
//! ```

#![expect(clippy::unwrap_used, reason = "a broken bench run may panic")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use playhead_domain::row::SourceMapContent;
use playhead_domain::source_map::{artifact, map::SourceMap, shape};
use serde_json::{Value, json};

const FUNCTIONS_PER_FILE: usize = 20;
const AROUND: u32 = 5;
const LOOKUPS: usize = 1_000_000;

/// A bundle on one line with its map.
struct Build {
    code: String,
    map: String,
    /// Columns inside its functions, from 1.
    columns: Vec<u32>,
}

fn main() {
    let sizes: Vec<Value> = [500, 5_000, 50_000].into_iter().map(measure).collect();
    let report = json!({"benchmark": "source_map", "maps": sizes});
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
}

fn measure(functions: usize) -> Value {
    let build = build(functions);
    let (checking, checked) = timed(|| shape::check(&build.map).unwrap());
    let content = SourceMapContent { code: build.code.clone(), map: checked.json };
    let (packing, packed) = timed(|| artifact::pack(&content).unwrap());
    let (reading, map) = timed(|| {
        let content = artifact::unpack(&packed).unwrap();
        SourceMap::read(&content.map, &content.code).unwrap()
    });
    let (looking_up, named) = timed(|| look_up(&map, &build.columns));
    assert_eq!(named, LOOKUPS, "every frame has its place, function and lines");
    let ms = |time: Duration| (time.as_secs_f64() * 10_000.0).round() / 10.0;
    json!({
        "functions": functions,
        "raw_mb": ((build.code.len() + build.map.len()) as f64 / 1e5).round() / 10.0,
        "stored_mb": (packed.len() as f64 / 1e5).round() / 10.0,
        "in_memory_mb": (map.bytes() as f64 / 1e5).round() / 10.0,
        "check_ms": ms(checking),
        "pack_ms": ms(packing),
        "read_ms": ms(reading),
        "frames_per_s": (LOOKUPS as f64 / looking_up.as_secs_f64()).round(),
    })
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let done = work();
    (begun.elapsed(), done)
}

/// Places all over the bundle, in an order that no cache of the processor likes.
fn look_up(map: &SourceMap, columns: &[u32]) -> usize {
    let places = (0..LOOKUPS).map(|at| columns[at.wrapping_mul(7_919) % columns.len()]);
    let found = places.filter(|&column| {
        let original = map.original(1, column).unwrap();
        let excerpt = original.excerpt(AROUND).unwrap();
        original.function.is_some_and(|function| function.starts_with("total")) && excerpt.lines.len() > 5
    });
    found.count()
}

fn build(functions: usize) -> Build {
    let (mut code, mut columns, mut mappings) = (String::new(), Vec::new(), String::new());
    let mut last = [0_i64; 5];
    let mut token = |mappings: &mut String, at: [usize; 5], is_named: bool| {
        let at = at.map(|number| i64::try_from(number).unwrap());
        if !mappings.is_empty() {
            mappings.push(',');
        }
        for index in 0..4 + usize::from(is_named) {
            write_vlq(mappings, at[index] - last[index]);
            last[index] = at[index];
        }
    };
    for function in 0..functions {
        let (file, line) = (function / FUNCTIONS_PER_FILE, function % FUNCTIONS_PER_FILE * 4);
        code.push_str("function ");
        token(&mut mappings, [code.len(), file, line, 16, function], true);
        code.push_str("a(t){");
        token(&mut mappings, [code.len(), file, line + 1, 2, 0], false);
        code.push_str("return ");
        token(&mut mappings, [code.len(), file, line + 1, 9, 0], false);
        columns.push(u32::try_from(code.len()).unwrap() + 2);
        code.push_str("t.items.length}");
    }
    let files = functions.div_ceil(FUNCTIONS_PER_FILE);
    let sources: Vec<String> = (0..files).map(|file| format!("../../src/feature-{file}/total.ts")).collect();
    let contents: Vec<String> = (0..files).map(source).collect();
    let names: Vec<String> = (0..functions).map(|function| format!("total{function}")).collect();
    let map = json!({"version": 3, "sources": sources, "sourcesContent": contents, "names": names, "mappings": mappings});
    Build { code, map: map.to_string(), columns }
}

fn source(file: usize) -> String {
    let mut text = String::new();
    for function in file * FUNCTIONS_PER_FILE..(file + 1) * FUNCTIONS_PER_FILE {
        let _written = write!(
            text,
            "export function total{function}(cart: Cart): number {{\n  return cart.items.length;\n}}\n\n"
        );
    }
    text
}

/// A number as source maps write it: five bits a digit, the lowest first, the sign in the lowest bit.
fn write_vlq(text: &mut String, number: i64) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rest = if number < 0 { (-number << 1) | 1 } else { number << 1 };
    loop {
        let digit = rest & 31;
        rest >>= 5;
        let more = if rest > 0 { 32 } else { 0 };
        text.push(DIGITS[usize::try_from(digit | more).unwrap()] as char);
        if rest == 0 {
            return;
        }
    }
}
