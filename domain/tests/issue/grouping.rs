//! Pairs that must be one issue, and pairs that must not.

use std::collections::BTreeMap;

use playhead_domain::issue::filter::{Filter, Filters};
use playhead_domain::issue::grouping::{Basis, Fingerprint, GROUPING_VERSION, Group, NAMED_GROUPING_VERSION};
use playhead_domain::issue::naming::Written;
use playhead_domain::issue::rule::Rules;
use playhead_domain::issue::{Cause, Thrown, examine, examine_named};

use crate::corpus::{self, Told};

fn fingerprint(thrown: &Thrown<'_>) -> Fingerprint {
    examine(thrown, Filters::default(), &Rules::default(), false).group.fingerprint
}

/// `Cart.parse` ends with `return JSON.parse(…)` in strict code, so that JavaScriptCore has forgotten it when the error is thrown.
const FORGOTTEN_BY_WEBKIT: [&str; 2] = ["invalid_json", "ended_json"];

#[test]
fn an_error_is_one_issue_in_all_browsers() {
    for (build, cases) in corpus::captured() {
        for (case, browsers) in cases {
            let is_told = |browser: &str| {
                browser != "webkit" || !FORGOTTEN_BY_WEBKIT.contains(&case.as_str()) || build != "plain"
            };
            let told = browsers.iter().filter(|(browser, _)| is_told(browser));
            let groups: Vec<_> = told.map(|(browser, told)| (browser, told.examine().group)).collect();
            let first = &groups[0];
            for other in &groups[1..] {
                assert_eq!(first.1.fingerprint, other.1.fingerprint, "{build} {case}: {first:#?} {other:#?}");
            }
        }
    }
}

#[test]
fn errors_of_one_program_are_issues_of_their_own() {
    // Thrown by one function in the same words.
    let same = [("evaluated", "property_of_undefined"), ("ended_json", "invalid_json")];
    for (build, cases) in corpus::captured() {
        let mut known: BTreeMap<Fingerprint, String> = BTreeMap::new();
        for (case, browsers) in &cases {
            let group = browsers["chromium"].examine().group;
            if let Some(other) = known.insert(group.fingerprint, case.clone()) {
                let pair = (case.as_str(), other.as_str());
                let is_same = same.contains(&pair) || same.contains(&(pair.1, pair.0));
                // Without names only the words tell two overflows apart.
                let is_weak =
                    build != "plain" && case.starts_with("overflow") && other.starts_with("overflow");
                assert!(is_same || is_weak, "{build}: {pair:?} {group:#?}");
            }
        }
    }
}

#[test]
fn the_next_build_of_a_minified_bundle_changes_nothing() {
    let builds = corpus::captured();
    for (case, browsers) in &builds["minified"] {
        for (browser, told) in browsers {
            let (before, after) =
                (told.examine().group, builds["minified_next"][case][browser].examine().group);
            assert_eq!(before.fingerprint, after.fingerprint, "{case} {browser}: {before:#?} {after:#?}");
        }
    }
}

fn error(kind: &str, message: &str, stack: &str) -> Told {
    Told { kind: kind.to_owned(), message: message.to_owned(), stack: stack.to_owned() }
}

fn of(kind: &str, message: &str, frames: &[&str]) -> Fingerprint {
    let stack = format!("{kind}: {message}\n    at {}", frames.join("\n    at "));
    fingerprint(&error(kind, message, &stack).thrown())
}

const CART: &str = "Cart.load (https://a.example/src/cart.js:10:5)";

