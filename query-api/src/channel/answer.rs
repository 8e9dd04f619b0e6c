//! What an answer over HTTP means: all kinds of channels but e-mail agree on it.

use super::{Receipt, SendError, Sender, text};
use crate::outbound::{Answer, Call, Error};

/// So much of what the other side said is shown.
const SHOWN: usize = 200;

impl Sender<'_> {
    /// Posts JSON and reads the answer.
    ///
    /// # Errors
    /// [`SendError`].
    pub(crate) async fn post(&self, call: Call<'_>) -> Result<Receipt, SendError> {
        let sent = self.outbound.post(call).await;
        sent.map_or_else(|error| Err(unsent(&error)), |answer| self.read(&answer))
    }

    fn read(&self, answer: &Answer) -> Result<Receipt, SendError> {
        let sentence = describe(answer);
        if (200..300).contains(&answer.status) {
            return Ok(Receipt { sentence, status: Some(answer.status) });
        }
        let retryable = is_retryable(answer.status);
        let wait_ms = answer.retry_after_s.filter(|_| retryable).and_then(|s| i64::try_from(s * 1_000).ok());
        let not_before_ms = wait_ms.map(|wait| self.now_ms.saturating_add(wait));
        Err(SendError { sentence, status: Some(answer.status), retryable, not_before_ms, taken: Vec::new() })
    }
}

fn unsent(error: &Error) -> SendError {
    SendError {
        sentence: error.to_string(),
        status: None,
        retryable: error.is_retryable(),
        not_before_ms: None,
        taken: Vec::new(),
    }
}

/// Too much at once, too early, too slow, and faults of the other side. Everything else says that the request is wrong, and the next would
/// be the same.
const fn is_retryable(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

fn describe(answer: &Answer) -> String {
    let status = answer.status;
    if (300..400).contains(&status) {
        return format!(
            "the answer is {status}, a redirect, and those are not followed: set the address it leads to"
        );
    }
    match text::line(&answer.body, SHOWN) {
        said if said.is_empty() => format!("the answer is {status}"),
        said => format!("the answer is {status}: {said}"),
    }
}
