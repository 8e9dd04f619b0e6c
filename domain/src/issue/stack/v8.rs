//! `at function (place)`: V8, and what imitates it.

use super::location::Location;
use super::{Frame, Kind};

pub(super) fn frame(line: &str) -> Option<Frame> {
    let rest = line.strip_prefix("at ")?.trim();
    let (rest, is_async) = rest.strip_prefix("async ").map_or((rest, false), |rest| (rest, true));
    let (function, location) = match split(rest) {
        Some((function, place)) => read(function, place)?,
        None => ("", bare(rest)?),
    };
    let function = if function == "?" { "" } else { function };
    Some(Frame { is_async, ..location.frame(function) })
}

/// A place without a function. Words of a message may end with numbers too, so it has to look like an address.
fn bare(text: &str) -> Option<Location<'_>> {
    let location = Location::read(text)?;
    let is_address = location.kind != Kind::Native && location.file.contains(['/', '.', '<', ':', '\\']);
    (is_address || location.kind == Kind::Wasm).then_some(location)
}

fn read<'a>(function: &'a str, place: &'a str) -> Option<(&'a str, Location<'a>)> {
    if let Some(evaluated) = place.strip_prefix("eval at ") {
        return Some((function, innermost(evaluated)));
    }
    let place = place.strip_prefix("async ").unwrap_or(place);
    // Old Safari: `name@safari-extension:(//id/file.js:1:2)`.
    if function.ends_with("-extension:") {
        let name = function.rsplit_once('@').map_or("", |(name, _)| name);
        return Some((name, Location { kind: Kind::Extension, ..Location::read(place)? }));
    }
    let location = Location::read(place)?;
    location.is_sure().then_some((function, location))
}

/// Function and place of `function (place)`. The place is what the last closing bracket closes, since names and addresses may
/// hold brackets themselves.
fn split(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_suffix(')')?;
    let mut depth = 1_u32;
    let open = inside.bytes().rposition(|byte| {
        match byte {
            b')' => depth += 1,
            b'(' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    let open = open.or_else(|| inside.find(" (").map(|at| at + 1))?;
    Some((inside[..open].trim_end(), &inside[open + 1..]))
}

/// Where the outermost code is that led to `eval at a (eval at b (place), <anonymous>:1:2)`.
fn innermost(evaluated: &str) -> Location<'_> {
    let last = evaluated.rfind("eval at ").map_or(evaluated, |at| &evaluated[at + "eval at ".len()..]);
    let place = last.split_once(" (").and_then(|(_, rest)| {
        let mut depth = 1_u32;
        let close = rest.bytes().position(|byte| {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            depth == 0
        })?;
        Location::read(&rest[..close])
    });
    let place = place.filter(|place| place.kind != Kind::Native);
    place.map_or(Location::unknown(Kind::Eval), |place| match place.kind {
        Kind::Extension => place,
        _ => Location { kind: Kind::Eval, ..place },
    })
}
