//! What it costs to know a sender: verifying a public key, and a session token.

use std::hint::black_box;
use std::time::Instant;

use playhead_domain::id::{ProjectId, SessionId};
use playhead_gateway::Tokens;
use playhead_proto::key::{InstallationKey, PublicKeys};
use serde_json::{Value, json};

const ROUNDS: u32 = 200_000;
const NOW_S: u64 = 1_767_225_600;

/// Nanoseconds each.
pub(crate) fn measure() -> Value {
    let installation = InstallationKey::new([7; 32]);
    let keys = PublicKeys::new(&installation);
    let key = keys.issue(ProjectId(1));
    let tokens = Tokens::new(installation, 86_400, 900, NOW_S);
    let (token, _) = tokens.issue(ProjectId(1), SessionId([9; 16]), NOW_S).unwrap();
    json!({
        "public_key_ns": nanoseconds(|| assert!(keys.verify(black_box(&key)).is_ok())),
        "session_token_ns": nanoseconds(|| assert!(tokens.verify(black_box(&token), NOW_S).is_ok())),
    })
}

fn nanoseconds(check: impl Fn()) -> u128 {
    let start = Instant::now();
    (0..ROUNDS).for_each(|_| check());
    start.elapsed().as_nanos() / u128::from(ROUNDS)
}
