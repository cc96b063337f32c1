//! `demo` where nobody sits at a terminal: it says how to go on, or tells its story and writes the page.

use crate::bed::Machine;

#[test]
fn the_walkthrough_wants_somebody_who_approves() {
    let machine = Machine::new();
    let ended = machine.e2e(&["demo"]);
    assert!(ended.error().contains("run it with --yes"), "{}", ended.error());
}

#[test]
fn a_bad_release_is_told_and_written_without_anybody() {
    let machine = Machine::new();
    let file = machine.file("bad.html");
    let ended = machine.e2e(&["demo", "--bad-release", "--html", &file]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{ended:#?}");
    for words in ["found the new version bad", "Nothing is left behind", file.as_str()] {
        assert!(ended.printed.contains(words), "{words:?} is not in {}", ended.printed);
    }
    let page = std::fs::read_to_string(&file).expect("a page");
    assert!(page.contains("<h1>A bad release is taken back</h1>") && page.ends_with("</html>\n"));
}

#[test]
fn a_folder_that_is_not_there_is_named_before_anything_is_told() {
    let machine = Machine::new();
    let missing = machine.file("missing/page.html");
    let ended = machine.e2e(&["demo", "--html", &missing]);
    let error = ended.error();
    assert!(
        error.contains("there is no folder") && error.contains("missing; make it"),
        "{error}"
    );
}

#[test]
fn a_page_is_told_on_virtual_time_alone() {
    let machine = Machine::new();
    let ended = machine.e2e(&["demo", "--html", "page.html", "--speed", "2"]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.errors.contains("cannot be used with"), "{}", ended.errors);
}
