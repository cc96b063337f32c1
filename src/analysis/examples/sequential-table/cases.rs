//! The situations that are played. Slices are 15 seconds; the canary has 5 % of the requests, or an arm of its own beside a baseline of equal size. Used by
//! the table and by the tests.

use super::traffic::{Case, Outage};

const HOUR: u32 = 240;

const BUSY: Case = Case {
    name: "no worse, 200/s, 4 h",
    slices: 4 * HOUR,
    canary: 150,
    stable: 2850,
    rates: [0.005, 0.005],
    outage: None,
    correlation: 0.0,
};

/// As good as stable, 960 looks.
pub(crate) const NULL: Case = BUSY;

/// The same with a tenth of the requests.
pub(crate) const NULL_QUIET: Case = Case {
    name: "no worse, 20/s, 4 h",
    canary: 15,
    stable: 285,
    ..BUSY
};

/// Two minutes in which 30 % of all requests fail, in both arms.
pub(crate) const OUTAGE: Case = Case {
    name: "no worse, shared outage 2 min",
    slices: HOUR,
    outage: Some(Outage {
        from: 80,
        until: 88,
        rate: 0.3,
    }),
    ..BUSY
};

/// Half as many errors again.
pub(crate) const SLIGHTLY: Case = Case {
    name: ".5 -> .75 %, 4 h",
    rates: [0.0075, 0.005],
    ..BUSY
};

/// The harm ratio exactly: ψ = 2.
pub(crate) const DOUBLE: Case = Case {
    name: "odds x 2, 1 h",
    slices: HOUR,
    rates: [2.0 / 201.0, 0.005],
    ..BUSY
};

/// Four times the errors.
pub(crate) const FOURFOLD: Case = Case {
    name: ".5 -> 2 %, 1 h",
    slices: HOUR,
    rates: [0.02, 0.005],
    ..BUSY
};

/// Ten times the errors.
pub(crate) const TENFOLD: Case = Case {
    name: ".5 -> 5 %, 1 h",
    slices: HOUR,
    rates: [0.05, 0.005],
    ..BUSY
};

/// Four times the errors among few requests.
pub(crate) const FOURFOLD_QUIET: Case = Case {
    name: "20/s, .5 -> 2 %, 1 h",
    canary: 15,
    stable: 285,
    ..FOURFOLD
};

/// Ten times the errors among few requests.
pub(crate) const TENFOLD_QUIET: Case = Case {
    name: "20/s, .5 -> 5 %, 1 h",
    canary: 15,
    stable: 285,
    ..TENFOLD
};

/// Equal arms, equally good, whose errors come in bursts.
pub(crate) const BURSTS: Case = Case {
    name: "equal arms, no worse, bursts",
    slices: HOUR,
    stable: 150,
    correlation: 0.01,
    ..BUSY
};

/// Equal arms in bursts, four times the errors.
pub(crate) const BURSTS_FOURFOLD: Case = Case {
    name: "equal arms, .5 -> 2 %, bursts",
    rates: [0.02, 0.005],
    ..BURSTS
};

/// All of them, in the order of the table.
pub(crate) const ALL: [Case; 11] = [
    NULL,
    NULL_QUIET,
    OUTAGE,
    SLIGHTLY,
    DOUBLE,
    FOURFOLD,
    TENFOLD,
    FOURFOLD_QUIET,
    TENFOLD_QUIET,
    BURSTS,
    BURSTS_FOURFOLD,
];
