//! A project as the API shows it.

use playhead_domain::id::ProjectId;
use playhead_domain::row;

use super::settings;
use crate::model::project::{Project, Settings};
use crate::state::Api;

pub(crate) fn project(api: &Api, row: row::Project) -> Project {
    let id = ProjectId(row.project);
    let newest = row.newest_issue_settings();
    Project {
        id: id.to_string(),
        name: row.name,
        created_at: row.created_ms,
        disabled: row.disabled,
        public_key: api.0.public_keys.issue(id),
        script_tag: api.script_tag(id),
        script_tag_plain: api.script_tag_plain(id),
        settings: Settings {
            allowed_origins: row.allowed_origins,
            retention_days: row.retention_days,
            store_ip: row.store_ip,
            sample_rate: row.sample_rate,
            on_error_sample_rate: row.on_error_sample_rate,
            signal_sample_rate: row.signal_sample_rate,
            image_hosts: row.image_hosts,
            slow_request_ms: row.slow_request_ms,
            network_bodies: row.network_bodies,
            error_filters_off: newest.error_filters_off,
            failed_requests: settings::shown_requests(&newest.failed_requests),
            grouping_rules: newest.rules.into_iter().map(settings::shown_rule).collect(),
            grouping_counts_from: (newest.from_us > 0).then_some(newest.from_us / 1_000),
            critical_pages: row.critical_pages,
            endpoint_templates: row.endpoint_templates,
        },
    }
}

impl Api {
    /// The inline stub and the async script of a project.
    #[must_use]
    pub fn script_tag(&self, project: ProjectId) -> String {
        let key = self.0.public_keys.issue(project);
        self.0.script_stub.trim().replace("__ORIGIN__", &self.0.ingest_url).replace("__KEY__", &key)
    }

    /// One deferred script: the plain form.
    #[must_use]
    pub fn script_tag_plain(&self, project: ProjectId) -> String {
        let (origin, key) = (&self.0.ingest_url, self.0.public_keys.issue(project));
        format!(r#"<script defer src="{origin}/sdk/playhead.js" data-key="{key}"></script>"#)
    }
}
