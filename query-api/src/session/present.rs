//! A session as the API shows it.

use std::collections::BTreeSet;

use playhead_domain::row;
use playhead_domain::scope::Scope;

use super::{rows, state};
use crate::model::session::{Activity, Counts, Named, Sampling, Session, Size, User};
use crate::state::Api;

pub(crate) fn session(api: &Api, scope: Scope, summary: &row::SessionSummary) -> Session {
    let state = state::session_state(summary, api.now_ms(), api.0.session_idle_ms);
    let (replay, replay_reasons) = state::replay_state(summary, state);
    let client = summary.client.clone().unwrap_or_default();
    Session {
        id: rows::session_id(&summary.session).map(|id| id.to_string()).unwrap_or_default(),
        project_id: scope.project().to_string(),
        started_at: summary.start_ms,
        ended_at: summary.end_ms,
        duration_ms: (summary.end_ms - summary.start_ms).max(0),
        state,
        replay,
        replay_reasons,
        user: summary.user.as_ref().and_then(user),
        screen: size(client.screen_width, client.screen_height),
        browser: Named { name: known(&client.browser), version: known(&client.browser_version) },
        os: Named { name: known(&client.os), version: known(&client.os_version) },
        device: known(&client.device),
        language: known(&client.language),
        time_zone: known(&client.time_zone),
        country: known(&client.country),
        ip: known(&client.ip),
        user_agent: known(&client.user_agent),
        sdk: known(&client.sdk),
        release: known(&summary.release),
        environment: known(&summary.environment),
        entry_page: summary.pages.first().cloned(),
        exit_page: known(&summary.exit_page),
        pages: summary.pages.clone(),
        page_count: summary.page_count,
        custom_events: summary.custom_event_names.clone(),
        tabs: summary.streams.iter().map(|stream| stream.tab).collect::<BTreeSet<_>>().len() as u64,
        streams: summary.streams.len() as u64,
        counts: counts(&summary.counts.unwrap_or_default()),
        activity: Activity { bucket_ms: summary.activity_bucket_ms, values: summary.activity.clone() },
        clock_skewed: summary.clock_skewed,
        sampling: Sampling {
            dom: summary.dom_rate,
            dom_on_error: summary.dom_on_error_rate,
            signals: summary.signal_rate,
        },
        stored_bytes: summary.dom_bytes + summary.signal_bytes,
        expires_at: summary.expires_at_ms,
    }
}

/// A text, unless it is unknown.
pub(crate) fn known(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A size, unless it is unknown.
pub(crate) fn size(width: u32, height: u32) -> Option<Size> {
    (width > 0 && height > 0).then_some(Size { width, height })
}

fn user(user: &row::User) -> Option<User> {
    let traits = serde_json::from_str(&user.traits).ok().filter(serde_json::Value::is_object);
    let shown = User {
        id: known(&user.id),
        email: known(&user.email),
        traits: traits.unwrap_or_else(|| serde_json::json!({})),
    };
    (shown.id.is_some() || shown.email.is_some() || shown.traits != serde_json::json!({})).then_some(shown)
}

const fn counts(counts: &row::Counts) -> Counts {
    Counts {
        events: counts.events,
        errors: counts.errors,
        requests: counts.requests,
        failed_requests: counts.failed_requests,
        slow_requests: counts.slow_requests,
        clicks: counts.clicks,
        rage_clicks: counts.rage_clicks,
        dead_clicks: counts.dead_clicks,
        console_errors: counts.console_errors,
        navigations: counts.navigations,
        custom_events: counts.custom_events,
        dropped_signals: counts.dropped_signals,
    }
}
