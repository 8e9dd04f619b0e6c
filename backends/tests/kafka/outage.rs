//! Brokers that die and that freeze: appends fail at once when none is left, and go on by themselves; one of several is not missed.

use std::process::Command;
use std::sync::Arc;

use playhead_backends::log::kafka::KafkaLog;
use playhead_domain::log::{Consumer, Error, EventLog};
use tempfile::TempDir;

use crate::cluster::{Cluster, EVENTS, LONG, MANY, append, eventually, record};

/// One broker or three of this test's own, to kill.
struct Brokers {
    folder: TempDir,
    port: u16,
    number: u16,
}

impl Brokers {
    fn start(port: u16, number: u16) -> Self {
        let brokers = Self { folder: tempfile::tempdir().unwrap(), port, number };
        brokers.run(&["up", "--kafka-brokers", &number.to_string(), "kafka"]);
        brokers
    }

    fn addresses(&self) -> String {
        let addresses = (1..=self.number).map(|broker| format!("127.0.0.1:{}", self.port + broker));
        addresses.collect::<Vec<_>>().join(",")
    }

    fn run(&self, arguments: &[&str]) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/services.sh");
        let done = Command::new(script)
            .args(arguments)
            .env("PLAYHEAD_SERVICES_DIR", self.folder.path())
            .env("PLAYHEAD_SERVICES_PORT", self.port.to_string())
            .env_remove("PLAYHEAD_SERVICES_KAFKA_BROKERS")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "services.sh {arguments:?}: {said}");
    }
}

impl Drop for Brokers {
    fn drop(&mut self) {
        self.run(&["down", "--wipe", "kafka"]);
    }
}

/// Nothing here waits for the time-out of a record: it is minutes away.
fn open(broker: &Brokers) -> (Cluster, Arc<KafkaLog>) {
    let mut cluster = Cluster::at(broker.addresses());
    cluster.config.delivery_timeout_ms = 300_000;
    cluster.config.outage_after_ms = 1_000;
    cluster.config.stall_after_ms = 1_000;
    let log = Arc::new(cluster.open());
    (cluster, log)
}

async fn fails(log: &KafkaLog) -> bool {
    match tokio::time::timeout(LONG, log.append(EVENTS.name, record("a", "lost or not"))).await {
        Ok(Ok(_)) => false,
        Ok(Err(Error::Unavailable(_))) => true,
        Ok(Err(other)) => panic!("{other}"),
        Err(_) => panic!("an append hangs"),
    }
}

