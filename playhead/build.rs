//! A release binary carries the dashboard, the SDK and the table of countries: without them it is not built.

use std::path::Path;

const PARTS: [&str; 4] = [
    "../dashboard/dist/index.html",
    "../dashboard/dist/stage.html",
    "../sdk/dist/script/playhead.js",
    "assets/country.mmdb",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for part in PARTS {
        println!("cargo:rerun-if-changed={part}");
    }
    if std::env::var("PROFILE").as_deref() != Ok("release") {
        return;
    }
    for part in PARTS {
        assert!(Path::new(part).is_file(), "playhead/{part} is not there: run `make build`, which makes it");
    }
}
