//! The table as Markdown: a row for each request of each case, a column for each gateway, and a mark where they differ. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Cell, all};

/// What one gateway did.
#[derive(Clone, Debug)]
pub struct Column {
    /// The gateway's name.
    pub gateway: String,
    /// Its cells.
    pub cells: Vec<Cell>,
}

impl Column {
    fn seen(&self, row: &str) -> Option<&str> {
        let cell = self.cells.iter().find(|cell| cell.row == row);
        cell.map(|cell| cell.seen.as_str())
    }
}

/// The rows in the order of the cases, each with what it is about.
fn rows(columns: &[Column]) -> Vec<(&str, &'static str)> {
    let places: BTreeMap<&str, usize> = all().iter().enumerate().map(|(place, case)| (case.id, place)).collect();
    let mut rows: Vec<(&str, &'static str)> = Vec::new();
    for cell in columns.iter().flat_map(|column| &column.cells) {
        if !rows.iter().any(|(row, _)| *row == cell.row) {
            rows.push((&cell.row, cell.about));
        }
    }
    // Stable: requests of one case stay in their order.
    rows.sort_by_key(|(row, _)| places.get(row.split(':').next().unwrap_or(row)).copied());
    rows
}

/// The rows in which gateways did not all do the same.
pub fn differences(columns: &[Column]) -> Vec<&str> {
    let differs = |row: &str| {
        let mut seen = columns.iter().filter_map(|column| column.seen(row));
        let first = seen.next();
        seen.any(|other| Some(other) != first)
    };
    let rows = rows(columns).into_iter().map(|(row, _)| row);
    rows.filter(|row| differs(row)).collect()
}

/// The table. A case that a gateway's routes cannot say has a dash there; a row in which gateways differ ends with a mark.
pub fn markdown(columns: &[Column]) -> String {
    let mut text = "| case | routes |".to_owned();
    for column in columns {
        // Writing into a text does not fail.
        let _ = write!(text, " {} |", column.gateway);
    }
    text.push_str(" |\n|---|---|");
    text.push_str(&"---|".repeat(columns.len() + 1));
    text.push('\n');
    let different = differences(columns);
    for (row, about) in rows(columns) {
        let _ = write!(text, "| {row} | {about} |");
        for column in columns {
            let _ = write!(text, " {} |", column.seen(row).unwrap_or("–"));
        }
        text.push_str(if different.contains(&row) { " ≠ |\n" } else { " |\n" });
    }
    text
}
