//! DDSketch (Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch", VLDB 2019) with the logarithmic mapping: a value is
//! counted in the bin `⌈log γ x⌉`, with `γ = (1 + α) / (1 − α)`, and read back as `2 γ^i / (γ + 1)`, which is off by α at most.
//!
//! Sparse when it is written, as most sketches of a minute hold a handful of values; dense when many are read.

use prost::encoding::{decode_varint, encode_varint};

/// The greatest relative error of a quantile.
pub const RELATIVE_ERROR: f64 = 0.01;

const GAMMA: f64 = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR);
/// Of values that are not above a thousandth: they are read as 0.
const ZERO: i32 = -346;
/// Bins of a day in milliseconds; what is longer counts there.
const LAST: i32 = 914;

/// The bin of a value.
#[must_use]
fn bin(value: f64) -> i32 {
    if value.is_nan() || value <= 0.001 {
        return ZERO;
    }
    // Rounding may put a value on the border of two bins into the upper one, which is as near.
    (value.ln() / GAMMA.ln()).ceil().clamp(f64::from(ZERO + 1), f64::from(LAST)) as i32
}

fn value_of(bin: i32) -> f64 {
    if bin <= ZERO { 0.0 } else { 2.0 * GAMMA.powi(bin) / (GAMMA + 1.0) }
}

/// Counts by bin, in the order of the bins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch(Vec<(i32, u64)>);

impl Sketch {
    /// Counts a value so many times.
    pub fn add(&mut self, value: f64, times: u64) {
        self.add_to(bin(value), times);
    }

    fn add_to(&mut self, bin: i32, count: u64) {
        match self.0.binary_search_by_key(&bin, |(known, _)| *known) {
            Ok(at) => self.0[at].1 += count,
            Err(at) => self.0.insert(at, (bin, count)),
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for &(bin, count) in &other.0 {
            self.add_to(bin, count);
        }
    }

    /// The first bin, then for each how much further it is than the one before and its count; all as varints.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 2 + 2);
        let mut before = ZERO;
        for &(bin, count) in &self.0 {
            encode_varint(u64::from((bin - before).unsigned_abs()), &mut bytes);
            encode_varint(count, &mut bytes);
            before = bin;
        }
        bytes
    }

    /// What [`Sketch::encode`] gave; of other bytes, what can be read.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        Self(bins(bytes).collect())
    }
}

fn bins(mut bytes: &[u8]) -> impl Iterator<Item = (i32, u64)> {
    let mut bin = ZERO;
    std::iter::from_fn(move || {
        let step = i32::try_from(number(&mut bytes)?).ok()?;
        let count = number(&mut bytes)?;
        bin = bin.checked_add(step).filter(|bin| *bin <= LAST)?;
        Some((bin, count))
    })
}

/// A varint; most are of one byte.
#[inline]
pub(super) fn number(bytes: &mut &[u8]) -> Option<u64> {
    match bytes {
        [byte, rest @ ..] if *byte < 0x80 => {
            let number = u64::from(*byte);
            *bytes = rest;
            Some(number)
        }
        _ => decode_varint(bytes).ok(),
    }
}

/// Many sketches in one: the counts of all bins from the lowest to the highest that has any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summed {
    /// The bin that `bins` begins with.
    first: i32,
    bins: Vec<u64>,
    count: u64,
}

impl Summed {
    /// Adds an encoded sketch.
    pub fn add(&mut self, sketch: &[u8]) {
        for (bin, count) in bins(sketch) {
            self.add_to(bin, count);
        }
    }

    #[inline]
    fn add_to(&mut self, bin: i32, count: u64) {
        let at = usize::try_from(bin - self.first).ok().and_then(|at| self.bins.get_mut(at));
        match at {
            Some(known) => *known += count,
            None => {
                self.reach(bin);
                self.bins[(bin - self.first) as usize] += count;
            }
        }
        self.count += count;
    }

    /// Makes room for a bin.
    #[cold]
    fn reach(&mut self, bin: i32) {
        if self.bins.is_empty() {
            self.first = bin;
        }
        let before = usize::try_from(self.first - bin).unwrap_or(0);
        self.bins.splice(..0, std::iter::repeat_n(0, before));
        self.first = self.first.min(bin);
        let length = (bin - self.first) as usize + 1;
        self.bins.resize(self.bins.len().max(length), 0);
    }

    pub fn merge(&mut self, other: &Self) {
        for (bin, count) in (other.first..).zip(&other.bins).filter(|(_, count)| **count > 0) {
            self.add_to(bin, *count);
        }
    }

    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The value of which the share `q` (0 to 1) is not above it, by the nearest rank; nothing without values.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = ((q * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        let at = self.bins.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(value_of(i32::try_from(at).ok()? + self.first))
    }

    /// How many values are not above `limit`; those within the relative error of it count on either side.
    #[must_use]
    pub fn up_to(&self, limit: f64) -> u64 {
        (self.first..=bin(limit)).zip(&self.bins).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![0.002..1.0, 1.0..100.0, 50.0..60_000.0, 60_000.0..86_000_000.0];
        proptest::collection::vec(value, 1..400)
    }

    proptest! {
        #[test]
        fn percentiles_are_within_one_percent_of_the_exact_ones(parts in proptest::collection::vec(values(), 1..6)) {
            let mut summed = Summed::default();
            let mut merged = Sketch::default();
            for part in &parts {
                let mut sketch = Sketch::default();
                part.iter().for_each(|value| sketch.add(*value, 1));
                summed.add(&sketch.encode());
                merged.merge(&sketch);
            }
            prop_assert_eq!(&Sketch::decode(&merged.encode()), &merged);
            let mut again = Summed::default();
            again.add(&merged.encode());
            prop_assert_eq!(&again, &summed);
            let mut exact: Vec<f64> = parts.concat();
            exact.sort_by(f64::total_cmp);
            for q in [0.01, 0.5, 0.75, 0.95, 0.99, 1.0] {
                let rank = ((q * exact.len() as f64).ceil() as usize).max(1);
                let (known, read) = (exact[rank - 1], summed.quantile(q).unwrap());
                prop_assert!((read - known).abs() <= known * RELATIVE_ERROR * 1.000_001, "{q}: {read} for {known}");
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            Summed::default().add(&bytes);
            let _ = Sketch::decode(&bytes);
        }
    }

    #[test]
    fn what_is_out_of_range_is_counted_at_its_end() {
        let mut sketch = Sketch::default();
        [0.0, -1.0, f64::NAN, 0.0005, 1e12].into_iter().for_each(|value| sketch.add(value, 1));
        let mut summed = Summed::default();
        summed.add(&sketch.encode());
        assert_eq!((summed.count(), summed.quantile(0.5), summed.up_to(1.0)), (5, Some(0.0), 4));
        assert!(summed.quantile(1.0).unwrap() > 86_000_000.0);
        assert_eq!(Summed::default().quantile(0.5), None);
    }
}