#[test]
fn what_does_not_matter() {
    let plain = of("Error", "cart is gone", &[CART]);
    for (what, other) in [
        ("line", of("Error", "cart is gone", &["Cart.load (https://a.example/src/cart.js:99:1)"])),
        ("origin and query", of("Error", "cart is gone", &["load (https://b.example/src/cart.js?v=7:10:5)"])),
        (
            "name of a class",
            of("Error", "cart is gone", &["new Shop.load (https://a.example/src/cart.js:10:5)"]),
        ),
        ("recursion", of("Error", "cart is gone", &[CART, CART, CART])),
        (
            "library",
            of("Error", "cart is gone", &["each (https://a.example/node_modules/lodash/each.js:1:1)", CART]),
        ),
        ("extension below", of("Error", "cart is gone", &[CART, "x (chrome-extension://abc/a.js:1:1)"])),
        (
            "native",
            of("Error", "cart is gone", &["Array.map (<anonymous>)", CART, "new Promise (<anonymous>)"]),
        ),
        (
            "asynchronous caller",
            of("Error", "cart is gone", &[CART, "async open (https://a.example/src/page.js:1:2)"]),
        ),
        ("caller", of("Error", "cart is gone", &[CART, "open (https://a.example/src/page.js:1:2)"])),
    ] {
        assert_eq!(plain, other, "{what}");
    }
    let user = |name| of("Error", &format!("User {name} (id 12) not found"), &[CART]);
    assert_eq!(user("Ana"), user("Bob"), "names in a message");
    let hashed = |hash| of("Error", "x", &[&format!("load (https://a.example/static/main.{hash}.js:1:20)")]);
    assert_eq!(hashed("3f2a9c1b"), hashed("77aa00bc"), "the build");
}

#[test]
fn what_matters() {
    let plain = of("Error", "cart is gone", &[CART]);
    for (what, other) in [
        ("type", of("CartError", "cart is gone", &[CART])),
        ("words", of("Error", "cart is closed", &[CART])),
        ("function", of("Error", "cart is gone", &["Cart.save (https://a.example/src/cart.js:10:5)"])),
        ("file", of("Error", "cart is gone", &["Cart.load (https://a.example/src/other.js:10:5)"])),
    ] {
        assert_ne!(plain, other, "{what}");
    }
    let helper = "invariant (https://a.example/src/assert.js:1:1)";
    let caller = |name| {
        of("Error", "Invariant failed", &[helper, &format!("{name} (https://a.example/src/a.js:2:2)")])
    };
    assert_ne!(caller("pay"), caller("ship"), "who called a helper");
    let react = |code| {
        of(
            "Error",
            &format!("Minified React error #{code}; visit https://react.dev/errors/{code}"),
            &["a (https://a.b/index-BxY12abc.js:1:9000)"],
        )
    };
    assert_ne!(react(31), react(200), "the code of a library");
    let status = |code| {
        of(
            "Error",
            &format!("Request failed with status code {code}"),
            &["a (https://a.b/index-BxY12abc.js:1:9000)"],
        )
    };
    assert_ne!(status(404), status(500), "the status");
}

#[test]
fn a_minified_thrower_is_not_told_by_its_callers() {
    let stack = "TypeError: x is not a function\n    at a (https://a.b/index-BxY12abc.js:1:9000)\n    at onclick (https://a.b/:3:4)";
    let group = error("TypeError", "cart.x is not a function", stack).examine().group;
    assert_eq!(group.basis, Basis::Message);
    let counted: Vec<_> = group.components.iter().filter(|component| component.counted).collect();
    assert_eq!(
        counted.iter().map(|component| component.name).collect::<Vec<_>>(),
        ["type", "message", "file"]
    );
    assert_eq!(counted[2].values, ["/index-<hash>.js"]);
}

#[test]
fn the_pages_fingerprint_decides() {
    let told = error("Error", "a", "");
    let other = error("TypeError", "b", "");
    let with = |fingerprint: &[&'static str], told: &Told| {
        let thrown = Thrown { fingerprint: fingerprint.to_vec(), ..told.thrown() };
        examine(&thrown, Filters::default(), &Rules::default(), false).group
    };
    let (one, two) = (with(&["checkout"], &told), with(&["checkout"], &other));
    assert_eq!(one.fingerprint, two.fingerprint);
    assert_eq!((one.basis, one.version), (Basis::Fingerprint, GROUPING_VERSION));
    assert!(
        one.components
            .iter()
            .filter(|component| component.counted)
            .all(|component| component.name == "fingerprint")
    );
    let tagged = |told| with(&["{{ default }}", "eu"], told).fingerprint;
    assert_ne!(tagged(&told), tagged(&other), "the rest counts when it is asked for");
    assert_ne!(tagged(&told), told.examine().group.fingerprint);
    assert_ne!(with(&["ab", "c"], &told).fingerprint, with(&["a", "bc"], &told).fingerprint);
}

