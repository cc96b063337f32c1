//! What the parts of the sequential test promise, each by itself and together. What it does on simulated traffic is the table of the example
//! `sequential-table`.

mod counters;
mod evidence;
mod hypergeometric;
mod parts;
