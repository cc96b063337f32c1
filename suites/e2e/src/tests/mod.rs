//! What is run here for its own sake: the cost of a release, kills and lost answers, and mutants of the controller.

mod cost;
mod crash;
mod mutants;

use suites::{Scenario, scenarios};

fn scenario(id: &str) -> Scenario {
    scenarios::all()
        .into_iter()
        .find(|known| known.id == id)
        .expect("the scenario is in the list")
}
