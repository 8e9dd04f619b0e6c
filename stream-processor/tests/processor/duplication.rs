//! However often and wherever batches are repeated, and however they fall into flushes, readers see the same.

use playhead_domain::row::IntakeCounts;
use proptest::prelude::*;
use serde_json::json;

use crate::world::{Batch, World, session};

fn batch(id: u8, seq: u64) -> Batch {
    let batch = Batch::new(id, id, seq)
        .signal(json!({"k": "click", "selector": format!("b{seq}")}))
        .dom_event(3, "x");
    if seq == 0 { batch.page("https://a.example/").key_frame("page") } else { batch }
}

/// What readers see of the sessions; the intake tells of duplicates, so it is compared without.
async fn seen(world: &World) -> (String, IntakeCounts) {
    let text = world.projection(&[session(1), session(2)]).await;
    let sessions = text.rsplit_once("IntakeCounts").unwrap().0.to_owned();
    let intake = world.intake().await;
    (
        sessions,
        IntakeCounts { batches: intake.batches - intake.duplicates, bytes: 0, duplicates: 0, ..intake },
    )
}

/// Sends in this order; `true` processes before going on. All at the same moment, so that only order and repetition differ.
async fn run(order: &[(u8, u64, bool)]) -> (String, IntakeCounts) {
    let world = World::new().await;
    for &(id, seq, process) in order {
        world.send_body(session(id), batch(id, seq).body(world.now_ms())).await;
        if process {
            world.process().await;
        }
    }
    world.process().await;
    seen(&world).await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn duplicates_change_nothing(
        order in Just((1..=2u8).flat_map(|id| (0..5u64).map(move |seq| (id, seq))).collect::<Vec<_>>()).prop_shuffle(),
        again in proptest::collection::vec((0..10usize, 0..10usize, any::<bool>()), 0..10),
    ) {
        let once: Vec<_> = order.iter().map(|&(id, seq)| (id, seq, false)).collect();
        let mut repeated = once.clone();
        for (what, after, process) in again {
            // Behind its first appearance.
            let (id, seq, _) = once[what];
            let first = repeated.iter().position(|&(i, s, _)| (i, s) == (id, seq)).unwrap();
            repeated.insert((first + 1 + after).min(repeated.len()), (id, seq, process));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (plain, with_repeats) = runtime.block_on(async { (run(&once).await, run(&repeated).await) });
        // The log takes the time of each append: the newest one of a repeat is not the session's.
        prop_assert_eq!(plain, with_repeats);
    }
}
