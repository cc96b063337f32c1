//! Every scenario begins once, and what is named as long is there.

use suites::scenarios;

use super::*;

#[test]
fn all_begin_once_and_the_long_ones_first() {
    let scenarios = scenarios::all();
    let order = longest_first(&scenarios);
    let first: Vec<&str> = order
        .iter()
        .take(LONG.len())
        .map(|index| scenarios[*index].id.as_str())
        .collect();
    assert_eq!(first, LONG);
    let rest = &order[LONG.len()..];
    assert!(rest.is_sorted());
    let mut all = order.clone();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..scenarios.len()));
}
