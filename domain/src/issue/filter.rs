//! Errors that are nobody's issue: each kind has a name under which it is counted.

use serde::Serialize;

use super::Thrown;
use super::origin::parts;
use super::stack::{Kind, Stack};

/// Why an error makes no issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// A bare `Script error.`: the page must load the script with `crossorigin` before anything is told of it.
    ScriptError,
    /// Thrown by a browser extension.
    BrowserExtension,
    Bot,
    /// On a developer's machine.
    Localhost,
    /// People discarded its issue.
    Discarded,
}

impl Filter {
    pub const ALL: [Self; 5] =
        [Self::ScriptError, Self::BrowserExtension, Self::Bot, Self::Localhost, Self::Discarded];

    /// As it is counted and set.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScriptError => "script_error",
            Self::BrowserExtension => "browser_extension",
            Self::Bot => "bot",
            Self::Localhost => "localhost",
            Self::Discarded => "discarded",
        }
    }
}

/// Which filters are on; all of them unless a project turns some off. A bare `Script error.` is never an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filters {
    pub browser_extension: bool,
    pub bot: bool,
    pub localhost: bool,
}

impl Default for Filters {
    fn default() -> Self {
        Self { browser_extension: true, bot: true, localhost: true }
    }
}

impl Filters {
    /// All but those named; a name that is no filter's does nothing.
    #[must_use]
    pub fn without(names: &[String]) -> Self {
        let is_on = |filter: Filter| !names.iter().any(|name| name == filter.name());
        Self {
            browser_extension: is_on(Filter::BrowserExtension),
            bot: is_on(Filter::Bot),
            localhost: is_on(Filter::Localhost),
        }
    }

    /// The first filter that drops what has no code, for where it happened.
    #[must_use]
    pub fn drop_of_page(self, page_url: &str, is_bot: bool) -> Option<Filter> {
        if self.bot && is_bot {
            return Some(Filter::Bot);
        }
        (self.localhost && is_local(page_url)).then_some(Filter::Localhost)
    }

    /// The first filter that drops the error.
    #[must_use]
    pub fn drop(self, thrown: &Thrown<'_>, stack: &Stack, is_bot: bool) -> Option<Filter> {
        let checks = [
            (Filter::ScriptError, is_script_error(thrown, stack)),
            (Filter::BrowserExtension, self.browser_extension && is_of_extension(thrown, stack)),
            (Filter::Bot, self.bot && is_bot),
            (Filter::Localhost, self.localhost && is_local(thrown.page_url)),
        ];
        checks.into_iter().find(|(_, drops)| *drops).map(|(filter, _)| filter)
    }
}

fn is_script_error(thrown: &Thrown<'_>, stack: &Stack) -> bool {
    let words = thrown.message.trim().trim_end_matches('.');
    words.eq_ignore_ascii_case("script error") && stack.frames.is_empty() && thrown.source.is_empty()
}

/// The nearest frame that is no engine's decides: pages call into extensions only by what extensions put into them.
fn is_of_extension(thrown: &Thrown<'_>, stack: &Stack) -> bool {
    let nearest = stack.frames.iter().find(|frame| frame.kind != Kind::Native);
    match nearest {
        Some(frame) => frame.kind == Kind::Extension,
        None => super::stack::is_of_extension(thrown.source),
    }
}

fn is_local(page_url: &str) -> bool {
    let (host, _) = parts(page_url);
    let is_loopback = host
        .trim_matches(['[', ']'])
        .parse::<std::net::IpAddr>()
        .is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified());
    host == "localhost" || host.ends_with(".localhost") || is_loopback
}
