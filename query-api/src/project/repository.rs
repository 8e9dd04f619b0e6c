//! The rows of projects: the store is the truth, the topic `projects` carries it to every gateway and processor.

use futures::StreamExt;
use playhead_domain::id::ProjectId;
use playhead_domain::store::{ClusteringRange, Key, Order, Store, Swap, Value};
use playhead_domain::{project, row, table, topic};
use prost::Message;

use super::secret_key;
use crate::error::ApiError;
use crate::state::{Api, FIRST_TENANT};

/// Projects of an installation.
const MAX_PROJECTS: usize = 10_000;
const PAGE_ROWS: usize = 500;
const ATTEMPTS: usize = 8;
const CONCURRENT_PUBLISHES: usize = 32;

/// How long a new project keeps what it receives.
pub const DEFAULT_RETENTION_DAYS: u32 = 30;
/// From when on a request of a new project is slow.
pub const DEFAULT_SLOW_REQUEST_MS: u32 = 3_000;

fn realm() -> Vec<Value> {
    vec!["all".into()]
}

fn key(id: ProjectId) -> Key {
    Key { partition: realm(), clustering: vec![Value::Int(id.0.cast_signed())] }
}

fn decode(bytes: impl bytes::Buf) -> Result<row::Project, ApiError> {
    row::Project::decode(bytes).map_err(|e| ApiError::Corrupt(format!("project row: {e}")))
}

/// The project of that id. Every request asks: a plain read sees all that was answered with success, and does not take part in
/// a consensus round as a serial one does.
pub(crate) async fn find(api: &Api, id: ProjectId) -> Result<Option<row::Project>, ApiError> {
    api.store().get(&table::PROJECTS, &key(id)).await?.map(|row| decode(row.value)).transpose()
}

/// The project at its newest state, also after a change whose outcome is unknown.
async fn find_newest(api: &Api, id: ProjectId) -> Result<Option<row::Project>, ApiError> {
    api.store().get_serial(&table::PROJECTS, &key(id)).await?.map(decode).transpose()
}

/// Every project, oldest first.
pub(crate) async fn all(store: &dyn Store) -> Result<Vec<row::Project>, ApiError> {
    let mut projects: Vec<row::Project> = Vec::new();
    let mut range = ClusteringRange::ALL;
    while projects.len() < MAX_PROJECTS {
        let page = store.scan(&table::PROJECTS, &realm(), &range, Order::Ascending, PAGE_ROWS).await?;
        for row in &page.rows {
            projects.push(decode(row.value.clone())?);
        }
        match page.rows.last() {
            Some(last) if page.more => range.from = std::ops::Bound::Excluded(last.key.clustering.clone()),
            _ => break,
        }
    }
    projects.sort_by_key(|project| (project.created_ms, project.project));
    Ok(projects)
}

/// Creates a project with the default settings.
///
/// # Errors
/// [`ApiError::Forbidden`] at the limit of projects; the store's and the log's.
pub(crate) async fn create(
    api: &Api,
    name: &str,
    set: &(dyn Fn(&mut row::Project) + Sync),
) -> Result<row::Project, ApiError> {
    if all(api.store()).await?.len() >= MAX_PROJECTS {
        return Err(ApiError::Forbidden("this installation has as many projects as it can hold"));
    }
    for _ in 0..ATTEMPTS {
        let id = ProjectId(u64::from_be_bytes(crate::random::bytes()?));
        let mut project = with_defaults(id, name, api.now_ms());
        set(&mut project);
        let unpublished = Unpublished(api);
        if swap(api.store(), None, &project).await? {
            publish(api, &project).await?;
            unpublished.settle();
            return Ok(project);
        }
        unpublished.settle();
    }
    Err(ApiError::Conflict)
}

fn with_defaults(id: ProjectId, name: &str, now_ms: i64) -> row::Project {
    row::Project {
        tenant: FIRST_TENANT.0,
        project: id.0,
        name: name.to_owned(),
        created_ms: now_ms,
        retention_days: DEFAULT_RETENTION_DAYS,
        sample_rate: 1.0,
        on_error_sample_rate: 1.0,
        signal_sample_rate: 1.0,
        slow_request_ms: DEFAULT_SLOW_REQUEST_MS,
        ..row::Project::default()
    }
}

