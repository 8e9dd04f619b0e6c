//! Requests come first where one process does everything: threads that flush, compact and rewrite files yield to those that answer. Where the
//! services are processes of their own, the system is told so from outside (docs/operations.md).

/// A tenth of what others get while there is too much to do for all. Not in addition: threads begin with what the one has that starts them.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// From now on the calling thread yields to others, and so do threads that it starts. Best effort; only Linux has it for single threads.
pub(crate) fn yield_to_requests() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let yielding = |now: i32| if now < NICE { setpriority_process(None, NICE) } else { Ok(()) };
        if let Err(error) = getpriority_process(None).and_then(yielding) {
            tracing::debug!(%error, "a thread keeps its priority");
        }
    }
}
