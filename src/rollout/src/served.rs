//! What this version can lead. A Rollout may ask for more than that, validly; it is told so, and its workload is not released without its steps.

use api::plan::{Plan as Spec, Style};

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
    let routers = traffic::routers(&routing.routers).map_err(|error| error.to_string())?;
    if routers.is_empty() {
        return Err("trafficRoutings[0] names no ingress, no gateway route and no customNetworkRefs; name one".into());
    }
    let apart =
        routers.iter().all(|router| router.splits_one_service()) && routers.iter().any(|router| router.makes_subsets());
    if !routing.canary_service && !apart {
        return Err("disableGenerateCanaryService leaves the routes with nothing to split traffic between; remove it, or name a VirtualService and a DestinationRule in customNetworkRefs".into());
    }
    for (index, step) in spec.steps.iter().enumerate() {
        let Some(route) = &step.route else { continue };
        for router in &routers {
            let said = router.sayable(route, step.header_modifier.as_ref());
            said.map_err(|why| format!("steps[{index}].{why}"))?;
        }
    }
    Ok(())
}
