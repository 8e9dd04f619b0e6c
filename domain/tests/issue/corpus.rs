//! The corpus: errors that browsers threw, with where they come from.

use std::collections::BTreeMap;

use playhead_domain::issue::filter::Filters;
use playhead_domain::issue::rule::Rules;
use playhead_domain::issue::{Examined, Thrown, examine};
use serde::Deserialize;

/// An error as a browser told it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Told {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) stack: String,
}

impl Told {
    pub(crate) fn thrown(&self) -> Thrown<'_> {
        Thrown {
            kind: &self.kind,
            message: &self.message,
            stack: &self.stack,
            mechanism: "uncaught",
            page_url: "https://shop.example/cart",
            ..Thrown::default()
        }
    }

    pub(crate) fn examine(&self) -> Examined {
        examine(&self.thrown(), Filters::default(), &Rules::default(), false)
    }
}

/// One that somebody else published.
#[derive(Debug, Deserialize)]
pub(crate) struct Published {
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) told: Told,
    /// What each frame is, see [`crate::reading`].
    #[serde(default)]
    pub(crate) frames: Vec<String>,
}

pub(crate) fn published() -> Vec<Published> {
    serde_json::from_str(include_str!("corpus/published.json")).unwrap()
}

/// Errors of one program, by case and browser.
pub(crate) type Build = BTreeMap<String, BTreeMap<String, Told>>;

/// The program's builds by name.
pub(crate) fn captured() -> BTreeMap<String, Build> {
    #[derive(Deserialize)]
    struct File {
        builds: BTreeMap<String, Build>,
    }
    serde_json::from_str::<File>(include_str!("corpus/captured.json")).unwrap().builds
}
