//! Which request a server's span belongs to, for the sums of requests: a request is counted when its batch comes, its server's span seconds
//! before or after that. Whichever comes first waits for the other, for a while, in the session's state.

use std::collections::HashSet;

use crate::row::{AwaitingSpan, EarlySpan, SessionState};

/// Requests of a session that wait at a time, and spans.
const MAX_WAITING: usize = 64;
/// Requests of a session of which no span has come: most projects have no such backend, and states are written with every flush.
const MAX_WAITING_AT_FIRST: usize = 8;
/// Exporters send every few seconds, and try again for a minute or so.
const WAITS_MS: i64 = 300_000;

/// A span that a backend told of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    /// See [`id`].
    pub id: u64,
    pub parent: Option<u64>,
    /// It is a server's: how long one worked on a request.
    pub is_server: bool,
    pub duration_ms: f64,
}

/// A span of a trace. Told in hexadecimal digits, of which there are 32 and 16.
#[must_use]
pub fn id(trace: &str, span: &str) -> Option<u64> {
    let is_hex = |text: &str, digits| text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_hex(trace, 32) || !is_hex(span, 16) {
        return None;
    }
    let number = |digits| u64::from_str_radix(digits, 16).ok();
    Some(number(&trace[16..])? ^ number(span)?)
}

/// What is known of a request's server when the request comes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Early {
    /// Its span may still come.
    Unknown,
    /// How long it worked.
    Worked(f64),
    /// Another request with the same span was told, or whose the span is could not be told.
    Settled,
}

/// What a settled span has instead of a duration.
const SETTLED: f64 = -1.0;

/// How long the server of a request worked, if its span came before it. One request is told.
pub fn take_early(state: &mut SessionState, span: u64, received_ms: i64) -> Early {
    forget_old(state, received_ms);
    let Some(early) = state.early_spans.iter_mut().find(|early| early.parent == span) else {
        return Early::Unknown;
    };
    match std::mem::replace(&mut early.duration_ms, SETTLED) {
        duration_ms if duration_ms >= 0.0 => Early::Worked(duration_ms),
        _ => Early::Settled,
    }
}

/// Lets a request wait for its server's span.
pub fn wait(state: &mut SessionState, request: AwaitingSpan) {
    let (has_spans, received_ms) = (state.span_bytes > 0, request.received_ms);
    forget_old(state, received_ms);
    if state.awaiting_spans.len() >= if has_spans { MAX_WAITING } else { MAX_WAITING_AT_FIRST } {
        let given_up = state.awaiting_spans.remove(0).span;
        // Without spans there is nothing to keep from waiting in vain.
        if has_spans {
            settle(state, given_up, received_ms);
        }
    }
    state.awaiting_spans.push(request);
}

/// What is told of this span from now on is nobody's: it is known already, or cannot be.
pub fn settle(state: &mut SessionState, span: u64, received_ms: i64) {
    keep(state, span, SETTLED, received_ms);
}

/// The requests that `told` is about, with how long their servers worked; they wait no more. What is about a request that has not come waits for it.
pub fn answer(state: &mut SessionState, told: &[Told], received_ms: i64) -> Vec<(AwaitingSpan, f64)> {
    forget_old(state, received_ms);
    let mut answered: Vec<(AwaitingSpan, f64)> = Vec::new();
    // A server that one of these spans called worked for another server, not for the page.
    let ids: HashSet<u64> = told.iter().map(|span| span.id).collect();
    state.early_spans.retain(|early| early.duration_ms < 0.0 || !ids.contains(&early.parent));
    for span in told.iter().filter(|span| span.is_server && span.duration_ms >= 0.0) {
        let Some(parent) = span.parent.filter(|parent| !ids.contains(parent)) else { continue };
        // After a redirect there are several servers: the one that worked longest did not hand over at once.
        if let Some((_, longest)) = answered.iter_mut().find(|(request, _)| request.span == parent) {
            *longest = longest.max(span.duration_ms);
            continue;
        }
        let mut waiting = state.awaiting_spans.extract_if(.., |request| request.span == parent);
        match (waiting.next(), waiting.count()) {
            (Some(request), 0) => {
                answered.push((request, span.duration_ms));
                settle(state, parent, received_ms);
            }
            // A page that sets the parent itself may send several requests with the same: whose it is cannot be told.
            (Some(_), _) => settle(state, parent, received_ms),
            (None, _) => keep(state, parent, span.duration_ms, received_ms),
        }
    }
    answered
}

/// The longest of a span that is not settled. Where there are too many, what is settled is forgotten first: it only keeps from mistakes.
fn keep(state: &mut SessionState, parent: u64, duration_ms: f64, received_ms: i64) {
    let spans = &mut state.early_spans;
    if let Some(known) = spans.iter_mut().find(|early| early.parent == parent) {
        if duration_ms < 0.0 || known.duration_ms < 0.0 {
            known.duration_ms = SETTLED;
        } else {
            known.duration_ms = known.duration_ms.max(duration_ms);
        }
        return;
    }
    if spans.len() >= MAX_WAITING {
        match spans.iter().position(|early| early.duration_ms < 0.0) {
            Some(settled) => spans.remove(settled),
            None if duration_ms < 0.0 => return,
            None => spans.remove(0),
        };
    }
    spans.push(EarlySpan { parent, received_ms, duration_ms });
}

