use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use prometheus::Registry;

use super::{Metrics, Operation, Request};

/// An object store whose requests are measured: a `get` until its last byte was taken or given up, an upload in parts as the
/// beginning of one only.
#[derive(Debug)]
pub struct ObservedBlobs {
    inner: Arc<dyn ObjectStore>,
    put: Operation,
    put_multipart: Operation,
    get: Operation,
    delete: Operation,
    list: Operation,
    copy: Operation,
}

impl ObservedBlobs {
    /// Measures `inner`.
    ///
    /// # Errors
    /// When `registry` has a measured object store already.
    pub fn new(
        inner: Arc<dyn ObjectStore>,
        registry: &Registry,
    ) -> std::result::Result<Self, prometheus::Error> {
        let metrics = Metrics::register(registry, "blob", "object storage")?;
        Ok(Self {
            inner,
            put: metrics.operation("put"),
            put_multipart: metrics.operation("put_multipart"),
            get: metrics.operation("get"),
            delete: metrics.operation("delete"),
            list: metrics.operation("list"),
            copy: metrics.operation("copy"),
        })
    }
}

impl fmt::Display for ObservedBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// What is not there, or is there already, is an answer.
const fn is_failure(error: &Error) -> bool {
    !matches!(
        error,
        Error::NotFound { .. }
            | Error::AlreadyExists { .. }
            | Error::Precondition { .. }
            | Error::NotModified { .. }
    )
}

fn end<T>(mut request: Request, result: Result<T>) -> Result<T> {
    request.note(result.as_ref().is_err_and(is_failure));
    result
}

/// The stream ends the request.
fn observed<T: Send + 'static>(
    mut request: Request,
    stream: BoxStream<'static, Result<T>>,
) -> BoxStream<'static, Result<T>> {
    stream.inspect(move |item| request.note(item.as_ref().is_err_and(is_failure))).boxed()
}

#[async_trait]
impl ObjectStore for ObservedBlobs {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let request = self.put.begin();
        end(request, self.inner.put_opts(location, payload, options).await)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let request = self.put_multipart.begin();
        end(request, self.inner.put_multipart_opts(location, options).await)
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let request = self.get.begin();
        match self.inner.get_opts(location, options).await {
            Ok(mut result) => {
                result.payload = match result.payload {
                    GetResultPayload::Stream(stream) => GetResultPayload::Stream(observed(request, stream)),
                    file @ GetResultPayload::File(..) => file,
                };
                Ok(result)
            }
            Err(error) => end(request, Err(error)),
        }
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let request = self.get.begin();
        end(request, self.inner.get_ranges(location, ranges).await)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        observed(self.delete.begin(), self.inner.delete_stream(locations))
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        observed(self.list.begin(), self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        observed(self.list.begin(), self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let request = self.list.begin();
        end(request, self.inner.list_with_delimiter(prefix).await)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let request = self.copy.begin();
        end(request, self.inner.copy_opts(from, to, options).await)
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let request = self.copy.begin();
        end(request, self.inner.rename_opts(from, to, options).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;
    use prometheus::TextEncoder;

    #[tokio::test]
    async fn a_get_counts_once_its_bytes_were_read_and_what_is_missing_is_no_failure() {
        let registry = Registry::new();
        let blobs = ObservedBlobs::new(Arc::new(InMemory::new()), &registry).unwrap();
        let counted = |line: &str| {
            let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
            assert!(text.contains(line), "{line} in\n{text}");
        };
        let name = Path::from("a");
        blobs.put(&name, PutPayload::from_static(b"0123456789")).await.unwrap();
        let answer = blobs.get(&name).await.unwrap();
        counted(r#"playhead_blob_request_seconds_count{operation="get"} 0"#);
        assert_eq!(&answer.bytes().await.unwrap()[..], b"0123456789");
        assert_eq!(&blobs.get_range(&name, 3..6).await.unwrap()[..], b"345");
        blobs.delete(&name).await.unwrap();
        assert!(matches!(blobs.get(&name).await, Err(Error::NotFound { .. })));
        assert!(matches!(blobs.get_ranges(&name, &[]).await, Ok(_) | Err(Error::NotFound { .. })));
        counted(r#"playhead_blob_request_seconds_count{operation="put"} 1"#);
        counted(r#"playhead_blob_request_seconds_count{operation="delete"} 1"#);
        counted(r#"playhead_blob_request_seconds_count{operation="get"} 4"#);
        counted(r#"playhead_blob_errors_total{operation="get"} 0"#);
    }
}
