//! Kafka, Cassandra and S3, as `scripts/services.sh` runs them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use tokio::process::Command;

/// The script, and what it says about where things are.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    script: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Services {
    /// Starts what does not run.
    pub(crate) async fn up(script: PathBuf) -> anyhow::Result<Self> {
        let mut services = Self { script, environment: BTreeMap::new() };
        services.call("up", &[]).await?;
        services.environment = read_exports(&services.call("env", &[]).await?);
        Ok(services)
    }

    pub(crate) fn script(&self) -> &Path {
        &self.script
    }

    /// A variable that the script exports.
    pub(crate) fn get(&self, name: &str) -> anyhow::Result<&str> {
        let value = self.environment.get(name).map(String::as_str);
        value.with_context(|| format!("{} env does not print {name}", self.script.display()))
    }

    /// Variables under names that start like this, for processes that read them too.
    pub(crate) fn starting_with(&self, prefix: &str) -> impl Iterator<Item = (String, String)> {
        let of_prefix = self.environment.iter().filter(move |(name, _)| name.starts_with(prefix));
        of_prefix.map(|(name, value)| (name.clone(), value.clone()))
    }

    /// `start`, `stop`, `kill`, `pause` or `continue` for parts.
    pub(crate) async fn call(&self, verb: &str, parts: &[&str]) -> anyhow::Result<String> {
        // What it starts outlives the call and must not hold its pipes: errors go where ours go.
        let output = Command::new(&self.script)
            .arg(verb)
            .args(parts)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .await
            .with_context(|| format!("cannot run {}", self.script.display()))?;
        if !output.status.success() {
            bail!("{} {verb} {} failed", self.script.display(), parts.join(" "));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Reads lines such as `export NAME=value`.
fn read_exports(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn what_the_script_exports_is_known_and_its_failures_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("services.sh");
        let text = "#!/bin/sh\ncase $1 in\nup) ;;\nenv) echo 'export A_KAFKA=x:1,y:2'; echo \"export A_KEY='k'\"; echo noise;;\n\
            kill) echo \"$2\";;\n*) exit 3;;\nesac\n";
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        let services = Services::up(script).await.unwrap();
        assert_eq!(services.get("A_KAFKA").unwrap(), "x:1,y:2");
        assert_eq!(
            services.starting_with("A_KE").collect::<Vec<_>>(),
            [("A_KEY".to_owned(), "k".to_owned())]
        );
        assert!(services.get("B").is_err());
        assert_eq!(services.call("kill", &["kafka-1"]).await.unwrap(), "kafka-1\n");
        assert!(services.call("pause", &["s3"]).await.is_err());
    }
}
