//! The cases, as data: routes in one line each, and the requests that find out what a gateway makes of them.

use super::way::{EVERYWHERE, Place, Way};
use super::{Ask, Case, Play};
use crate::routes::Family;

const EVERY: &[Family] = &Family::ALL;
const NGINX: &[Family] = &[Family::Ingress];
/// Families whose rules can select by query.
const QUERY: &[Family] = &[Family::HttpRoute, Family::VirtualService];

/// A fifth of all requests to the new version.
const FIFTH: &[(&str, u32)] = &[("old", 80), ("new", 20)];
const TO_NEW: &[(&str, u32)] = &[("new", 100)];
const WEIGHT: (&str, &str) = ("weight", "20");

const fn ask(label: &'static str, path: &'static str) -> Ask {
    Ask {
        label,
        host: None,
        path,
        headers: &[],
    }
}

const fn with(label: &'static str, headers: &'static [(&'static str, &'static str)]) -> Ask {
    Ask {
        label,
        host: None,
        path: "/",
        headers,
    }
}

fn plain() -> Play {
    Play::Ask(vec![ask("", "/")])
}

pub(super) fn all() -> Vec<Case> {
    let mut all = shared();
    all.extend(annotations());
    all.extend(moving());
    all
}

/// What every family can say.
fn shared() -> Vec<Case> {
    let case = |id, about, routes, play| Case {
        id,
        about,
        families: EVERY,
        routes,
        play,
    };
    vec![
        case(
            "weight-0",
            "weight 0",
            |place| split(place, &[("old", 100), ("new", 0)]),
            plain(),
        ),
        case("weight-20", "weight 20", |place| split(place, FIFTH), plain()),
        case(
            "weight-100",
            "weight 100",
            |place| split(place, &[("old", 0), ("new", 100)]),
            plain(),
        ),
        case(
            "empty",
            "weight 20 on a Service without endpoints",
            |place| split(place, &[("old", 80), ("empty", 20)]),
            plain(),
        ),
        case(
            "empty-all",
            "weight 100 on a Service without endpoints",
            |place| split(place, &[("old", 0), ("empty", 100)]),
            plain(),
        ),
        case(
            "absent",
            "weight 20 on a Service that does not exist",
            |place| split(place, &[("old", 80), ("absent", 20)]),
            plain(),
        ),
        case(
            "header",
            "one header value leads to the new version",
            |place| place.ways(&[selected("x-user", "tester"), EVERYWHERE]),
            Play::Ask(vec![
                with("that value", &[("x-user", "tester")]),
                with("another value", &[("x-user", "somebody")]),
                with("without it", &[]),
            ]),
        ),
        case(
            "two-hosts",
            "weight 20 on one host; a second route leads another host to the same Service",
            |place| {
                let mut routes = split(place, FIFTH);
                routes.extend(place.ways_of("two-hosts-other", "z", &[EVERYWHERE]));
                routes
            },
            Play::Ask(vec![
                ask("the host", "/"),
                Ask {
                    label: "the other host",
                    host: Some("two-hosts-other"),
                    path: "/",
                    headers: &[],
                },
            ]),
        ),
        case(
            "two-paths",
            "weight 20 on /shop only",
            |place| {
                place.ways(&[
                    Way {
                        path: "/shop",
                        to: FIFTH,
                        ..EVERYWHERE
                    },
                    EVERYWHERE,
                ])
            },
            Play::Ask(vec![
                ask("/shop/cart", "/shop/cart"),
                ask("/shopping", "/shopping"),
                ask("/", "/"),
            ]),
        ),
        case(
            "order",
            "/ leads to the old version, and only after it /shop to the new one",
            |place| {
                place.ways(&[
                    EVERYWHERE,
                    Way {
                        path: "/shop",
                        to: TO_NEW,
                        ..EVERYWHERE
                    },
                ])
            },
            Play::Ask(vec![ask("/shop", "/shop")]),
        ),
        case(
            "exact",
            "/shop exactly leads to the new version, everything else to the old one",
            |place| {
                place.ways(&[
                    Way {
                        path: "/shop",
                        exact: true,
                        to: TO_NEW,
                        ..EVERYWHERE
                    },
                    EVERYWHERE,
                ])
            },
            Play::Ask(vec![ask("/shop", "/shop"), ask("/shop/cart", "/shop/cart")]),
        ),
        case(
            "twice",
            "two routes for one host and path, the older one to the old version",
            |place| {
                let mut routes = place.ways(&[EVERYWHERE]);
                routes.extend(place.ways_of(
                    place.case,
                    "z",
                    &[Way {
                        to: TO_NEW,
                        ..EVERYWHERE
                    }],
                ));
                routes
            },
            plain(),
        ),
        Case {
            id: "query",
            about: "one value of a query parameter leads to the new version",
            families: QUERY,
            routes: |place| {
                place.ways(&[
                    Way {
                        query: Some(("try", "new")),
                        to: TO_NEW,
                        ..EVERYWHERE
                    },
                    EVERYWHERE,
                ])
            },
            play: Play::Ask(vec![ask("that value", "/?try=new"), ask("another value", "/?try=old")]),
        },
    ]
}

