//! `e2e bad-day`: runs of `--cluster local` in which a process of the cluster is killed or halted while a release is under way. A run whose part is
//! gone ends at once and says which and why; one whose API server was away for a while goes on; and nothing outlives either.
//!
//! Each case starts this program again and looks at it from outside ([`run`]). Every case begins without having been told anything by the one before.

mod run;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use env::Env;

use run::Run;

/// How long an API server is halted.
const HALT: Duration = Duration::from_secs(10);
/// How long a run may take to notice that a part is gone, and to end.
const AT_ONCE: Duration = Duration::from_secs(10);
/// How long a run whose API server was halted may go on.
const TO_THE_END: Duration = Duration::from_secs(180);

/// What happens to a process.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// It is killed; the run cannot go on.
    Kill,
    /// It stands still for a while; the run goes on.
    Halt,
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// What is shown by it.
    name: &'static str,
    /// The program that is hit.
    program: &'static str,
    blow: Blow,
    /// The gateway of the run.
    gateway: &'static str,
}

const CASES: [Case; 3] = [
    Case {
        name: "a proxy that dies",
        program: "traefik",
        blow: Blow::Kill,
        gateway: "traefik-ingress",
    },
    Case {
        name: "an etcd that dies",
        program: "etcd",
        blow: Blow::Kill,
        gateway: "ingress",
    },
    Case {
        name: "an API server that is away for ten seconds",
        program: "kube-apiserver",
        blow: Blow::Halt,
        gateway: "ingress",
    },
];

/// Plays the cases one after the other and says what each came to.
///
/// # Errors
/// The first case that does not come to what it should.
pub(crate) fn bad_day(out: &mut dyn Write) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start a runtime")?;
    runtime.block_on(async {
        let env = Env::real();
        for case in CASES {
            let begun = env.clock().elapsed();
            let said = play(&env, case).await.with_context(|| case.name.to_owned())?;
            let took = env.clock().elapsed().since(begun).as_secs_f64();
            writeln!(out, "{}  {took:.1} s\n    {said}", case.name).context("print what a case came to")?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn play(env: &Env, case: Case) -> Result<String> {
    let mut run = Run::start(env, case.gateway)?;
    let victim = run.release_is_under_way(case.program).await?;
    let children = run.children();
    let said = match case.blow {
        Blow::Kill => {
            victim.signal("KILL")?;
            let ended = run.ended_within(AT_ONCE).await?;
            ensure!(ended.code == Some(1), "the run did not end with exit code 1\n{ended}");
            one_error(&ended.errors, case.program)?
        }
        Blow::Halt => {
            victim.signal("STOP")?;
            env.sleep(HALT).await;
            victim.signal("CONT")?;
            let ended = run.ended_within(TO_THE_END).await?;
            ensure!(ended.code == Some(0), "the run did not get over it\n{ended}");
            ended.printed.lines().last().unwrap_or_default().to_owned()
        }
    };
    for child in &children {
        ensure!(!child.runs(), "{child} outlives the run");
    }
    Ok(format!("{said}\n    {} processes ended with the run", children.len()))
}

/// The first line of the one error that a person reads, when it names the program.
fn one_error(errors: &str, program: &str) -> Result<String> {
    let found: Vec<&str> = errors.lines().filter(|line| line.starts_with("error: ")).collect();
    let words = format!("{program} of the local cluster ended (signal: 9 (SIGKILL)); the end of its log:");
    match found.as_slice() {
        [one] if one.ends_with(&words) => Ok((*one).to_owned()),
        _ => anyhow::bail!("no single error that ends with {words:?}\n{errors}"),
    }
}
