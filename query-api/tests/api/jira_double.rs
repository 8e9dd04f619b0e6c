//! A Jira of tests: it keeps issues, checks every request against Jira's own description, and fails as it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::jira_description::Description;

#[derive(Debug, Clone)]
pub(crate) struct Issue {
    pub(crate) key: String,
    pub(crate) fields: Value,
    /// `new`, `indeterminate` or `done`.
    pub(crate) category: String,
    pub(crate) assignee: Value,
    pub(crate) links: BTreeMap<String, Value>,
    pub(crate) comments: Vec<Value>,
}

/// The next request of that method and end of path is answered so.
struct Fault {
    method: &'static str,
    path: String,
    /// It does what it was asked for all the same.
    is_done: bool,
    answer: Refusal,
}

#[derive(Default)]
struct World {
    issues: BTreeMap<String, Issue>,
    faults: VecDeque<Fault>,
    requests: Vec<String>,
    credentials: Vec<String>,
    wrong: Vec<String>,
    /// Left out: the workflow as it is by default.
    transitions: Option<Value>,
    /// Every request is answered so.
    refusal: Option<Refusal>,
    /// The next request with that end of path waits, before it is done or before it is answered.
    hold: Option<(&'static str, bool)>,
}

type Refusal = (u16, Vec<(&'static str, String)>, String);

#[derive(Clone)]
pub(crate) struct Jira {
    world: Arc<Mutex<World>>,
    description: Arc<Description>,
    /// One request waits; it may go on.
    held: Arc<(Notify, Notify)>,
    pub(crate) url: String,
}

pub(crate) fn user(account: &str, name: &str) -> Value {
    json!({"accountId": account, "displayName": name, "active": true, "accountType": "atlassian"})
}

fn users() -> Vec<Value> {
    vec![
        user("acc-ana", "Ana Lima"),
        user("acc-bo", "Bo Li"),
        user("acc-twin-1", "Sam Twin"),
        user("acc-twin-2", "Sam Twin"),
    ]
}

impl Jira {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let jira = Self {
            world: Arc::default(),
            description: Arc::new(Description::load()),
            held: Arc::default(),
            url,
        };
        let router = Router::new().fallback(answer).with_state(jira.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        jira
    }

    fn world<T>(&self, with: impl FnOnce(&mut World) -> T) -> T {
        with(&mut self.world.lock().unwrap())
    }

    /// The next such request fails; nothing was done.
    pub(crate) fn fail(
        &self,
        method: &'static str,
        path: &str,
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
    ) {
        self.fault(method, path, false, status, headers, body);
    }

    /// The next such request is done, and its answer is lost.
    pub(crate) fn do_and_fail(&self, method: &'static str, path: &str, status: u16) {
        self.fault(method, path, true, status, &[], "");
    }

    fn fault(
        &self,
        method: &'static str,
        path: &str,
        is_done: bool,
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
    ) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let answer = (status, headers, body.to_owned());
        self.world(|world| world.faults.push_back(Fault { method, path: path.to_owned(), is_done, answer }));
    }

    /// Every request fails until [`Self::answer_again`].
    pub(crate) fn fail_all(&self, status: u16, headers: &[(&'static str, &str)]) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.world(|world| world.refusal = Some((status, headers, String::new())));
    }

    pub(crate) fn answer_again(&self) {
        self.world(|world| world.refusal = None);
    }

    /// The next request with that end of path waits for [`Self::release`].
    pub(crate) fn hold(&self, path: &'static str) {
        self.world(|world| world.hold = Some((path, false)));
    }

    /// The next request with that end of path is done, and its answer waits for [`Self::release`].
    pub(crate) fn hold_answer(&self, path: &'static str) {
        self.world(|world| world.hold = Some((path, true)));
    }

    async fn wait_if_held(&self, path: &str, is_done: bool) {
        let is_meant = |hold: &mut (&str, bool)| path.ends_with(hold.0) && hold.1 == is_done;
        if self.world(|world| world.hold.take_if(is_meant)).is_some() {
            self.held.0.notify_one();
            self.held.1.notified().await;
        }
    }

    /// It came.
    pub(crate) async fn held(&self) {
        self.held.0.notified().await;
    }

    pub(crate) fn release(&self) {
        self.held.1.notify_one();
    }

    pub(crate) fn issues(&self) -> Vec<(String, Issue)> {
        self.world(|world| world.issues.clone().into_iter().collect())
    }

    /// The only issue.
    pub(crate) fn issue(&self) -> (String, Issue) {
        let mut issues = self.issues();
        assert_eq!(issues.len(), 1, "{issues:?}");
        issues.remove(0)
    }

    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Issue)) {
        self.world(|world| change(world.issues.get_mut(id).unwrap()));
    }

    pub(crate) fn delete(&self, id: &str) {
        self.world(|world| world.issues.remove(id).unwrap());
    }

    pub(crate) fn set_transitions(&self, transitions: Value) {
        self.world(|world| world.transitions = Some(transitions));
    }

    /// Requests since the last time: `POST /rest/api/3/issue`.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        self.world(|world| std::mem::take(&mut world.requests))
    }

    pub(crate) fn credentials(&self) -> Vec<String> {
        self.world(|world| world.credentials.clone())
    }

    /// Every request was as Jira describes it.
    pub(crate) fn assert_right(&self) {
        let wrong = self.world(|world| world.wrong.clone());
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

async fn answer(
    State(jira): State<Jira>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let sent: Option<Value> = (!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap());
    let operation = jira.description.find(method.as_str(), &path);
    let mut wrong = match &operation {
        Ok(operation) => operation.check_request(&query, sent.as_ref()),
        Err(error) => vec![error.clone()],
    };
    if let Some(sent) = &sent {
        check_texts(sent, path.starts_with("/rest/api/3/"), &mut wrong);
    }
    jira.wait_if_held(&path, false).await;
    let credential = headers.get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned();
    let (status, answer_headers, answer) = jira.world(|world| {
        world.requests.push(format!("{method} {path}"));
        world.credentials.push(credential);
        if let Some(refusal) = &world.refusal {
            return refusal.clone();
        }
        let fault =
            world.faults.front().is_some_and(|fault| method == fault.method && path.ends_with(&fault.path));
        let fault = if fault { world.faults.pop_front() } else { None };
        if let Some(fault) = &fault
            && !fault.is_done
        {
            return fault.answer.clone();
        }
        let (status, answer) = world.act(&method, &path, &query, sent.as_ref());
        if let Ok(operation) = &operation
            && status < 300
            && path.starts_with("/rest/api/3/")
        {
            wrong.extend(
                operation.check_answer(status, &answer).iter().map(|said| format!("the double: {said}")),
            );
        }
        match fault {
            Some(fault) => fault.answer,
            None if answer.is_null() => (status, Vec::new(), String::new()),
            None => (status, Vec::new(), answer.to_string()),
        }
    });
    jira.wait_if_held(&path, true).await;
    jira.world(|world| world.wrong.extend(wrong.into_iter().map(|said| format!("{method} {path}: {said}"))));
    let mut response = (StatusCode::from_u16(status).unwrap(), answer).into_response();
    for (name, value) in answer_headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// Cloud takes documents where Data Center takes texts.
fn check_texts(sent: &Value, is_cloud: bool, wrong: &mut Vec<String>) {
    for text in [&sent["fields"]["description"], &sent["body"]] {
        let is_right = match text {
            Value::Null => true,
            Value::String(_) => !is_cloud,
            text => is_cloud && text["type"] == "doc" && text["version"] == 1 && text["content"].is_array(),
        };
        if !is_right {
            wrong.push(format!("not a text of this API: {text}"));
        }
    }
}

fn status(category: &str) -> Value {
    let (name, id) = match category {
        "done" => ("Done", 3),
        "new" => ("To Do", 2),
        _ => ("In Progress", 4),
    };
    json!({"name": name, "id": "1", "statusCategory": {"id": id, "key": category, "name": name}})
}

fn shown(id: &str, issue: &Issue) -> Value {
    json!({"id": id, "key": issue.key, "fields": {"status": status(&issue.category), "assignee": issue.assignee}})
}

fn missing() -> (u16, Value) {
    (
        404,
        json!({"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}),
    )
}

pub(crate) fn field(id: &str, name: &str, required: bool, schema: Value, options: &[(&str, &str)]) -> Value {
    let allowed: Vec<Value> = options.iter().map(|(id, name)| json!({"id": id, "value": name})).collect();
    let mut field = json!({"fieldId": id, "key": id, "name": name, "required": required, "hasDefaultValue": false, "operations": ["set"], "schema": schema});
    if !allowed.is_empty() {
        field["allowedValues"] = allowed.into();
    }
    field
}

fn fields() -> Vec<Value> {
    let custom = |kind: &str, custom: &str| json!({"type": kind, "custom": format!("com.atlassian.jira.plugin.system.customfieldtypes:{custom}"), "customId": 1});
    vec![
        field("summary", "Summary", true, json!({"type": "string", "system": "summary"}), &[]),
        field("description", "Description", false, json!({"type": "string", "system": "description"}), &[]),
        field(
            "labels",
            "Labels",
            false,
            json!({"type": "array", "items": "string", "system": "labels"}),
            &[],
        ),
        field(
            "customfield_1",
            "Team",
            true,
            custom("option", "select"),
            &[("11", "Payments"), ("12", "Search")],
        ),
        field("customfield_2", "Found on", true, custom("date", "datepicker"), &[]),
        field("customfield_3", "Owner", true, custom("user", "userpicker"), &[]),
        field("customfield_4", "Cost", true, custom("number", "float"), &[]),
        field(
            "customfield_5",
            "Parts",
            true,
            json!({"type": "array", "items": "option", "customId": 1}),
            &[("51", "Cart"), ("52", "Pay")],
        ),
        field("customfield_6", "Note", true, custom("string", "textarea"), &[]),
    ]
}

impl World {
    fn act(
        &mut self,
        method: &Method,
        path: &str,
        query: &[(String, String)],
        sent: Option<&Value>,
    ) -> (u16, Value) {
        let is_cloud = path.starts_with("/rest/api/3/");
        let parts: Vec<&str> = path.trim_start_matches("/rest/api/").split('/').skip(1).collect();
        let of = |name: &str| {
            query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
        };
        match (method.as_str(), &parts[..]) {
            ("GET", ["myself"]) => (200, user("acc-bot", "Playhead bot")),
            ("GET", ["project", "search"]) => (
                200,
                json!({"values": [{"id": "10", "key": "SHOP", "name": "Shop"}], "isLast": true, "total": 1}),
            ),
            ("GET", ["project"]) => (
                200,
                json!([{"id": "10", "key": "SHOP", "name": "Shop"}, {"id": "11", "key": "OPS", "name": "Operations"}]),
            ),
            ("GET", ["issue", "createmeta", "SHOP", "issuetypes"]) => {
                let types = json!([{"id": "1", "name": "Bug", "subtask": false}, {"id": "2", "name": "Task", "subtask": false}]);
                let name = if is_cloud { "issueTypes" } else { "values" };
                (200, json!({name: types, "total": 2, "startAt": 0, "maxResults": 50}))
            }
            // A bug needs much, a task nothing; pages have five fields.
            ("GET", ["issue", "createmeta", "SHOP", "issuetypes", kind]) => {
                let all: Vec<Value> = fields()
                    .into_iter()
                    .filter(|field| {
                        *kind == "1"
                            || field["customId"].is_null()
                                && !field["fieldId"].as_str().unwrap().starts_with("custom")
                    })
                    .collect();
                let start: usize = of("startAt").parse().unwrap();
                let page: Vec<Value> = all.iter().skip(start).take(5).cloned().collect();
                let name = if is_cloud { "fields" } else { "values" };
                (200, json!({name: page, "total": all.len(), "startAt": start, "maxResults": 5}))
            }
            ("GET", ["issue", "createmeta", ..]) => {
                (400, json!({"errorMessages": ["No such project"], "errors": {}}))
            }
            ("POST", ["issue"]) => self.create(sent.unwrap()),
            ("GET", ["search", ..]) => self.search(of("jql")),
            ("GET", ["user", "assignable", "search"]) => {
                let asked = format!("{}{}", of("query"), of("username")).to_lowercase();
                let is_meant = |user: &Value| {
                    asked == "." || user["displayName"].as_str().unwrap().to_lowercase().contains(&asked)
                };
                let found: Vec<Value> = users()
                    .into_iter()
                    .filter(is_meant)
                    .map(|user| {
                        if is_cloud {
                            user
                        } else {
                            json!({"name": user["accountId"], "displayName": user["displayName"]})
                        }
                    })
                    .collect();
                (200, found.into())
            }
            (_, ["issue", id, rest @ ..]) => self.of_issue(method, id, rest, sent),
            _ => (404, json!({"errorMessages": ["no such path"], "errors": {}})),
        }
    }

    fn search(&self, jql: &str) -> (u16, Value) {
        assert!(!jql.contains("project"), "another try may be about another project: {jql}");
        let marker = jql.split("playhead-").nth(1).unwrap().split('"').next().unwrap();
        let has = |issue: &Issue| issue.fields.to_string().contains(marker);
        let found: Vec<Value> = self
            .issues
            .iter()
            .filter(|(_, issue)| has(issue))
            .map(|(id, issue)| json!({"id": id, "key": issue.key}))
            .collect();
        (200, json!({"issues": found}))
    }

    fn create(&mut self, sent: &Value) -> (u16, Value) {
        let number = 10_001 + self.issues.len();
        let (id, key) = (number.to_string(), format!("SHOP-{}", number - 10_000));
        let issue = Issue {
            key: key.clone(),
            fields: sent["fields"].clone(),
            category: "new".to_owned(),
            assignee: Value::Null,
            links: BTreeMap::new(),
            comments: Vec::new(),
        };
        self.issues.insert(id.clone(), issue);
        (201, json!({"id": id, "key": key, "self": "http://jira.test/rest"}))
    }

    fn workflow() -> Value {
        let to = |id: &str, name: &str, category: &str| json!({"id": id, "name": name, "to": status(category), "isAvailable": true, "fields": {}});
        json!([
            to("11", "Back to work", "new"),
            to("21", "Start", "indeterminate"),
            to("31", "Finish", "done")
        ])
    }

    fn of_issue(&mut self, method: &Method, id: &str, rest: &[&str], sent: Option<&Value>) -> (u16, Value) {
        let transitions = self.transitions.clone().unwrap_or_else(Self::workflow);
        let Some(issue) = self.issues.get_mut(id) else { return missing() };
        match (method.as_str(), rest) {
            ("GET", []) => (200, shown(id, issue)),
            ("POST", ["remotelink"]) => {
                let sent = sent.unwrap();
                issue.links.insert(sent["globalId"].as_str().unwrap().to_owned(), sent.clone());
                (201, json!({"id": 1, "self": "http://jira.test/rest"}))
            }
            ("GET", ["transitions"]) => (200, json!({"transitions": transitions})),
            ("POST", ["transitions"]) => {
                let wanted = &sent.unwrap()["transition"]["id"];
                let found = transitions
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|transition| transition["id"] == *wanted)
                    .unwrap();
                issue.category = found["to"]["statusCategory"]["key"].as_str().unwrap().to_owned();
                (204, Value::Null)
            }
            ("PUT", ["assignee"]) => {
                let sent = sent.unwrap();
                let account = sent["accountId"].as_str().or(sent["name"].as_str());
                issue.assignee = account.map_or(Value::Null, |account| {
                    users().into_iter().find(|user| user["accountId"] == account).unwrap()
                });
                (204, Value::Null)
            }
            ("GET", ["comment"]) => (200, json!({"comments": issue.comments, "total": issue.comments.len()})),
            ("POST", ["comment"]) => {
                issue.comments.push(json!({"id": "1", "body": sent.unwrap()["body"]}));
                (201, json!({"id": "1"}))
            }
            _ => missing(),
        }
    }
}
