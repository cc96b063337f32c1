//! Runs the tests of the example `sequential-table`, which stays a program that prints its table.

#[path = "../examples/sequential-table/main.rs"]
#[expect(dead_code, reason = "a test does not print the table")]
mod table;
