//! Each rule seen to fail once and to pass once, and the repository seen to follow them all.

use super::{check, text, walls};

/// Rust text that breaks no rule, to which a table row adds what breaks one.
fn rust(rest: &str) -> String {
    format!("//! Says what it is for.\n{rest}\n")
}

#[test]
fn each_rule_of_text_fails_on_what_it_forbids() {
    let long = "\n".repeat(800);
    let table: &[(&str, String, &str)] = &[
        ("src/env/src/a.rs", "fn a() {}\n".to_owned(), "must open with"),
        ("src/env/src/a.rs", rust(&long), "802 lines"),
        ("src/env/src/a.rs", rust("fn a() {} "), "blanks"),
        ("src/env/src/a.rs", rust("fn a() {}\r"), "carriage return"),
        ("README.md", "words".to_owned(), "no newline"),
        ("README.md", "see /work/main\n".to_owned(), "a path of one machine"),
        (
            "fixtures/a.yaml",
            "path: \"/root/a\"\n".to_owned(),
            "a path of one machine",
        ),
        (
            "src/env/src/a.rs",
            rust("const A: &str = \"/tmp/bash_jobs\";"),
            "a path of one machine",
        ),
        ("src/env/src/utils.rs", rust(""), "name the module"),
        ("src/env/src/helpers/mod.rs", rust(""), "name the module"),
        ("src/env/src/a.rs", rust("pub(crate) mod common;"), "name the module"),
        ("src/env/src/a.rs", rust("mod manager {}"), "name the module"),
        ("src/env/src/a.rs", rust("fn a() { todo!() }"), "unfinished"),
        ("src/env/src/a.rs", rust("fn a() { unimplemented!() }"), "unfinished"),
        ("src/env/src/a.rs", rust("// FIXME: later"), "unfinished"),
        ("src/env/src/a.rs", rust("// TODO: later"), "unfinished"),
        ("src/env/src/a.rs", rust("#[allow(dead_code)]"), "use #[expect("),
        ("src/env/src/a.rs", rust("#![allow(dead_code)]"), "use #[expect("),
        ("src/env/src/a.rs", rust("#[ignore]"), "say why"),
        (
            "src/env/src/a.rs",
            rust("tokio::select! {\n    a = b => {}\n}"),
            "biased",
        ),
        (
            "src/env/src/a.rs",
            rust("futures::select! {\n    biased;\n}"),
            "use tokio::select!",
        ),
        ("src/env/src/a.rs", rust("use tokio::fs;"), "tokio::fs"),
    ];
    for (path, contents, expected) in table {
        let found = text::findings(path, contents);
        assert!(
            found.iter().any(|finding| finding.contains(expected)),
            "{path} {contents:?}: {found:?}"
        );
        assert_eq!(found.len(), 1, "one rule, one finding: {found:?}");
    }
}

#[test]
fn what_is_allowed_passes() {
    let table: &[(&str, String)] = &[
        (
            "src/env/src/a.rs",
            rust("#[expect(dead_code, reason = \"shown\")]\n#[ignore = \"needs a cluster\"]"),
        ),
        (
            "src/env/src/a.rs",
            rust("tokio::select! {\n    // Order is safety.\n    biased;\n    a = b => {}\n}"),
        ),
        (
            "src/env/src/a.rs",
            rust("// The work/ folder; https://example.com/work/x; ${DIR}/tmp/x.\nmod commonality;"),
        ),
        ("fixtures/session.golden", "NAME   READY   \n".to_owned()),
        ("xtask/src/tidy/tests.rs", rust("// todo! is spelled here.")),
    ];
    for (path, contents) in table {
        assert_eq!(text::findings(path, contents), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn long_files_are_noted_before_they_fail() {
    assert_eq!(text::note("src/a.rs", &"\n".repeat(400)), None);
    assert_eq!(
        text::note("src/a.rs", &"\n".repeat(401)),
        Some("note: src/a.rs: 401 lines".to_owned())
    );
    assert_eq!(
        text::note("src/a.rs", "//! Placeholder.\n"),
        Some("note: src/a.rs: a placeholder".to_owned())
    );
    assert_eq!(text::note("docs/a.md", &"\n".repeat(401)), None);
}

#[test]
fn only_text_is_read() {
    assert!(text::is_text(".ci/run") && text::is_text("src/env/src/lib.rs") && text::is_text("kind/tools/go.mod"));
    assert!(!text::is_text("src/tidepool/data/openapi.json.gz") && !text::is_text("Cargo.lock"));
}

#[test]
fn each_wall_fails_on_what_it_keeps_out() {
    for (package, tree) in [
        ("api", "api v0.1.0 (path)\ntokio v1.54.1\n"),
        ("rollout", "rollout v0.1.0 (path)\nenv v0.1.0 (path)\n"),
        ("traffic", "traffic v0.1.0 (path)\nhyper v1.12.0\n"),
        ("analysis", "analysis v0.1.0 (path)\nkube-client v5.0.0\n"),
        ("tidepool", "tidepool v0.1.0 (path)\napi v0.1.0 (path)\n"),
        ("suites", "suites v0.1.0 (path)\ncontroller v0.1.0 (path)\n"),
        ("controller", "controller v0.1.0 (path)\nenv feature \"sim\"\n"),
    ] {
        let Some(wall) = walls::WALLS.iter().find(|wall| wall.package == Some(package)) else {
            panic!("no wall around {package}")
        };
        assert_eq!(wall.findings(tree).len(), 1, "{package}");
        assert_eq!(
            wall.findings(&format!("{package} v0.1.0 (path)\nserde v1.0.0\n")),
            Vec::<String>::new()
        );
    }
}

#[test]
fn banned_packages_are_found_anywhere() {
    assert_eq!(walls::banned("e2e v0.1.0\naws-lc-rs v1.13.0\n").len(), 1);
    assert_eq!(walls::banned("e2e v0.1.0\nopenssl-sys v0.9.0\n").len(), 1);
    assert_eq!(walls::banned("e2e v0.1.0\nring v0.17.0\n"), Vec::<String>::new());
}

#[test]
fn the_repository_is_tidy() {
    let report = check().unwrap();
    assert!(report.files > 20, "only {} files were read", report.files);
    assert!(report.findings.is_empty(), "{}", report.findings.join("\n"));
}
