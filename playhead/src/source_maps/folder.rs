//! Bundles in a folder, and where their maps are.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use playhead_domain::source_map::reference;

/// Bundles of one folder.
const MAX_BUNDLES: usize = 20_000;
const EXTENSIONS: [&str; 3] = ["js", "mjs", "cjs"];

/// A script.
#[derive(Debug)]
pub(super) struct Bundle {
    pub(super) file: PathBuf,
    /// Within the folder, with slashes.
    pub(super) name: String,
    pub(super) code: String,
}

/// Where the map of a bundle is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Map {
    File(PathBuf),
    /// Inside the bundle.
    Inline,
    /// The bundle names one that is not in the folder.
    Missing(String),
    None,
}

/// The files of all bundles, in order of their names.
pub(super) fn bundles(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(inner) = folders.pop() {
        let entries =
            std::fs::read_dir(&inner).with_context(|| format!("{} cannot be read", inner.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("{} cannot be read", inner.display()))?;
            // Links are not followed: they may lead out of the folder, or round in a circle.
            let kind = entry.file_type()?;
            let path = entry.path();
            if kind.is_dir() && entry.file_name() != "node_modules" {
                folders.push(path);
            } else if kind.is_file()
                && path.extension().is_some_and(|e| EXTENSIONS.iter().any(|known| e == *known))
            {
                files.push(path);
            }
        }
        if files.len() > MAX_BUNDLES {
            bail!(
                "{} has more than {MAX_BUNDLES} scripts; name the folder that is deployed",
                folder.display()
            );
        }
    }
    if files.is_empty() {
        bail!("{} has no scripts (.js, .mjs, .cjs)", folder.display());
    }
    files.sort();
    Ok(files)
}

impl Bundle {
    pub(super) fn read(folder: &Path, file: PathBuf) -> anyhow::Result<Self> {
        let code =
            std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let within = file.strip_prefix(folder).unwrap_or(&file);
        let name =
            within.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        Ok(Self { file, name, code })
    }

    /// Finds the map: the one that the bundle names, else one beside it.
    pub(super) fn map(&self, folder: &Path) -> Map {
        let mut beside = self.file.clone().into_os_string();
        beside.push(".map");
        let beside = PathBuf::from(beside);
        let Some(named) = reference::read(&self.code).map else {
            return if beside.is_file() { Map::File(beside) } else { Map::None };
        };
        if named.starts_with("data:") {
            return Map::Inline;
        }
        let path = named.find(['?', '#']).map_or(named, |at| &named[..at]);
        // Of an address elsewhere the file's name is what may be here, too.
        let path = if path.contains("://") { path.rsplit('/').next().unwrap_or_default() } else { path };
        let from = if path.starts_with('/') { folder } else { self.file.parent().unwrap_or(folder) };
        let file = from.join(path.trim_start_matches('/'));
        if is_within(folder, &file) {
            Map::File(file)
        } else if beside.is_file() {
            Map::File(beside)
        } else {
            Map::Missing(named.to_owned())
        }
    }
}

/// Whether it is a file in the folder, whatever `..` and links say.
fn is_within(folder: &Path, file: &Path) -> bool {
    match (folder.canonicalize(), file.canonicalize()) {
        (Ok(folder), Ok(file)) => file.starts_with(folder) && file.is_file(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        folder
    }

    #[test]
    fn maps_are_found_in_the_folder_alone() {
        let outer = folder(&[
            ("secret.map", "{}"),
            ("dist/assets/a.js", "//# sourceMappingURL=a.js.map"),
            ("dist/assets/a.js.map", "{}"),
            ("dist/b.mjs", "//# sourceMappingURL=../secret.map"),
            ("dist/c.cjs", "f()"),
            ("dist/c.cjs.map", "{}"),
            ("dist/d.js", "f()"),
            ("dist/e.js", "//# sourceMappingURL=data:application/json;base64,e30="),
            ("dist/f.js", "//# sourceMappingURL=https://cdn.example/maps/c.cjs.map?x=1"),
            ("dist/g.js", "//# sourceMappingURL=/assets/a.js.map"),
            ("dist/node_modules/x.js", ""),
            ("dist/style.css", ""),
        ]);
        let dist = outer.path().join("dist");
        let found: Vec<_> = bundles(&dist)
            .unwrap()
            .into_iter()
            .map(|file| Bundle::read(&dist, file).unwrap())
            .map(|bundle| (bundle.name.clone(), bundle.map(&dist)))
            .collect();
        let file = |name: &str| Map::File(dist.join(name));
        let expected = [
            ("assets/a.js", file("assets/a.js.map")),
            ("b.mjs", Map::Missing("../secret.map".to_owned())),
            ("c.cjs", file("c.cjs.map")),
            ("d.js", Map::None),
            ("e.js", Map::Inline),
            ("f.js", file("c.cjs.map")),
            ("g.js", file("assets/a.js.map")),
        ];
        assert_eq!(found, expected.map(|(name, map)| (name.to_owned(), map)));
        assert!(bundles(&outer.path().join("dist/node_modules/none")).is_err());
    }
}
