//! Debug ids in bundles and maps.
//!
//! A bundle gets one line at its beginning, which tells the SDK its id when it runs, and a comment at its end; its map gets the id, and a line
//! more before its mappings. What is there already stays.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use playhead_domain::source_map::debug_id::DebugId;
use playhead_domain::source_map::reference;
use serde_json::Value;
use serde_json::value::RawValue;

use super::folder::{Bundle, Map, bundles};

/// The name under which the SDK looks for ids.
const REGISTRY: &str = "__playheadDebugIds";
/// The member of a map whose mappings are a line further down already.
const MOVED: &str = "x_playhead_injected";
const COMMENT: &str = "//# sourceMappingURL=";

/// Injects ids into all bundles of a folder that have maps.
pub(super) fn run(folder: &Path) -> anyhow::Result<()> {
    let (mut injected, mut known, mut failed) = (0, 0, 0);
    for file in bundles(folder)? {
        let bundle = Bundle::read(folder, file)?;
        match inject(folder, &bundle) {
            Ok(Outcome::Injected(id)) => {
                println!("{}: {id}", bundle.name);
                injected += 1;
            }
            Ok(Outcome::Known) => known += 1,
            Ok(Outcome::NoMap) => {}
            Err(error) => {
                eprintln!("{}: {error:#}", bundle.name);
                failed += 1;
            }
        }
    }
    println!("{injected} bundles have debug ids now, {known} had them before");
    match failed {
        0 => Ok(()),
        _ => bail!("{failed} bundles got none"),
    }
}

enum Outcome {
    Injected(DebugId),
    Known,
    NoMap,
}

fn inject(folder: &Path, bundle: &Bundle) -> anyhow::Result<Outcome> {
    if has_snippet(&bundle.code) {
        return Ok(Outcome::Known);
    }
    let named = reference::read(&bundle.code).map;
    let (map, file) = match bundle.map(folder) {
        Map::None => return Ok(Outcome::NoMap),
        Map::Missing(named) => bail!("it names {named}, which is not in the folder"),
        Map::Inline => (named.and_then(reference::inline).context("no inline map")??, None),
        Map::File(file) => {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            (text, Some(file))
        }
    };
    let Injected { code, map, id } = with_id(&bundle.code, &map)?;
    match (file, named) {
        (Some(file), _) => replace(&file, &map)?,
        (None, Some(named)) => {
            return replace(&bundle.file, &code.replace(named, &reference::to_inline(&map)))
                .map(|()| Outcome::Injected(id));
        }
        (None, None) => bail!("no inline map"),
    }
    replace(&bundle.file, &code)?;
    Ok(Outcome::Injected(id))
}

/// Not only the name: the SDK itself, which a bundle may hold, has that too.
fn has_snippet(code: &str) -> bool {
    code.contains(&format!("(g.{REGISTRY}=g.{REGISTRY}||{{}})[s]=\""))
}

/// Whole or not at all.
fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let mut beside = file.to_owned().into_os_string();
    beside.push(".injecting");
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, file))
        .with_context(|| format!("{} cannot be written", file.display()))
}

struct Injected {
    code: String,
    map: String,
    id: DebugId,
}

fn with_id(code: &str, map: &str) -> anyhow::Result<Injected> {
    let mut members: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(map).context("the source map is not JSON")?;
    let told = ["debugId", "debug_id"].iter().find_map(|name| {
        let id: Value = serde_json::from_str(members.get(*name)?.get()).ok()?;
        id.as_str()?.parse().ok()
    });
    let id = reference::read(code).debug_id.or(told).unwrap_or_else(|| DebugId::of_content(&[code, map]));
    // A run that ended in between has moved them, and so has the first of several bundles with one map.
    if members.insert(MOVED.to_owned(), RawValue::from_string("true".to_owned())?).is_none() {
        move_down(&mut members)?;
    }
    members.insert("debugId".to_owned(), RawValue::from_string(format!("\"{id}\""))?);
    Ok(Injected { code: code_with_id(code, id), map: serde_json::to_string(&members)?, id })
}

/// Puts a line before the first one of the bundle.
fn move_down(members: &mut BTreeMap<String, Box<RawValue>>) -> anyhow::Result<()> {
    if let Some(sections) = members.get_mut("sections") {
        let mut moved: Vec<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(sections.get())?;
        for section in &mut moved {
            let offset = section.get_mut("offset").context("a section of the source map has no offset")?;
            let mut at: BTreeMap<String, u32> = serde_json::from_str(offset.get())?;
            *at.get_mut("line").context("an offset of the source map has no line")? += 1;
            *offset = RawValue::from_string(serde_json::to_string(&at)?)?;
        }
        *sections = RawValue::from_string(serde_json::to_string(&moved)?)?;
        return Ok(());
    }
    let mappings = members.get_mut("mappings").context("the source map has no mappings")?;
    let rest = mappings.get().strip_prefix('"').context("the mappings of the source map are no text")?;
    *mappings = RawValue::from_string(format!("\";{rest}"))?;
    Ok(())
}

