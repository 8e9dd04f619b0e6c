//! What can be seen of Jira from outside.

use prometheus::{IntCounterVec, Opts, Registry};

pub(crate) struct JiraMetrics {
    /// Things that Jira was to do, by what came of them.
    pub(crate) tasks: IntCounterVec,
    pub(crate) hooks: IntCounterVec,
}

impl JiraMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let tasks =
            Opts::new("playhead_jira_tasks_total", "What Jira was to do for projects, by task and outcome");
        let hooks = Opts::new("playhead_jira_hooks_total", "Web hooks of Jira that came in, by outcome");
        let metrics = Self {
            tasks: IntCounterVec::new(tasks, &["task", "outcome"])?,
            hooks: IntCounterVec::new(hooks, &["outcome"])?,
        };
        // An alert is about these: of a series that begins with its first event nobody sees that event.
        for task in ["create", "link", "transition", "assign", "comment", "read"] {
            metrics.tasks.with_label_values(&[task, "unreachable"]);
        }
        registry.register(Box::new(metrics.tasks.clone()))?;
        registry.register(Box::new(metrics.hooks.clone()))?;
        Ok(metrics)
    }
}
