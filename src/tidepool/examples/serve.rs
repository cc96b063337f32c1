//! throwaway
use env::sim::SimNetwork;
use env::{Chance, Clock, Env, Trace};
use std::sync::Arc;
use tidepool::{Embedded, Options};
fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let network = SimNetwork::default();
        let env = Env::new(
            Clock::real(),
            Chance::from_seed(1),
            Arc::new(network.clone()),
            Trace::off(),
        );
        let cluster = Embedded::start(&env, &network, Options::default()).await;
        let served = cluster.serve(tidepool::Ports::default()).await.expect("serve");
        std::fs::write(std::env::args().nth(1).unwrap(), &served.kubeconfig).unwrap();
        println!("{} {}", served.api(), served.gateway());
        std::future::pending::<()>().await;
    });
}
