//! What the services rely on, whichever storage blobs are on. Each clears away what it wrote.

use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutPayload};

/// More than S3 lists at a time.
const MORE_THAN_A_PAGE: usize = 1_005;
const WRITERS: usize = 16;

/// Runs every clause on the storage that the expression opens.
#[macro_export]
macro_rules! blob_contract {
    ($open:expr) => {
        $crate::blob_contract!($open; an_object_is_read_back_whole_and_by_range, the_last_write_of_a_name_counts,
            what_is_deleted_is_not_found, what_was_never_written_is_not_found, names_are_listed_by_prefix,
            all_names_are_listed_however_many, a_large_object_is_read_from_its_middle);
    };
    ($open:expr; $($clause:ident),*) => {
        $(#[tokio::test]
        async fn $clause() {
            let place = $open.await;
            $crate::contract::$clause(place.blobs()).await;
            $crate::contract::clear(place.blobs()).await;
        })*
    };
}

async fn put(blobs: &dyn ObjectStore, name: &str, bytes: impl Into<PutPayload>) {
    blobs.put(&Path::from(name), bytes.into()).await.unwrap();
}

async fn names(blobs: &dyn ObjectStore, prefix: &str) -> Vec<(String, u64)> {
    let prefix = Path::from(prefix);
    let found = blobs.list(Some(&prefix)).map_ok(|object| (object.location.to_string(), object.size));
    let mut found: Vec<_> = found.try_collect().await.unwrap();
    found.sort();
    found
}

fn is_not_found<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::NotFound { .. }))
}

pub(crate) async fn clear(blobs: &dyn ObjectStore) {
    let locations = blobs.list(None).map_ok(|object| object.location).boxed();
    let _: Vec<Path> = blobs.delete_stream(locations).try_collect().await.unwrap();
    assert_eq!(blobs.list(None).try_collect::<Vec<_>>().await.unwrap(), []);
}

pub(crate) async fn an_object_is_read_back_whole_and_by_range(blobs: &dyn ObjectStore) {
    let name = Path::from("flush/2026-11-22/a");
    put(blobs, "flush/2026-11-22/a", b"0123456789".as_slice().to_vec()).await;
    assert_eq!(&blobs.get(&name).await.unwrap().bytes().await.unwrap()[..], b"0123456789");
    assert_eq!(&blobs.get_range(&name, 3..6).await.unwrap()[..], b"345");
    assert_eq!(&blobs.get_range(&name, 0..10).await.unwrap()[..], b"0123456789");
    assert_eq!(&blobs.get_range(&name, 9..10).await.unwrap()[..], b"9");
    assert_eq!(blobs.head(&name).await.unwrap().size, 10);
}

pub(crate) async fn the_last_write_of_a_name_counts(blobs: &dyn ObjectStore) {
    let name = Path::from("flush/2026-11-22/again");
    put(blobs, name.as_ref(), vec![1; 1_000]).await;
    put(blobs, name.as_ref(), vec![2; 10]).await;
    assert_eq!(&blobs.get(&name).await.unwrap().bytes().await.unwrap()[..], [2; 10]);
}

pub(crate) async fn what_is_deleted_is_not_found(blobs: &dyn ObjectStore) {
    let (gone, kept) = (Path::from("flush/2026-11-22/gone"), Path::from("flush/2026-11-22/kept"));
    put(blobs, gone.as_ref(), vec![1; 10]).await;
    put(blobs, kept.as_ref(), vec![2; 10]).await;
    blobs.delete(&gone).await.unwrap();
    assert!(is_not_found(blobs.get(&gone).await));
    // Some storage says so, some does not mind: a delete that is repeated does no harm.
    let again = blobs.delete(&gone).await;
    assert!(again.is_ok() || is_not_found(again));
    assert_eq!(blobs.head(&kept).await.unwrap().size, 10);
}

pub(crate) async fn what_was_never_written_is_not_found(blobs: &dyn ObjectStore) {
    let name = Path::from("blocks/2026-11-22/never");
    assert!(is_not_found(blobs.get(&name).await));
    assert!(is_not_found(blobs.get_range(&name, 0..1).await));
    assert!(is_not_found(blobs.head(&name).await));
    assert_eq!(names(blobs, "blocks").await, []);
}

pub(crate) async fn names_are_listed_by_prefix(blobs: &dyn ObjectStore) {
    for (name, bytes) in [
        ("flush/2026-11-22/a", 1),
        ("flush/2026-11-22/b", 2),
        ("flush/2026-11-23/c", 3),
        ("flushed/d", 4),
        ("blocks/2026-11-22/e", 5),
    ] {
        put(blobs, name, vec![0; bytes]).await;
    }
    let expect = |found: &[(&str, u64)]| -> Vec<(String, u64)> {
        found.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect()
    };
    let day = expect(&[("flush/2026-11-22/a", 1), ("flush/2026-11-22/b", 2)]);
    assert_eq!(names(blobs, "flush/2026-11-22").await, day);
    let all = expect(&[("flush/2026-11-22/a", 1), ("flush/2026-11-22/b", 2), ("flush/2026-11-23/c", 3)]);
    // Not what only begins alike.
    assert_eq!(names(blobs, "flush").await, all);
    assert_eq!(names(blobs, "nothing").await, []);
}

pub(crate) async fn all_names_are_listed_however_many(blobs: &dyn ObjectStore) {
    let writes = stream::iter(0..MORE_THAN_A_PAGE)
        .map(|number| async move { put(blobs, &format!("flush/2026-11-22/{number:04}"), vec![7; 8]).await });
    writes.buffer_unordered(WRITERS).collect::<Vec<()>>().await;
    let found = names(blobs, "flush").await;
    let expected: Vec<_> =
        (0..MORE_THAN_A_PAGE).map(|number| (format!("flush/2026-11-22/{number:04}"), 8)).collect();
    assert_eq!(found, expected);
}

/// As large as what compaction writes.
pub(crate) async fn a_large_object_is_read_from_its_middle(blobs: &dyn ObjectStore) {
    const BYTES: usize = 16 << 20;
    let bytes: Vec<u8> = (0..BYTES).map(|at| (at / 7 % 251) as u8).collect();
    let name = Path::from("blocks/2026-11-22/large");
    put(blobs, name.as_ref(), bytes.clone()).await;
    assert_eq!(blobs.head(&name).await.unwrap().size, BYTES as u64);
    let range = 9_000_001..13_000_003;
    let read = blobs.get_range(&name, range.start as u64..range.end as u64).await.unwrap();
    assert!(read[..] == bytes[range]);
}
