//! Object storage that does not answer until it is let.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::watch;

/// Puts wait while it is closed.
#[derive(Debug)]
pub(crate) struct Door {
    inner: InMemory,
    is_open: watch::Sender<bool>,
    /// So many objects of compacted sessions will be refused.
    refusals: AtomicUsize,
}

impl Door {
    pub(crate) fn closed() -> Self {
        Self { inner: InMemory::new(), is_open: watch::Sender::new(false), refusals: AtomicUsize::new(0) }
    }

    pub(crate) fn refusing(objects: usize) -> Self {
        let door = Self::closed();
        door.open();
        door.refusals.store(objects, Ordering::SeqCst);
        door
    }

    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait::async_trait]
impl ObjectStore for Door {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let is_block = location.as_ref().starts_with("blocks/");
        let less = |left: usize| left.checked_sub(1);
        if is_block && self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return Err(object_store::Error::NotImplemented {
                operation: "put".into(),
                implementer: "door".into(),
            });
        }
        self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
