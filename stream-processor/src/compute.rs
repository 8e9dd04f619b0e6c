//! Work that keeps a core busy for a while, apart from what waits.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::{Handle, RuntimeFlavor};

/// The work panicked: what it said.
#[derive(Debug, thiserror::Error)]
#[error("it panicked: {0}")]
pub(crate) struct Panicked(pub(crate) String);

/// Runs `work` on a thread for such work. A runtime of one thread runs it right here: it has nothing else to do meanwhile, and its
/// runs are the same every time.
pub(crate) async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return isolate(work);
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => Err(said(&*error.into_panic())),
        Err(error) => Err(Panicked(error.to_string())),
    }
}

/// Runs `work` and takes a panic for an error. What `work` had half changed must be thrown away.
pub(crate) fn isolate<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| said(&*panic))
}

fn said(panic: &(dyn std::any::Any + Send)) -> Panicked {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Panicked(text.unwrap_or_else(|| "it did not say why".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_on_one_thread() {
        assert_eq!(compute(|| 1 + 1).await.unwrap(), 2);
        let text = "broken".to_owned();
        assert_eq!(compute(move || panic!("{text}")).await.map(|()| 0).unwrap_err().0, "broken");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn and_on_several() {
        assert_eq!(compute(|| 1 + 1).await.unwrap(), 2);
        assert_eq!(compute(|| panic!("broken")).await.map(|()| 0).unwrap_err().0, "broken");
    }
}
