//! The object store, behind the network, with the run's clock.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use futures::stream::{BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::network::{NoAnswer, Process, Service};

/// What all processes share: the objects, and when each was put, milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Objects {
    pub(crate) inner: Arc<InMemory>,
    put_ms: Arc<Mutex<BTreeMap<Path, i64>>>,
}

pub(crate) struct RemoteBlobs {
    pub(crate) objects: Objects,
    pub(crate) process: Process,
    pub(crate) now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl fmt::Debug for RemoteBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for RemoteBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the simulated object store")
    }
}

fn unknown(_: NoAnswer) -> Error {
    Error::Generic { store: "simulated", source: "no answer".into() }
}

#[async_trait::async_trait]
impl ObjectStore for RemoteBlobs {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let (objects, location, now_ms) = (self.objects.clone(), location.clone(), Arc::clone(&self.now_ms));
        let serve = async move {
            let result = objects.inner.put_opts(&location, payload, options).await;
            objects.put_ms.lock().unwrap().insert(location, now_ms());
            result
        };
        self.process.call(Service::Blobs, "put", serve).await.map_err(unknown)?
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        unreachable!("objects are put whole")
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (objects, location) = (self.objects.clone(), location.clone());
        let serve = async move { objects.inner.get_opts(&location, options).await };
        self.process.call(Service::Blobs, "get", serve).await.map_err(unknown)?
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let (objects, process) = (self.objects.clone(), self.process.clone());
        let delete = move |location: Result<Path>| {
            let (objects, process) = (objects.clone(), process.clone());
            async move {
                let one = futures::stream::iter([location]).boxed();
                let serve = async move { objects.inner.delete_stream(one).next().await };
                match process.call(Service::Blobs, "delete", serve).await {
                    Ok(Some(result)) => result,
                    Ok(None) | Err(NoAnswer) => Err(unknown(NoAnswer)),
                }
            }
        };
        locations.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (objects, process, prefix) = (self.objects.clone(), self.process.clone(), prefix.cloned());
        let listed = async move {
            let serve = async move {
                let listed: Vec<_> = objects.inner.list(prefix.as_ref()).collect().await;
                let put_ms = objects.put_ms.lock().unwrap();
                let dated = listed.into_iter().map(|meta| {
                    let meta = meta?;
                    let ms = put_ms.get(&meta.location).copied().unwrap_or_default();
                    let since_epoch = std::time::Duration::from_millis(ms.unsigned_abs());
                    let last_modified = (std::time::UNIX_EPOCH + since_epoch).into();
                    Ok(ObjectMeta { last_modified, ..meta })
                });
                dated.collect::<Vec<_>>()
            };
            let listed = process.call(Service::Blobs, "list", serve).await;
            futures::stream::iter(listed.unwrap_or_else(|lost| vec![Err(unknown(lost))]))
        };
        futures::stream::once(listed).flatten().boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        unreachable!("objects are listed one by one")
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        unreachable!("objects are not copied")
    }
}
