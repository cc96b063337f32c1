//! The words of a cell, the marks of the table, and that cases can be told apart.

use std::collections::BTreeSet;

use rstest::rstest;

use super::ask::words;
use super::way::{EVERYWHERE, Place, Way};
use super::{Cell, Column, all, differences, markdown};
use crate::routes::{Door, Family};

#[rstest]
#[case::one(&[("old", 1000)], "old")]
#[case::by_chance(&[("old", 813), ("new", 187)], "80 % old, 20 % new")]
#[case::not_by_chance(&[("old", 900), ("new", 100)], "90 % old, 10 % new")]
#[case::errors(&[("old", 795), ("503", 205)], "80 % old, 20 % 503")]
fn what_was_counted_is_put_into_words(#[case] counts: &[(&str, u64)], #[case] expected: &str) {
    let counts = counts
        .iter()
        .map(|(outcome, count)| ((*outcome).to_owned(), *count))
        .collect();
    assert_eq!(words(&counts), expected);
}

fn column(gateway: &str, cells: &[(&str, &str)]) -> Column {
    let cell = |(row, seen): &(&str, &str)| Cell {
        row: (*row).to_owned(),
        about: "about it",
        seen: (*seen).to_owned(),
    };
    Column {
        gateway: gateway.to_owned(),
        cells: cells.iter().map(cell).collect(),
    }
}

#[test]
fn rows_in_which_gateways_differ_are_marked() {
    let columns = [
        column(
            "one",
            &[("total", "50 % new"), ("weight-20", "20 % new"), ("empty", "old")],
        ),
        column("two", &[("weight-20", "20 % new"), ("empty", "20 % 503")]),
    ];
    assert_eq!(differences(&columns), ["empty"]);
    insta::assert_snapshot!(markdown(&columns), @r"
    | case | routes | one | two | |
    |---|---|---|---|---|
    | weight-20 | about it | 20 % new | 20 % new | |
    | empty | about it | old | 20 % 503 | ≠ |
    | total | about it | 50 % new | – | |
    ");
}

#[test]
fn no_two_cases_share_a_name() {
    let names: Vec<&str> = all().iter().map(|case| case.id).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

#[rstest]
#[case(Family::Ingress)]
#[case(Family::HttpRoute)]
#[case(Family::VirtualService)]
fn a_way_in_each_family(#[case] family: Family) {
    let place = Place {
        family,
        door: Door::default(),
        namespace: "default".to_owned(),
        case: "case",
        host: Box::new(|first| format!("{first}.example.com")),
    };
    let header = Way {
        header: Some(("x-user", "tester")),
        to: &[("new", 100)],
        ..EVERYWHERE
    };
    let split = Way {
        path: "/shop",
        to: &[("old", 80), ("new", 20)],
        ..EVERYWHERE
    };
    let routes = place.ways(&[header, split]);
    insta::assert_snapshot!(format!("way-{}", family.id()), serde_yaml::to_string(&routes).unwrap());
}
