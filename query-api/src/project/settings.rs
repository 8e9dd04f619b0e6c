//! Changing a project's settings: each value within its bounds.

use playhead_domain::endpoint::own;
use playhead_domain::issue::filter::Filter;
use playhead_domain::issue::request::Requests;
use playhead_domain::issue::rule::{self, MAX_BYTES_IN_SUM, MAX_RULES};
use playhead_domain::row;

use crate::error::ApiError;
use crate::model::project::{FailedRequests, GroupingRule, ProjectPatch};
use crate::turn;

const MAX_NAME_CHARACTERS: usize = 100;
const MAX_LIST: usize = 100;
const MAX_ITEM_BYTES: usize = 300;
const MAX_RETENTION_DAYS: u32 = 365;
const MAX_SLOW_REQUEST_MS: u32 = 600_000;

/// The rules that are given, checked. Compiling keeps a core busy: it is done apart, and once.
///
/// # Errors
/// [`ApiError::BadRequest`] that names the rule.
pub(crate) async fn compiled_rules(patch: &ProjectPatch) -> Result<Option<Vec<row::GroupingRule>>, ApiError> {
    let Some(rules) = patch.grouping_rules.clone() else { return Ok(None) };
    turn::apart(move || checked_rules("grouping_rules", &rules)).await?.map(Some)
}

/// Applies what is given; `rules` as [`compiled_rules`] made them.
///
/// # Errors
/// [`ApiError::BadRequest`] that names the field, [`ApiError::TooManyChanges`]; the project is then left half changed and must be dropped.
pub(crate) fn apply(
    patch: &ProjectPatch,
    rules: Option<&[row::GroupingRule]>,
    project: &mut row::Project,
    now_ms: i64,
) -> Result<(), ApiError> {
    decide_about_issues(patch, rules, project, now_ms)?;
    if let Some(name) = &patch.name {
        project.name = checked_name(name)?;
    }
    if let Some(days) = patch.retention_days {
        project.retention_days = within("retention_days", days, 1, MAX_RETENTION_DAYS)?;
    }
    if let Some(limit) = patch.slow_request_ms {
        project.slow_request_ms = within("slow_request_ms", limit, 1, MAX_SLOW_REQUEST_MS)?;
    }
    if let Some(origins) = &patch.allowed_origins {
        project.allowed_origins = list("allowed_origins", origins, origin_fault)?;
    }
    if let Some(hosts) = &patch.image_hosts {
        project.image_hosts = list("image_hosts", hosts, host_fault)?;
    }
    if let Some(patterns) = &patch.network_bodies {
        project.network_bodies = list("network_bodies", patterns, |_| None)?;
    }
    if let Some(pages) = &patch.critical_pages {
        project.critical_pages = list("critical_pages", pages, path_fault)?;
    }
    if let Some(templates) = &patch.endpoint_templates {
        project.endpoint_templates = list("endpoint_templates", templates, own::fault)?;
    }
    project.disabled = patch.disabled.unwrap_or(project.disabled);
    project.store_ip = patch.store_ip.unwrap_or(project.store_ip);
    set_rate("sample_rate", patch.sample_rate, &mut project.sample_rate)?;
    set_rate("on_error_sample_rate", patch.on_error_sample_rate, &mut project.on_error_sample_rate)?;
    set_rate("signal_sample_rate", patch.signal_sample_rate, &mut project.signal_sample_rate)
}

/// What the processor obeys record by record: see [`playhead_domain::issue::setting`].
fn decide_about_issues(
    patch: &ProjectPatch,
    rules: Option<&[row::GroupingRule]>,
    project: &mut row::Project,
    now_ms: i64,
) -> Result<(), ApiError> {
    let mut next = project.newest_issue_settings();
    if let Some(filters) = &patch.error_filters_off {
        next.error_filters_off = checked_filters(filters)?;
    }
    if let Some(requests) = patch.failed_requests {
        next.failed_requests = requests_of(requests).name().to_owned();
    }
    if let Some(rules) = rules {
        next.rules = rules.to_vec();
    }
    let now_us = now_ms.saturating_mul(1_000);
    project.decide_issue_settings(next, now_us).map_err(|error| ApiError::TooManyChanges {
        detail: error.to_string(),
        retry_after_s: u64::try_from((error.until_us - now_us).div_euclid(1_000_000) + 1).unwrap_or(1),
    })
}

/// # Errors
/// [`ApiError::BadRequest`] that names the rule.
pub(crate) fn checked_rules(
    field: &'static str,
    rules: &[GroupingRule],
) -> Result<Vec<row::GroupingRule>, ApiError> {
    if rules.len() > MAX_RULES {
        return Err(ApiError::bad(field, format!("at most {MAX_RULES} rules")));
    }
    let mut checked = Vec::with_capacity(rules.len());
    for (index, given) in rules.iter().enumerate() {
        let row = row::GroupingRule {
            path: given.path.trim().to_owned(),
            kind: given.kind.trim().to_owned(),
            message: given.message.trim().to_owned(),
            fingerprint: given.fingerprint.trim().to_owned(),
        };
        rule::check(&row).map_err(|e| ApiError::bad(field, format!("rule {}: {e}", index + 1)))?;
        checked.push(row);
    }
    if rule::is_too_long_in_sum(&checked) {
        return Err(ApiError::bad(
            field,
            format!("all rules together are longer than {MAX_BYTES_IN_SUM} bytes"),
        ));
    }
    Ok(checked)
}

