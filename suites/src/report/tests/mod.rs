//! Tests of reports: their forms, and whether several of them agree.

mod compare;
mod forms;
