//! What Jira asks for to create an issue: its create metadata, and the values that people give for it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::client::Client;
use super::document;
use super::failure::Failure;
use crate::channel::text;
use crate::model::jira::{JiraChoice, JiraField, JiraFieldKind, JiraIssueType};

const PAGE: usize = 50;
/// Pages of metadata that are read.
const MAX_PAGES: usize = 10;
/// Options of a field that are offered, and of all fields of a type.
const MAX_OPTIONS: usize = 1_000;
const MAX_OPTIONS_OF_TYPE: usize = 10_000;
const MAX_ID: usize = 100;
const MAX_NAME: usize = 200;
const MAX_TEXT: usize = 10_000;
/// What is filled in here, or follows from what was chosen.
const OWN: [&str; 4] = ["project", "issuetype", "summary", "description"];

/// The fields of a project's type.
pub(crate) struct Metadata(Vec<Field>);

struct Field {
    described: JiraField,
    /// Required, without a default, and not filled in here.
    is_asked: bool,
}

/// The name by which a page of metadata has its items: both of Cloud, and Data Center's.
fn items<'a>(page: &'a Value, names: &[&str]) -> &'a [Value] {
    names.iter().find_map(|name| page[*name].as_array()).map_or(&[], Vec::as_slice)
}

/// What `each` makes of the items. A page is let go before the next one is asked for, so that no site fills memory with what is not used.
async fn pages<T>(
    client: &Client<'_>,
    path: &[&str],
    names: &[&str],
    mut each: impl FnMut(&Value) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    let (mut all, mut seen) = (Vec::new(), 0);
    for _ in 0..MAX_PAGES {
        let (start, size) = (seen.to_string(), PAGE.to_string());
        let page = client.get(path, &[("startAt", &start), ("maxResults", &size)]).await?;
        let found = items(&page, names);
        seen += found.len();
        all.extend(found.iter().take(PAGE * MAX_PAGES - all.len()).filter_map(&mut each));
        let total = page["total"].as_u64().and_then(|total| usize::try_from(total).ok());
        if found.is_empty() || total.is_some_and(|total| seen >= total) || page["isLast"] == true {
            break;
        }
    }
    Ok(all)
}

/// The types of issues that a project has; none of which is a part of another.
pub(crate) async fn types(client: &Client<'_>, project: &str) -> Result<Vec<JiraIssueType>, Failure> {
    let path = ["issue", "createmeta", project, "issuetypes"];
    let read = |kind: &Value| {
        let (id, name) = (id_of(&kind["id"])?, kind["name"].as_str()?);
        Some(JiraIssueType { id, name: text::line(name, MAX_NAME), subtask: kind["subtask"] == true })
    };
    pages(client, &path, &["issueTypes", "values"], read).await
}

fn id_of(value: &Value) -> Option<String> {
    value.as_str().filter(|id| id.len() <= MAX_ID).map(str::to_owned)
}

impl Field {
    fn read(field: &Value, options_left: &mut usize) -> Option<Self> {
        let described = describe(field, *options_left)?;
        *options_left -= described.options.len();
        let is_asked = field["required"] == true
            && field["hasDefaultValue"] != true
            && !OWN.contains(&described.id.as_str());
        Some(Self { described, is_asked })
    }
}

impl Metadata {
    pub(crate) async fn load(client: &Client<'_>, project: &str, issue_type: &str) -> Result<Self, Failure> {
        let path = ["issue", "createmeta", project, "issuetypes", issue_type];
        let mut options_left = MAX_OPTIONS_OF_TYPE;
        let read = |field: &Value| Field::read(field, &mut options_left);
        Ok(Self(pages(client, &path, &["fields", "results", "values"], read).await?))
    }

    fn field(&self, id: &str) -> Option<&JiraField> {
        self.0.iter().map(|field| &field.described).find(|field| field.id == id)
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.field(id).is_some()
    }

