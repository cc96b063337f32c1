//! A small record as a page; that no text of a record can become markup; that colours can be told from their ground; and the sums of the picture.

use std::time::Duration;

use proptest::prelude::*;

use super::layout::{Height, Layout};
use super::marks::{self, Mark};
use super::markup::{count, escape};
use super::{Origin, STYLE, page, series};
use crate::demo::record::{By, Decision, Look, Measurement, Outcome, Record, Requests, Verdict, percent, threshold};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Ten minutes of a release that is taken back after six, in whose every text stands `text`.
fn small(text: &str) -> Record {
    let look = |seconds, weight, new, rate| Look {
        at: at(seconds),
        weight,
        old: 5,
        new,
        rate: Some(rate),
    };
    let decision = |seconds, by, what: &str| Decision {
        at: at(seconds),
        by,
        what: format!("{what} {text}"),
        why: format!("because {text}"),
    };
    let measurement = |seconds, value, verdict| Measurement {
        at: at(seconds),
        value,
        verdict,
    };
    Record {
        old: format!("old {text}"),
        new: format!("new {text}"),
        looks: vec![
            look(0, 0.0, 0, 1.0),
            look(20, 0.2, 1, 1.0),
            look(120, 0.2, 1, 0.92),
            look(320, 0.2, 1, 0.78),
            look(360, 0.0, 0, 0.8),
            look(600, 0.0, 0, 1.0),
        ],
        condition: format!("result[0] >= 0.95 {text}"),
        threshold: Some(0.95),
        measurements: vec![
            measurement(20, Some(1.0), Verdict::Good),
            measurement(320, Some(0.78), Verdict::Bad),
            measurement(340, None, Verdict::Unknown),
        ],
        decisions: vec![
            decision(0, By::Person, "Released"),
            decision(20, By::Plan, "20 % of the requests"),
            decision(320, By::Analysis, "Measured"),
            decision(355, By::Analysis, "Taken back"),
        ],
        requests: Requests {
            sent: 12_345,
            failed: 67,
        },
        outcome: Some(Outcome::RolledBack),
    }
}

fn drawn(text: &str) -> String {
    let origin = Origin {
        command: &format!("command {text}"),
        manifests: &[(&format!("manifest {text}"), &format!("kind: {text}."))],
    };
    page(&small(text), origin)
}

#[test]
fn a_small_release_as_a_page() {
    let page = drawn("of a test").replace(STYLE.trim(), "(style.css)");
    insta::assert_snapshot!(page);
}

/// What a browser makes of escaped text.
fn unescape(text: &str) -> String {
    let marks = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    marks
        .iter()
        .fold(text.to_owned(), |text, (mark, letter)| text.replace(mark, letter))
}

proptest! {
    #[test]
    fn escaped_text_is_no_markup_and_says_the_same(text in "\\PC*") {
        let escaped = escape(&text);
        prop_assert!(!escaped.contains(['<', '>', '"', '\'']), "{escaped}");
        prop_assert_eq!(unescape(&escaped), text);
    }

    #[test]
    fn whatever_a_record_says_changes_no_markup(text in "[<>&\"'/=;a-z!-]{1,24}") {
        let expected = drawn("PLACE").replace("PLACE", &escape(&text));
        prop_assert_eq!(drawn(&text), expected);
    }
}

