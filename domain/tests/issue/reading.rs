//! Stacks become the frames that they tell of.

use playhead_domain::issue::stack::{Frame, Kind};

use crate::corpus;

/// `function @ file:line:column`, and what is special about the frame.
fn written(frame: &Frame) -> String {
    let mut text = format!("{} @ {}:{}:{}", frame.function, frame.file, frame.line, frame.column);
    if frame.kind != Kind::Script {
        text.push_str(&format!(" {:?}", frame.kind).to_lowercase());
    }
    if frame.is_async {
        text.push_str(" async");
    }
    if !frame.in_app {
        text.push_str(" foreign");
    }
    text
}

#[test]
fn published_stacks_are_read_as_they_were_meant() {
    for published in corpus::published() {
        let frames: Vec<String> = published.told.examine().stack.frames.iter().map(written).collect();
        assert_eq!(frames, published.frames, "{}", published.id);
    }
}

#[test]
fn every_line_of_a_captured_stack_is_a_frame() {
    for (build, cases) in corpus::captured() {
        for (case, told) in
            cases.iter().flat_map(|(case, browsers)| browsers.values().map(move |told| (case, told)))
        {
            let is_header =
                |line: &&str| line.starts_with(&format!("{}: ", told.kind)) || line.starts_with("    --");
            let lines = told.stack.lines().filter(|line| !line.is_empty() && !is_header(line)).count();
            let stack = told.examine().stack;
            assert_eq!(stack.frames.len(), lines, "{build} {case}: {}", told.stack);
            assert!(
                lines == 0 || stack.frames.iter().any(|frame| frame.in_app && frame.line > 0),
                "{build} {case}"
            );
        }
    }
}