    /// What has to be asked for.
    pub(crate) fn asked(&self) -> Vec<JiraField> {
        self.0.iter().filter(|field| field.is_asked).map(|field| field.described.clone()).collect()
    }

    /// The values of fields as Jira takes them.
    ///
    /// # Errors
    /// [`Failure::Refused`] that says of each field what is wrong.
    pub(crate) fn values(
        &self,
        given: &BTreeMap<String, Value>,
        is_cloud: bool,
    ) -> Result<Map<String, Value>, Failure> {
        let (mut values, mut wrong) = (Map::new(), BTreeMap::new());
        for (id, value) in given.iter().filter(|(_, value)| !is_empty(value)) {
            match self.field(id).filter(|_| !OWN.contains(&id.as_str())) {
                None => drop(wrong.insert(id.clone(), "this type of issue has no such field".to_owned())),
                Some(field) => match convert(field, value, is_cloud) {
                    Ok(value) => drop(values.insert(id.clone(), value)),
                    Err(why) => drop(wrong.insert(id.clone(), format!("{}: {why}", field.name))),
                },
            }
        }
        for field in self.asked() {
            if !values.contains_key(&field.id) && !wrong.contains_key(&field.id) {
                let why = field.detail.as_deref().unwrap_or("Jira requires it");
                wrong.insert(field.id, format!("{}: {why}", field.name));
            }
        }
        if wrong.is_empty() {
            return Ok(values);
        }
        let said = wrong.values().cloned().collect::<Vec<_>>().join("; ");
        Err(Failure::Refused { said: text::line(&said, 500), fields: wrong })
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn describe(field: &Value, most_options: usize) -> Option<JiraField> {
    let schema = &field["schema"];
    let id = id_of(&field["fieldId"])?;
    let options: Vec<JiraChoice> = field["allowedValues"]
        .as_array()
        .into_iter()
        .flatten()
        .take(MAX_OPTIONS.min(most_options))
        .filter_map(choice)
        .collect();
    let kind = kind(schema, !options.is_empty());
    let name = field["name"].as_str().unwrap_or(&id);
    let detail = (kind == JiraFieldKind::Unsupported).then(|| {
        let of = schema["custom"].as_str().or(schema["type"].as_str()).unwrap_or("unknown");
        format!("fields of the type `{}` cannot be filled in from here: give it a default in Jira, make it optional, or choose another type of issue", text::line(of, 100))
    });
    Some(JiraField { name: text::line(name, MAX_NAME), id, kind, options, detail })
}

fn choice(value: &Value) -> Option<JiraChoice> {
    let id = id_of(&value["id"])?;
    let name = value["value"].as_str().or(value["name"].as_str()).unwrap_or(&id);
    Some(JiraChoice { name: text::line(name, MAX_NAME), id })
}

fn kind(schema: &Value, has_options: bool) -> JiraFieldKind {
    let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, of) = (name(&schema["type"]), name(&schema["items"]));
    let is_custom = |ending: &str| name(&schema["custom"]).ends_with(ending);
    match (kind.as_str(), of.as_str()) {
        ("string", _) if is_custom(":textarea") || schema["system"] == "environment" => {
            JiraFieldKind::LongText
        }
        ("string", _) => JiraFieldKind::Text,
        ("number", _) => JiraFieldKind::Number,
        ("date", _) => JiraFieldKind::Date,
        ("datetime", _) => JiraFieldKind::DateTime,
        ("user", _) => JiraFieldKind::User,
        ("array", "user") => JiraFieldKind::Users,
        ("array", "string") => JiraFieldKind::Labels,
        ("issuelink", _) => JiraFieldKind::Issue,
        ("option" | "priority" | "resolution" | "version" | "component" | "securitylevel", _)
            if has_options =>
        {
            JiraFieldKind::Option
        }
        ("array", "option" | "version" | "component") if has_options => JiraFieldKind::Options,
        _ => JiraFieldKind::Unsupported,
    }
}

/// What somebody gave, as Jira takes it.
fn convert(field: &JiraField, value: &Value, is_cloud: bool) -> Result<Value, String> {
    let account = |id: String| if is_cloud { json!({"accountId": id}) } else { json!({"name": id}) };
    Ok(match field.kind {
        JiraFieldKind::Text => text_of(value)?.into(),
        JiraFieldKind::LongText if is_cloud => document::paragraphs(&text_of(value)?),
        JiraFieldKind::LongText => text_of(value)?.into(),
        JiraFieldKind::Number => number(value)?,
        JiraFieldKind::Date => date(&text_of(value)?)?.into(),
        JiraFieldKind::DateTime => date_time(&text_of(value)?)?.into(),
        JiraFieldKind::User => account(text_of(value)?),
        JiraFieldKind::Users => list(value)?.into_iter().map(account).collect(),
        JiraFieldKind::Labels => labels(list(value)?)?.into(),
        JiraFieldKind::Issue => json!({"key": text_of(value)?}),
        JiraFieldKind::Option => option(field, text_of(value)?)?,
        JiraFieldKind::Options => {
            list(value)?.into_iter().map(|id| option(field, id)).collect::<Result<Value, _>>()?
        }
        JiraFieldKind::Unsupported => return Err(field.detail.clone().unwrap_or_default()),
    })
}

fn text_of(value: &Value) -> Result<String, String> {
    match value.as_str() {
        Some(text) if text.len() <= MAX_TEXT => Ok(text.trim().to_owned()),
        Some(_) => Err(format!("must be at most {MAX_TEXT} bytes")),
        None => Err("must be a text".to_owned()),
    }
}

fn number(value: &Value) -> Result<Value, String> {
    let given = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    given.filter(|given| given.is_finite()).map(Value::from).ok_or_else(|| "must be a number".to_owned())
}

fn list(value: &Value) -> Result<Vec<String>, String> {
    let items = value.as_array().ok_or_else(|| "must be a list".to_owned())?;
    items.iter().map(text_of).collect()
}

fn labels(labels: Vec<String>) -> Result<Vec<String>, String> {
    match labels.iter().find(|label| label.is_empty() || label.contains(char::is_whitespace)) {
        Some(_) => Err("labels have no spaces".to_owned()),
        None => Ok(labels),
    }
}

fn option(field: &JiraField, id: String) -> Result<Value, String> {
    match field.options.iter().find(|option| option.id == id) {
        Some(_) => Ok(json!({"id": id})),
        None => Err(format!("has no option `{}`", text::line(&id, 50))),
    }
}

/// `2026-01-31`.
fn date(given: &str) -> Result<String, String> {
    let digits = |range: std::ops::Range<usize>| {
        given.get(range).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<u32>().ok()
    };
    let is_date = given.len() == 10
        && given.as_bytes()[4] == b'-'
        && given.as_bytes()[7] == b'-'
        && digits(0..4).is_some()
        && digits(5..7).is_some_and(|month| (1..=12).contains(&month))
        && digits(8..10).is_some_and(|day| (1..=31).contains(&day));
    if is_date { Ok(given.to_owned()) } else { Err("must be a date: 2026-01-31".to_owned()) }
}

/// `2026-01-31T12:00` in UTC, as Jira writes it.
fn date_time(given: &str) -> Result<String, String> {
    let wrong = || "must be a date and a time (UTC): 2026-01-31T12:00".to_owned();
    let (day, time) = given.split_once('T').ok_or_else(wrong)?;
    let (hour, minute) = time.split_once(':').ok_or_else(wrong)?;
    let within =
        |text: &str, most: u32| text.len() == 2 && text.parse().is_ok_and(|value: u32| value <= most);
    if !within(hour, 23) || !within(minute, 59) {
        return Err(wrong());
    }
    Ok(format!("{}T{hour}:{minute}:00.000+0000", date(day)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(id: &str, schema: Value, options: &[&str]) -> Value {
        let allowed: Vec<Value> =
            options.iter().map(|id| json!({"id": id, "value": format!("o{id}")})).collect();
        json!({"fieldId": id, "key": id, "name": id.to_uppercase(), "required": true, "schema": schema, "allowedValues": allowed})
    }

    fn of(fields: &[Value]) -> Metadata {
        let mut options_left = MAX_OPTIONS_OF_TYPE;
        Metadata(fields.iter().filter_map(|field| Field::read(field, &mut options_left)).collect())
    }

    fn metadata() -> Metadata {
        of(&[
            field("summary", json!({"type": "string", "system": "summary"}), &[]),
            field("text", json!({"type": "string"}), &[]),
            field("long", json!({"type": "string", "custom": "x:textarea"}), &[]),
            field("count", json!({"type": "number"}), &[]),
            field("team", json!({"type": "option"}), &["1", "2"]),
            field("teams", json!({"type": "array", "items": "option"}), &["1", "2"]),
            field("who", json!({"type": "user"}), &[]),
            field("due", json!({"type": "date"}), &[]),
            field("at", json!({"type": "datetime"}), &[]),
            field("labels", json!({"type": "array", "items": "string"}), &[]),
        ])
    }

    fn given(value: Value) -> BTreeMap<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn each_kind_becomes_what_jira_takes() {
        let given = given(
            json!({"text": " a ", "long": "a\nb", "count": "2.5", "team": "2", "teams": ["1", "2"], "who": "acc",
            "due": "2026-02-28", "at": "2026-02-28T09:30", "labels": ["x"]}),
        );
        let values = metadata().values(&given, true).unwrap();
        assert_eq!(
            (&values["text"], &values["count"], &values["team"]),
            (&json!("a"), &json!(2.5), &json!({"id": "2"}))
        );
        assert_eq!(
            (&values["teams"], &values["who"]),
            (&json!([{"id": "1"}, {"id": "2"}]), &json!({"accountId": "acc"}))
        );
        assert_eq!(
            (&values["at"], &values["long"]["type"]),
            (&json!("2026-02-28T09:30:00.000+0000"), &json!("doc"))
        );
        let values = metadata().values(&given, false).unwrap();
        assert_eq!((&values["long"], &values["who"]), (&json!("a\nb"), &json!({"name": "acc"})));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let wrong = given(
            json!({"count": "many", "team": "9", "teams": "1", "due": "tomorrow", "at": "2026-02-28", "labels": ["a b"],
            "summary": "mine", "nothing": "x", "text": "  "}),
        );
        let Err(Failure::Refused { fields, .. }) = metadata().values(&wrong, true) else { panic!() };
        let named: Vec<_> = fields.keys().map(String::as_str).collect();
        assert_eq!(
            named,
            ["at", "count", "due", "labels", "long", "nothing", "summary", "team", "teams", "text", "who"]
        );
    }

    #[test]
    fn what_cannot_be_filled_in_is_said() {
        let metadata = of(&[field("cascade", json!({"type": "option-with-child"}), &["1"])]);
        let asked = metadata.asked();
        assert_eq!(asked[0].kind, JiraFieldKind::Unsupported);
        assert!(asked[0].detail.as_ref().unwrap().contains("option-with-child"));
        assert!(metadata.values(&BTreeMap::new(), true).is_err());
    }

    #[test]
    fn a_type_has_no_more_options_than_can_be_offered() {
        let all: Vec<String> = (0..2_000).map(|id| id.to_string()).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let fields: Vec<Value> =
            (0..20).map(|id| field(&format!("f{id}"), json!({"type": "option"}), &all)).collect();
        let sizes: Vec<usize> = of(&fields).asked().iter().map(|field| field.options.len()).collect();
        assert_eq!((sizes[0], sizes[9], sizes[10], sizes.iter().sum::<usize>()), (1_000, 1_000, 0, 10_000));
        let long = json!({"fieldId": "x".repeat(101), "required": true, "schema": {"type": "string"}});
        assert!(of(&[long]).asked().is_empty());
    }
}
