//! Whatever a page sends is read in bounded time and space.

use playhead_domain::endpoint;
use playhead_domain::issue::filter::Filters;
use playhead_domain::issue::rule::Rules;
use playhead_domain::issue::stack::{self, MAX_FRAMES_PER_END};
use playhead_domain::issue::{Cause, Thrown, examine, message, name};
use proptest::prelude::*;

use crate::corpus;

/// Texts that look like stacks here and there.
fn stack() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "    at ",
            "async ",
            "new ",
            "Object.",
            " [as ",
            "eval at ",
            "(",
            ")",
            "@",
            ":",
            "1",
            "/<",
            "*",
            "\n",
            " line 3 > eval",
            "<anonymous>",
            "[native code]",
            "https://a.b/c.js:1:2",
            "wasm-function[3]:0x1f",
            "-extension:(//",
            "data:",
            "blob:",
            "99999999999999999999",
            "\u{0}",
            "é",
            "\u{202e}",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_error_is_examined(kind in any::<String>(), message in stack(), stack in stack(), source in stack(), mechanism in 0..3_usize) {
        let cause = Cause { kind: &kind, message: &message, stack: &stack };
        let thrown = Thrown {
            kind: &kind,
            message: &message,
            stack: &stack,
            source: &source,
            line: 1,
            mechanism: ["uncaught", "resource", "csp"][mechanism],
            causes: vec![cause; 20],
            errors: vec![cause; 20],
            fingerprint: vec![&message; 20],
            page_url: &source,
            ..Thrown::default()
        };
        let examined = examine(&thrown, Filters::default(), &Rules::default(), false);
        prop_assert!(examined.stack.frames.len() <= 2 * MAX_FRAMES_PER_END);
        prop_assert!(examined.title.len() <= 260 && examined.culprit.len() <= 1_000);
        let garbles = |c: char| c.is_control() || c == '\u{202e}';
        prop_assert!(!examined.title.contains(garbles));
        for component in &examined.group.components {
            prop_assert!(component.values.len() <= 10 && component.values.iter().all(|value| value.len() <= 300));
        }
        prop_assert_eq!(examined, examine(&thrown, Filters::default(), &Rules::default(), false));
    }

    #[test]
    fn any_text_has_a_name_and_a_template(text in any::<String>()) {
        let _ = (name::file(&text), name::function(&text), endpoint::template(&text), message::parametrize(&text));
    }
}

#[test]
fn a_huge_stack_is_read_in_one_pass() {
    // With more than linear work these would take hours.
    for text in [
        "@",
        "(",
        ")",
        "at (",
        "at a (eval at ",
        "at x:1\n",
        "a@b:1\n",
        "\n",
        "[",
        "\"",
        "'",
        "<",
        "a.",
        "://",
        "x@",
    ] {
        let text = text.repeat((1 << 20) / text.len());
        let stack = stack::parse(&text, "");
        assert!(stack.frames.len() <= 100);
        let thrown = Thrown {
            kind: "Error",
            message: &text,
            stack: &text,
            source: &text,
            page_url: &text,
            ..Thrown::default()
        };
        let examined = examine(&thrown, Filters::default(), &Rules::default(), false);
        assert!(examined.title.len() <= 260);
    }
}

#[test]
fn ten_thousand_frames_keep_both_ends() {
    let told = &corpus::captured()["plain"]["overflow"]["firefox"];
    let stack = stack::parse(&told.stack.repeat(1_000), "");
    assert_eq!(stack.frames.len(), 100);
    assert!(stack.left_out > 10_000);
}
