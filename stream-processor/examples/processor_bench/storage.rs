//! What is stored, against other ways of storing the same.

use futures::StreamExt;
use playhead_proto::batch;
use playhead_proto::frame::inflate;
use serde_json::{Value, json};

use crate::world::World;

pub(crate) struct Stored {
    pub(crate) batches: usize,
    /// Frames as they came.
    pub(crate) frame_bytes: usize,
    pub(crate) dom_raw_bytes: usize,
    dom_frame_bytes: usize,
    snappy_bytes: usize,
    flush_objects: usize,
    kept_objects: usize,
    kept_bytes: usize,
}

pub(crate) async fn measure(world: &World) -> Stored {
    let mut stored = Stored {
        batches: 0,
        frame_bytes: 0,
        dom_raw_bytes: 0,
        dom_frame_bytes: 0,
        snappy_bytes: 0,
        flush_objects: 0,
        kept_objects: 0,
        kept_bytes: 0,
    };
    let mut records = world.records().await;
    records.sort_by(|a, b| a.key.cmp(&b.key).then(a.position.cmp(&b.position)));
    for session in records.chunk_by(|a, b| a.key == b.key) {
        let mut lines = Vec::new();
        for record in session {
            let body = &record.value;
            let header_len = batch::header_len(body).unwrap();
            let header = batch::parse_header(&body[..header_len], body.len()).unwrap();
            let (_, dom) = batch::frames(body, header_len, &header);
            stored.batches += 1;
            stored.frame_bytes += body.len() - header_len;
            stored.dom_frame_bytes += dom.len();
            stored.dom_raw_bytes += header.dom.raw;
            lines.extend(inflate(&dom, header.dom.enc, header.dom.raw).unwrap());
        }
        stored.snappy_bytes += snap::raw::Encoder::new().compress_vec(&lines).unwrap().len();
    }
    let mut objects = world.blobs.list(None);
    while let Some(object) = objects.next().await {
        let object = object.unwrap();
        if object.location.as_ref().starts_with("flush/") {
            stored.flush_objects += 1;
        } else {
            stored.kept_objects += 1;
            stored.kept_bytes += usize::try_from(object.size).unwrap();
        }
    }
    stored
}

impl Stored {
    pub(crate) fn report(&self, sessions: usize) -> Value {
        let kept = self.kept_bytes as f64;
        let puts = (self.flush_objects + self.kept_objects) as f64;
        json!({
            "kept_bytes_per_session": self.kept_bytes / sessions,
            "against_snappy_json_lines": (kept / self.snappy_bytes as f64 * 1_000.0).round() / 1_000.0,
            "against_received_frames": crate::round(kept / self.dom_frame_bytes as f64),
            "objects": {"flushed": self.flush_objects, "compacted": self.kept_objects},
            "puts_per_gb_received": crate::round(puts / (self.frame_bytes as f64 / 1e9)),
            "puts_against_one_per_batch": puts / self.batches as f64,
        })
    }
}
