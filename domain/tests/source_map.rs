//! Maps as bundlers write them and as they should not be: what is read, what is refused, and that nothing makes a reader fail.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use playhead_domain::row::SourceMapContent;
use playhead_domain::source_map::map::SourceMap;
use playhead_domain::source_map::shape::{self, Checked};
use playhead_domain::source_map::{Broken, MAX_JOINED, MAX_MAPPINGS, MAX_UPLOAD_BYTES, MAX_VALUES, artifact};
use proptest::prelude::*;
use serde_json::{Value, json};

fn check(map: &Value) -> Result<Checked, Broken> {
    shape::check(&map.to_string())
}

fn read(map: &Value) -> SourceMap {
    SourceMap::read(&check(map).unwrap().json, "").unwrap()
}

/// Two sources, the second one without content; `pay` is at 0:0, 0:9 and 1:0.
fn regular() -> Value {
    json!({"version": 3, "sources": ["src/a.js", "src/b.js"], "sourcesContent": ["one\ntwo\nthree"], "names": ["pay"],
        "mappings": "AAAAA,SACA;ACDA"})
}

#[test]
fn a_place_comes_from_a_line_of_a_source() {
    let map = read(&regular());
    let first = map.original(1, 4).unwrap();
    assert_eq!((first.file, first.line, first.column), ("src/a.js", 1, 1));
    let second = map.original(1, 10).unwrap();
    let excerpt = second.excerpt(1).unwrap();
    assert_eq!(
        (second.line, excerpt.first_line, excerpt.lines),
        (2, 1, ["one", "two", "three"].map(str::to_owned).to_vec())
    );
    let without = map.original(2, 1).unwrap();
    assert_eq!((without.file, without.excerpt(5)), ("src/b.js", None));
    for (line, column) in [(0, 0), (3, 1), (u32::MAX, u32::MAX)] {
        assert!(map.original(line, column).is_none(), "{line}:{column}");
    }
}

#[test]
fn sections_are_put_together() {
    let mut small = regular();
    small["sourcesContent"] = Value::Null;
    let index = json!({"version": 3, "sections": [
        {"offset": {"line": 0, "column": 0}, "map": regular()},
        {"offset": {"line": 10, "column": 5}, "map": {"version": 3, "sections": [{"offset": {"line": 1, "column": 0}, "map": small}]}},
    ]});
    let checked = check(&index).unwrap();
    assert_eq!((checked.sources, checked.contents, checked.mappings), (4, 1, 6));
    let map = read(&index);
    assert_eq!(map.original(1, 10).unwrap().line, 2);
    let inner = map.original(12, 10).unwrap();
    assert_eq!((inner.file, inner.line), ("src/a.js", 2));
}

#[test]
fn what_others_wrote_and_ids_are_known() {
    let mut map = regular();
    map["ignoreList"] = json!([1]);
    map["debug_id"] = json!("85314830023f4cf1a267535f4e37bb17");
    map["sourceRoot"] = json!("app");
    map["x_custom"] = json!({"deep": [1, 2, 3]});
    let checked = check(&map).unwrap();
    assert_eq!(checked.debug_id.unwrap().to_string(), "85314830-023f-4cf1-a267-535f4e37bb17");
    assert!(!checked.json.contains("x_custom"));
    let map = read(&map);
    let [ours, theirs] = [map.original(1, 1).unwrap(), map.original(2, 1).unwrap()];
    assert_eq!((ours.is_ignored, theirs.is_ignored, ours.file), (false, true, "app/src/a.js"));
    assert!(shape::check(&format!(")]}}'\n{}", regular())).is_ok());
}

#[test]
fn both_names_of_the_ignore_list_may_be_there() {
    let mut map = regular();
    map["ignoreList"] = json!([1]);
    map["x_google_ignoreList"] = json!([0]);
    let map = read(&map);
    assert_eq!(
        [map.original(1, 1), map.original(2, 1)].map(|found| found.unwrap().is_ignored),
        [false, true]
    );
}

