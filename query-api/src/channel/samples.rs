//! Messages that tests render and send.

use crate::channel::{Links, Message, Priority, Transition};

pub(crate) fn triggered() -> Message {
    Message {
        id: "r1v2-0123456789abcdef-3".to_owned(),
        transition: Transition::Triggered,
        priority: Priority::High,
        project: "Shop".to_owned(),
        rule: "Checkout breaks".to_owned(),
        title: "TypeError: cart.items is undefined".to_owned(),
        culprit: "src/checkout.ts in total".to_owned(),
        why: "Seen by 25 users within 15 minutes, more than 20.".to_owned(),
        facts: vec![
            ("Users".to_owned(), "25".to_owned()),
            ("Events".to_owned(), "61".to_owned()),
            ("Release".to_owned(), "shop@2.4.1".to_owned()),
        ],
        since_ms: 1_767_268_800_000,
        links: Links {
            subject: "https://play.example/p/1/issues/0123456789abcdef".to_owned(),
            replay: Some("https://play.example/p/1/replay/ab?t=1767268800000".to_owned()),
            rule: "https://play.example/p/1/alerts/rules/r1".to_owned(),
        },
        issue: None,
        taken: Vec::new(),
    }
}

/// Everything that may happen, at every priority.
pub(crate) fn all() -> Vec<Message> {
    let transitions = [
        Transition::Triggered,
        Transition::Escalated,
        Transition::Acknowledged,
        Transition::Resolved,
        Transition::Test,
    ];
    let priorities = [Priority::High, Priority::Medium, Priority::Low];
    let pairs =
        transitions.into_iter().flat_map(|transition| priorities.map(|priority| (transition, priority)));
    pairs.map(|(transition, priority)| Message { transition, priority, ..triggered() }).collect()
}

/// What a visitor of the observed app may make of the texts.
pub(crate) fn hostile() -> Message {
    let evil = "<!channel> <script>alert(1)</script> @everyone [pay](https://evil.example) **b** \"'& \r\nBcc: x@evil.example\u{0}\u{202e}";
    let long = evil.repeat(200);
    Message {
        title: long.clone(),
        culprit: long.clone(),
        why: long.clone(),
        facts: (0..50).map(|_| (long.clone(), long.clone())).collect(),
        project: long.clone(),
        rule: long,
        ..triggered()
    }
}

/// Whoever reads what `render` makes learns which transition it is, or what triggered.
pub(crate) fn assert_what_happened_is_said(render: impl Fn(&Message) -> String) {
    for message in all() {
        let rendered = render(&message);
        let says = |word: &str| rendered.contains(word);
        let expected = match message.transition {
            Transition::Triggered => says("TypeError"),
            Transition::Escalated => says("Not acknowledged"),
            Transition::Acknowledged => says("Acknowledged"),
            Transition::Resolved => says("Resolved"),
            Transition::Test => says("Test"),
        };
        assert!(expected, "{rendered}");
    }
}
