//! A session knows its issues.

use playhead_domain::id::{SessionId, StreamId};
use playhead_domain::issue::filter::Filters;
use playhead_domain::issue::rule::Rules;
use playhead_domain::issue::{Thrown, examine};
use playhead_domain::session::fact::{Batch, Fact, Occurrence, What};
use playhead_domain::session::{facet, fold};

fn error(message: &str, page_url: &str) -> Fact {
    let thrown = Thrown { kind: "CartError", message, page_url, ..Thrown::default() };
    let examined = examine(&thrown, Filters::default(), &Rules::default(), false);
    let occurrence = Occurrence {
        group: examined.group,
        title: examined.title,
        culprit: examined.culprit,
        kind: "CartError".to_owned(),
        message: message.to_owned(),
        mechanism: String::new(),
        handled: false,
        page_url: page_url.to_owned(),
        filtered: examined.filtered,
        index: 0,
    };
    Fact { time_ms: 1_000, what: What::Error(Box::new(occurrence)), measured: None }
}

fn batch(facts: Vec<Fact>) -> Batch {
    Batch {
        stream: StreamId([2; 8]),
        seq: 0,
        tab: 1,
        append_us: 1_000_000,
        from_ms: 1_000,
        to_ms: 1_000,
        dom_bytes: 0,
        dom_events: 0,
        signal_bytes: 0,
        sampled: true,
        dom_rate: 1.0,
        dom_on_error_rate: 1.0,
        signal_rate: 1.0,
        end: false,
        dropped_signals: 0,
        dead_letters: 0,
        completes: false,
        impossible_times: false,
        facts,
        gaps: Vec::new(),
    }
}

#[test]
fn each_issue_is_noted_once_and_filtered_errors_only_count() {
    let page = "https://shop.example/";
    let letters = |number: u8| {
        format!("words of sort {}{}", char::from(b'a' + number / 26), char::from(b'a' + number % 26))
    };
    let mut facts = vec![
        error("cart 1 is gone", page),
        error("cart 2 is gone", page),
        error("gone", "http://localhost/"),
    ];
    facts.extend((0..100).map(|number| error(&letters(number), page)));
    let mut state = fold::empty(SessionId([1; 16]), 0);
    fold::admit(&mut state, StreamId([2; 8]), 0, 0.0, (8, 64)).unwrap();
    fold::fold(&mut state, &batch(facts));
    let summary = state.summary.unwrap();
    assert_eq!((summary.counts.unwrap().errors, summary.issues.len()), (103, 50));
    let first = examine(
        &Thrown { kind: "CartError", message: "cart 3 is gone", ..Thrown::default() },
        Filters::default(),
        &Rules::default(),
        false,
    );
    assert_eq!(summary.issues[0], first.group.fingerprint.to_string());
    let facets = facet::of(&summary);
    assert_eq!(facets.iter().filter(|(name, _)| *name == facet::ISSUE).count(), 50);
}
