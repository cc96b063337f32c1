//! The walkthrough on virtual time, as somebody reads it in a log; judged releases and the pages about them are beside it.

mod browser;
mod judged;

use std::process::ExitCode;

use super::person::Person;
use super::screen::Screen;
use super::walkthrough;
use crate::living::{Living, Speed};

/// What chance decides: names, shares of the canary, and when exactly something is seen.
const BY_CHANCE: [(&str, &str); 4] = [
    ("echoserver-[a-z0-9]{5}\\b", "echoserver-xxxxx"),
    (" +[0-9.]+ s  ", "     *.* s  "),
    ("\\b[0-9]{1,2}[.][0-9] %", "**.* %"),
    (
        "[0-9]{4,} requests sent, [0-9]{4,} answered",
        "**** requests sent, **** answered",
    ),
];

#[test]
fn the_story_as_plain_lines() {
    let mut out = Vec::new();
    let code = env::sim::run(1, env::Trace::off(), |world| {
        let out = &mut out;
        async move {
            let living = Living::start(&world).await.expect("the cluster starts");
            let mut screen = Screen::plain(out);
            let told = walkthrough::tell(&world, &living, Speed::WALL, Person::GoesOn, &mut screen).await;
            living.stop().await;
            told.expect("the release goes as told")
        }
    });
    let text = String::from_utf8(out).expect("it is text");
    let mut settings = insta::Settings::clone_current();
    for (pattern, word) in BY_CHANCE {
        settings.add_filter(pattern, word);
    }
    let _filters = settings.bind_to_scope();
    insta::assert_snapshot!(text, @r"
   A release, step by step, as the article tells it. A Kubernetes, its gateway
   and the controller live in this process, and nothing outlives it. Their clock
   runs as fast as yours.

1  An application behind an ingress
   $ kubectl apply -f deployment.yaml -f service.yaml -f ingress.yaml
     *.* s  + Deployment echoserver  wants 1.10.2: 5 of 5 pods have it
     *.* s  + Ingress    echoserver
     *.* s  + Service    echoserver
   Five pods of cilium/echoserver:1.10.2 answer. From here on the gateway gets
   50 requests a second, and each answer says which version gave it.

2  A rule for its releases
   $ kubectl apply -f rollout.yaml
   One step: one pod of a new version, 5 % of the requests; then a person decides.
     200 requests: 1.10.2 100.0 %  0 lost

3  A new version
   $ kubectl set image deployment/echoserver echoserver=cilium/echoserver:1.10.3
     *.* s  ~ Deployment echoserver  wants 1.10.3: 0 of 5 pods have it
     *.* s  + Deployment echoserver-xxxxx  1.10.3, 0 of 1 pods available
     *.* s  + Service    echoserver-canary
     *.* s  ~ Deployment echoserver-xxxxx  1.10.3, 1 of 1 pods available
     *.* s  + Ingress    echoserver-canary  5 % of the requests
   The Deployment itself stands still: five pods of the old version, as before.
   Measured by asking, not believed:
    1000 requests: 1.10.2 **.* %  1.10.3 **.* %  0 lost

4  A person decides
   Nothing more happens until somebody approves. Nobody does for five seconds:
     300 requests: 1.10.2 **.* %  1.10.3 **.* %  0 lost
   $ kubectl-kruise rollout approve rollout/rollouts-demo -n default
   rollout.rollouts.kruise.io/rollouts-demo approved

5  Promotion
     *.* s  - Ingress    echoserver-canary
     *.* s  ~ Deployment echoserver  wants 1.10.3: 3 of 5 pods have it
     *.* s  ~ Deployment echoserver  wants 1.10.3: 4 of 5 pods have it
     *.* s  ~ Deployment echoserver  wants 1.10.3: 5 of 5 pods have it
     *.* s  - Service    echoserver-canary
     *.* s  - Deployment echoserver-xxxxx
     *.* s  = Rollout    rollouts-demo: Rollout progressing has been completed
     200 requests: 1.10.3 100.0 %  0 lost
   Nothing is left behind: 20 objects, all kinds, equal to those before the
   release, field by field, but for the image.

6  Another version, taken back
   $ kubectl set image deployment/echoserver echoserver=cilium/echoserver:1.10.4
     *.* s  ~ Deployment echoserver  wants 1.10.4: 0 of 5 pods have it
     *.* s  + Deployment echoserver-xxxxx  1.10.4, 0 of 1 pods available
     *.* s  + Service    echoserver-canary
     *.* s  ~ Deployment echoserver-xxxxx  1.10.4, 1 of 1 pods available
     *.* s  + Ingress    echoserver-canary  5 % of the requests
    1000 requests: 1.10.3 **.* %  1.10.4 **.* %  0 lost
   Suppose that it is no good. The old image is put back; that is all it takes:
   $ kubectl set image deployment/echoserver echoserver=cilium/echoserver:1.10.3
     *.* s  ~ Deployment echoserver  wants 1.10.3: 5 of 5 pods have it
     *.* s  - Ingress    echoserver-canary
     *.* s  - Deployment echoserver-xxxxx
     *.* s  - Service    echoserver-canary
     *.* s  = Rollout    rollouts-demo: Rollout progressing has been canceled
     200 requests: 1.10.3 100.0 %  0 lost
   Nothing is left behind: 20 objects, all kinds, equal to those before the
   release, field by field, but for the image.

In all
   **** requests sent, **** answered, 0 lost.
   Simulated: the cluster, its pods, its gateway and their time; the controller
   is the real one. Next: `cargo xtask up` for kubectl and curl, `cargo xtask e2e`
   for all the cases.
");
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
}
