//! Batches for tests.

use serde_json::{Value, json};

use crate::app::shop_key;

pub(crate) const SESSION: &str = "00112233445566778899aabbccddeeff";
pub(crate) const STREAM: &str = "0011223344556677";

pub(crate) fn header() -> Value {
    json!({
        "v": 1, "key": shop_key(), "session": SESSION, "stream": STREAM, "seq": 0, "tab": 1,
        "sent": 1_767_225_600_123_u64, "from": 1_767_225_595_000.5, "to": 1_767_225_600_100_u64,
        "signals": {"len": 3, "raw": 3, "enc": "none"},
        "dom": {"len": 2, "raw": 2, "enc": "none", "key": true, "events": 1},
    })
}

/// The default batch with members of its header replaced; `null` removes one.
pub(crate) fn batch(changes: Value) -> Vec<u8> {
    let mut header = header();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => header.as_object_mut().unwrap().remove(name),
            value => header.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    format!("{header}\nabcde").into_bytes()
}

pub(crate) fn good() -> Vec<u8> {
    batch(json!({}))
}

/// A good batch of `bytes` bytes in all.
pub(crate) fn of_size(bytes: usize) -> Vec<u8> {
    // The length of the header depends on the digits in it.
    let mut dom = bytes;
    loop {
        let head = batch(json!({"signals": null, "dom": {"len": dom, "raw": dom, "enc": "none"}}));
        let header_len = head.len() - 5;
        if header_len + dom <= bytes {
            let mut body = head[..header_len - 1].to_vec();
            // White space in the header is harmless.
            body.resize(bytes - dom - 1, b' ');
            body.push(b'\n');
            body.resize(bytes, b'x');
            return body;
        }
        dom = bytes - header_len;
    }
}
