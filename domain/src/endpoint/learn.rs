//! What names have in common, learnt from all that are there: a segment of which there are too many becomes `{}`.
//!
//! Where names are alike but for one segment, and that segment has more values than kinds of things have, it names single things: slugs, users,
//! words that were searched for. It goes from the last segment to the first, so that what follows is put together before what leads to it. The
//! same names give the same templates, in whatever order they come.

use std::collections::{BTreeMap, BTreeSet};

use super::own;

/// Values of a segment that may be told apart: of what looks made up (with hyphens, figures, dots, capitals within), and of plain words.
const MOST_SLUGS: usize = 30;
const MOST_WORDS: usize = 150;
/// What was put together may make what follows it alike, so it is gone through again.
const MOST_PASSES: usize = 4;
/// Segments further on stay as they are.
const MOST_SEGMENTS: usize = 12;
/// What stands for a segment that was learnt.
pub const LEARNT: &str = "{}";

/// A name: what is before its path, the path's segments, and what follows it.
struct Parts {
    before: String,
    segments: Vec<String>,
    after: String,
}

/// What names are to be shown as, for those that change. A project's own templates come first, and what they fit is not learnt from.
#[must_use]
pub fn shown<'a>(templates: &[String], names: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let names: BTreeSet<&str> = names.collect();
    let mut own = BTreeMap::new();
    let mut others = Vec::new();
    for name in names {
        let (before, path, after) = split(name);
        match own::apply(templates, path) {
            Some(path) => drop(own.insert(name.to_owned(), format!("{before}{path}{after}"))),
            None => others.push(name),
        }
    }
    let mut all = learn(others.into_iter());
    all.extend(own);
    all
}

/// What is before the path, the path, and what follows.
fn split(name: &str) -> (&str, &str, &str) {
    let slash = name.find('/').unwrap_or(name.len());
    let (before, rest) = name.split_at(slash);
    let (path, after) = rest.find(' ').map_or((rest, ""), |at| rest.split_at(at));
    (before, path, after)
}

/// Names that something else is to be shown for, with that. Names are `GET /path`, `GET host/path`, `/path` or `POST /path Operation`.
#[must_use]
pub fn learn<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let names: BTreeSet<&str> = names.filter(|name| name.contains('/')).collect();
    if names.len() <= MOST_SLUGS {
        return BTreeMap::new();
    }
    let mut all: Vec<Parts> = names.iter().map(|name| Parts::of(name)).collect();
    let longest = all.iter().map(|parts| parts.segments.len()).max().unwrap_or_default().min(MOST_SEGMENTS);
    for _ in 0..MOST_PASSES {
        let changes = (0..longest).rev().map(|at| put_together(&mut all, at)).sum::<usize>();
        if changes == 0 {
            break;
        }
    }
    let shown = names.iter().zip(&all).map(|(name, parts)| ((*name).to_owned(), parts.join()));
    shown.filter(|(name, shown)| name != shown).collect()
}

/// Replaces the segment at a place where there are too many. Returns how many.
fn put_together(all: &mut [Parts], at: usize) -> usize {
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for parts in all.iter() {
        if let Some(segment) = parts.segments.get(at).filter(|segment| is_literal(segment)) {
            values.entry(parts.without(at)).or_default().insert(segment.clone());
        }
    }
    let taken = values.into_iter().filter_map(|(place, segments)| Some((place, Taken::of(&segments)?)));
    let taken: BTreeMap<String, Taken> = taken.collect();
    let mut changes = 0;
    for parts in all.iter_mut() {
        let place = parts.without(at);
        if let Some(segment) = parts.segments.get_mut(at)
            && is_literal(segment)
            && taken.get(&place).is_some_and(|taken| taken.has(segment))
        {
            LEARNT.clone_into(segment);
            changes += 1;
        }
    }
    changes
}

fn is_literal(segment: &str) -> bool {
    !segment.is_empty() && segment != LEARNT && !(segment.starts_with('{') && segment.ends_with('}'))
}

/// What is put together at a place: words stay told apart beside slugs, as `/checkout` does beside `/my-first-post`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Slugs,
    All,
}

impl Taken {
    /// `None`: there are not too many.
    fn of(segments: &BTreeSet<String>) -> Option<Self> {
        let slugs = segments.iter().filter(|segment| is_made_up(segment)).count();
        if segments.len() - slugs > MOST_WORDS {
            return Some(Self::All);
        }
        (slugs > MOST_SLUGS).then_some(Self::Slugs)
    }

    fn has(self, segment: &str) -> bool {
        self == Self::All || is_made_up(segment)
    }
}

/// Kinds of things are called by a word, or some written as one.
fn is_made_up(segment: &str) -> bool {
    segment
        .bytes()
        .any(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'%' | b'+' | b'~' | b'{'))
        || !segment.is_ascii()
}

impl Parts {
    fn of(name: &str) -> Self {
        let (before, path, after) = split(name);
        let segments = path.split('/').skip(1).map(str::to_owned).collect();
        Self { before: before.to_owned(), segments, after: after.to_owned() }
    }

    fn join(&self) -> String {
        let mut name = self.before.clone();
        for segment in &self.segments {
            name.push('/');
            name.push_str(segment);
        }
        name.push_str(&self.after);
        name
    }

    /// All but the segment at a place. What looks made up after it does not tell names apart: `/users/ana-l/posts/my-cat` has two that vary.
    fn without(&self, at: usize) -> String {
        let mut name = self.before.clone();
        for (place, segment) in self.segments.iter().enumerate() {
            name.push('/');
            // No segment has a slash in it.
            let varies = place == at || place > at && is_literal(segment) && is_made_up(segment);
            name.push_str(if varies { "/" } else { segment });
        }
        name.push_str(&self.after);
        name
    }
}

#[cfg(test)]
mod tests;
