//! The read model built anew from the first retained record into an empty store: it must be the same.

use std::time::Duration;

use anyhow::bail;

use super::canonical;
use super::cql::Cql;
use super::scene::{SETTLE, Scene};
use crate::load::Load;
use crate::verify::settle;

/// What outlives a rebuild among what processors write.
const SUPPRESSIONS: &str = "suppressions";
const CHECKPOINTS: &str = "partition_control";
const PROCESSORS_END: Duration = Duration::from_secs(60);
const OWNED_LIMIT: Duration = Duration::from_secs(120);
/// Idle time of a session, a look for such, and a flush.
const COMPACTED_AFTER: Duration = Duration::from_secs(12);

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let load = Load::start(scene.plan());
    tokio::time::sleep(scene.time).await;
    let delivered = scene.check_all(load).await?;
    tokio::time::sleep(COMPACTED_AFTER).await;
    let reader = scene.reader();
    let before = canonical::read(&reader).await?;
    rebuild(scene).await?;
    let reader = scene.reader();
    let took = settle(&reader, &delivered, SETTLE).await;
    scene.verdict.figure("rebuilt_after_s", took.as_secs_f64());
    tokio::time::sleep(COMPACTED_AFTER).await;
    let after = canonical::read(&reader).await?;
    scene.verdict.check("there is something to compare", !before.is_empty(), before.len());
    scene
        .verdict
        .check_none("the rebuilt read model equals the first", &canonical::differences(&before, &after));
    scene.check_delivered(&delivered).await
}

/// Stops the processors, empties what they write, and starts as many at the first retained record.
pub(crate) async fn rebuild(scene: &mut Scene) -> anyhow::Result<()> {
    let number = scene.fleet.processors.len();
    scene.verdict.inject("SIGTERM to all processors");
    scene.fleet.stop_processors(PROCESSORS_END).await?;
    let wiped = wipe(scene).await?;
    scene.verdict.inject(format!("wiped: {wiped}"));
    for _ in 0..number {
        let name = scene.fleet.add_processor(&[])?;
        scene.verdict.inject(format!("start {name}"));
    }
    scene.fleet.wait_until_owned(OWNED_LIMIT).await?;
    Ok(())
}

/// Empties the tables that processors write, and forgets how far they are. What people decided stays: projects, keys, suppressions.
async fn wipe(scene: &Scene) -> anyhow::Result<String> {
    let mut cql = Cql::connect(scene.services.get("PLAYHEAD_TEST_CQL")?).await?;
    let (data, control) = scene.fleet.stage.keyspaces();
    let found = format!("SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{data}'");
    let mut tables: Vec<String> = cql.run(&found).await?;
    tables.retain(|table| table != SUPPRESSIONS);
    if !tables.iter().any(|table| table == "session_state") {
        bail!("keyspace {data} holds no sessions: {tables:?}");
    }
    for table in &tables {
        cql.run(&format!("TRUNCATE {data}.{table}")).await?;
    }
    cql.run(&format!("TRUNCATE {control}.{CHECKPOINTS}")).await?;
    Ok(format!("{} and {CHECKPOINTS}", tables.join(", ")))
}