pub(crate) fn shown_rule(rule: row::GroupingRule) -> GroupingRule {
    let row::GroupingRule { path, kind, message, fingerprint } = rule;
    GroupingRule { path, kind, message, fingerprint }
}

const fn requests_of(requests: FailedRequests) -> Requests {
    match requests {
        FailedRequests::None => Requests::None,
        FailedRequests::Server => Requests::Server,
        FailedRequests::All => Requests::All,
    }
}

pub(crate) fn shown_requests(name: &str) -> FailedRequests {
    match Requests::of(name) {
        Requests::None => FailedRequests::None,
        Requests::Server => FailedRequests::Server,
        Requests::All => FailedRequests::All,
    }
}

/// A project's name, trimmed.
///
/// # Errors
/// [`ApiError::BadRequest`] when it is empty or too long.
pub(crate) fn checked_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARACTERS || name.chars().any(char::is_control) {
        return Err(ApiError::bad(
            "name",
            format!("must be 1 to {MAX_NAME_CHARACTERS} printable characters"),
        ));
    }
    Ok(name.to_owned())
}

fn within(field: &'static str, value: u32, least: u32, most: u32) -> Result<u32, ApiError> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(ApiError::bad(field, format!("must be {least} to {most}")))
    }
}

fn set_rate(field: &'static str, given: Option<f64>, rate: &mut f64) -> Result<(), ApiError> {
    match given {
        None => Ok(()),
        Some(value) if (0.0..=1.0).contains(&value) => {
            *rate = value;
            Ok(())
        }
        Some(_) => Err(ApiError::bad(field, "must be 0 to 1")),
    }
}

fn list(
    field: &'static str,
    items: &[String],
    fault: impl Fn(&str) -> Option<&'static str>,
) -> Result<Vec<String>, ApiError> {
    if items.len() > MAX_LIST {
        return Err(ApiError::bad(field, format!("at most {MAX_LIST} entries")));
    }
    let mut checked: Vec<String> = Vec::with_capacity(items.len());
    for item in items.iter().map(|item| item.trim()).filter(|item| !item.is_empty()) {
        if item.len() > MAX_ITEM_BYTES || item.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(ApiError::bad(
                field,
                format!("`{item}` is longer than {MAX_ITEM_BYTES} bytes or has spaces in it"),
            ));
        }
        if let Some(expected) = fault(item) {
            return Err(ApiError::bad(field, format!("`{item}` is not {expected}")));
        }
        if !checked.iter().any(|known| known == item) {
            checked.push(item.to_owned());
        }
    }
    Ok(checked)
}

/// A bare `Script error.` tells nothing, so that one stays on; naming it is refused rather than ignored.
/// Filters that are off.
pub(crate) fn checked_filters(filters: &[String]) -> Result<Vec<String>, ApiError> {
    list("error_filters_off", filters, filter_fault)
}

fn filter_fault(name: &str) -> Option<&'static str> {
    let can_be_off = [Filter::BrowserExtension, Filter::Bot, Filter::Localhost];
    let is_known = can_be_off.iter().any(|filter| filter.name() == name);
    (!is_known).then_some("browser_extension, bot or localhost")
}

fn path_fault(pattern: &str) -> Option<&'static str> {
    (!pattern.starts_with(['/', '*'])).then_some("a path such as /checkout/*")
}

fn origin_fault(text: &str) -> Option<&'static str> {
    const EXPECTED: &str = "an origin such as https://shop.example or https://*.shop.example";
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fine = authority.is_some_and(|authority| is_host(authority.strip_prefix("*.").unwrap_or(authority)));
    (!fine).then_some(EXPECTED)
}

/// The text goes into a policy header, so nothing but a host may pass.
fn host_fault(text: &str) -> Option<&'static str> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    (!is_host(host.strip_prefix("*.").unwrap_or(host))).then_some("a host such as images.shop.example")
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let port_fine = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    port_fine && host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_origins_cannot_carry_anything_else() {
        for fine in ["cdn.shop.example", "*.shop.example", "localhost:8080", "https://img.example"] {
            assert!(host_fault(fine).is_none(), "{fine}");
        }
        for bad in ["*", "a b", "x;script-src *", "https://", "a/b", "'self'", "data:", "host:99999", "a,b"] {
            assert!(host_fault(bad).is_some(), "{bad}");
        }
        assert!(origin_fault("https://*.shop.example").is_none());
        for bad in ["shop.example", "https://shop.example/path", "ftp://x", "https://*"] {
            assert!(origin_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn every_value_has_bounds() {
        let change = |patch: ProjectPatch| apply(&patch, None, &mut row::Project::default(), 0);
        assert!(change(ProjectPatch { retention_days: Some(0), ..ProjectPatch::default() }).is_err());
        assert!(change(ProjectPatch { sample_rate: Some(1.5), ..ProjectPatch::default() }).is_err());
        assert!(change(ProjectPatch { sample_rate: Some(f64::NAN), ..ProjectPatch::default() }).is_err());
        assert!(change(ProjectPatch { name: Some("  ".to_owned()), ..ProjectPatch::default() }).is_err());
        assert!(change(ProjectPatch { retention_days: Some(7), ..ProjectPatch::default() }).is_ok());
    }
}