fn code_with_id(code: &str, id: DebugId) -> String {
    // A line that only a shell reads has to stay the first one.
    let body = if code.starts_with("#!") { code.find('\n').map_or(code.len(), |end| end + 1) } else { 0 };
    let (shell, body) = code.split_at(body);
    // Only as the first statement it is heard; what is repeated below it does no harm.
    let strict = if begins_strictly(body) { "\"use strict\";" } else { "" };
    let snippet = format!(
        "{strict}!function(){{try{{var g=typeof globalThis!=\"undefined\"?globalThis:self,s=new Error().stack;\
         s&&((g.{REGISTRY}=g.{REGISTRY}||{{}})[s]=\"{id}\")}}catch(e){{}}}}();\n"
    );
    let comment =
        if reference::read(code).debug_id.is_some() { String::new() } else { format!("//# debugId={id}\n") };
    let (body, map) = match body.rfind(COMMENT).filter(|at| *at == 0 || body[..*at].ends_with('\n')) {
        Some(at) => body.split_at(at),
        None => (body, ""),
    };
    let end = if body.is_empty() || body.ends_with('\n') { "" } else { "\n" };
    format!("{shell}{snippet}{body}{end}{comment}{map}")
}

fn begins_strictly(code: &str) -> bool {
    let mut rest = code.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest.get(..2) {
            Some("//") => rest.find('\n'),
            Some("/*") => rest.find("*/").map(|at| at + 2),
            _ => return rest.starts_with("\"use strict\"") || rest.starts_with("'use strict'"),
        };
        let Some(end) = end else { return false };
        rest = rest[end..].trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::source_map::{map::SourceMap, shape};

    const MAP: &str = r#"{"version":3,"sources":["a.js"],"sourcesContent":["f();\n g();"],"names":[],"mappings":"AAAA,IACC"}"#;

    fn place(map: &str, line: u32, column: u32) -> Option<(u32, u32)> {
        let checked = shape::check(map).unwrap();
        let map = SourceMap::read(&checked.json, "").unwrap();
        map.original(line, column).map(|original| (original.line, original.column))
    }

    #[test]
    fn places_stay_the_same_one_line_further_down() {
        let Injected { code, map, id } = with_id("f();g();\n//# sourceMappingURL=a.js.map\n", MAP).unwrap();
        assert_eq!(
            (place(MAP, 1, 5), place(&map, 2, 5), place(&map, 1, 5)),
            (Some((2, 2)), Some((2, 2)), None)
        );
        let lines: Vec<&str> = code.lines().collect();
        assert!(lines[0].contains(REGISTRY) && lines[0].contains(&id.to_string()), "{code}");
        let comment = format!("//# debugId={id}");
        assert_eq!(lines[1..], ["f();g();", comment.as_str(), "//# sourceMappingURL=a.js.map"]);
        assert_eq!(shape::check(&map).unwrap().debug_id, Some(id));
        assert_eq!(
            with_id("f();g();\n//# sourceMappingURL=a.js.map\n", MAP).unwrap().id,
            id,
            "the same build, the same id"
        );
        let index =
            format!(r#"{{"version":3,"sections":[{{"offset":{{"line":0,"column":0}},"map":{MAP}}}]}}"#);
        assert_eq!(place(&with_id("f();g();", &index).unwrap().map, 2, 5), Some((2, 2)));
    }

    #[test]
    fn what_has_to_be_first_stays_first() {
        let id = DebugId([1; 16]);
        let strict = code_with_id("#!/usr/bin/env node\n/*! (c) */ // x\n'use strict';f()", id);
        let lines: Vec<&str> = strict.lines().collect();
        assert_eq!((lines[0], lines[3]), ("#!/usr/bin/env node", "'use strict';f()"));
        assert!(lines[1].starts_with("\"use strict\";!function"), "{strict}");
        assert!(code_with_id("f('use strict')", id).starts_with("!function"));
    }

    #[test]
    fn an_id_of_the_bundler_is_kept() {
        let told = "85314830-023f-4cf1-a267-535f4e37bb17";
        let code = format!("f();\n//# debugId={told}\n//# sourceMappingURL=a.js.map");
        let injected = with_id(&code, MAP).unwrap();
        assert_eq!(
            (injected.id.to_string().as_str(), injected.code.matches("//# debugId").count()),
            (told, 1)
        );
        let map = MAP.replacen('{', &format!("{{\"debug_id\":\"{told}\","), 1);
        assert_eq!(with_id("f();", &map).unwrap().id.to_string(), told);
    }

    #[test]
    fn a_folder_is_injected_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("a.js"), "f();g();\n//# sourceMappingURL=a.js.map").unwrap();
        std::fs::write(file("a.js.map"), MAP).unwrap();
        let inline = format!("f();g();\n{COMMENT}{}", reference::to_inline(MAP));
        std::fs::write(file("b.js"), inline).unwrap();
        std::fs::write(file("c.js"), "f()").unwrap();
        run(folder.path()).unwrap();
        let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
        let once = ["a.js", "a.js.map", "b.js", "c.js"].map(read);
        run(folder.path()).unwrap();
        assert_eq!(["a.js", "a.js.map", "b.js", "c.js"].map(read), once);
        let within = reference::inline(reference::read(&once[2]).map.unwrap()).unwrap().unwrap();
        assert_eq!((place(&within, 2, 5), once[3].as_str()), (Some((2, 2)), "f()"));
        // A run that ended between map and bundle, and another bundle with the same map, which holds the SDK.
        let sdk = format!("s.{REGISTRY}||{{}};f();g();\n//# sourceMappingURL=a.js.map");
        for name in ["a.js", "e.js"] {
            std::fs::write(file(name), &sdk).unwrap();
        }
        run(folder.path()).unwrap();
        assert_eq!(read("a.js.map"), once[1]);
        assert!(has_snippet(&read("a.js")) && read("a.js") == read("e.js"));
        std::fs::write(file("d.js"), "//# sourceMappingURL=none.map").unwrap();
        assert!(run(folder.path()).is_err());
    }
}
