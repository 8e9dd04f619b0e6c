//! When the SDK tries again.

use std::time::Duration;

use rand::Rng;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// How long to wait after the n-th failure in a row: exponential with jitter, never sooner than the server asked for.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) fn succeed(&mut self) {
        self.failures = 0;
    }

    pub(crate) fn fail(&mut self, retry_after_s: Option<f64>, random: &mut impl Rng) -> Duration {
        let ceiling = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures += 1;
        match retry_after_s.filter(|seconds| (0.0..600.0).contains(seconds)) {
            Some(seconds) => {
                let after = Duration::from_secs_f64(seconds);
                after + ceiling.min(after.mul_f64(0.2)).mul_f64(random.random())
            }
            None => (ceiling / 2).mul_f64(1.0 + random.random::<f64>()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_respect_the_server() {
        let (mut backoff, mut random) = (Backoff::default(), rand::rng());
        for ceiling in [1, 2, 4, 8, 16, 32, 60, 60] {
            let wait = backoff.fail(None, &mut random);
            let ceiling = Duration::from_secs(ceiling);
            assert!((ceiling / 2..=ceiling).contains(&wait), "{wait:?} of {ceiling:?}");
        }
        let asked = backoff.fail(Some(2.0), &mut random);
        assert!((Duration::from_secs(2)..=Duration::from_millis(2_400)).contains(&asked));
        backoff.succeed();
        assert!(backoff.fail(None, &mut random) <= FIRST);
    }
}
