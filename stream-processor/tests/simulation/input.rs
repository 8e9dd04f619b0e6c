//! What browsers send in a run.

use bytes::Bytes;
use playhead_domain::id::{SessionId, StreamId};
use playhead_domain::log::Record;
use playhead_proto::record::RecordMeta;
use prost::Message;
use serde_json::json;

use crate::network::Chance;

pub(crate) const TENANT: u64 = 7;
pub(crate) const PROJECT: u64 = 42;

/// One batch, perhaps sent several times.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) session: SessionId,
    pub(crate) stream: StreamId,
    pub(crate) seq: u64,
    /// Its signals are not what its header says.
    pub(crate) is_broken: bool,
    user: Option<u64>,
    error: Option<u64>,
    is_end: bool,
}

/// The batches of a run in the order in which they are sent, repeats included.
pub(crate) fn batches(chance: &mut Chance) -> Vec<Batch> {
    let mut batches = Vec::new();
    for session in 0..2 + chance.below(3) {
        let streams = 1 + chance.below(2);
        let length = 1 + chance.below(5);
        for stream in 0..streams {
            for seq in 0..length {
                let id = u8::try_from(session * 16 + stream).unwrap();
                batches.push(Batch {
                    session: SessionId([u8::try_from(session).unwrap() + 1; 16]),
                    stream: StreamId([id; 8]),
                    seq,
                    is_broken: chance.one_in(8),
                    user: chance.one_in(4).then(|| chance.below(2)),
                    error: chance.one_in(3).then(|| chance.below(3)),
                    is_end: seq + 1 == length && chance.one_in(2),
                });
            }
        }
    }
    // About in order: each may be overtaken by the next few.
    for at in 0..batches.len() {
        let other = (at + usize::try_from(chance.below(4)).unwrap()).min(batches.len() - 1);
        batches.swap(at, other);
    }
    // A copy may be whole where the first one was not.
    let again: Vec<Batch> = batches.iter().filter(|_| chance.one_in(4)).cloned().collect();
    for mut batch in again {
        let first = batches.iter().position(|known| (known.stream, known.seq) == (batch.stream, batch.seq));
        batch.is_broken &= chance.one_in(2);
        let at = first.unwrap() + 1 + usize::try_from(chance.below(6)).unwrap();
        batches.insert(at.min(batches.len()), batch);
    }
    batches
}

impl Batch {
    pub(crate) fn record(&self, now_ms: i64) -> Record {
        let mut signals =
            format!("{}\n", json!({"k": "click", "t": now_ms, "selector": format!("b{}", self.seq)}));
        signals += &format!(
            "{}\n",
            json!({"k": "navigation", "t": now_ms, "url": format!("https://a.example/{}", self.seq)})
        );
        if let Some(error) = self.error {
            signals += &format!("{}\n", json!({"k": "error", "t": now_ms, "type": format!("Error{error}")}));
        }
        if let Some(user) = self.user {
            signals += &format!("{}\n", json!({"k": "identify", "t": now_ms, "id": format!("user-{user}")}));
        }
        let dom = format!("{}\n", json!({"type": 3, "data": self.seq, "timestamp": now_ms}));
        let encoding = if self.is_broken { "deflate" } else { "none" };
        let header = json!({
            "v": 1, "key": "phk_x", "session": self.session, "stream": self.stream, "seq": self.seq,
            "sent": now_ms, "from": now_ms, "to": now_ms, "end": self.is_end,
            "signals": {"len": signals.len(), "raw": signals.len(), "enc": encoding},
            "dom": {"len": dom.len(), "raw": dom.len(), "key": self.seq == 0, "events": 1},
            "rates": {"dom": 1, "dom_on_error": 1, "signals": 1},
        });
        let meta = RecordMeta {
            tenant_id: TENANT,
            project_id: PROJECT,
            received_us: now_ms * 1_000,
            client_ip: vec![192, 0, 2, 1].into(),
            ..RecordMeta::default()
        };
        Record {
            key: Bytes::copy_from_slice(&self.session.0),
            value: format!("{header}\n{signals}{dom}").into(),
            meta: meta.encode_to_vec().into(),
        }
    }
}