#[test]
fn small_maps_that_would_grow_are_refused() {
    let mut rooted = regular();
    rooted["sourceRoot"] = json!("x".repeat(1 << 20));
    rooted["sources"] = Value::Array(vec![json!("a"); 100]);
    assert!(matches!(check(&rooted), Err(Broken::TooMany { limit: MAX_UPLOAD_BYTES, .. })));
    let in_section = json!({"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "map": rooted}]});
    assert!(matches!(check(&in_section), Err(Broken::TooMany { limit: MAX_UPLOAD_BYTES, .. })));
    let mut named = regular();
    named["names"] = Value::Array(vec![json!("a"); MAX_JOINED]);
    assert!(check(&named).is_ok(), "nothing is joined");
    let joined = json!({"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "map": named}]});
    assert!(matches!(check(&joined), Err(Broken::TooMany { limit: MAX_JOINED, .. })));
    let escaped = regular().to_string().replace("AAAAA,SACA", r"AAAAA\u002cSACA");
    assert!(matches!(shape::check(&escaped), Err(Broken::Inconsistent(_))));
}

#[test]
fn a_source_outside_is_a_name_and_nothing_else() {
    for outside in
        ["../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://169.254.169.254/latest"]
    {
        let map = read(&json!({"version": 3, "sources": [outside], "names": [], "mappings": "AAAA"}));
        let original = map.original(1, 1).unwrap();
        assert_eq!((original.file, original.excerpt(5)), (outside, None));
    }
}

#[test]
fn what_is_wrong_is_told() {
    let version = |version: Value| check(&json!({"version": version, "mappings": ""})).unwrap_err();
    assert_eq!(version(json!(2)), Broken::Version("2".to_owned()));
    assert!(matches!(version(json!("3")), Broken::Version(_)));
    assert_eq!(check(&json!({"version": 3})).unwrap_err(), Broken::Empty);
    let section = json!({"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "url": "x.map"}]});
    assert_eq!(check(&section).unwrap_err(), Broken::SectionWithoutMap(0));
    for text in [
        "",
        "{",
        "[]",
        "null",
        "\"map\"",
        ")]}",
        "{\"version\":3,\"mappings\":7}",
        "{\"version\":3,\"mappings\":\"\",\"sources\":7}",
    ] {
        assert!(shape::check(text).is_err(), "{text}");
    }
    for mappings in ["!", "AA", "AAAA,AAAAAA", "AEAA", "AAAAC", "gggggggggggggggggggg", "é"] {
        let map = json!({"version": 3, "sources": ["a"], "names": ["b"], "mappings": mappings});
        assert!(matches!(check(&map), Err(Broken::Inconsistent(_))), "{mappings}");
    }
}

#[test]
fn a_map_cannot_take_more_memory_than_it_may() {
    let many =
        |mappings: String, names: Value| check(&json!({"version": 3, "mappings": mappings, "names": names}));
    assert_eq!(
        many(";".repeat(MAX_MAPPINGS), json!([])).unwrap_err(),
        Broken::TooMany { what: "mappings", limit: MAX_MAPPINGS }
    );
    assert_eq!(
        many(String::new(), json!(vec![0; MAX_VALUES + 1])).unwrap_err(),
        Broken::TooMany { what: "values", limit: MAX_VALUES }
    );
    let half = json!({"version": 3, "mappings": ";".repeat(MAX_MAPPINGS / 2)});
    let section = |line: u32| json!({"offset": {"line": line, "column": 0}, "map": half});
    let sections = json!({"version": 3, "sections": [section(0), section(1), section(2)]});
    assert!(
        matches!(check(&sections), Err(Broken::TooMany { what: "mappings", .. })),
        "all sections together"
    );
    let deep = format!("{{\"version\":3,\"names\":{}", "[".repeat(1_000_000));
    assert!(matches!(shape::check(&deep), Err(Broken::Json(_))));
}

#[test]
fn a_packed_map_is_the_same_and_a_bomb_is_none() {
    let content = SourceMapContent { code: "f()".to_owned(), map: regular().to_string() };
    assert_eq!(artifact::unpack(&artifact::pack(&content).unwrap()).unwrap(), content);
    let bomb = zstd::bulk::compress(&vec![0; 200 << 20], 1).unwrap();
    assert!(bomb.len() < 100_000);
    let error = artifact::unpack(&bomb).unwrap_err();
    assert!(error.to_string().contains("more than the largest upload"), "{error}");
    for garbage in [&b""[..], b"x", &bomb[..20]] {
        assert!(artifact::unpack(garbage).is_err());
    }
}

/// Maps that are nearly right.
fn map() -> impl Strategy<Value = Value> {
    let number = prop_oneof![Just(0_i64), Just(1), Just(-1), Just(i64::from(u32::MAX)), any::<i64>()];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number.prop_map(Value::from),
        ".{0,8}".prop_map(Value::from)
    ];
    let list = prop::collection::vec(scalar.clone(), 0..4).prop_map(Value::from);
    let mappings = prop_oneof![4 => "[ACDEghi;,]{0,40}".prop_map(Value::from), 1 => scalar.clone()];
    let plain = (mappings, list.clone(), list.clone(), prop_oneof![list, scalar]).prop_map(|(mappings, sources, names, rest)| {
        json!({"version": 3, "mappings": mappings, "sources": sources, "names": names, "sourcesContent": rest, "ignoreList": rest})
    });
    plain.prop_recursive(3, 12, 3, |inner| {
        let offset = prop_oneof![Just(0_u32), Just(1), Just(u32::MAX), any::<u32>()];
        let section = (offset.clone(), offset, inner)
            .prop_map(|(line, column, map)| json!({"offset": {"line": line, "column": column}, "map": map}));
        prop::collection::vec(section, 0..3).prop_map(|sections| json!({"version": 3, "sections": sections}))
    })
}

proptest! {
    /// Sections so far down that lines overflow are the one thing that the reader of maps does not refuse by itself: callers run it where a
    /// panic is an answer.
    #[test]
    fn any_map_is_read_or_refused(map in map(), code in ".{0,40}", line in any::<u32>(), column in any::<u32>()) {
        let text = map.to_string();
        if let Ok(Ok(checked)) = std::panic::catch_unwind(|| shape::check(&text)) {
            let map = SourceMap::read(&checked.json, &code).unwrap();
            for (line, column) in [(line, column), (1, 1), (1, 5), (2, 1)] {
                if let Some(original) = map.original(line, column) {
                    prop_assert!(original.line > 0 && original.column > 0);
                    prop_assert!(original.excerpt(5).is_none_or(|excerpt| !excerpt.lines.is_empty()));
                }
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), packed in any::<Vec<u8>>()) {
        let _refused = shape::check(&text);
        prop_assert!(artifact::unpack(&packed).is_err() || packed.is_empty() || packed.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    }
}