#[test]
fn resources_and_policies_are_told_by_what_they_are() {
    let resource = |url: &'static str| {
        let message = format!("failed to load <img> {url}");
        fingerprint(&Thrown {
            kind: "ResourceError",
            message: &message,
            mechanism: "resource",
            source: url,
            ..Thrown::default()
        })
    };
    let one = resource("https://cdn.example/products/12/photo-3f2a9c1b.jpg?w=100");
    assert_eq!(one, resource("https://cdn.example/products/77/photo-99aa00bc.jpg"));
    assert_ne!(one, resource("https://other.example/products/12/photo-3f2a9c1b.jpg"));
    let policy = |message: &str| fingerprint(&Thrown { mechanism: "csp", message, ..Thrown::default() });
    assert_eq!(
        policy("img-src blocked https://a.example/1.png"),
        policy("img-src blocked https://a.example/2.png")
    );
    assert_ne!(policy("img-src blocked https://a.example/1.png"), policy("img-src blocked data"));
}

#[test]
fn an_aggregate_without_frames_is_told_by_its_parts() {
    let any = |messages: &[&'static str]| {
        let part = |message: &&'static str| Cause { kind: "Error", message, stack: "" };
        let errors = messages.iter().map(part).collect();
        fingerprint(&Thrown {
            kind: "AggregateError",
            message: "All promises were rejected",
            errors,
            ..Thrown::default()
        })
    };
    assert_eq!(any(&["mirror 1 is down", "no cache"]), any(&["no cache", "mirror 2 is down"]));
    assert_ne!(any(&["mirror 1 is down"]), any(&["no cache"]));
}

#[test]
fn what_is_nobodys_issue_is_named() {
    let filtered = |told: &Told, page_url, is_bot| {
        let thrown = Thrown { page_url, ..told.thrown() };
        let examined = examine(&thrown, Filters::default(), &Rules::default(), is_bot);
        assert_eq!(examined.issue().is_none(), examined.filtered.is_some());
        examined.filtered
    };
    let page = "https://shop.example/cart";
    let plain =
        error("Error", "cart is gone", "Error: cart is gone\n    at load (https://shop.example/a.js:1:2)");
    assert_eq!(filtered(&plain, page, false), None);
    assert_eq!(filtered(&plain, page, true), Some(Filter::Bot));
    for page in
        ["http://localhost:5173/", "http://127.0.0.1:8080/a", "http://[::1]/", "http://app.localhost/"]
    {
        assert_eq!(filtered(&plain, page, false), Some(Filter::Localhost), "{page}");
    }
    assert_eq!(filtered(&plain, "https://localhost.example/", false), None);
    assert_eq!(filtered(&error("Error", "Script error.", ""), page, false), Some(Filter::ScriptError));
    assert_eq!(filtered(&error("Error", "Script error.", &plain.stack), page, false), None);
    for published in corpus::published() {
        let is_extension =
            ["safari_extension", "safari_web_extension", "safari_masked_extension", "firefox_50_resource"];
        let expected = is_extension.contains(&published.id.as_str()).then_some(Filter::BrowserExtension);
        assert_eq!(filtered(&published.told, page, false), expected, "{}", published.id);
    }
    let names: Vec<String> = Filter::ALL.iter().map(|filter| filter.name().to_owned()).collect();
    let off = Filters::without(&names);
    assert_eq!(Filters::without(&[]), Filters::default());
    let thrown = Thrown { page_url: "http://localhost/", ..plain.thrown() };
    assert_eq!(examine(&thrown, off, &Rules::default(), true).filtered, None);
}

