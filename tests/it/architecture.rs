//! Keeps the import table of `DESIGN.md`: the `crate::` paths in `src` are compared with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Module → modules that it may import, from the table; `None` may import all.
fn table() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let design = fs::read_to_string(root().join("DESIGN.md")).expect("DESIGN.md");
    let rows = design
        .lines()
        .skip_while(|line| !line.starts_with("| module"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut table = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let words = |cell: &str| -> BTreeSet<String> {
            cell.split(|c: char| !c.is_alphanumeric() && c != '_')
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let allowed = if cells[2] == "all" { None } else { Some(words(cells[2])) };
        for module in words(cells[0]) {
            table.insert(module, allowed.clone());
        }
    }
    table
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Source without comments, so that prose may speak of anything.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("source file");
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Modules named after `crate::`, in single paths and in `crate::{…}` groups (first level).
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let name = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut at_name = true;
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => at_name = true,
                c if depth == 0 && at_name && c.is_alphabetic() => {
                    found.insert(name(&group[index..]));
                    at_name = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn groups_and_single_paths_are_found() {
    let code = "use crate::{\n base::{Seed, Tick},\n world,\n};\nlet x = crate::scene::SceneSpec;";
    let expected: BTreeSet<String> = ["base", "world", "scene"].map(str::to_owned).into();
    assert_eq!(imports(code), expected);
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let table = table();
    assert!(table.len() > 10, "the table in DESIGN.md was not found");
    let mut broken = Vec::new();
    for (module, allowed) in &table {
        let Some(allowed) = allowed else { continue };
        let mut files = sources(&root().join("src").join(module));
        files.extend(Some(root().join("src").join(format!("{module}.rs"))).filter(|path| path.is_file()));
        for file in files {
            for import in imports(&code(&file)) {
                if table.contains_key(&import) && &import != module && !allowed.contains(&import) {
                    broken.push(format!("{}: `{module}` must not import `{import}`", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn only_the_files_of_the_headset_name_openxr() {
    let mut broken = Vec::new();
    for file in sources(&root().join("src")) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let own = file.parent().is_some_and(|folder| folder.ends_with("platform")) && name.starts_with("xr");
        for word in ["openxr::", "bevy_mod_openxr", "bevy_mod_xr"] {
            if !own && code(&file).contains(word) {
                broken.push(format!("{} names `{word}`", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_module_is_in_the_table() {
    let table = table();
    for entry in fs::read_dir(root().join("src")).expect("src").flatten() {
        let name = entry.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let listed = table.contains_key(&name) || ["lib", "main"].contains(&name.as_str());
        assert!(listed, "src/{name} is missing in the table of DESIGN.md");
    }
}

#[test]
fn only_the_rooms_that_own_them_name_devices_and_the_environment() {
    let owners: [(&str, &[&str]); 4] = [
        ("ort::", &["inference"]),
        ("openxr", &["platform", "app"]),
        ("std::env::", &["app", "main.rs"]),
        ("SystemTime::now", &["app"]),
    ];
    let mut broken = Vec::new();
    for file in sources(&root().join("src")) {
        let relative = file.strip_prefix(root().join("src")).expect("inside src").to_path_buf();
        let room = relative.components().next().expect("a file").as_os_str().to_string_lossy().into_owned();
        let text = code(&file);
        // Tests inside a module may look at the environment.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (word, rooms) in owners {
            let named = text
                .match_indices(word)
                .any(|(at, _)| !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'));
            if named && !rooms.contains(&room.as_str()) {
                broken.push(format!("src/{} names `{word}`", relative.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
