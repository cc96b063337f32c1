//! What simulated code relies on: virtual time, repeatable chance, a network that comes and goes.

use std::time::Duration;

use http::{Request, Response};

use crate::sim::{EPOCH, run};
use crate::{DialError, Elapsed, HttpService, Trace, empty, full, read_all};

#[test]
fn an_hour_passes_at_once_and_to_the_nanosecond() {
    run(1, Trace::off(), |world| async move {
        world.env.sleep(Duration::from_secs(3600)).await;
        assert_eq!(
            world.env.now().duration_since(EPOCH),
            jiff::SignedDuration::from_secs(3600)
        );
    });
}

#[test]
fn a_timeout_ends_work_that_hangs() {
    run(1, Trace::off(), |world| async move {
        let hung = world
            .env
            .clock()
            .timeout(Duration::from_secs(5), std::future::pending::<()>())
            .await;
        assert_eq!(hung, Err(Elapsed));
        assert_eq!(world.env.clock().elapsed().0, Duration::from_secs(5));
    });
}

#[test]
fn chance_depends_on_seed_and_purpose_only() {
    let draws = |seed| {
        run(seed, Trace::off(), |world| async move {
            world.env.chance("something else").uuid();
            (world.env.chance("a").uuid(), world.env.chance("b").name_suffix(5))
        })
    };
    assert_eq!(draws(7), draws(7));
    assert_ne!(draws(7), draws(8));
}

#[test]
fn a_service_answers_while_it_is_served() {
    run(1, Trace::off(), |world| async move {
        let served = world.network.serve(
            "web:80",
            HttpService::new(|_| async { Ok(Response::new(full("hello"))) }),
        );
        let service = world.env.dial("http://web:80").await.expect("it is served");
        let response = service.send(Request::new(empty())).await.expect("it answers");
        assert_eq!(read_all(response.into_body(), 10).await.expect("short"), "hello");
        drop(served);
        assert_eq!(
            world.env.dial("web:80").await.expect_err("gone"),
            DialError::Refused {
                authority: "web:80".to_owned()
            }
        );
    });
}

#[test]
fn a_body_over_its_limit_is_an_error_and_not_a_cut() {
    run(1, Trace::off(), |_| async {
        let error = read_all(full("hello"), 4).await.expect_err("5 bytes");
        assert_eq!(error.to_string(), "body is longer than 4 bytes");
    });
}

#[test]
fn trace_lines_carry_virtual_time() {
    let trace = Trace::in_memory();
    run(1, trace.clone(), |world| async move {
        world.env.sleep(Duration::from_millis(3)).await;
        world.env.record("decide", || serde_json::json!({ "rule": "wait" }));
    });
    let lines: Vec<_> = trace.take().iter().map(crate::TraceRecord::to_line).collect();
    assert_eq!(lines, [r#"{"at":"3000","rule":"wait","what":"decide"}"#]);
}