#[test]
fn control_characters_are_shown_as_such() {
    assert_eq!(escape("a\u{0}b\u{1b}[31m\nc"), "a\u{fffd}b\u{fffd}[31m\nc");
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let page = drawn("of a test");
    for forbidden in [
        "<script", "<link", "<img", "src=", "href=", "url(", "@import", "http://", "https://",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

/// The colours of one scheme: the first or the second or third `:root` of the style sheet.
fn colours(scheme: usize) -> Vec<(String, [f64; 3])> {
    let block = STYLE.split(":root {").nth(scheme + 1).expect("a scheme");
    let (block, _) = block.split_once('}').expect("an end");
    let colour = |line: &str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
        let digits: Vec<f64> = value
            .chars()
            .filter_map(|digit| digit.to_digit(16))
            .map(f64::from)
            .collect();
        let parts: Vec<f64> = match digits.len() {
            3 => digits.iter().map(|digit| digit * 17.0).collect(),
            _ => digits.chunks(2).map(|pair| pair[0] * 16.0 + pair[1]).collect(),
        };
        Some((name.to_owned(), [parts[0], parts[1], parts[2]]))
    };
    block.split(';').filter_map(colour).collect()
}

/// The contrast of two colours, as the Web Content Accessibility Guidelines count it.
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let light = |colour: [f64; 3]| {
        let [red, green, blue] = colour.map(|part| {
            let part = part / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
    };
    let (one, other) = (light(one), light(other));
    one.max(other) / one.min(other)
}

#[test]
fn words_and_lines_can_be_told_from_their_ground_in_light_in_dark_and_on_paper() {
    for scheme in 0..3 {
        let colours = colours(scheme);
        let colour = |name: &str| {
            let found = colours.iter().find(|(known, _)| known == name);
            found.unwrap_or_else(|| panic!("scheme {scheme} has no {name}")).1
        };
        for ground in ["paper", "card"] {
            for name in ["ink", "quiet", "new", "old", "rate", "low"] {
                let contrast = contrast(colour(name), colour(ground));
                assert!(contrast >= 4.5, "scheme {scheme}: {name} on {ground}: {contrast:.2}");
            }
        }
    }
}

#[test]
fn marks_that_would_touch_share_one() {
    let labels = |places: &[f64]| -> Vec<String> { marks::place(places, 0.0, 500.0).iter().map(Mark::label).collect() };
    assert_eq!(labels(&[]), Vec::<String>::new());
    assert_eq!(labels(&[100.0, 200.0]), ["1", "2"]);
    assert_eq!(labels(&[100.0, 105.0, 200.0]), ["1–2", "3"]);
    // The first two have room, until the second needs more of it for the third.
    assert_eq!(labels(&[100.0, 124.5]), ["1", "2"]);
    assert_eq!(labels(&[100.0, 124.5, 127.0]), ["1–3"]);
}

proptest! {
    #[test]
    fn marks_have_room_and_stay_inside(mut places in prop::collection::vec(0.0_f64..500.0, 0..40)) {
        places.sort_by(f64::total_cmp);
        let marks = marks::place(&places, 0.0, 500.0);
        let mut next = 1;
        for mark in &marks {
            prop_assert_eq!(mark.first, next, "every decision is in one mark: {:?}", marks);
            next = mark.last + 1;
            let half = mark.width() / 2.0;
            prop_assert!(mark.x - half >= -1e-9 && mark.x + half <= 500.0 + 1e-9, "{:?}", mark);
        }
        prop_assert_eq!(next, places.len() + 1);
        for pair in marks.windows(2) {
            prop_assert!(pair[0].x + pair[0].width() / 2.0 < pair[1].x - pair[1].width() / 2.0, "{:?}", pair);
        }
    }
}

#[test]
fn a_line_keeps_its_corners_and_nothing_else() {
    let layout = Layout {
        left: 0.0,
        right: 600.0,
        ..Layout::WIDE
    };
    let height = Height {
        top: 0.0,
        bottom: 100.0,
        low: 0.0,
        high: 1.0,
    };
    let points: Vec<_> = (0..=600)
        .map(|second| {
            (
                at(second),
                if second < 300 {
                    1.0
                } else {
                    0.5 + f64::from(u32::try_from(second).expect("small") - 300) / 600.0
                },
            )
        })
        .collect();
    let path = series::line(&points, layout.time(at(600)), height);
    assert_eq!(path, "M0.0 0.0L299.0 0.0L300.0 50.0L600.0 0.0");
}

#[test]
fn steps_are_level_between_changes() {
    let layout = Layout {
        left: 0.0,
        right: 600.0,
        ..Layout::WIDE
    };
    let height = Height {
        top: 0.0,
        bottom: 100.0,
        low: 0.0,
        high: 1.0,
    };
    let stretches = series::stretches([(at(0), 0.0), (at(100), 0.2), (at(200), 0.2), (at(600), 0.0)]);
    assert_eq!(stretches.len(), 3);
    let path = series::steps(&stretches, layout.time(at(600)), height);
    assert_eq!(path, "M0.0 100.0H100.0V80.0H600.0V100.0H600.0");
}

#[test]
fn minutes_are_written_with_room_between() {
    assert_eq!(Layout::WIDE.time(at(1680)).minutes(70.0), [0, 5, 10, 15, 20, 25]);
    assert_eq!(Layout::WIDE.time(at(300)).minutes(70.0), [0, 1, 2, 3, 4, 5]);
    assert_eq!(Layout::WIDE.time(Duration::ZERO).minutes(70.0), [0]);
}

#[test]
fn numbers_are_written_as_people_do() {
    assert_eq!(
        (percent(0.2), percent(0.7941), percent(1.0)),
        ("20 %".into(), "79.4 %".into(), "100 %".into())
    );
    assert_eq!(
        (count(0), count(999), count(1_203), count(1_234_567)),
        ("0".into(), "999".into(), "1,203".into(), "1,234,567".into())
    );
}

#[test]
fn a_threshold_is_read_from_a_condition() {
    assert_eq!(threshold("result[0] >= 0.95"), Some(0.95));
    assert_eq!(threshold("result[0] > 0.9"), Some(0.9));
    assert_eq!(threshold("result[0] <= 200"), None);
    assert_eq!(threshold("result[0] >= 0.9 && result[0] <= 1"), None);
    assert_eq!(threshold(""), None);
}

#[test]
fn a_release_that_was_hardly_seen_is_a_page_too() {
    let page = page(
        &Record::default(),
        Origin {
            command: "demo",
            manifests: &[],
        },
    );
    assert!(
        page.contains("<h1>A release</h1>") && !page.contains("NaN") && !page.contains("inf"),
        "{page}"
    );
}