fn forget_old(state: &mut SessionState, now_ms: i64) {
    state.awaiting_spans.retain(|request| now_ms - request.received_ms <= WAITS_MS);
    state.early_spans.retain(|early| now_ms - early.received_ms <= WAITS_MS);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(span: u64, received_ms: i64) -> AwaitingSpan {
        AwaitingSpan { span, received_ms, ..AwaitingSpan::default() }
    }

    fn server(id: u64, parent: u64, duration_ms: f64) -> Told {
        Told { id, parent: Some(parent), is_server: true, duration_ms }
    }

    fn answers(state: &mut SessionState, told: &[Told], at_ms: i64) -> Vec<(u64, f64)> {
        answer(state, told, at_ms).into_iter().map(|(request, ms)| (request.span, ms)).collect()
    }

    #[test]
    fn ids_are_whole_or_none() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        assert_eq!(id(trace, span), Some(0x8448_eb21_1c80_319c ^ 0xb7ad_6b71_6920_3331));
        for (trace, span) in
            [(&trace[1..], span), (trace, "+7ad6b7169203331"), (trace, "é7ad6b716920333"), ("", "")]
        {
            assert_eq!(id(trace, span), None, "{trace} {span}");
        }
    }

    #[test]
    fn whichever_comes_first_waits_for_the_other() {
        let mut state = SessionState::default();
        wait(&mut state, request(7, 1_000));
        assert_eq!(answers(&mut state, &[server(1, 7, 30.0), server(2, 8, 40.0)], 2_000), [(7, 30.0)]);
        assert_eq!(answers(&mut state, &[server(1, 7, 30.0)], 3_000), [], "told again");
        let mut take = |span| take_early(&mut state, span, 3_000);
        assert_eq!([take(8), take(8)], [Early::Worked(40.0), Early::Settled], "one is told");
        assert_eq!([take(7), take(9)], [Early::Settled, Early::Unknown]);
        assert_eq!(answers(&mut state, &[server(2, 8, 40.0)], 3_000), []);
        assert_eq!(take_early(&mut state, 8, 3_000), Early::Settled, "told again");
        assert!(state.awaiting_spans.is_empty());
    }

    #[test]
    fn the_longest_server_is_the_requests_and_one_behind_it_is_not() {
        let mut state = SessionState::default();
        wait(&mut state, request(7, 0));
        let client = Told { id: 3, parent: Some(1), is_server: false, duration_ms: 90.0 };
        let told = [server(1, 7, 10.0), server(2, 7, 25.0), client, server(4, 3, 80.0)];
        assert_eq!(answers(&mut state, &told, 0), [(7, 25.0)]);
        assert_eq!(take_early(&mut state, 3, 0), Early::Unknown, "the one behind it is nobody's");
    }

    #[test]
    fn a_server_behind_another_is_told_apart_when_its_caller_comes_later() {
        let mut state = SessionState::default();
        assert_eq!(answers(&mut state, &[server(4, 3, 80.0)], 0), []);
        let client = Told { id: 3, parent: Some(1), is_server: false, duration_ms: 90.0 };
        assert_eq!(answers(&mut state, &[server(1, 7, 10.0), client], 0), []);
        assert_eq!(take_early(&mut state, 3, 0), Early::Unknown);
        assert_eq!(take_early(&mut state, 7, 0), Early::Worked(10.0));
    }

    #[test]
    fn requests_with_one_span_are_told_nothing() {
        let mut state = SessionState::default();
        wait(&mut state, request(7, 0));
        wait(&mut state, request(7, 0));
        let told = [server(1, 7, 10.0), server(2, 7, 500.0), server(3, 7, 30.0)];
        assert_eq!(answers(&mut state, &told, 0), []);
        assert!(state.awaiting_spans.is_empty());
        assert_eq!(take_early(&mut state, 7, 0), Early::Settled, "nor is one that comes later");
    }

    #[test]
    fn what_is_settled_is_forgotten_before_what_waits() {
        let mut state = SessionState { span_bytes: 1, ..SessionState::default() };
        answer(&mut state, &[server(1, 1_000, 1.0)], 0);
        (0..200).for_each(|span| settle(&mut state, span, 0));
        assert_eq!(state.early_spans.len(), MAX_WAITING);
        assert_eq!(take_early(&mut state, 1_000, 0), Early::Worked(1.0));
        for span in 0..100 {
            answer(&mut state, &[server(span, 3_000 + span, 1.0)], 0);
        }
        settle(&mut state, 7, 0);
        assert_eq!(take_early(&mut state, 3_036, 0), Early::Worked(1.0), "the oldest that fits");
        answer(&mut state, &[server(1, 2_000, 1.0)], 0);
        assert_eq!(take_early(&mut state, 2_000, WAITS_MS + 1), Early::Unknown, "it is too old");
    }

    #[test]
    fn who_waits_is_bounded_in_number_and_time() {
        let mut state = SessionState::default();
        (0..100).for_each(|span| wait(&mut state, request(span, 0)));
        assert_eq!(state.awaiting_spans.len(), MAX_WAITING_AT_FIRST, "no span has come");
        state = SessionState { span_bytes: 1, ..SessionState::default() };
        for span in 0..100 {
            wait(&mut state, request(span, 0));
            answer(&mut state, &[server(span, 1_000 + span, 1.0)], 0);
        }
        assert_eq!((state.awaiting_spans.len(), state.early_spans.len()), (MAX_WAITING, MAX_WAITING));
        assert_eq!(answers(&mut state, &[server(1_001, 35, 2.0), server(1_002, 36, 2.0)], 0), [(36, 2.0)]);
        wait(&mut state, request(1, WAITS_MS + 1));
        assert_eq!((state.awaiting_spans.len(), state.early_spans.len()), (1, 0));
    }
}
