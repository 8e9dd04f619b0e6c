//! When requests are due: fixed before the first answer, so that a slow server does not slow the load that it is measured by.

use rand::Rng;
use serde::{Deserialize, Serialize};

/// A stretch of time over which the rate goes evenly from one value to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Phase {
    pub(crate) name: String,
    pub(crate) seconds: f64,
    /// Rate at the start, as a multiple of the scenario's.
    pub(crate) from: f64,
    /// Rate at the end; as at the start unless given.
    pub(crate) to: Option<f64>,
}

/// How arrivals are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Arrivals {
    /// At random, independent of each other, as many visitors do.
    #[default]
    Poisson,
    Even,
}

/// The moments at which requests are due, in seconds from the start.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pieces: Vec<Piece>,
    arrivals: Arrivals,
    /// Arrivals so far, as the integral of the rate.
    count: f64,
}

/// Rates in requests per second.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: f64,
    seconds: f64,
    from: f64,
    to: f64,
    /// Arrivals before it.
    before: f64,
}

impl Schedule {
    /// The phases one after the other at `rate` requests per second.
    pub(crate) fn new(phases: &[Phase], rate: f64, arrivals: Arrivals) -> Self {
        let (mut start, mut before, mut pieces) = (0.0, 0.0, Vec::new());
        for phase in phases {
            let (from, to) = (phase.from * rate, phase.to.unwrap_or(phase.from) * rate);
            pieces.push(Piece { start, seconds: phase.seconds, from, to, before });
            start += phase.seconds;
            before += (from + to) / 2.0 * phase.seconds;
        }
        Self { pieces, arrivals, count: 0.0 }
    }

    /// The next arrival; `None` after the last.
    pub(crate) fn next(&mut self, random: &mut impl Rng) -> Option<f64> {
        self.count += match self.arrivals {
            Arrivals::Even => 1.0,
            // The gaps of a Poisson process of rate 1 are exponential; the integral of the rate stretches them to any rate.
            Arrivals::Poisson => -(1.0 - random.random::<f64>()).ln(),
        };
        self.pieces.iter().find_map(|piece| piece.moment_of(self.count))
    }

    /// The rate at a moment; 0 outside.
    pub(crate) fn rate_at(&self, moment: f64) -> f64 {
        let piece =
            self.pieces.iter().find(|piece| (piece.start..piece.start + piece.seconds).contains(&moment));
        piece.map_or(0.0, |piece| {
            piece.from + (piece.to - piece.from) * (moment - piece.start) / piece.seconds
        })
    }
}

impl Piece {
    /// When the integral of the rate reaches `count`, if it does within this piece.
    fn moment_of(&self, count: f64) -> Option<f64> {
        let wanted = count - self.before;
        let all = (self.from + self.to) / 2.0 * self.seconds;
        if wanted > all || self.seconds <= 0.0 {
            return None;
        }
        // from · t + slope · t² / 2 = wanted, solved so that nothing cancels out when the slope is small.
        let slope = (self.to - self.from) / self.seconds;
        let root = (self.from * self.from + 2.0 * slope * wanted).max(0.0).sqrt();
        Some(self.start + 2.0 * wanted / (self.from + root).max(f64::MIN_POSITIVE))
    }
}

/// The whole length of the phases.
pub(crate) fn seconds(phases: &[Phase]) -> f64 {
    phases.iter().map(|phase| phase.seconds).sum()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn phase(seconds: f64, from: f64, to: f64) -> Phase {
        Phase { name: "phase".to_owned(), seconds, from, to: Some(to) }
    }

    fn all(phases: &[Phase], rate: f64, arrivals: Arrivals) -> Vec<f64> {
        let mut schedule = Schedule::new(phases, rate, arrivals);
        let mut random = StdRng::seed_from_u64(7);
        std::iter::from_fn(|| schedule.next(&mut random)).collect()
    }

    fn within(moments: &[f64], from: f64, to: f64) -> usize {
        moments.iter().filter(|&&moment| (from..to).contains(&moment)).count()
    }

    #[test]
    fn even_arrivals_follow_the_rate_exactly() {
        let moments = all(
            &[phase(10.0, 0.0, 1.0), phase(10.0, 1.0, 1.0), phase(5.0, 10.0, 10.0)],
            100.0,
            Arrivals::Even,
        );
        assert!(moments.is_sorted());
        assert_eq!(moments.len(), 500 + 1_000 + 5_000);
        for (from, to, expected) in
            [(0.0, 5.0, 125), (5.0, 10.0, 375), (10.0, 20.0, 1_000), (20.0, 25.0, 5_000)]
        {
            assert!(within(&moments, from, to).abs_diff(expected) <= 2, "{from} to {to}");
        }
    }

    #[test]
    fn random_arrivals_follow_it_on_average_and_scatter_as_they_should() {
        let moments = all(&[phase(100.0, 1.0, 1.0)], 500.0, Arrivals::Poisson);
        assert!(moments.is_sorted());
        // Five standard deviations.
        assert!(moments.len().abs_diff(50_000) < 5 * 224, "{}", moments.len());
        let counts: Vec<f64> = (0..100)
            .map(|second| within(&moments, f64::from(second), f64::from(second + 1)) as f64)
            .collect();
        let mean = counts.iter().sum::<f64>() / 100.0;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 99.0;
        assert!(
            (0.5..2.0).contains(&(variance / mean)),
            "a Poisson process has variance {mean}, this {variance}"
        );
    }

    #[test]
    fn nothing_is_due_while_the_rate_is_zero() {
        let moments =
            all(&[phase(1.0, 1.0, 1.0), phase(10.0, 0.0, 0.0), phase(1.0, 1.0, 1.0)], 50.0, Arrivals::Even);
        assert_eq!((within(&moments, 0.0, 1.01), within(&moments, 1.01, 11.0), moments.len()), (50, 0, 100));
    }
}
