//! `tidegate run`: one process from its start to its orderly end.

use std::io::IsTerminal;
use std::pin::{Pin, pin};
use std::time::Duration;

use anyhow::Context;
use controller::install::{self, Endpoint};
use controller::serve::{Certificate, Listener, serve};
use controller::{LeaderElection, Options, RunError, Telemetry, measured_webhooks, preflight};
use env::Env;
use env::watch;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use super::{LogFormat, Run, cluster, endpoint};

/// Runs until the process is told to end.
pub(super) fn run(options: Run) -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("install the TLS provider: one is installed already"))?;
    log(options.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    runtime.block_on(process(options))
}

/// What is logged when RUST_LOG says nothing else. The client's errors all come back to us, and are told once, with what was being done.
const LOGGED: &str = "info,kube=off,kube_client=off,kube_runtime=off";

fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

async fn process(run: Run) -> anyhow::Result<()> {
    let env = Env::real();
    let telemetry = Telemetry::default();
    // Everything that can be wrong with this machine is found before the cluster is asked for anything.
    let webhook_listener = Listener::bind(run.webhook_bind, "webhooks").await?;
    let metrics_listener = Listener::bind(run.metrics_bind, "metrics").await?;
    let health_listener = if run.health_bind == run.metrics_bind && run.health_bind.port() != 0 {
        None
    } else {
        Some(Listener::bind(run.health_bind, "probes").await?)
    };
    let endpoint = match &run.webhook_url {
        Some(url) => endpoint::at_url(url, webhook_listener.address().port())?,
        None => endpoint::through_service(&run.namespace),
    };
    let names = endpoint::names(&endpoint)?;
    let probes = health_listener.as_ref().unwrap_or(&metrics_listener).address();
    let own = match (&run.tls_cert, &run.tls_key) {
        (Some(chain), Some(key)) => {
            let own = Certificate::read(chain, key)?;
            own.check(&names, env.now())?;
            Some(own)
        }
        _ => None,
    };
    let client = cluster::connect(&env, &run.cluster).await?;
    // Replicas behind one address must show one certificate; whoever is alone needs no namespace for it.
    let shared = run.leader_elect || matches!(endpoint, Endpoint::Service { .. });
    if shared && run.install {
        install::namespace(&client, &run.namespace).await?;
    }
    let certificate = match own {
        Some(own) => own,
        None if shared => {
            let found = install::shared_certificate(&client, &run.namespace, &names, env.now()).await?;
            found.check(&names, env.now())?;
            found
        }
        None => Certificate::make(&names)?,
    };
    let authority = certificate.authority().to_vec();
    info!(
        webhooks = %webhook_listener.address(),
        metrics = %metrics_listener.address(),
        probes = %probes,
        authority = endpoint::fingerprint(&authority),
        "serving"
    );

    let (end, ending) = watch::channel(false);
    let ended = |mut ending: watch::Receiver<bool>| async move {
        // An error means that the sender is gone, which ends the process, too.
        let _ = ending.wait_for(|ended| *ended).await;
    };
    let mut servers = JoinSet::new();
    let webhooks = measured_webhooks(&env, client.clone(), telemetry.clone());
    servers.spawn(serve(
        env.clone(),
        webhook_listener,
        Some(certificate.clone()),
        webhooks,
        ended(ending.clone()),
    ));
    for listener in [Some(metrics_listener), health_listener].into_iter().flatten() {
        servers.spawn(serve(
            env.clone(),
            listener,
            None,
            telemetry.service(),
            ended(ending.clone()),
        ));
    }

    let mut stop = pin!(told_to_stop()?);
    let installing = {
        let (env, client, telemetry, endpoint, authority) = (&env, &client, &telemetry, &endpoint, &authority);
        let install = run.install;
        async move {
            if install {
                install::apply(client, endpoint, authority).await?;
            }
            // Nothing is pointed at a process that cannot work.
            preflight::pass(env, client, telemetry).await;
            if !install {
                install::point(client, endpoint, authority).await?;
            }
            Ok::<_, install::InstallError>(())
        }
    };
    let installed = tokio::select! {
        biased;
        () = stop.as_mut() => None,
        installed = installing => Some(installed),
    };
    let mut renewing = JoinSet::new();
    if shared && run.tls_cert.is_none() {
        renewing.spawn(install::rotate(
            env.clone(),
            client.clone(),
            run.namespace.clone(),
            names,
            endpoint,
            certificate,
        ));
    }
    let outcome = match installed {
        None => Ok(()),
        Some(Ok(())) => control(&run, env, client, telemetry, stop).await,
        Some(Err(error)) => Err(error.into()),
    };
    renewing.shutdown().await;
    end.send_replace(true);
    while servers.join_next().await.is_some() {}
    outcome
}

/// Resolves once the process is told to end.
fn told_to_stop() -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = signal(SignalKind::interrupt()).context("wait for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("wait for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            biased;
            _ = interrupt.recv() => info!("stopping on SIGINT"),
            _ = terminate.recv() => info!("stopping on SIGTERM"),
        }
    })
}

async fn control(
    run: &Run,
    env: Env,
    client: kube::Client,
    telemetry: Telemetry,
    mut stop: Pin<&mut (impl Future<Output = ()> + Send)>,
) -> anyhow::Result<()> {
    let pod = std::env::var("POD_NAME").unwrap_or_else(|_| "tidegate".to_owned());
    let identity = format!("{pod}_{}", env.chance("identity").uuid());
    let mut options = Options::new(identity);
    options.namespace.clone_from(&run.namespace);
    options.concurrency = usize::from(run.workers);
    options.telemetry = telemetry;
    if run.leader_elect {
        options.leader_election = LeaderElection::lease_of(Duration::from_secs(run.lease_duration));
    }
    // Nothing that correctness needs is in memory, so that a replica which lost its lease can stand for election again as it is, and go on
    // answering webhooks meanwhile.
    while let Err(error) = controller::run(env.clone(), client.clone(), options.clone(), stop.as_mut()).await {
        match error {
            RunError::LeaseLost { .. } => warn!("{error}"),
            error => return Err(error.into()),
        }
    }
    Ok(())
}
