//! The scenarios by name: how large their fleet is, what is set, and who plays them.

use clap::ValueEnum;

use super::scene::Scene;
use super::{
    alerts, away, broker, erase, generation, hot, rebalance, rebuild, refused, shutdown, sizes, slow,
    uploads, zombie,
};
use crate::installation::fleet::Sizes;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Processors join, leave, are killed and are frozen, at random.
    Rebalance,
    /// A processor is frozen in the middle of a flush and wakes up after another has redone it.
    Zombie,
    /// One of three brokers is killed and comes back, again and again.
    BrokerKill,
    /// All brokers are gone.
    KafkaAway,
    /// The store is stopped.
    StoreAway,
    /// The store hangs: connections stay and nothing is answered.
    StoreHangs,
    /// S3 is stopped.
    S3Away,
    /// S3 hangs.
    S3Hangs,
    /// S3 takes the processors' key no more, for a while.
    S3Refuses,
    /// S3 answers one processor late.
    SlowS3,
    /// One session sends 50 times as much as others.
    HotSession,
    /// One project sends more than its quota.
    HotTenant,
    /// Sessions and users are erased while they send, partitions move and compaction runs; then everything is rebuilt.
    Erase,
    /// The read model is built anew from the first retained record.
    Rebuild,
    /// The topic of batches is followed by one with more partitions.
    Generation,
    /// 500 uploads of 1 MB at once.
    Memory,
    /// The largest legal batch, and one byte more.
    Sizes,
    /// SIGTERM to each role under load.
    Shutdown,
    /// Query-apis are killed while alerts fire.
    Alerts,
}

impl Scenario {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rebalance => "rebalance",
            Self::Zombie => "zombie",
            Self::BrokerKill => "broker-kill",
            Self::KafkaAway => "kafka-away",
            Self::StoreAway => "store-away",
            Self::StoreHangs => "store-hangs",
            Self::S3Away => "s3-away",
            Self::S3Hangs => "s3-hangs",
            Self::S3Refuses => "s3-refuses",
            Self::SlowS3 => "slow-s3",
            Self::HotSession => "hot-session",
            Self::HotTenant => "hot-tenant",
            Self::Erase => "erase",
            Self::Rebuild => "rebuild",
            Self::Generation => "generation",
            Self::Memory => "memory",
            Self::Sizes => "sizes",
            Self::Shutdown => "shutdown",
            Self::Alerts => "alerts",
        }
    }

    pub(crate) const fn usual_seconds(self) -> u64 {
        match self {
            Self::Rebalance => 120,
            Self::Zombie | Self::Erase => 90,
            Self::KafkaAway => 20,
            Self::Rebuild | Self::Generation | Self::Shutdown => 15,
            Self::Memory | Self::Sizes => 0,
            _ => 60,
        }
    }

    pub(crate) const fn sizes(self) -> Sizes {
        match self {
            Self::Rebalance | Self::Zombie | Self::SlowS3 | Self::Erase => {
                Sizes { gateways: 2, processors: 3 }
            }
            Self::Memory | Self::Sizes => Sizes { gateways: 1, processors: 1 },
            _ => Sizes { gateways: 2, processors: 2 },
        }
    }

    pub(crate) fn settings(self) -> Vec<(&'static str, String)> {
        match self {
            Self::HotTenant => hot::quotas(),
            Self::Alerts => alerts::settings(),
            // As long as a load balancer needs to notice.
            Self::Shutdown => vec![("PLAYHEAD_HTTP__SHUTDOWN_DELAY_MS", "1500".to_owned())],
            _ => Vec::new(),
        }
    }

    pub(crate) async fn play(self, scene: &mut Scene) -> anyhow::Result<()> {
        match self {
            Self::Rebalance => rebalance::play(scene).await,
            Self::Zombie => zombie::play(scene).await,
            Self::BrokerKill => broker::play_kill(scene).await,
            Self::KafkaAway => broker::play_away(scene).await,
            Self::StoreAway => away::play(scene, away::STORE, away::Manner::Stopped).await,
            Self::StoreHangs => away::play(scene, away::STORE, away::Manner::Hangs).await,
            Self::S3Away => away::play(scene, away::S3, away::Manner::Stopped).await,
            Self::S3Hangs => away::play(scene, away::S3, away::Manner::Hangs).await,
            Self::S3Refuses => refused::play(scene).await,
            Self::SlowS3 => slow::play(scene).await,
            Self::HotSession => hot::play_session(scene).await,
            Self::HotTenant => hot::play_tenant(scene).await,
            Self::Erase => erase::play(scene).await,
            Self::Rebuild => rebuild::play(scene).await,
            Self::Generation => generation::play(scene).await,
            Self::Memory => uploads::play(scene).await,
            Self::Sizes => sizes::play(scene).await,
            Self::Shutdown => shutdown::play(scene).await,
            Self::Alerts => alerts::play(scene).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for scenario in Scenario::value_variants() {
            let value = scenario.to_possible_value().unwrap();
            assert_eq!(value.get_name(), scenario.name());
        }
    }
}
