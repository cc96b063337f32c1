//! Rules over one file's path and text, each a pure function that returns what is wrong. Used by tidy; nothing here reads a file.

/// More lines than this need a reason.
const LONG: usize = 400;
/// More lines than this fail.
const TOO_LONG: usize = 800;

const EXTENSIONS: &[&str] = &[
    "rs", "md", "toml", "yaml", "yml", "json", "sh", "go", "mod", "txt", "lua", "html", "golden",
];

/// Whether the file is one of ours to read.
pub(super) fn is_text(path: &str) -> bool {
    path == ".ci/run"
        || path
            .rsplit_once('.')
            .is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}

/// Everything that is wrong with the file.
pub(super) fn findings(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(whitespace(path, text));
    // Tidy's own files spell what they forbid.
    if path.starts_with("xtask/src/tidy/") {
        return found;
    }
    found.extend(machine_paths(path, text));
    if path.ends_with(".rs") {
        found.extend(opening(path, text));
        found.extend(length(path, text));
        found.extend(module_name(path, text));
        found.extend(unfinished(path, text));
        found.extend(lint_attributes(path, text));
        found.extend(selects(path, text));
    }
    found
}

/// What is worth a line without being wrong.
pub(super) fn note(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    if path.ends_with(".rs") && text.starts_with("//! Placeholder.") {
        return Some(format!("note: {path}: a placeholder"));
    }
    (path.ends_with(".rs") && (LONG + 1..=TOO_LONG).contains(&lines)).then(|| format!("note: {path}: {lines} lines"))
}

fn at(path: &str, line: usize, what: &str) -> String {
    format!("{path}:{}: {what}", line + 1)
}

/// Lines that match, with their numbers from zero.
fn lines_where<'a>(text: &'a str, matches: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = usize> + 'a {
    text.lines()
        .enumerate()
        .filter(move |(_, line)| matches(line))
        .map(|(number, _)| number)
}

/// No blanks at line ends, no carriage returns, a last newline. Recorded output is as it was recorded.
fn whitespace(path: &str, text: &str) -> Vec<String> {
    if path.ends_with(".golden") || path.ends_with(".snap") {
        return Vec::new();
    }
    let mut found: Vec<String> = text
        .split('\n')
        .enumerate()
        .filter(|(_, line)| line.ends_with([' ', '\t', '\r']))
        .map(|(number, _)| at(path, number, "blanks or a carriage return at the end of the line"))
        .collect();
    if !text.is_empty() && !text.ends_with('\n') {
        found.push(format!("{path}: no newline at the end of the file"));
    }
    found
}

/// Paths of somebody's machine help nobody else.
fn machine_paths(path: &str, text: &str) -> Vec<String> {
    const PATHS: &[&str] = &["/work/", "/root/", "/home/", "/tmp/bash_jobs"];
    lines_where(text, |line| {
        PATHS.iter().any(|machine| {
            line.match_indices(machine).any(|(start, _)| {
                !line[..start].ends_with(|before: char| before.is_alphanumeric() || "-_.}~*".contains(before))
            })
        })
    })
    .map(|number| {
        at(
            path,
            number,
            "a path of one machine; name it by a variable or relative to the repository",
        )
    })
    .collect()
}

/// Every file says first what it is for.
fn opening(path: &str, text: &str) -> Option<String> {
    (!text.starts_with("//! "))
        .then(|| format!("{path}:1: the file must open with a `//!` paragraph: what it is for, what uses it"))
}

fn length(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > TOO_LONG)
        .then(|| format!("{path}: {lines} lines; one file is one idea, at most {TOO_LONG} lines: split it"))
}

/// Names that say nothing collect everything.
fn module_name(path: &str, text: &str) -> Vec<String> {
    const NAMES: &[&str] = &["utils", "util", "helpers", "helper", "manager", "common", "misc"];
    let mut found = Vec::new();
    let mut parts = path.rsplit('/').take(2).map(|part| part.trim_end_matches(".rs"));
    if parts.any(|part| NAMES.contains(&part)) {
        found.push(format!("{path}: name the module by what it holds"));
    }
    let declares = |line: &str| {
        let mut words = line.split([' ', '{', ';', '(', ')']).filter(|word| !word.is_empty());
        words.any(|word| word == "mod") && words.next().is_some_and(|name| NAMES.contains(&name))
    };
    found.extend(lines_where(text, declares).map(|number| at(path, number, "name the module by what it holds")));
    found
}

/// What is not there yet is left out, not announced.
fn unfinished(path: &str, text: &str) -> Vec<String> {
    const MARKS: &[&str] = &["todo!", "unimplemented!", "FIXME", "TODO", "XXX:"];
    lines_where(text, |line| MARKS.iter().any(|mark| line.contains(mark)))
        .map(|number| at(path, number, "unfinished; finish it or leave it out"))
        .collect()
}

/// A lint is silenced with a reason and only while it fires; a test is skipped with a reason.
fn lint_attributes(path: &str, text: &str) -> Vec<String> {
    let mut found: Vec<String> = lines_where(text, |line| line.contains("#[allow(") || line.contains("#![allow("))
        .map(|number| at(path, number, "use #[expect(…, reason = \"…\")]"))
        .collect();
    found.extend(
        lines_where(text, |line| line.contains("#[ignore]"))
            .map(|number| at(path, number, "say why: #[ignore = \"…\"]")),
    );
    found
}

/// A select that does not name its order draws lots, and the trace differs from run to run.
fn selects(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        if line.contains("futures::select!") || line.contains("select_biased!") {
            found.push(at(path, number, "use tokio::select! with biased;"));
        } else if line.contains("select! {") {
            let next = lines
                .iter()
                .skip(number + 1)
                .find(|next| !next.trim_start().starts_with("//"));
            if !line.contains("biased;") && next.is_none_or(|next| next.trim() != "biased;") {
                found.push(at(path, number, "say biased; first, or the branch is drawn by lot"));
            }
        }
        if line.contains("tokio::fs") {
            found.push(at(
                path,
                number,
                "tokio::fs answers in an order of its own; read files before the work starts",
            ));
        }
    }
    found
}
