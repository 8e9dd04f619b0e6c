//! Prometheus text, as far as outcomes are read from it.

use std::collections::BTreeMap;

/// The metrics of one process at one moment: values summed over labels, histograms by upper bound.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Metrics {
    values: BTreeMap<String, f64>,
    buckets: BTreeMap<String, Vec<(f64, f64)>>,
}

impl Metrics {
    pub(crate) fn read(text: &str) -> Self {
        let mut metrics = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            match (name.strip_suffix("_bucket"), upper_bound(labels)) {
                (Some(name), Some(bound)) => metrics.add_bucket(name, bound, value),
                _ => *metrics.values.entry(name.to_owned()).or_default() += value,
            }
        }
        metrics
    }

    fn add_bucket(&mut self, name: &str, bound: f64, count: f64) {
        let buckets = self.buckets.entry(name.to_owned()).or_default();
        match buckets.iter_mut().find(|(other, _)| *other == bound) {
            Some((_, sum)) => *sum += count,
            None => buckets.push((bound, count)),
        }
    }

    /// A value, summed over its labels; 0 where there is none.
    pub(crate) fn get(&self, name: &str) -> f64 {
        self.values.get(name).copied().unwrap_or_default()
    }

    /// What was added to a histogram since `before`: the value below which `share` of it lies, interpolated within a bucket.
    pub(crate) fn quantile_since(&self, before: &Self, name: &str, share: f64) -> Option<f64> {
        let buckets = self.buckets.get(name)?;
        let old = |bound: f64| {
            let found = before.buckets.get(name)?.iter().find(|(other, _)| *other == bound);
            found.map(|(_, count)| *count)
        };
        let mut grown: Vec<(f64, f64)> =
            buckets.iter().map(|&(bound, count)| (bound, count - old(bound).unwrap_or_default())).collect();
        grown.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted = grown.last()?.1 * share;
        if wanted <= 0.0 {
            return None;
        }
        let (mut low_bound, mut low_count) = (0.0, 0.0);
        for (bound, count) in grown {
            if count >= wanted {
                let within = (wanted - low_count) / (count - low_count).max(f64::MIN_POSITIVE);
                // Nothing is known of what lies beyond the last bound.
                return Some(if bound.is_finite() {
                    (bound - low_bound).mul_add(within, low_bound)
                } else {
                    low_bound
                });
            }
            (low_bound, low_count) = (bound, count);
        }
        None
    }
}

fn upper_bound(labels: &str) -> Option<f64> {
    let (_, rest) = labels.split_once("le=\"")?;
    let (bound, _) = rest.split_once('"')?;
    if bound == "+Inf" { Some(f64::INFINITY) } else { bound.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP x\nlag{partition=\"0\"} 3\nlag{partition=\"1\"} 4\n\
        took_bucket{le=\"1\"} 0\ntook_bucket{le=\"2\"} 50\ntook_bucket{le=\"4\"} 100\ntook_bucket{le=\"+Inf\"} 100\ntook_count 100\n";

    #[test]
    fn values_are_summed_over_labels() {
        let metrics = Metrics::read(TEXT);
        assert_eq!(
            (metrics.get("lag"), metrics.get("took_count"), metrics.get("nothing")),
            (7.0, 100.0, 0.0)
        );
    }

    #[test]
    fn quantiles_are_of_what_was_added() {
        let metrics = Metrics::read(TEXT);
        assert_eq!(metrics.quantile_since(&Metrics::default(), "took", 0.5), Some(2.0));
        assert_eq!(metrics.quantile_since(&Metrics::default(), "took", 0.75), Some(3.0));
        assert_eq!(metrics.quantile_since(&metrics, "took", 0.5), None);
        let before = Metrics::read(
            "took_bucket{le=\"2\"} 50\ntook_bucket{le=\"4\"} 50\ntook_bucket{le=\"+Inf\"} 50\n",
        );
        assert_eq!(metrics.quantile_since(&before, "took", 0.5), Some(3.0));
    }
}
