//! Limits and malformed keys.

use super::{Fixture, fresh_partition, key, put, value_of};
use crate::store::{ClusteringRange, Error, Key, MAX_VALUE_BYTES, Mutation, Order, Value};
use crate::table::{PROJECTS, SESSIONS_BY_START};
use std::ops::Bound;

/// A value of the limit's length passes, one byte more does not, and nothing of such a write is kept.
pub async fn limits_are_kept(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let partition = fresh_partition();
    let (full, over, beside) =
        (key(&partition, 1, b"full"), key(&partition, 2, b"over"), key(&partition, 3, b"beside"));
    store.write(vec![put(&full, vec![7; MAX_VALUE_BYTES], 1)]).await.unwrap();
    assert_eq!(value_of(&*store, &full).await.unwrap(), vec![7; MAX_VALUE_BYTES]);
    let refused = store.write(vec![put(&beside, "x", 1), put(&over, vec![7; MAX_VALUE_BYTES + 1], 1)]).await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, Error::TooLarge { limit: MAX_VALUE_BYTES, .. }), "{refused}");
    assert!(!refused.is_retryable());
    assert_eq!((value_of(&*store, &over).await, value_of(&*store, &beside).await), (None, None));
    let row = Key { partition: vec!["realm".into()], clustering: vec![partition[0].clone()] };
    let new = Some(vec![7; MAX_VALUE_BYTES + 1].into());
    let refused = store.compare_and_set(&PROJECTS, &row, None, new, None).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
}

/// Too few, too many or other columns than the table has are refused by every call.
pub async fn keys_must_fit_their_table(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let good = key(&fresh_partition(), 1, b"s");
    let misfits = [
        Key { partition: good.partition[..3].to_vec(), ..good.clone() },
        Key { clustering: good.clustering[..1].to_vec(), ..good.clone() },
        Key { clustering: [good.clustering.clone(), vec![1.into()]].concat(), ..good.clone() },
        Key { clustering: vec![1.into(), "text".into()], ..good.clone() },
        Key { partition: [good.partition[..3].to_vec(), vec!["4".into()]].concat(), ..good.clone() },
    ];
    for misfit in &misfits {
        let bad = |result: Result<(), Error>| matches!(result, Err(Error::BadKey { .. }));
        assert!(bad(store.get(&SESSIONS_BY_START, misfit).await.map(drop)), "get {misfit:?}");
        assert!(bad(store.write(vec![put(misfit, "x", 1)]).await), "put {misfit:?}");
        let delete = Mutation::Delete { table: &SESSIONS_BY_START, key: misfit.clone(), version: 1 };
        assert!(bad(store.write(vec![delete]).await), "delete {misfit:?}");
        let swap = store.compare_and_set(&SESSIONS_BY_START, misfit, None, None, None).await;
        assert!(bad(swap.map(drop)), "swap {misfit:?}");
    }
    let too_long = ClusteringRange { from: Bound::Unbounded, to: Bound::Included(vec![Value::Int(1); 3]) };
    let scan = store.scan(&SESSIONS_BY_START, &good.partition, &too_long, Order::Ascending, 1).await;
    assert!(matches!(scan, Err(Error::BadKey { .. })));
    let scan = store.scan(&SESSIONS_BY_START, &[], &ClusteringRange::ALL, Order::Ascending, 1).await;
    assert!(matches!(scan, Err(Error::BadKey { .. })));
}

/// A row with an empty value is there.
pub async fn empty_values_are_values(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let row = key(&fresh_partition(), i64::MIN, b"");
    store.write(vec![put(&row, "", i64::MIN)]).await.unwrap();
    assert_eq!(value_of(&*store, &row).await.unwrap(), b"");
}