/// The group and the culprit of an error in a minified bundle, of which a map tells that function and file.
fn named(message: &str, column: u32, written: (&str, &str)) -> (Group, String) {
    let stack = format!("Error: {message}\n    at a (https://a.example/assets/index-BxY12abc.js:1:{column})");
    let told = error("Error", message, &stack);
    let (function, file) = written;
    let written = Written {
        function: Some(function.to_owned()),
        file: file.to_owned(),
        line: 7,
        column: 3,
        is_ignored: false,
    };
    let examined =
        examine_named(&told.thrown(), Filters::default(), &Rules::default(), false, |_| Some(&written));
    assert!(!examined.stack.frames[0].is_written, "what is stored is what the engine told");
    (examined.group, examined.culprit)
}

#[test]
fn a_map_groups_by_what_somebody_wrote() {
    let (pay, culprit) = named("cart is gone", 900, ("Cart.pay", "../../src/cart.ts"));
    assert_eq!((pay.version, pay.basis), (NAMED_GROUPING_VERSION, Basis::Stack));
    assert_eq!(culprit, "pay (/src/cart.ts)");
    let of = |column, written| named("cart is gone", column, written).0.fingerprint;
    assert_eq!(pay.fingerprint, of(70, ("Cart.pay", "../src/cart.ts")), "another build");
    assert_ne!(pay.fingerprint, of(900, ("Cart.load", "../../src/cart.ts")), "another function");
    assert_ne!(pay.fingerprint, of(900, ("Cart.pay", "../../src/order.ts")), "another file");
    let (short, _) = named("cart is gone", 900, ("go", "../../src/cart.ts"));
    assert_eq!(short.basis, Basis::Stack, "a short name that somebody wrote counts");
    let (nameless, culprit) = named("cart is gone", 900, ("", "../../src/cart.ts"));
    assert_eq!((nameless.basis, culprit.as_str()), (Basis::Message, "/src/cart.ts"));
}

#[test]
fn without_a_map_nothing_changes_and_a_given_fingerprint_decides() {
    let told = error("Error", "x", "Error: x\n    at a (https://a.example/index.js:1:900)");
    let (filters, rules) = (Filters::default(), Rules::default());
    let of = |thrown: &Thrown<'_>, written: Option<&Written>| {
        examine_named(thrown, filters, &rules, false, |_| written).group
    };
    let written =
        Written { function: None, file: "src/a.ts".to_owned(), line: 1, column: 1, is_ignored: false };
    let plain = of(&told.thrown(), None);
    assert_eq!((plain.fingerprint, plain.version), (fingerprint(&told.thrown()), GROUPING_VERSION));
    assert_ne!(plain.fingerprint, of(&told.thrown(), Some(&written)).fingerprint);
    let given = Thrown { fingerprint: vec!["checkout"], ..told.thrown() };
    assert_eq!(of(&given, None).fingerprint, of(&given, Some(&written)).fingerprint);
    let added = Thrown { fingerprint: vec!["{{ default }}", "checkout"], ..told.thrown() };
    assert_ne!(of(&added, None).fingerprint, of(&added, Some(&written)).fingerprint);
}

/// Groups outlive the code that made them: if this fails, the rules have changed and [`GROUPING_VERSION`] must grow.
#[test]
fn the_rules_of_a_version_are_kept() {
    let builds = corpus::captured();
    let mut fingerprints = Vec::new();
    for (build, case, browser) in [
        ("plain", "property_of_undefined", "chromium"),
        ("plain", "helper_coupon", "firefox"),
        ("plain", "overflow_of_two", "webkit"),
        ("minified", "property_in_callback", "chromium"),
        ("minified", "helper_address", "firefox"),
    ] {
        fingerprints.push(builds[build][case][browser].examine().group.fingerprint.to_string());
    }
    let kept = [
        "31fada7a70c0d63d7e2679db1ee82e26",
        "d4bc70bdcb88afd15d22848c09cb8bdf",
        "9fc9a4f0b09a65cdb56cb95a86ca0c9c",
        "5a39fe2660a6b52fff8dad6194dbb5cd",
        "6104d8b036c50ccddefa23e9816ea83a",
    ];
    assert_eq!((GROUPING_VERSION, fingerprints), (1, kept.map(ToOwned::to_owned).to_vec()));
}
