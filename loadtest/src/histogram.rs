//! Latencies in microseconds, within one per cent, mergeable between threads and machines (HDR histogram).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const LONGEST_US: u64 = 3_600_000_000;
const DIGITS: u8 = 2;

#[derive(Debug, Clone)]
pub(crate) struct Histogram(Option<hdrhistogram::Histogram<u64>>);

impl Histogram {
    /// An empty one takes no memory.
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    fn opened(&mut self) -> Option<&mut hdrhistogram::Histogram<u64>> {
        if self.0.is_none() {
            self.0 = hdrhistogram::Histogram::new_with_bounds(1, LONGEST_US, DIGITS).ok();
        }
        self.0.as_mut()
    }

    pub(crate) fn record(&mut self, latency: std::time::Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        if let Some(histogram) = self.opened() {
            histogram.saturating_record(us.clamp(1, LONGEST_US));
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        let (Some(other), Some(histogram)) = (&other.0, self.opened()) else { return };
        // Both have the same bounds, so every value fits.
        let _ = histogram.add(other);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, hdrhistogram::Histogram::len)
    }

    /// Milliseconds below which the share of `quantile` lies; `None` when nothing was recorded.
    pub(crate) fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        let histogram = self.0.as_ref().filter(|histogram| !histogram.is_empty())?;
        Some(histogram.value_at_quantile(quantile) as f64 / 1e3)
    }

    pub(crate) fn max_ms(&self) -> Option<f64> {
        let histogram = self.0.as_ref().filter(|histogram| !histogram.is_empty())?;
        Some(histogram.max() as f64 / 1e3)
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        Quantiles {
            count: self.count(),
            p50_ms: self.quantile_ms(0.5),
            p90_ms: self.quantile_ms(0.9),
            p99_ms: self.quantile_ms(0.99),
            p999_ms: self.quantile_ms(0.999),
            max_ms: self.max_ms(),
        }
    }
}

/// What people read of a histogram.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    pub(crate) count: u64,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p90_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) p999_ms: Option<f64>,
    pub(crate) max_ms: Option<f64>,
}

/// Travels as pairs of a value and how often it came.
impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.0.iter().flat_map(hdrhistogram::Histogram::iter_recorded);
        serializer.collect_seq(values.map(|value| (value.value_iterated_to(), value.count_at_value())))
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Vec::<(u64, u64)>::deserialize(deserializer)?;
        let mut read = Self::new();
        if pairs.is_empty() {
            return Ok(read);
        }
        if let Some(histogram) = read.opened() {
            for (value, count) in pairs {
                histogram.saturating_record_n(value, count);
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(values_us: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::new();
        values_us.into_iter().for_each(|us| histogram.record(Duration::from_micros(us)));
        histogram
    }

    #[test]
    fn merged_histograms_are_the_histogram_of_all() {
        let mut merged = of((0..5_000).map(|n| n * 7));
        merged.merge(&of((0..5_000).map(|n| n * 31 + 5)));
        merged.merge(&Histogram::new());
        let whole = of((0..5_000).map(|n| n * 7).chain((0..5_000).map(|n| n * 31 + 5)));
        assert_eq!(merged.count(), 10_000);
        for quantile in [0.0, 0.5, 0.9, 0.99, 0.999, 1.0] {
            assert_eq!(merged.quantile_ms(quantile), whole.quantile_ms(quantile));
        }
    }

    #[test]
    fn a_histogram_that_travelled_is_the_same() {
        let sent = of((1..10_000).map(|n| n * n));
        let received: Histogram = serde_json::from_str(&serde_json::to_string(&sent).unwrap()).unwrap();
        assert_eq!(received.count(), sent.count());
        for quantile in [0.1, 0.5, 0.99, 0.9999] {
            assert_eq!(received.quantile_ms(quantile), sent.quantile_ms(quantile));
        }
        let none: Histogram = serde_json::from_str("[]").unwrap();
        assert_eq!(none.quantile_ms(0.5), None);
    }
}
