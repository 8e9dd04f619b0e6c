//! Whether a session is live, and what waits behind a link to its recording.

use playhead_domain::row::{SessionSummary, StreamSummary};

use crate::model::session::{ReplayState, SessionState};

/// Reasons that are listed; a longer list is cut with a count.
const MAX_REASONS: usize = 8;

/// Live: not ended, and the newest batch is younger than the idle limit.
pub(crate) fn session_state(session: &SessionSummary, now_ms: i64, idle_ms: u64) -> SessionState {
    let age_ms = now_ms.saturating_sub(session.last_append_us / 1_000);
    let idle = age_ms > i64::try_from(idle_ms).unwrap_or(i64::MAX);
    if idle || !session.ended_reason.is_empty() { SessionState::Ended } else { SessionState::Live }
}

/// What the summary says about the recording.
pub(crate) fn replay_state(session: &SessionSummary, state: SessionState) -> (ReplayState, Vec<String>) {
    if session.dom_events == 0 && session.dom_bytes == 0 {
        return without_recording(session, state);
    }
    let reasons = cut(problems(session));
    match state {
        SessionState::Live => (ReplayState::Live, reasons),
        SessionState::Ended if reasons.is_empty() => (ReplayState::Complete, reasons),
        SessionState::Ended => (ReplayState::Partial, reasons),
    }
}

fn without_recording(session: &SessionSummary, state: SessionState) -> (ReplayState, Vec<String>) {
    if !session.sampled {
        let percent = session.dom_rate * 100.0;
        let reason = format!(
            "The page was not recorded: the sampling rate is {percent}% and this session was not picked."
        );
        return (ReplayState::NotSampled, vec![reason]);
    }
    let mut reasons = cut(session.recorder_problems.iter().map(|problem| explain_problem(problem)).collect());
    if reasons.is_empty() && state == SessionState::Live {
        return (ReplayState::Live, vec!["The recording has not arrived yet.".to_owned()]);
    }
    if reasons.is_empty() {
        reasons.push("The recorder sent nothing.".to_owned());
    }
    (ReplayState::RecorderFailed, reasons)
}

fn problems(session: &SessionSummary) -> Vec<String> {
    let mut reasons: Vec<String> =
        session.recorder_problems.iter().map(|problem| explain_problem(problem)).collect();
    for stream in &session.streams {
        let missing = missing_batches(stream);
        if missing > 0 {
            reasons.push(format!(
                "{missing} of {} batches of tab {} never arrived.",
                stream.next_seq, stream.tab
            ));
        }
    }
    let gaps = session.streams.iter().flat_map(|stream| &stream.gaps).filter(|gap| gap.frame != "signals");
    let mut known: Vec<String> = Vec::new();
    for gap in gaps {
        let reason = explain_gap(&gap.reason);
        if !known.contains(&reason) {
            known.push(reason);
        }
    }
    reasons.extend(known);
    reasons
}

/// Batches below the highest that were not seen.
pub(crate) const fn missing_batches(stream: &StreamSummary) -> u64 {
    stream.next_seq.saturating_sub(stream.seen)
}

/// A sentence for what the recorder told of itself.
fn explain_problem(problem: &str) -> String {
    let (reason, detail) =
        problem.split_once(':').map_or((problem, ""), |(reason, detail)| (reason, detail.trim()));
    let sentence = match reason {
        "mutation_storm" => "The page changed too fast; recording paused so as not to slow it down",
        "recorder_failed" => "The recorder could not run in this page",
        "storage_blocked" => "The browser blocks storage; each page load is a session of its own",
        "worker_blocked" => "The page's policy blocks workers; the last moments may be missing",
        other => other,
    };
    if detail.is_empty() { format!("{sentence}.") } else { format!("{sentence} ({detail}).") }
}

/// A sentence for a gap's reason.
pub(crate) fn explain_gap(reason: &str) -> String {
    match reason {
        "offline" => "The browser was offline for too long.".to_owned(),
        "buffer_full" => "More was recorded than the browser could hold back.".to_owned(),
        "unload" => "The page was closed before the last moments were sent.".to_owned(),
        "rejected" => "The server refused a batch.".to_owned(),
        "too_large" => "A change of the page was too large to send.".to_owned(),
        "degraded" => "Recording paused so as not to slow the page down.".to_owned(),
        "missing" => "A batch never arrived.".to_owned(),
        "late" => "A batch arrived late; it is shown once the recording is put together again.".to_owned(),
        "frame_corrupt" => "A batch could not be inflated.".to_owned(),
        "frame_too_long" => "A batch held more than it declared; reading stopped there.".to_owned(),
        "frame_too_short" => "A batch ended early.".to_owned(),
        other => format!("Part of the recording is missing: {other}."),
    }
}

/// Cuts a list to what one can read.
pub(crate) fn cut(mut reasons: Vec<String>) -> Vec<String> {
    if reasons.len() > MAX_REASONS {
        let more = reasons.len() - MAX_REASONS;
        reasons.truncate(MAX_REASONS);
        reasons.push(format!("And {more} more."));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::row::Gap;

    fn recorded() -> SessionSummary {
        SessionSummary {
            sampled: true,
            dom_events: 5,
            dom_bytes: 100,
            last_append_us: 10_000_000,
            ..Default::default()
        }
    }

    #[test]
    fn a_session_is_live_until_it_ends_or_idles() {
        let session = recorded();
        assert_eq!(session_state(&session, 10_000, 1_000), SessionState::Live);
        assert_eq!(session_state(&session, 11_001, 1_000), SessionState::Ended);
        let ended = SessionSummary { ended_reason: "stop".to_owned(), ..recorded() };
        assert_eq!(session_state(&ended, 10_000, 1_000), SessionState::Ended);
    }

    #[test]
    fn every_state_says_why() {
        let ended = |session: SessionSummary| replay_state(&session, SessionState::Ended);
        assert_eq!(ended(recorded()), (ReplayState::Complete, vec![]));
        let lost = StreamSummary { tab: 2, next_seq: 9, seen: 7, ..Default::default() };
        let (state, reasons) = ended(SessionSummary { streams: vec![lost], ..recorded() });
        assert_eq!(
            (state, reasons[0].as_str()),
            (ReplayState::Partial, "2 of 9 batches of tab 2 never arrived.")
        );
        let gap = Gap { reason: "offline".to_owned(), frame: "dom".to_owned(), ..Default::default() };
        let stream = StreamSummary { gaps: vec![gap.clone(), gap], ..Default::default() };
        assert_eq!(ended(SessionSummary { streams: vec![stream], ..recorded() }).1.len(), 1, "said once");
        let unsampled = SessionSummary { dom_rate: 0.25, ..Default::default() };
        let (state, reasons) = ended(unsampled);
        assert!(state == ReplayState::NotSampled && reasons[0].contains("25%"));
        let failed = SessionSummary {
            sampled: true,
            recorder_problems: vec!["recorder_failed: eval is blocked".to_owned()],
            ..Default::default()
        };
        let (state, reasons) = ended(failed);
        assert!(state == ReplayState::RecorderFailed && reasons[0].contains("eval is blocked"));
        assert_eq!(
            ended(SessionSummary { sampled: true, ..Default::default() }).0,
            ReplayState::RecorderFailed
        );
    }
}
