//! The least that has to be done.

use std::time::Duration;

use playhead_domain::log::StoredRecord;
use playhead_domain::seal::Effort;
use playhead_proto::batch;
use playhead_proto::frame::inflate;
use playhead_proto::signal::Signal;

use crate::processor_time;
use crate::world::World;

/// Reads every record, inflates its signals and parses them.
pub(crate) async fn parse(world: &World) -> Duration {
    let before = processor_time::used();
    let mut signals = 0;
    for record in world.records().await {
        signals += parse_one(&record);
    }
    assert!(signals > 0, "there is something to parse");
    processor_time::used() - before
}

fn parse_one(record: &StoredRecord) -> usize {
    let body = &record.value;
    let header_len = batch::header_len(body).unwrap();
    let header = batch::parse_header(&body[..header_len], body.len()).unwrap();
    let (signals, _) = batch::frames(body, header_len, &header);
    let raw = inflate(&signals, header.signals.enc, header.signals.raw).unwrap();
    let mut signals = 0;
    for line in raw.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        std::hint::black_box(Signal::parse(line).unwrap());
        signals += 1;
    }
    signals
}

/// Inflates the dom of every session and compresses it whole, as blocks are.
pub(crate) async fn recompress(world: &World) -> Duration {
    let mut records = world.records().await;
    records.sort_by(|a, b| a.key.cmp(&b.key).then(a.position.cmp(&b.position)));
    let before = processor_time::used();
    for session in records.chunk_by(|a, b| a.key == b.key) {
        let mut raw = Vec::new();
        for record in session {
            let body = &record.value;
            let header_len = batch::header_len(body).unwrap();
            let header = batch::parse_header(&body[..header_len], body.len()).unwrap();
            let (_, dom) = batch::frames(body, header_len, &header);
            raw.extend(inflate(&dom, header.dom.enc, header.dom.raw).unwrap());
        }
        let mut compressor = Effort::Thorough.compressor().unwrap();
        std::hint::black_box(compressor.compress(&raw).unwrap());
    }
    processor_time::used() - before
}