/// Starts the partitions it is given at what it has seen of them, until a record with that value comes.
async fn poll_until(consumer: &mut dyn Consumer, value: &str, next: &mut [u64; 4]) {
    let polling = async {
        loop {
            let polled = match consumer.poll(MANY, LONG).await {
                Ok(polled) => polled,
                Err(error) => {
                    assert!(error.is_retryable(), "{error}");
                    continue;
                }
            };
            for partition in polled.assigned {
                while consumer.seek(partition, next[partition as usize]).await.is_err() {}
            }
            for record in &polled.records {
                next[record.position.partition as usize] = record.position.offset + 1;
            }
            if polled.records.iter().any(|record| record.value == value.as_bytes()) {
                return;
            }
        }
    };
    assert!(tokio::time::timeout(LONG * 2, polling).await.is_ok(), "{value} does not come");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_fail_at_once_while_brokers_are_away_and_then_go_on() {
    let broker = Brokers::start(28_700, 1);
    let (_cluster, log) = open(&broker);
    log.ensure_topic(&EVENTS).await.unwrap();
    append(&*log, "a", "before").await;
    log.check_health().unwrap();
    let mut consumer = log.consume(EVENTS.name, "group").await.unwrap();
    let mut next = [0; 4];
    poll_until(&mut *consumer, "before", &mut next).await;

    for (harm, cure, value) in
        [("kill", "start", "after the kill"), ("pause", "continue", "after the freeze")]
    {
        broker.run(&[harm, "kafka-1"]);
        // What was on its way is answered, too.
        let waiting: Vec<_> = (0..50)
            .map(|number: u32| {
                let log = Arc::clone(&log);
                tokio::spawn(async move { log.append(EVENTS.name, record(&number.to_string(), "x")).await })
            })
            .collect();
        for waiting in waiting {
            let answer = tokio::time::timeout(LONG, waiting).await.expect("an append hangs").unwrap();
            assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
        }
        eventually("the outage is noticed", || async { log.check_health().is_err() }).await;
        for _ in 0..100 {
            assert!(fails(&log).await);
        }
        assert!(log.offsets(EVENTS.name, 0).await.is_err());
        eventually("what waited is given up", || async { log.status().buffered_bytes == 0 }).await;

        broker.run(&[cure, "kafka-1"]);
        eventually("appends go on", || async { !fails(&log).await }).await;
        log.check_health().unwrap();
        append(&*log, "a", value).await;
        poll_until(&mut *consumer, value, &mut next).await;
    }
}

/// Until the controller has noticed, the leaders that are left wait for the copies of the one that is lost, and appends with them: for
/// longer than it takes to call an outage, if they were asked on the same connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_broker_of_three_is_not_missed() {
    let brokers = Brokers::start(28_800, 3);
    let mut cluster = Cluster::at(brokers.addresses());
    cluster.config.delivery_timeout_ms = 120_000;
    cluster.config.stall_after_ms = 60_000;
    cluster.config.outage_after_ms = 3_000;
    let log = Arc::new(cluster.open());
    log.ensure_topic(&EVENTS).await.unwrap();
    append(&*log, "a", "before").await;
    for (harm, cure, lost) in [("kill", "start", "kafka-1"), ("pause", "continue", "kafka-2")] {
        brokers.run(&[harm, lost]);
        let appending: Vec<_> = (0..50)
            .map(|number: u32| {
                let log = Arc::clone(&log);
                tokio::spawn(async move { log.append(EVENTS.name, record(&number.to_string(), harm)).await })
            })
            .collect();
        for (number, appending) in appending.into_iter().enumerate() {
            // Others may come meanwhile.
            log.append(EVENTS.name, record(&format!("later {number}"), harm)).await.unwrap();
            let answer = tokio::time::timeout(LONG * 2, appending).await.expect("an append hangs").unwrap();
            answer.unwrap_or_else(|error| panic!("{harm}: {error}"));
        }
        log.check_health().unwrap();
        brokers.run(&[cure, lost]);
    }
}

/// What waits for brokers is bounded in bytes, and all of it is acknowledged when they come back in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_bounded_in_bytes() {
    let broker = Brokers::start(28_750, 1);
    let mut cluster = Cluster::at(broker.addresses());
    cluster.config.buffer_bytes = 4 << 20;
    cluster.config.outage_after_ms = 60_000;
    cluster.config.stall_after_ms = 60_000;
    cluster.config.delivery_timeout_ms = 300_000;
    let log = Arc::new(cluster.open());
    log.ensure_topic(&EVENTS).await.unwrap();
    append(&*log, "a", "before").await;
    broker.run(&["pause", "kafka-1"]);
    let (mut waiting, mut busy) = (Vec::new(), 0);
    for number in 0..200 {
        let log = Arc::clone(&log);
        let value = vec![0; 60 << 10];
        let appending =
            tokio::spawn(async move { log.append(EVENTS.name, record(&number.to_string(), value)).await });
        waiting.push(appending);
    }
    eventually("more are refused", || async {
        waiting.iter().filter(|task| task.is_finished()).count() > 100
    })
    .await;
    let status = log.status();
    assert!(status.buffered_bytes <= status.buffer_bytes && status.buffered_bytes > 3 << 20, "{status:?}");
    broker.run(&["continue", "kafka-1"]);
    let mut stored = 0;
    for task in waiting {
        match tokio::time::timeout(LONG, task).await.expect("an append hangs").unwrap() {
            Ok(_) => stored += 1,
            Err(Error::Busy(_)) => busy += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(stored > 50 && busy > 100, "{stored} stored, {busy} refused");
    assert_eq!(log.status().buffered_bytes, 0);
    append(&*log, "a", "after").await;
}
