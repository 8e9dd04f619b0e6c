//! Projects over HTTP.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use playhead_domain::id::ProjectId;
use playhead_domain::row;

use super::{present, repository, secret_key, settings};
use crate::access::Caller;
use crate::body::read_json;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::project::{CreatedProject, NewProject, Project, ProjectList, ProjectPatch};
use crate::params::Segments;
use crate::state::Api;

/// The projects that the credential opens.
#[utoipa::path(get, path = "/api/v1/projects", tag = "projects", responses(
    (status = 200, body = ProjectList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_projects(
    caller: Caller,
    State(api): State<Api>,
) -> Result<Json<ProjectList>, ApiError> {
    let rows: Vec<row::Project> = match caller.only_project() {
        Some(project) => repository::find(&api, project).await?.into_iter().collect(),
        None => repository::all(api.store()).await?,
    };
    let open = rows.into_iter().filter(|row| caller.opens(row));
    Ok(Json(ProjectList { items: open.map(|row| present::project(&api, row)).collect() }))
}

/// Creates a project. Its secret key is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/projects", tag = "projects", request_body = NewProject, responses(
    (status = 201, body = CreatedProject),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_project(
    caller: Caller,
    State(api): State<Api>,
    body: Body,
) -> Result<(StatusCode, Json<CreatedProject>), ApiError> {
    caller.require_administrator()?;
    let NewProject { name, error_filters_off } = read_json(body).await?;
    let (name, filters) = (settings::checked_name(&name)?, settings::checked_filters(&error_filters_off)?);
    let set = |project: &mut row::Project| project.error_filters_off.clone_from(&filters);
    let project = repository::create(&api, &name, &set).await?;
    let id = ProjectId(project.project);
    let (scope, _) = caller.open(&api, &id.to_string()).await?;
    let secret = secret_key::create(&api, scope).await?;
    Ok((
        StatusCode::CREATED,
        Json(CreatedProject {
            project_id: id.to_string(),
            public_key: api.0.public_keys.issue(id),
            secret_key: secret.secret_key,
        }),
    ))
}

/// A project with its settings.
#[utoipa::path(get, path = "/api/v1/projects/{project}", tag = "projects",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 200, body = Project),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_project(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<Json<Project>, ApiError> {
    let (_, row) = caller.open(&api, &project).await?;
    Ok(Json(present::project(&api, row)))
}

/// Changes settings. Gateways and processors follow within seconds.
#[utoipa::path(patch, path = "/api/v1/projects/{project}", tag = "projects",
    params(("project" = String, Path, description = "Project id")), request_body = ProjectPatch, responses(
    (status = 200, body = Project),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Others changed it at the same time", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "All settings together are too large", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "What decides about issues changed too often; wait", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn change_project(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    body: Body,
) -> Result<Json<Project>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let patch: ProjectPatch = read_json(body).await?;
    // What counts from a minute later on counts from when it was written, however long others were in the way.
    let rules = settings::compiled_rules(&patch).await?;
    let change = |row: &mut row::Project| settings::apply(&patch, rules.as_deref(), row, api.now_ms());
    let row = repository::update(&api, scope.project(), change).await?;
    Ok(Json(present::project(&api, row)))
}