/// What only the nginx dialect's annotations say, and which of them beats which.
fn annotations() -> Vec<Case> {
    type Words = &'static [(&'static str, &'static str)];
    fn canary(place: &Place, words: Words) -> Vec<serde_json::Value> {
        let mut routes = place.ways(&[EVERYWHERE]);
        routes.push(place.canary("b", "/", "new", words));
        routes
    }
    let case = |id, about, routes, play| Case {
        id,
        about,
        families: NGINX,
        routes,
        play,
    };
    let always_never = Play::Ask(vec![
        with("always", &[("x-canary", "always")]),
        with("never", &[("x-canary", "never")]),
        with("another value", &[("x-canary", "yes")]),
    ]);
    vec![
        case(
            "total",
            "weight 500 of a total of 1000",
            |place| canary(place, &[("weight", "500"), ("weight-total", "1000")]),
            plain(),
        ),
        case(
            "by-header",
            "by-header, weight 20",
            |place| canary(place, &[("by-header", "x-canary"), WEIGHT]),
            always_never,
        ),
        case(
            "by-value",
            "by-header and by-header-value `yes`, weight 20",
            |place| canary(place, &[("by-header", "x-canary"), ("by-header-value", "yes"), WEIGHT]),
            Play::Ask(vec![
                with("that value", &[("x-canary", "yes")]),
                with("always", &[("x-canary", "always")]),
                with("never", &[("x-canary", "never")]),
            ]),
        ),
        case(
            "by-pattern",
            "by-header and by-header-pattern `^y.*`, weight 20",
            |place| {
                canary(
                    place,
                    &[("by-header", "x-canary"), ("by-header-pattern", "^y.*"), WEIGHT],
                )
            },
            Play::Ask(vec![
                with("it matches", &[("x-canary", "yes")]),
                with("it does not", &[("x-canary", "no")]),
            ]),
        ),
        case(
            "value-and-pattern",
            "by-header-value `yes` and by-header-pattern `^n.*`, weight 0",
            |place| {
                let words: Words = &[
                    ("by-header", "x-canary"),
                    ("by-header-value", "yes"),
                    ("by-header-pattern", "^n.*"),
                ];
                canary(place, words)
            },
            Play::Ask(vec![
                with("the value", &[("x-canary", "yes")]),
                with("the pattern", &[("x-canary", "no")]),
            ]),
        ),
        case(
            "by-cookie",
            "by-cookie, weight 20",
            |place| canary(place, &[("by-cookie", "canary"), WEIGHT]),
            Play::Ask(vec![
                with("always", &[("cookie", "canary=always")]),
                with("never", &[("cookie", "canary=never")]),
                with("another value", &[("cookie", "canary=yes")]),
            ]),
        ),
        case(
            "header-and-cookie",
            "by-header and by-cookie that say the opposite",
            |place| canary(place, &[("by-header", "x-canary"), ("by-cookie", "canary"), WEIGHT]),
            Play::Ask(vec![
                with(
                    "header never, cookie always",
                    &[("x-canary", "never"), ("cookie", "canary=always")],
                ),
                with(
                    "header always, cookie never",
                    &[("x-canary", "always"), ("cookie", "canary=never")],
                ),
            ]),
        ),
        case(
            "two-canaries",
            "two canaries for one host and path: weight 20, and to nobody's Service weight 50",
            |place| {
                let mut routes = canary(place, &[WEIGHT]);
                routes.push(place.canary("c", "/", "empty", &[("weight", "50")]));
                routes
            },
            plain(),
        ),
        case(
            "own-service",
            "a canary of weight 50 whose Service is the stable one",
            |place| {
                let mut routes = place.ways(&[EVERYWHERE]);
                routes.push(place.canary("b", "/", "old", &[("weight", "50")]));
                routes
            },
            plain(),
        ),
        case(
            "other-path",
            "a canary for a path that no other Ingress has",
            |place| {
                let mut routes = place.ways(&[EVERYWHERE]);
                routes.push(place.canary("b", "/shop", "new", &[("weight", "100")]));
                routes
            },
            Play::Ask(vec![ask("/shop", "/shop"), ask("/", "/")]),
        ),
    ]
}

/// What takes time: the weight that moves, and the pod that goes.
fn moving() -> Vec<Case> {
    let case = |id, about, routes, play| Case {
        id,
        about,
        families: EVERY,
        routes,
        play,
    };
    let from_nothing = |place: &Place| split(place, &[("old", 100), ("new", 0)]);
    let to_leaving = |place: &Place| {
        place.ways(&[Way {
            to: &[("leaving", 100)],
            ..EVERYWHERE
        }])
    };
    vec![
        case(
            "one-write",
            "all traffic moves in one write",
            from_nothing,
            Play::Move { writes: 1 },
        ),
        case(
            "burst",
            "all traffic moves in ten writes at once",
            from_nothing,
            Play::Move { writes: 10 },
        ),
        case(
            "gone-at-once",
            "one of two pods is deleted and stops at once",
            to_leaving,
            Play::Delete { drain: 0 },
        ),
        case(
            "gone-later",
            "one of two pods is deleted and answers for 6 s more",
            to_leaving,
            Play::Delete { drain: 6 },
        ),
    ]
}

fn split(place: &Place, to: &[(&str, u32)]) -> Vec<serde_json::Value> {
    place.ways(&[Way { to, ..EVERYWHERE }])
}

fn selected(name: &'static str, value: &'static str) -> Way<'static> {
    Way {
        header: Some((name, value)),
        to: TO_NEW,
        ..EVERYWHERE
    }
}
