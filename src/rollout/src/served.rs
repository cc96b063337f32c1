//! What this version can lead. A Rollout may ask for more than that, validly; it is told so, and its workload is not released without its steps.

use api::plan::{Plan as Spec, Router, Style};
use traffic::ingress::{Dialect, sayable};

/// Whether the release that a Rollout asks for can be led, and if not, why and what to do.
pub(crate) fn served(spec: &Spec) -> Result<(), String> {
    let workload = &spec.workload;
    if workload.kind.is_empty() || workload.name.is_empty() {
        return Err("spec.workloadRef names no workload; give apiVersion, kind and name".into());
    }
    match spec.style() {
        Style::Canary => {}
        Style::BlueGreen => {
            return Err("spec.strategy.blueGreen is not served yet; use spec.strategy.canary with enableExtraWorkloadForCanary: true".into());
        }
        Style::Partition if (workload.api_version.as_str(), workload.kind.as_str()) == ("apps/v1", "Deployment") => {
            return Err("releasing a Deployment in place (partition) is not served yet; set spec.strategy.canary.enableExtraWorkloadForCanary: true".into());
        }
        Style::Partition => {
            return Err(format!(
                "releasing a {} of {} is not served yet; only canary releases of an apps/v1 Deployment are",
                workload.kind, workload.api_version
            ));
        }
    }
    if let Some(name) = &spec.traffic_routing {
        return Err(format!(
            "TrafficRouting {name} cannot be used: TrafficRoutings are not served yet; remove the reference, and name the Ingress in trafficRoutings"
        ));
    }
    let Some(routing) = &spec.routing else { return Ok(()) };
    match routing.routers.as_slice() {
        [Router::Ingress { class, .. }] if Dialect::of(class).is_some() => {}
        [Router::Ingress { class, .. }] => {
            return Err(format!(
                "trafficRoutings[0].ingress.classType {class} is not served yet; nginx and higress are"
            ));
        }
        _ => {
            return Err("trafficRoutings[0] must name one ingress; gateway, customNetworkRefs and several routers at once are not served yet".into());
        }
    }
    if !routing.canary_service {
        return Err(
            "disableGenerateCanaryService leaves an Ingress with nothing to split traffic between; remove it".into(),
        );
    }
    for (index, step) in spec.steps.iter().enumerate() {
        let Some(route) = &step.route else { continue };
        if step.header_modifier.is_some() {
            return Err(format!(
                "steps[{index}].requestHeaderModifier cannot be said to an Ingress; remove it"
            ));
        }
        sayable(route).map_err(|why| format!("steps[{index}]: {why}"))?;
    }
    Ok(())
}