/// A change that may be in the store while processors do not hear of it: its publishing failed, or whoever asked went away. Dropped, it
/// has all projects published anew within seconds.
struct Unpublished<'a>(&'a Api);

impl Unpublished<'_> {
    const fn settle(self) {
        std::mem::forget(self);
    }
}

impl Drop for Unpublished<'_> {
    fn drop(&mut self) {
        self.0.0.unpublished.notify_one();
    }
}

/// Returns once a change may not have been published.
pub async fn unpublished(api: &Api) {
    api.0.unpublished.notified().await;
}

/// What the topic does not take must not get into the store: processors would never hear of it.
fn check_size(project: &row::Project) -> Result<(), ApiError> {
    let (bytes, most) = (project.encoded_len(), topic::PROJECTS.max_record_bytes);
    if bytes <= most {
        return Ok(());
    }
    Err(ApiError::Unusable(format!(
        "all settings of the project together take {bytes} bytes of at most {most}: shorten its grouping rules, origins, image \
         hosts, network bodies or critical pages"
    )))
}

/// Changes a project. `change` may run more than once, and takes the time of each run.
///
/// # Errors
/// Those of `change`; [`ApiError::Unusable`] when the project gets too large; [`ApiError::Conflict`]; the store's and the log's.
pub(crate) async fn update(
    api: &Api,
    id: ProjectId,
    change: impl Fn(&mut row::Project) -> Result<(), ApiError> + Send,
) -> Result<row::Project, ApiError> {
    for _ in 0..ATTEMPTS {
        let old = find_newest(api, id).await?.ok_or(ApiError::NotFound("project"))?;
        let mut new = old.clone();
        change(&mut new)?;
        if new == old {
            return Ok(new);
        }
        check_size(&new)?;
        let unpublished = Unpublished(api);
        if swap(api.store(), Some(&old), &new).await? {
            publish(api, &new).await?;
            unpublished.settle();
            return Ok(new);
        }
        unpublished.settle();
    }
    Err(ApiError::Conflict)
}

async fn swap(store: &dyn Store, old: Option<&row::Project>, new: &row::Project) -> Result<bool, ApiError> {
    let expected = old.map(Message::encode_to_vec);
    let value = new.encode_to_vec().into();
    let key = key(ProjectId(new.project));
    let swap = store.compare_and_set(&table::PROJECTS, &key, expected.as_deref(), Some(value), None).await?;
    Ok(swap == Swap::Applied)
}

/// Somebody else may have changed the project and published it in between: what stands last in the topic must be what the store
/// has, so whoever published looks once more.
async fn publish(api: &Api, project: &row::Project) -> Result<(), ApiError> {
    let mut published = project.clone();
    for _ in 0..ATTEMPTS {
        project::publish(&*api.0.log, &published).await?;
        match find_newest(api, ProjectId(project.project)).await? {
            Some(current) if current != published => published = current,
            _ => return Ok(()),
        }
    }
    Err(ApiError::Conflict)
}

/// Publishes every project anew: called at start and from time to time, so that a change whose publishing was interrupted still
/// gets through.
///
/// # Errors
/// The store's and the log's.
pub async fn publish_all(api: &Api) -> Result<usize, ApiError> {
    let projects = all(api.store()).await?;
    let count = projects.len();
    let published = projects.into_iter().map(|project| async move {
        secret_key::tell_gateways(api, &project).await?;
        publish(api, &project).await
    });
    let published = futures::stream::iter(published).buffer_unordered(CONCURRENT_PUBLISHES);
    let results: Vec<Result<(), ApiError>> = published.collect().await;
    results.into_iter().collect::<Result<(), ApiError>>()?;
    Ok(count)
}

/// The oldest project; in an empty installation creates one of that name, with settings of its own.
///
/// # Errors
/// The store's and the log's.
pub async fn create_first(
    api: &Api,
    name: &str,
    set: &(dyn Fn(&mut row::Project) + Sync),
) -> Result<row::Project, ApiError> {
    match all(api.store()).await?.into_iter().next() {
        Some(project) => Ok(project),
        None => create(api, name, set).await,
    }
}
