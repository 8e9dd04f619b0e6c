//! Checks requests and answers against Jira's own description of its API: see `tests/fixtures/jira`.

use serde_json::{Map, Value};

pub(crate) struct Description {
    document: Value,
    paths: Map<String, Value>,
}

/// An operation and where it is described.
pub(crate) struct Operation<'a> {
    description: &'a Description,
    operation: &'a Value,
    pub(crate) template: String,
}

impl Description {
    pub(crate) fn load() -> Self {
        let document: Value =
            serde_json::from_str(include_str!("../fixtures/jira/jira-cloud-v3-subset.openapi.json")).unwrap();
        let own: Value = serde_json::from_str(include_str!("../fixtures/jira/search.openapi.json")).unwrap();
        let mut paths = document["paths"].as_object().unwrap().clone();
        paths.extend(own["paths"].as_object().unwrap().clone());
        Self { document, paths }
    }

    /// # Errors
    /// There is no such operation.
    pub(crate) fn find(&self, method: &str, path: &str) -> Result<Operation<'_>, String> {
        let candidates = [path.to_owned(), path.replacen("/rest/api/2/", "/rest/api/3/", 1)];
        for path in candidates {
            let found = self.paths.iter().find(|(template, operations)| {
                matches(template, &path) && operations.get(method.to_lowercase()).is_some()
            });
            if let Some((template, operations)) = found {
                let operation = &operations[method.to_lowercase()];
                return Ok(Operation { description: self, operation, template: template.clone() });
            }
        }
        Err(format!("{method} {path} is not described"))
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => self.document.pointer(name.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    /// What is wrong with a value; `asked`: it is part of a request, not of an answer.
    fn check(&self, schema: &Value, value: &Value, at: &str, asked: bool, wrong: &mut Vec<String>) {
        let schema = self.resolve(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check(part, value, at, asked, wrong);
        }
        let is_right = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            _ => true,
        };
        if !is_right {
            wrong.push(format!("{at} is {value}, not {}", schema["type"]));
            return;
        }
        if let (Some(text), Some(most)) = (value.as_str(), schema["maxLength"].as_u64())
            && text.chars().count() as u64 > most
        {
            wrong.push(format!("{at} is longer than {most}"));
        }
        if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
            wrong.push(format!("{at} is {value}, none of {}", schema["enum"]));
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&schema["items"], item, &format!("{at}[{index}]"), asked, wrong);
        }
        if let Some(members) = value.as_object() {
            self.check_members(schema, members, at, asked, wrong);
        }
    }

    /// Stricter than the description: what it does not name is refused where it names something.
    fn check_members(
        &self,
        schema: &Value,
        members: &Map<String, Value>,
        at: &str,
        asked: bool,
        wrong: &mut Vec<String>,
    ) {
        let known = schema["properties"].as_object();
        for (name, value) in members {
            let at = format!("{at}.{name}");
            match known.and_then(|known| known.get(name)) {
                Some(schema) if asked && schema["readOnly"] == true => {
                    wrong.push(format!("{at} is read only"))
                }
                Some(schema) => self.check(schema, value, &at, asked, wrong),
                None if schema["additionalProperties"].is_object() => {
                    self.check(&schema["additionalProperties"], value, &at, asked, wrong);
                }
                None if known.is_some() => wrong.push(format!("{at} is not described")),
                None => {}
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                wrong.push(format!("{at}.{name} is missing"));
            }
        }
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(&path)
            .all(|(part, given)| if part.starts_with('{') { !given.is_empty() } else { part == given })
}

impl Operation<'_> {
    pub(crate) fn check_request(&self, query: &[(String, String)], body: Option<&Value>) -> Vec<String> {
        let mut wrong = Vec::new();
        let declared: Vec<&Value> = self.operation["parameters"].as_array().into_iter().flatten().collect();
        for (name, value) in query {
            let parameter =
                declared.iter().find(|known| known["in"] == "query" && known["name"] == name.as_str());
            match parameter.map(|parameter| parameter["schema"]["type"].as_str().unwrap_or_default()) {
                None => wrong.push(format!("query {name} is not described")),
                Some("integer") if value.parse::<i64>().is_err() => {
                    wrong.push(format!("query {name} is {value}"))
                }
                Some("boolean") if value.parse::<bool>().is_err() => {
                    wrong.push(format!("query {name} is {value}"))
                }
                Some(_) => {}
            }
        }
        for parameter in declared.iter().filter(|known| known["in"] == "query" && known["required"] == true) {
            if !query.iter().any(|(name, _)| parameter["name"] == name.as_str()) {
                wrong.push(format!("query {} is missing", parameter["name"]));
            }
        }
        let schema = self.operation.pointer("/requestBody/content/application~1json/schema");
        match (schema, body) {
            (Some(schema), Some(body)) => {
                // The schema has no null, the description of the operation does: "`null`, the issue is set to unassigned".
                let unassigned = self.template.ends_with("/assignee")
                    && body
                        .as_object()
                        .is_some_and(|body| body.len() == 1 && body.values().all(Value::is_null));
                if !unassigned {
                    self.description.check(schema, body, "body", true, &mut wrong);
                }
            }
            (Some(_), None) => wrong.push("the body is missing".to_owned()),
            (None, Some(_)) => wrong.push("a body is not described".to_owned()),
            (None, None) => {}
        }
        wrong
    }

    pub(crate) fn check_answer(&self, status: u16, body: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let Some(response) = self.operation["responses"].get(status.to_string()) else { return wrong };
        if let Some(schema) = response.pointer("/content/application~1json/schema") {
            self.description.check(schema, body, "answer", false, &mut wrong);
        }
        wrong
    }
}

#[test]
fn requests_that_are_wrong_are_told() {
    let description = Description::load();
    let check = |method: &str, path: &str, query: &[(&str, &str)], body: Option<Value>| {
        let query: Vec<_> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        description.find(method, path).map(|operation| operation.check_request(&query, body.as_ref()))
    };
    let link = "/rest/api/3/issue/1/remotelink";
    let right = serde_json::json!({"globalId": "g", "object": {"url": "u", "title": "t"}});
    assert_eq!(check("POST", link, &[], Some(right)).unwrap(), Vec::<String>::new());
    assert!(!check("POST", link, &[], Some(serde_json::json!({"object": {"url": "u"}}))).unwrap().is_empty());
    assert!(!check("POST", link, &[], None).unwrap().is_empty());
    assert!(!check("GET", "/rest/api/3/issue/1", &[("field", "x")], None).unwrap().is_empty());
    let read_only = serde_json::json!({"transition": {"id": "1", "name": "Done"}});
    assert!(!check("POST", "/rest/api/3/issue/1/transitions", &[], Some(read_only)).unwrap().is_empty());
    let number = serde_json::json!({"transition": {"id": 1}});
    assert!(!check("POST", "/rest/api/3/issue/1/transitions", &[], Some(number)).unwrap().is_empty());
    assert!(check("DELETE", "/rest/api/3/myself", &[], None).is_err());
}
